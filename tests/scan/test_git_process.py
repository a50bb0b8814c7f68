"""Pipes that do not deadlock, silence that ends, and the same contract without `os.posix_spawn`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tests_support

from keyward.errors import GitError
from keyward.scan import git_process
from keyward.scan.git import Repository
from keyward.scan.git_process import hardened_environment, run, start

Git = Any  # see conftest


@pytest.fixture(params=["spawned", "portable"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, git_environment: None) -> str:
    if request.param == "portable":
        monkeypatch.delattr(os, "posix_spawn", raising=False)
    elif not hasattr(os, "posix_spawn"):
        pytest.skip("no posix_spawn here")
    return str(request.param)


def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """A program in place of git."""
    program = tmp_path / "pretended"
    program.write_text(f"#!{sys.executable}\nimport os, sys, time\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(git_process, "git_program", lambda: str(program))


def test_much_in_and_much_out(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It writes before it reads and reads before it writes, on all three pipes, more than a pipe holds."""
    pretend(
        monkeypatch,
        tmp_path,
        "os.write(2, b'e' * 300_000); os.write(1, b'o' * 300_000)\n"
        "got = len(sys.stdin.buffer.read(600_000)); os.write(2, b'e' * 300_000); os.write(1, b'p' * 300_000)\n"
        "got += len(sys.stdin.buffer.read()); os.write(1, str(got).encode()); sys.exit(7)",
    )
    result = run([], environment=hardened_environment(), stdin=b"i" * 1_000_000)
    assert result.code == 7
    assert result.output == b"o" * 300_000 + b"p" * 300_000 + b"1000000"
    assert 0 < len(result.errors) <= git_process.KEPT_ERRORS


def test_one_that_does_not_read(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, "os.close(0); os.write(1, b'done'); os.write(2, b'why'); sys.exit(3)")
    assert run([], environment=hardened_environment(), stdin=b"i" * 1_000_000) == (3, b"done", "why")


def test_silence(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, "os.write(1, b'x'); time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(GitError, match="said nothing"):
        run([], environment=hardened_environment(), stdin=b"i" * 1_000_000, patience=0.4)
    assert time.monotonic() - began < 10


def test_stopped_midway(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = tests_support.children()
    pretend(monkeypatch, tmp_path, "while True: os.write(1, b'x' * 65536)")
    child = start([], environment=hardened_environment())
    assert child.read()
    child.kill()
    child.kill()
    assert tests_support.children() <= here


def test_it_cannot_be_started(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(git_process, "git_program", lambda: str(tmp_path / "gone"))
    files = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    with pytest.raises(GitError, match="cannot be started"):
        run([], environment=hardened_environment())
    with pytest.raises(GitError, match="cannot be started"):
        run(["a\0b"], environment=hardened_environment())
    if files:
        assert len(os.listdir("/proc/self/fd")) == files


def test_whole_scan(kind: str, repo: Git) -> None:
    noise = os.urandom(3_000_000)
    repo.commit(a=b"1\n")
    repo.write("a", b"2\n")
    repo.write("noise", noise)
    repo("add", ".")
    repository = Repository.discover(str(repo.root))
    assert repository is not None
    blobs = {blob.id: blob.everything() for blob in repository.read_blobs(entry.blob for entry in repository.staged())}
    assert sorted(blobs.values(), key=len) == [b"2\n", noise]
    for blob in repository.read_blobs(blobs):
        assert blob.read(1)
        break


def test_no_variable_of_git_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_EXEC_PATH", "/evil")
    monkeypatch.setenv("GIT_DIR", "/evil")
    monkeypatch.setenv("Git_Pager", "/evil")  # Windows does not tell the case apart
    environment = hardened_environment(GIT_DIR="/own")
    assert "/evil" not in environment.values()
    assert environment["GIT_DIR"] == "/own"


def test_no_room(repo: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("a")
    repo("add", "a")
    repository = Repository.discover(str(repo.root))
    assert repository is not None

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(GitError, match="temporary folder") as caught:
        repository.staged()
    assert "TMPDIR" in caught.value.hint
