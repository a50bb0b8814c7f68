"""`keyward abort --free-slots`, as a person types it once a journal is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Its rotation halted when the consumers had the new one: their check fails."""
    with make_home(tmp_path / "home") as made:
        made.adopt()
        made.config.write_text(made.config.read_text() + 'check = ["false"]\n')
        made.ok("rotate", "bot/openrouter", "--yes", code=4)
        yield made


def test_what_a_damaged_journal_left_is_shown_and_freed(home: Home) -> None:
    code, _, err = home.run("abort", "--free-slots", "bot/openrouter")
    assert code == 4 and "can be gone on with" in err and "keyward resume" in err
    (journal,) = (home.folder / "state" / "rotations").glob("*/journal.jsonl")
    journal.write_bytes(b"garbage\n" * 3)
    home.config.write_text(home.config.read_text().replace('check = ["false"]\n', ""))
    assert "not finished" in home.ok("rotate", "bot/openrouter", "--yes", code=4)
    new = home.key_in_env()
    shown = home.ok("abort", "--free-slots", "bot/openrouter", "--dry-run")
    assert "previous" in shown and "revoke it at the provider" in shown and journal.parent.name in shown
    assert home.alive() == {home.old, new}, "looking changes nothing"
    code, _, err = home.run("abort", "--free-slots", "bot/openrouter")
    assert code == 2 and "nobody can be asked" in err
    out = home.ok("abort", "--free-slots", "bot/openrouter", "--yes")
    assert "was revoked, and the slot freed" in out and home.alive() == {new}
    assert all(value not in shown + out for value in (home.old, new))
    assert "empty" in home.ok("abort", "--free-slots", "bot/openrouter")
    assert journal.with_name("journal.jsonl.damaged").exists()
    home.ok("status")
    assert "slots: done" in home.ok("audit", "show")
    home.ok("rotate", "bot/openrouter", "--yes")
    assert home.alive() == {home.key_in_env()} and new not in home.alive()


def test_it_must_be_said_what_to_take_back(home: Home) -> None:
    assert home.run("abort")[0] == 2
    assert home.run("abort", "bot/openrouter", "--free-slots", "bot/openrouter")[0] == 2
