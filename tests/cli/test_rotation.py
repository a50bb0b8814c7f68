"""From a scan to a proved rotation, as a person types it; the provider is a stateful local server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.testing.fakes.server import Fault


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def test_a_leaked_key_is_adopted_planned_rotated_and_proved_dead(home: Home) -> None:
    report = home.adopt()
    plan = home.ok("plan", "--leaked", str(report))
    assert "bot/openrouter" in plan and "ISSUE ▸ PROVE ▸ PROMOTE ▸ DISTRIBUTE" in plan
    assert home.alive() == {home.old}, "a plan changes nothing"

    out = home.ok("rotate", "--leaked", str(report), "--yes")
    new = home.key_in_env()
    assert home.alive() == {new} and new != home.old
    assert "proved" in out
    text = home.env_file.read_text()
    assert text == f"# the bot\nexport OPENROUTER_API_KEY='{new}'  # do not share\nDEBUG=1\n"
    home.ok("status")
    history = home.ok("history")
    rotation = re.search(r"r\d{8}-\d{6}-[0-9a-f]{6}", history)
    assert rotation is not None
    assert "CONFIRM" in home.ok("history", rotation[0])
    assert "proved" in home.ok("audit", "show")
    home.ok("audit", "verify")
    home.ok("scan", "bot", code=1)  # the new key stands in the .env again, as its consumer wants it


def test_no_value_is_printed_or_written_by_any_command(home: Home) -> None:
    report = home.adopt()
    said = []
    for words in (
        ("plan", "--all"),
        ("rotate", "--leaked", str(report), "--yes"),
        ("status", "--all"),
        ("history",),
        ("audit", "show"),
        ("audit", "export"),
        ("lanes", "list"),
        ("lanes", "show", "bot"),
        ("due",),
        ("lanes", "check"),
        ("config", "check"),
    ):
        code, out, err = home.run(*words)
        assert code in (0, 1), f"{words}: {code}\n{out}\n{err}"
        said.append(out + err)
    new = home.key_in_env()
    for value in (home.old, new, home.fake.management.value):
        assert all(value not in text for text in said)
        for folder, _, names in os.walk(home.folder):
            for name in names:
                path = Path(folder, name)
                if path != home.env_file:
                    assert value.encode() not in path.read_bytes(), f"a value stands in {path}"
    assert home.old not in home.env_file.read_text()


def test_without_a_yes_nothing_is_changed(home: Home) -> None:
    home.adopt()
    code, out, err = home.run("rotate", "--all")
    assert code == 2 and "--yes" in err and "ISSUE" in out
    assert home.alive() == {home.old}
    home.ok("rotate", "--all", "--dry-run")
    assert home.alive() == {home.old}
    code, _, err = home.run("rotate")
    assert code == 2 and "--all" in err


def test_an_unowned_leak_is_named_and_left_alone(home: Home) -> None:
    report = home.scan()
    out = home.ok("rotate", "--leaked", str(report), "--yes", code=5)
    assert "lanes adopt" in out and home.alive() == {home.old}


def test_a_refusing_provider_leaves_everything_as_it_was(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    out = home.ok("rotate", "--all", "--yes", code=4)
    assert "Not done" in out and home.alive() == {home.old} and home.key_in_env() == home.old
    assert "unfinished" in home.ok("status", code=4)
    home.ok("resume")
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old


def test_an_interrupted_rotation_is_taken_back(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("500", method="GET", path="/api/v1/key", times=200))
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    home.ok("rotate", "--all", "--yes", code=4)
    home.fake.faults.clear()
    out = home.ok("abort", "bot/openrouter")
    assert "as before" in out
    assert home.alive() == {home.old} and home.key_in_env() == home.old
    home.ok("rotate", "--all", "--yes")
    assert home.alive() == {home.key_in_env()}


def test_an_incident_stops_the_old_key_first(home: Home) -> None:
    home.adopt()
    out = home.ok("rotate", "--all", "--incident", "--yes")
    assert "Incident" in out and "QUARANTINE" in out
    assert home.alive() == {home.key_in_env()}
    changes = [f"{seen.method} {seen.path.rsplit('/', 1)[0]}" for seen in home.fake.changes]
    assert changes[0].startswith("PATCH"), changes


def test_a_wrong_admin_credential_is_refused_before_anything_changes(home: Home) -> None:
    home.adopt()
    home.config.write_text(home.config.read_text().replace("env:OPENROUTER_MANAGEMENT", "env:NOT_SET"))
    code, out, err = home.run("rotate", "--all", "--yes")
    assert code == 4 and "NOT_SET" in out + err and home.alive() == {home.old}
    assert "Nothing was changed" in out


def test_a_consumer_that_somebody_changed_is_not_overwritten(home: Home) -> None:
    home.adopt()
    text = home.env_file.read_text().replace(home.old, "sk-or-v1-" + "0" * 64)
    home.env_file.write_text(text)
    out = home.ok("rotate", "--all", "--yes", code=4)
    assert "does not hold" in out and home.env_file.read_text() == text and home.alive() == {home.old}
