"""A second run while another process rotates the same credential: it says so, whatever it finds half done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.rotate.lock import entry_lock


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def test_what_does_not_fit_together_now_is_not_blamed_on_the_configuration(home: Home) -> None:
    home.adopt()
    before = home.env_file.read_text()
    home.env_file.write_text("OPENROUTER_API_KEY=half-done\n")  # as it is between DISTRIBUTE and DONE of the other one
    with entry_lock(str(home.folder / "state"), "bot/openrouter"):
        out = home.ok("rotate", "--all", "--yes", code=4)
    assert f"being rotated by process {os.getpid()}" in out and "does not hold" not in out
    assert "keyward status" in out and "Correct the consumer" not in out
    home.env_file.write_text(before)
    home.ok("rotate", "--all", "--yes")


def test_one_that_is_held_is_waited_for_and_then_refused(home: Home) -> None:
    home.adopt()
    with entry_lock(str(home.folder / "state"), "bot/openrouter"):
        out = home.ok("rotate", "--all", "--yes", code=4)
    assert f"being rotated by process {os.getpid()}" in out and "Nothing was changed" in out
    assert home.alive() == {home.old} and home.fake.changes == []
