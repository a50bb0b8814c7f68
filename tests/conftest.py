"""Real git repositories in a temporary folder, whatever the developer's own configuration says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import rules_cache as compiled
from git_repository import Git

LONGEST = (
    "cli/test_drill.py", "match/test_engines.py", "consumers/test_openclaw_real.py", "rotators/test_contract_", "scan/test_unpack.py",
    "cli/test_incident", "cli/test_rotation", "cli/test_re", "cli/test_pre_commit.py", "scan/test_sources_agents.py", "scrub/test_stores_sqlite.py", "rotate/",
)  # fmt: skip
"""Files that take minutes, or begin with something that does. They come first: a process that gets one of them when the others are done keeps
everybody waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = f"{Path(__file__).parent.as_posix()}/"

    def rank(item: pytest.Item) -> int:
        path = item.path.as_posix().removeprefix(here)
        return next((number for number, beginning in enumerate(LONGEST) if path.startswith(beginning)), len(LONGEST))

    items.sort(key=rank)


def pytest_configure(config: pytest.Config) -> None:
    config.add_cleanup(compiled.begin())
    os.environ.setdefault(
        "KEYWARD_CACHE", os.environ[compiled.VARIABLE]
    )  # for modules that load the rules when they are imported
    if getattr(config.option, "numprocesses", None):
        compiled.folder()  # else all processes would compile them at once


@pytest.fixture
def git_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of the machine, no variable of a hook that runs these tests, and a home of our own."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Somebody",
        "GIT_AUTHOR_EMAIL": "somebody@example.org",
        "GIT_COMMITTER_NAME": "Somebody",
        "GIT_COMMITTER_EMAIL": "somebody@example.org",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def new_repo(git_environment: None) -> type[Git]:
    """Makes repositories: `new_repo(folder, *options of git init)`."""
    return Git


@pytest.fixture
def repo(git_environment: None, tmp_path: Path) -> Git:
    """An empty repository."""
    return Git(tmp_path / "repo")


@pytest.fixture(scope="session")
def rules_cache() -> Path:
    """One cache for all processes of the session: the rules are compiled once."""
    return compiled.folder()


@pytest.fixture
def environment(git_environment: None, rules_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cache, state and configuration of keyward that are not the developer's either."""
    for name in ("NO_COLOR", "FORCE_COLOR", "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")  # what there is where there is no terminal; a test runner may say otherwise
    monkeypatch.setenv("KEYWARD_CACHE", str(rules_cache))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "state"))
    (tmp_path / "home" / "operator.toml").touch(0o600)
    monkeypatch.setenv("KEYWARD_CONFIG", str(tmp_path / "home" / "operator.toml"))
