"""`rotate --leaked REPORT --references`: what a scan found becomes a reference where whoever reads it can resolve one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from consumers.played_openclaw import CLAW
from rotation_home import Home
from rotation_home import home as make_home

COMPOSE = "services:\n  bot:\n    image: bot:1\n    environment:\n      OPENROUTER_API_KEY: {key}   # for the bot\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Without configured consumers, and with an `openclaw` on the PATH that does what the real one does."""
    with make_home(tmp_path / "home") as made:
        text = made.config.read_text()
        made.config.write_text(text[: text.index("[[lanes.bot.consumers]]")])
        made.env_file.unlink()
        shop = made.folder / "bot"
        (shop / "compose.yml").write_text(COMPOSE.format(key=made.old))
        models = {"providers": {"openrouter": {"baseUrl": "https://openrouter.example", "apiKey": made.old}}}
        (shop / "openclaw.json").write_text(json.dumps({"models": models}, indent=2))
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "claw.py").write_text(CLAW)
        (tools / "openclaw").write_text(f'#!/bin/sh\nexec {sys.executable} -S {tools}/claw.py "$@"\n')
        (tools / "openclaw").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
        yield made


def reference(home: Home) -> object:
    return json.loads((home.folder / "bot" / "openclaw.json").read_text())["models"]["providers"]["openrouter"]["apiKey"]


def test_values_become_references_where_that_was_asked_for(home: Home) -> None:
    report = str(home.adopt())
    compose = home.folder / "bot" / "compose.yml"
    shown = home.ok("plan", "--leaked", report, "--references")
    assert (
        shown.count("will be replaced by a reference") == 2 and "OpenClaw's secret store" in shown and ".env beside it" in shown
    )
    assert "replaced by a reference" not in home.ok("plan", "--leaked", report)
    assert reference(home) == home.old and home.old in compose.read_text(), "a plan changes nothing"
    home.ok("rotate", "--leaked", report, "--references", "--yes")
    new = home.key_in_env()
    assert home.alive() == {new} and compose.read_text() == COMPOSE.format(key='"${OPENROUTER_API_KEY}"')
    assert reference(home) == {"source": "store", "provider": "default", "id": "BOT_OPENROUTER"}
    assert new.encode() in (home.folder / "bot" / "state" / "openclaw.sqlite").read_bytes()


def test_a_lane_may_always_want_them(home: Home) -> None:
    report = str(home.adopt())
    home.config.write_text(home.config.read_text().replace("[lanes.bot]\n", "[lanes.bot]\nreferences = true\n"))
    assert home.ok("plan", "--leaked", report).count("will be replaced by a reference") == 2
    (home.folder / "bot" / ".env").write_text("OPENROUTER_API_KEY=somebody-else-s\n")
    assert "can hold no reference" in home.ok("plan", "--leaked", report)


def test_it_is_for_what_leaked(home: Home) -> None:
    code, _, err = home.run("plan", "--all", "--references")
    assert code == 2 and "--leaked" in err
