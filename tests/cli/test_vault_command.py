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


def _files(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, but for the server's own: it writes its data as it likes."""
    found = (path for path in folder.rglob("*") if path.is_file() and "data" not in path.parts)
    return {str(path): path.read_bytes() for path in found}


def test_a_local_vault_serves_a_whole_rotation(tmp_path: Path) -> None:
    with make_home(tmp_path / "home") as home:
        rest = CONFIG[CONFIG.index("[lanes.bot]") :]
        home.config.write_text((STORES + "\n" + rest).format(home=home.folder, url=home.fake.url))
        assert "not running" in home.ok("vault", "status", code=3)
        files = _files(home.folder)
        out = home.ok("vault", "up", "--dry-run")
        assert [line.split()[1] for line in out.splitlines()] == [
            "start",
            "set",
            "unseal",
            "make",
        ] and f"{home.folder}/vault" in out
        assert "does not run" in home.ok("vault", "down", "--dry-run")
        assert _files(home.folder) == files and not (home.folder / "vault").exists()
        try:
            assert "running at http://127.0.0.1:" in home.ok("vault", "up")
            home.ok("vault", "status")
            files = _files(home.folder)
            assert [line.split()[1] for line in home.ok("vault", "up", "--dry-run").splitlines()] == ["make"]
            assert "would stop process" in home.ok("vault", "down", "--dry-run")
            home.ok("vault", "status")
            assert _files(home.folder) == files
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
