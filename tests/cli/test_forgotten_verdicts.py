"""What a provider said of a key is not relied on once a rotation has killed the key, nor once `revoke` has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from git_repository import Git
from rotation_home import Home
from rotation_home import home as make_home

from keyward.testing.fakes.server import Fault

LIVE = 10


@pytest.fixture
def leaky(tmp_path: Path, git_environment: None) -> Iterator[tuple[Home, Git]]:
    """A home whose bot is in a lane, and a repository that holds the bot's key."""
    with make_home(tmp_path / "home") as home:
        home.adopt()
        git = Git(tmp_path / "repository")
        git.commit("deploy", **{"deploy.sh": f"export OPENROUTER_API_KEY={home.old}\n".encode()})
        yield home, git


def test_a_history_may_be_rewritten_as_soon_as_the_rotation_is_over(leaky: tuple[Home, Git], tmp_path: Path) -> None:
    home, git = leaky
    home.ok("scan", str(git.root), "--history", "-f", "jsonl", "-o", "history.jsonl", code=1)
    assert "LIVE" in home.ok("verify", "history.jsonl", code=LIVE)
    plan = ("scrub", "--git-plan", str(git.root), "-o", str(tmp_path / "values.txt"))
    code, _, said = home.run(*plan)
    assert code == 4 and "not known to be dead" in said and home.old not in said
    home.ok("rotate", "bot/openrouter", "--yes")
    assert "LIVE" not in home.ok("verify", "history.jsonl")
    assert "git filter-repo" in home.ok(*plan)


def test_a_revoked_key_is_asked_about_again(leaky: tuple[Home, Git]) -> None:
    home, git = leaky
    spare = home.fake.make_key("spare").value
    git.commit("spare", **{"spare.sh": f"export OPENROUTER_API_KEY={spare}\n".encode()})
    home.ok("scan", str(git.root / "spare.sh"), "-f", "jsonl", "-o", "spare.jsonl", code=1)
    assert "LIVE" in home.ok("verify", "spare.jsonl", code=LIVE)
    home.ok("revoke", "--leaked", "spare.jsonl", "--yes")
    assert "LIVE" not in home.ok("verify", "spare.jsonl")


def test_a_key_that_was_stopped_and_let_in_again_is_asked_about_again(leaky: tuple[Home, Git]) -> None:
    """Between QUARANTINE and CONFIRM nobody is asked, and a rotation may rest there."""
    home, git = leaky
    home.ok("scan", str(git.root / "deploy.sh"), "-f", "jsonl", "-o", "leaked.jsonl", code=1)
    assert "LIVE" in home.ok("verify", "leaked.jsonl", code=LIVE)
    home.fake.fail(Fault("500", method="POST", path="/api/v1/keys", times=100))
    home.ok("rotate", "--all", "--incident", "--yes", code=4)
    assert home.old not in home.alive(), "it was stopped before the new one could not be made"
    assert "LIVE" not in home.ok("verify", "leaked.jsonl")
    home.fake.faults.clear()
    home.ok("abort", "bot/openrouter", "--yes")
    assert "LIVE" in home.ok("verify", "leaked.jsonl", code=LIVE)
