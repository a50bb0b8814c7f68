"""`keyward scan --history` as it is typed, in CI and in a `pre-receive` hook."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_support import token

Git = Any  # see conftest
Keyward = Callable[..., Any]


def leak(seed: int) -> bytes:
    return b"GH=" + token(seed) + b"\n"


@pytest.fixture
def leaky(repo: Git) -> Git:
    repo.commit(**{"a.env": leak(1)})
    repo("rm", "-q", "a.env")
    repo.commit("clean")
    return repo


def test_the_report_names_the_commit(keyward: Keyward, leaky: Git) -> None:
    commit = leaky("rev-parse", "HEAD~1")
    shown = keyward("scan", "--history", cwd=leaky.root)
    assert shown.code == 1, shown.err
    assert "a.env:1" in shown.out
    assert commit[:10] in shown.out
    assert "Somebody <somebody@example.org>" in shown.out
    assert token(1).decode() not in shown.out
    (found,) = keyward("scan", "--history", "--format", "jsonl", cwd=leaky.root).findings
    assert (found["source"], found["path"]) == ("history", "a.env")
    assert keyward("scan", cwd=leaky.root).code == 0


def test_the_path_names_the_repository(keyward: Keyward, leaky: Git, tmp_path: Path) -> None:
    (found,) = keyward("scan", "--history", str(leaky.root), "--format", "jsonl", cwd=tmp_path).findings
    assert found["path"] == "repo/a.env"


def test_a_shallow_clone_exits_with_3_and_says_what_to_do(keyward: Keyward, leaky: Git, tmp_path: Path) -> None:
    leaky("clone", "-q", "--depth", "1", "--no-local", str(leaky.root), str(tmp_path / "clone"))
    result = keyward("scan", "--history", cwd=tmp_path / "clone")
    assert result.code == 3, result.out + result.err
    assert "git fetch --unshallow" in result.out
    leaky("-C", str(tmp_path / "clone"), "fetch", "-q", "--unshallow")
    assert keyward("scan", "--history", cwd=tmp_path / "clone").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--commits", "main"),
        ("--commits", "main..nowhere"),
        ("--all-objects", "--since", "main"),
        ("--staged",),
        ("--config-ref", "nowhere"),
        ("-",),
    ],
)
def test_wrong_usage_exits_with_2(keyward: Keyward, leaky: Git, words: tuple[str, ...]) -> None:
    result = keyward("scan", "--history", *words, cwd=leaky.root)
    assert result.code == 2, result.out + result.err


def test_a_folder_without_a_repository(keyward: Keyward, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = keyward("scan", "--history", cwd=tmp_path / "empty")
    assert result.code == 2
    assert "no git repository" in result.err


@pytest.fixture
def server(leaky: Git, tmp_path: Path) -> Path:
    """A bare repository whose `pre-receive` hook is the one of the documentation."""
    leaky("clone", "-q", "--bare", str(leaky.root), str(tmp_path / "server.git"))
    hook = tmp_path / "server.git/hooks/pre-receive"
    hook.write_text(
        f"#!/bin/sh\nPATH={os.path.dirname(sys.executable)}:$PATH\n"
        'while read -r old new ref; do\n  keyward scan --history --commits "$old..$new" --config-ref HEAD || exit 1\ndone\n'
    )
    hook.chmod(0o755)
    leaky("remote", "add", "server", str(tmp_path / "server.git"))
    return tmp_path / "server.git"


def test_a_push_that_brings_a_secret_is_refused(keyward: Keyward, leaky: Git, server: Path) -> None:
    leaky.commit(b=b"1\n")
    leaky("push", "-q", "server", "main")  # what is there already is not held against it
    leaky.commit(**{"b.env": leak(2)})
    leaky("rm", "-q", "b.env")
    leaky.commit("away again")
    refused = leaky("push", "server", "main", check=False)
    assert "b.env:1" in refused
    assert "pre-receive hook declined" in refused
    leaky("reset", "-q", "--hard", "HEAD~2")
    leaky("checkout", "-q", "-b", "new")
    leaky.commit(c=b"3\n")
    leaky("push", "-q", "server", "new")  # a new branch: the old history is on the server
    leaky.write("keyward.toml", b'exclude = ["*.env"]\n')
    leaky("add", ".")
    leaky.commit(**{"d.env": leak(3)})
    refused = leaky("push", "server", "new:another", check=False)
    assert "d.env:1" in refused
    leaky("push", "-q", "server", ":new")  # a deleted branch


def test_the_second_run_costs_little_and_says_so(keyward: Keyward, leaky: Git, tmp_path: Path, rules_cache: Path) -> None:
    first = keyward("scan", "--history", cwd=leaky.root)
    second = keyward("scan", "--history", cwd=leaky.root)
    assert (first.code, second.code) == (1, 1)
    assert "known from an earlier run" in second.out
    again = keyward("scan", "--history", "--no-cache", cwd=leaky.root)
    assert "known from an earlier run" not in again.out
