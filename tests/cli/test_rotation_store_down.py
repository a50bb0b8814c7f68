"""One store is down while leaked keys are matched: what depends on it fails, and the rest goes on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import rotation_home

DOWN = """
[stores.vault]
type = "vault"
address = "http://127.0.0.1:{port}"
token = "env:NO_SUCH_TOKEN"

[lanes.shop]
store = "vault"

[[lanes.shop.credentials]]
name = "openrouter"
kind = "openrouter/api-key"
target = {{ base_url = "{url}" }}
admin = {{ secret = "env:OPENROUTER_MANAGEMENT" }}

[[lanes.shop.credentials]]
name = "another"
kind = "openrouter/api-key"
target = {{ base_url = "{url}" }}
admin = {{ secret = "env:OPENROUTER_MANAGEMENT" }}
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[rotation_home.Home]:
    with rotation_home.home(tmp_path) as made:
        made.report = made.adopt()  # type: ignore[attr-defined]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            text = made.config.read_text().replace("[lanes.bot]\n", '[lanes.bot]\nstore = "local"\n')
            made.config.write_text(text + DOWN.format(port=closed.getsockname()[1], url=made.fake.url))
            yield made


def test_only_what_depends_on_it_fails(home: rotation_home.Home) -> None:
    report = str(home.report)  # type: ignore[attr-defined]
    shown = home.ok("plan", "--leaked", report, code=4)
    assert "bot/openrouter" in shown and "nobody can tell whether it leaked" in shown and "shop/another" in shown
    out = home.ok("rotate", "--leaked", report, "--yes", code=4)
    assert (
        "bot/openrouter: proved" in out and "shop/openrouter: at PLAN: nobody can tell" in out and "Nothing was changed" in out
    )
    assert home.alive() == {home.key_in_env()} and home.old not in home.alive()


def test_what_may_be_in_use_is_not_revoked(home: rotation_home.Home) -> None:
    home.ok("rotate", "bot/openrouter", "--yes")
    stray = home.fake.make_key("bot").value
    out = home.ok("revoke", "-", "--kind", "openrouter/api-key", "--yes", code=4, stdin=stray)
    assert "may use it" in out and "--anyway" in out and stray in home.alive()
    home.ok("revoke", "-", "--kind", "openrouter/api-key", "--yes", "--anyway", stdin=stray)
    assert stray not in home.alive()


def test_a_fingerprint_is_looked_up_in_what_can_be_read_and_the_rest_is_named(home: rotation_home.Home) -> None:
    name = "kw1_" + "b" * 26
    code, out, err = home.run("revoke", name, "--yes")
    assert code == 4 and out == "" and f"no lane holds {name}" in err and "local (1 credential)" in err
    assert (
        all(f"{ref} could not be read" in err for ref in ("shop/openrouter", "shop/another")) and "--leaked report.jsonl" in err
    )
    held = home.fingerprint(home.report)  # type: ignore[attr-defined]
    assert "bot/openrouter uses it now" in home.ok("revoke", held, "--yes", code=4) and home.alive() == {home.old}
