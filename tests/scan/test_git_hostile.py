"""A repository whose configuration and attributes try to run commands, to reach the network, or to hide content."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import tests_support

from keyward.errors import GitError, KeywardError
from keyward.scan import git_process
from keyward.scan.git import Repository
from keyward.scan.git_tips import all_tips
from keyward.scan.git_walk import every_object, more_commits, walk

Git = Any  # see conftest


def everything(repository: Repository) -> dict[bytes, bytes | None]:
    """Every call of the interface; the content of what is staged or in the index."""
    repository.hooks_folder()
    repository.commit("HEAD")
    repository.commit("main~1")
    for ref in ("nowhere", "1" * 40):
        with pytest.raises(KeywardError):
            repository.commit(ref)
    assert repository.tracked()
    assert repository.tracked("sub") == [b"sub/b.conf"]
    assert repository.changed("HEAD~1", "HEAD")
    entries = [*repository.changed("0" * 40, "HEAD"), *repository.staged(), *repository.index_entries(["."])]
    texts = {
        blob.id: None if blob.missing else blob.everything() for blob in repository.read_blobs(entry.blob for entry in entries)
    }
    return {entry.path: texts[entry.blob] for entry in entries}


@pytest.fixture
def filled(repo: Git) -> Git:
    repo.commit(**{"a.conf": b"1\n", "sub/b.conf": b"1\n"})
    repo.commit(**{"a.conf": b"2\n"})
    repo.write("a.conf", b"3\n")
    repo.write("new.conf", b"4\n")
    repo("add", ".")
    return repo


WANTED = {b"a.conf": b"3\n", b"new.conf": b"4\n", b"sub/b.conf": b"1\n"}


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command that leaves a canary; its folder is on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    command = tmp_path / "trap"
    command.write_text(f'#!/bin/sh\necho "$0 $@" >> "{tmp_path}/canary"\ncat 2>/dev/null </dev/null\nexit 0\n')
    command.chmod(0o755)
    return command


def set_traps(repo: Git, trap: Path) -> None:
    hooks = repo.root / "evil-hooks"
    hooks.mkdir()
    for name in (
        "pre-commit",
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "fsmonitor-watchman",
        "pre-auto-gc",
    ):
        (hooks / name).symlink_to(trap)
    included = repo.root / "evil-include"
    included.write_text(f'[core]\n\tfsmonitor = "{trap}"\n\tpager = "{trap}"\n[alias]\n\tfoo = "!{trap}"\n')
    for key, value in {
        "core.fsmonitor": trap,
        "core.hooksPath": hooks,
        "core.pager": trap,
        "core.editor": trap,
        "core.askPass": trap,
        "core.sshCommand": trap,
        "core.gitProxy": trap,
        "core.alternateRefsCommand": trap,
        "credential.helper": f"!{trap}",
        "uploadpack.packObjectsHook": trap,
        "sequence.editor": trap,
        "gpg.program": trap,
        "diff.external": trap,
        "diff.evil.textconv": trap,
        "diff.evil.command": trap,
        "filter.evil.clean": trap,
        "filter.evil.smudge": trap,
        "filter.evil.process": trap,
        "filter.evil.required": "true",
        "merge.evil.driver": trap,
        "interactive.diffFilter": trap,
        "pager.cat-file": trap,
        "pager.diff-index": trap,
        "pager.rev-parse": trap,
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "remote.origin.url": f"ext::{trap} %S",
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        "remote.origin.uploadpack": trap,
        "remote.other.url": "ssh://example.invalid/x",
        "remote.other.promisor": "true",
        "remote.third.url": "git://example.invalid/x",
        "remote.third.promisor": "true",
        "remote.fourth.url": str(repo.root),
        "remote.fourth.uploadpack": trap,
        "remote.fourth.promisor": "true",
        "remote.fifth.vcs": "evil",
        "remote.fifth.promisor": "true",
        "remote.sixth.vcs": "/",
        "remote.sixth.promisor": "true",
        "remote.seventh.url": "none::x",
        "remote.seventh.promisor": "true",
        "url.ext::evil.insteadOf": "/",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "submodule.recurse": "true",
        "maintenance.auto": "true",
        "trace2.normalTarget": repo.root.parent / "canary",
        "include.path": included,
    }.items():
        repo("config", key, str(value))
    for command in ("rev-parse", "diff-index", "diff-tree", "cat-file", "ls-files", "config"):
        repo("config", f"alias.{command}", f"!{trap}")
    for name in ("git-remote-evil", "git-remote-none", "git-remote-"):
        (trap.parent / name).symlink_to(trap)
    (repo.root / ".git" / "info").mkdir(exist_ok=True)
    (repo.root / ".git" / "info" / "attributes").write_text("* diff=evil filter=evil merge=evil\n")
    (repo.root / ".gitattributes").write_text("* diff=evil filter=evil merge=evil\n")


def lose(repo: Git, name: str) -> str:
    """Takes an object away, so that git would ask the promisor remote for it."""
    id = str(repo("rev-parse", name))
    (repo.root / ".git" / "objects" / id[:2] / id[2:]).unlink()
    return id


def test_no_trap_springs(filled: Git, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = lose(filled, ":sub/b.conf")
    set_traps(filled, trap)
    assert not (tmp_path / "canary").exists()
    for path in (filled.root, filled.root / "sub", filled.root / ".git"):
        monkeypatch.chdir(path)
        repository = Repository.discover(".")
        assert repository is not None
        assert everything(repository) == {**WANTED, b"sub/b.conf": None}
        (blob,) = repository.read_blobs([lost])
        assert blob.missing and "not in this clone" in blob.problem
        assert not (tmp_path / "canary").exists(), (tmp_path / "canary").read_text()
    # The traps are real ones: plain git falls into them.
    filled("status", check=False)
    assert (tmp_path / "canary").exists()
    (tmp_path / "canary").unlink()
    filled("cat-file", "-p", lost, check=False)
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("old_git", [False, True])
def test_a_missing_commit_is_not_fetched(
    filled: Git, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old_git: bool
) -> None:
    """Names of commits are resolved with the repository's own configuration, and with a git that tries to fetch."""
    if old_git:
        monkeypatch.delitem(git_process._ENVIRONMENT, "GIT_NO_LAZY_FETCH")
    lost = lose(filled, "HEAD~1")
    set_traps(filled, trap)
    repository = Repository.discover(str(filled.root))
    assert repository is not None
    for ref in ("HEAD~1", lost, "HEAD~2"):
        with pytest.raises(GitError, match="there is no commit"):
            repository.commit(ref)
    assert not (tmp_path / "canary").exists(), (tmp_path / "canary").read_text()


@pytest.mark.parametrize("old_git", [False, True])
def test_a_history_springs_no_trap(
    filled: Git, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old_git: bool
) -> None:
    """Refs are listed with the repository's own configuration; everything is asked for, and something of each kind is missing."""
    if old_git:
        monkeypatch.delitem(git_process._ENVIRONMENT, "GIT_NO_LAZY_FETCH")
    filled("tag", "-a", "v1", "-m", "x")
    filled("stash")
    filled.commit(**{"sub/c.conf": b"5\n"})
    for name in ("HEAD~1^{tree}", "HEAD~2", "v1", "HEAD:a.conf"):
        lose(filled, name)
    set_traps(filled, trap)
    repository = Repository.discover(str(filled.root))
    assert repository is not None
    tips = all_tips(repository)
    walk(repository, tips.commits, tips.tags)
    found = walk(repository, tips.commits)
    assert found.problem
    assert found.unread
    stored = every_object(repository)
    more_commits(repository, found, [id for id, kind in stored.items() if kind == "commit"])
    for blob in repository.read_blobs([*stored, *found.blobs()], any_kind=True):
        blob.everything()
    assert {place.path for blob in found.blobs() for place in found.places(blob)} >= {b"new.conf", b"sub/c.conf"}
    assert not (tmp_path / "canary").exists(), (tmp_path / "canary").read_text()


def test_variables_that_would_run_something_are_not_passed_on(
    filled: Git, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "GIT_EXTERNAL_DIFF",
        "GIT_PAGER",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
        "GIT_EDITOR",
        "GIT_PROXY_COMMAND",
    ):
        monkeypatch.setenv(name, str(trap))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trap))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={trap}'")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "canary"))
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(tmp_path / "canary"))
    monkeypatch.setenv("GIT_NAMESPACE", "x")
    monkeypatch.setenv("GIT_PREFIX", "sub/")
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "0")
    repository = Repository.discover(str(filled.root))
    assert repository is not None and everything(repository) == WANTED
    assert not (tmp_path / "canary").exists()


def test_the_users_own_configuration_does_not_count_either(filled: Git, trap: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / ".gitconfig").write_text(f"[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n")
    repository = Repository.discover(str(filled.root))
    assert repository is not None and everything(repository) == WANTED
    assert not (tmp_path / "canary").exists()


ATTRIBUTES = [
    "*.conf -diff",
    "*.conf binary",
    "*.conf export-ignore export-subst",
    "*.conf -text",
    "*.conf text eol=crlf",
    "*.conf filter=evil",
    "*.conf working-tree-encoding=UTF-16LE",
    "*.conf ident",
    "[attr]hidden -diff -text\n*.conf hidden",
]


@pytest.mark.parametrize("line", ATTRIBUTES)
def test_attributes_hide_and_change_nothing(filled: Git, line: str) -> None:
    filled.write(".gitattributes", line.encode() + b"\n")
    filled("add", ".gitattributes")
    repository = Repository.discover(str(filled.root))
    assert repository is not None
    assert everything(repository) == {**WANTED, b".gitattributes": line.encode() + b"\n"}


def test_a_replacement_does_not_hide_content(filled: Git) -> None:
    harmless = filled("hash-object", "-w", "--stdin", stdin=b"harmless\n")
    filled("replace", filled("rev-parse", ":new.conf"), harmless)
    assert filled("cat-file", "-p", ":new.conf") == "harmless"
    repository = Repository.discover(str(filled.root))
    assert repository is not None and everything(repository) == WANTED


def test_an_extension_that_git_does_not_know_is_an_error(filled: Git) -> None:
    filled("config", "core.repositoryFormatVersion", "1")
    filled("config", "extensions.fromTheFuture", "true")
    with pytest.raises(GitError, match="git refuses this repository"):
        Repository.discover(str(filled.root))


def test_an_include_that_never_ends_is_stopped(filled: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tests_support.children()
    fifo = filled.root / "fifo"
    os.mkfifo(fifo)
    filled_config = filled.root / ".git" / "config"
    filled_config.write_text(filled_config.read_text() + f'[include]\n\tpath = "{fifo}"\n')
    defaults = git_process.run.__kwdefaults__
    assert defaults is not None
    monkeypatch.setattr(git_process.run, "__kwdefaults__", {**defaults, "patience": 0.3})
    with pytest.raises(GitError, match="said nothing for"):
        Repository.discover(str(filled.root))
    assert tests_support.children() <= here


def test_a_configuration_read_at_discovery_only(filled: Git) -> None:
    """What is read from the index and the objects does not depend on the configuration at all."""
    repository = Repository.discover(str(filled.root))
    assert repository is not None
    (filled.root / ".git" / "config").write_text("[this is no configuration")
    assert repository.tracked() and repository.staged() and repository.index_entries(["."])


def test_threads_do_not_disturb_each_other(filled: Git) -> None:
    repository = Repository.discover(str(filled.root))
    assert repository is not None
    answers: list[dict[bytes, bytes | None]] = []
    threads = [threading.Thread(target=lambda: answers.append(everything(repository))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [WANTED] * 4
