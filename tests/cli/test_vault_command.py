"""One host without any infrastructure: a local vault is started, provisioned, rotated into, and stopped."""

from __future__ import annotations

from pathlib import Path

from rotation_home import CONFIG
from rotation_home import home as make_home

STORES = """\
[stores.main]
type = "vault"
local = true
folder = "{home}/vault"
keeper = {{ type = "agefile", file = "{home}/keeper.age", insecure_identity = true }}
"""


def test_a_local_vault_serves_a_whole_rotation(tmp_path: Path) -> None:
    with make_home(tmp_path / "home") as home:
        rest = CONFIG[CONFIG.index("[lanes.bot]") :]
        home.config.write_text((STORES + "\n" + rest).format(home=home.folder, url=home.fake.url))
        assert "not running" in home.ok("vault", "status", code=3)
        try:
            assert "running at http://127.0.0.1:" in home.ok("vault", "up")
            home.ok("vault", "status")
            home.ok("config", "check", "--live")
            plan = home.ok("lanes", "provision", "bot", "--dry-run")
            assert "keyward-lane-bot" in plan
            home.ok("lanes", "provision", "bot", "--yes")
            home.adopt()
            home.ok("rotate", "--all", "--yes")
            assert home.alive() == {home.key_in_env()}
            home.ok("audit", "verify")
        finally:
            home.ok("vault", "down")
        code, out, err = home.run("rotate", "--all", "--yes")
        assert code == 4 and "keyward vault up" in out + err and home.alive() == {home.key_in_env()}
