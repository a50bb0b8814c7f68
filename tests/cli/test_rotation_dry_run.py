"""`--dry-run` of every command that changes something: it says what would be done, and nothing is changed."""

from __future__ import annotations

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


def _halted(home: Home) -> str:
    """A rotation that gave out the new one, and its consumer is not well with it. Answers with its id."""
    home.adopt()
    home.config.write_text(home.config.read_text() + f'check = ["test", "-e", "{home.folder}/well"]\n')
    home.ok("rotate", "--all", "--yes", code=4)
    (home.folder / "well").touch()
    return next(line for line in home.run("status")[1].splitlines() if "bot/openrouter" in line).split()[0]


def test_abort_only_says_whether_there_is_a_way_back(home: Home) -> None:
    rotation = _halted(home)
    alive, journal = home.alive(), home.ok("history", rotation)
    out = home.ok("abort", "bot/openrouter", "--dry-run")
    assert rotation in out and "can be taken back" in out
    assert home.alive() == alive and len(alive) == 2, "the new one was revoked"
    assert home.ok("history", rotation) == journal, "it was taken back"
    assert "Taken back" in home.ok("abort", "bot/openrouter")
    assert home.alive() == {home.old}


def test_abort_says_that_there_is_none(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="DELETE", times=50))
    home.ok("rotate", "--all", "--yes", code=4)
    home.fake.faults.clear()
    out = home.ok("abort", "bot/openrouter", "--dry-run", code=4)
    assert "cannot be taken back" in out and "keyward resume" in out


def test_resume_only_names_what_it_would_go_on_with(home: Home) -> None:
    rotation = _halted(home)
    alive = home.alive()
    assert rotation in home.ok("resume", "--dry-run") and home.alive() == alive
    home.ok("resume")
    assert home.alive() == {home.key_in_env()} != {home.old}
    assert "Nothing to resume" in home.ok("resume", "--dry-run")


def test_distribute_only_says_who_would_be_given_it(home: Home) -> None:
    home.adopt()
    home.config.write_text(home.config.read_text().replace('type = "dotenv"\n', 'type = "dotenv"\nhost = "agent-7"\n'))
    home.ok("rotate", "--all", "--compromised-host", "agent-7", "--yes", code=5)
    before = home.env_file.read_text()
    out = home.ok("distribute", "--dry-run")
    assert "would be given it" in out and str(home.env_file) in out and home.env_file.read_text() == before
    code, _, err = home.run("distribute", "--host", "agent-8")
    assert code == 2 and "agent-8" in err and "They stand on agent-7" in err
    code, _, err = home.run("distribute", "bot/openruter")
    assert code == 2 and "Did you mean `bot/openrouter`" in err


def test_a_consumer_that_the_configuration_lost_is_not_passed_over(home: Home) -> None:
    home.adopt()
    before = home.config.read_text().replace('type = "dotenv"\n', 'type = "dotenv"\nhost = "agent-7"\n')
    home.config.write_text(before)
    home.ok("rotate", "--all", "--compromised-host", "agent-7", "--yes", code=5)
    home.config.write_text(before.replace("/bot/.env", "/bot/.env2"))
    out = home.ok("distribute", code=4)
    assert str(home.env_file) in out and "no such consumer any more" in out
    home.config.write_text(before)
    home.env_file.write_text("OPENROUTER_API_KEY=\n")
    home.ok("distribute")
    assert home.alive() == {home.key_in_env()}


def test_provide_says_what_it_waits_for(home: Home) -> None:
    bare = home.config.read_text().replace("openrouter/api-key", "typeform/token").partition("[[lanes.bot.consumers]]")[0]
    home.config.write_text("\n".join(line for line in bare.splitlines() if not line.startswith(("target", "admin"))))
    home.ok("rotate", "--all", "--yes", code=5)
    assert home.ok("provide", "bot/openrouter", "--dry-run") == "bot/openrouter waits for: secret\n"
    home.ok("status", code=5)
