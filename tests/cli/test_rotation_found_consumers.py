"""What a scan saw: live configurations that use a leaked key get the new one, without being configured as consumers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        text = made.config.read_text()
        made.config.write_text(text[: text.index("[[lanes.bot.consumers]]")])
        yield made


def test_live_configurations_are_updated_and_transcripts_are_not(home: Home) -> None:
    settings = home.folder / "bot" / "settings.json"
    settings.write_text(json.dumps({"model": "x/y", "openrouter": {"apiKey": home.old}}, indent=2) + "\n")
    transcript = home.folder / "bot" / "session.jsonl"
    transcript.write_text(json.dumps({"role": "user", "content": f"my OPENROUTER_API_KEY is {home.old}"}) + "\n")
    before = transcript.read_bytes()
    report = home.adopt()

    plan = home.ok("plan", "--leaked", str(report))
    assert str(home.env_file) in plan and str(settings) in plan and str(transcript) not in plan
    home.ok("rotate", "--leaked", str(report), "--yes")
    new = home.key_in_env()
    assert home.alive() == {new}
    assert settings.read_text() == json.dumps({"model": "x/y", "openrouter": {"apiKey": new}}, indent=2) + "\n"
    assert transcript.read_bytes() == before, "an echo is scrubbed, never rewritten with a living key"


def test_a_configured_consumer_is_not_found_twice(home: Home) -> None:
    home.config.write_text(
        home.config.read_text()
        + f'[[lanes.bot.consumers]]\ntype = "dotenv"\npath = "{home.env_file}"\nset = {{ OPENROUTER_API_KEY = "{{secret}}" }}\n'
    )
    plan = home.ok("plan", "--leaked", str(home.adopt()))
    assert plan.count(str(home.env_file)) == 1


def test_lanes_are_reviewed_at_the_provider_on_request(home: Home) -> None:
    home.adopt()
    code, out, err = home.run("lanes", "check", "--live")
    assert code == 1 and "bot/openrouter" in out, out + err
    seen = [each.method for each in home.fake.seen]
    assert seen and not home.fake.changes, "a review only reads"
    assert home.old not in out + err
