"""Real git repositories in a temporary folder, whatever the developer's own configuration says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


class Git:
    """A repository and plain git, as a user runs it."""

    def __init__(self, root: Path, *init: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self("init", "-q", "-b", "main", *init)

    def __call__(self, *arguments: str | bytes, check: bool = True, stdin: bytes = b"", **environment: str) -> str:
        result = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **environment},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = result.stdout.decode("utf-8", "surrogateescape")
        assert result.returncode == 0 or not check, text
        return text.strip()

    def write(self, path: str | bytes, content: bytes = b"text\n") -> None:
        full = os.path.join(os.fsencode(self.root), os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        Path(os.fsdecode(full)).write_bytes(content)

    def commit(self, message: str = "x", **files: bytes) -> str:
        for path, content in files.items():
            self.write(path, content)
            self("add", "--", path)
        self("commit", "-q", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")


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
def rules_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session: the rules are compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def environment(git_environment: None, rules_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cache, state and configuration of keyward that are not the developer's either."""
    for name in ("NO_COLOR", "FORCE_COLOR", "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")  # what there is where there is no terminal; a test runner may say otherwise
    monkeypatch.setenv("KEYWARD_CACHE", str(rules_cache))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(rules_cache / "byte-code"))  # kept between the many short runs
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "state"))
    (tmp_path / "home" / "operator.toml").touch(0o600)
    monkeypatch.setenv("KEYWARD_CONFIG", str(tmp_path / "home" / "operator.toml"))
