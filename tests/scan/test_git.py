"""The states that a repository can be in, and what the scan sees of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tests_support

import keyward
from keyward.errors import GitError, UsageError
from keyward.scan.git import IndexEntry, Repository

Git = Any  # see conftest


def found(repo: Git) -> Repository:
    repository = Repository.discover(str(repo.root))
    assert repository is not None
    return repository


def contents(repository: Repository, entries: list[IndexEntry]) -> dict[bytes, bytes]:
    texts = {blob.id: blob.everything() for blob in repository.read_blobs(entry.blob for entry in entries)}
    return {entry.path: texts[entry.blob] for entry in entries}


def staged(repo: Git) -> dict[bytes, bytes]:
    repository = found(repo)
    return contents(repository, repository.staged())


# --- finding it


def test_no_repository(git_environment: None, tmp_path: Path) -> None:
    assert Repository.discover(str(tmp_path)) is None
    assert Repository.discover(str(tmp_path / "not" / "there")) is None


def test_found_from_a_file_a_folder_and_a_path_that_is_not_there(repo: Git) -> None:
    repo.write("a/b/c.txt")
    for path in ("", "a", "a/b/c.txt", "a/gone/too"):
        repository = Repository.discover(str(repo.root / path))
        assert repository is not None
        assert repository.root == str(repo.root)
        assert repository.git_dir == repository.common_dir == str(repo.root / ".git")
        assert repository.object_format == "sha1"
        assert repository.head == ""
        assert not repository.bare


def test_the_current_folder(repo: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("sub/x")
    monkeypatch.chdir(repo.root / "sub")
    repository = Repository.discover()
    assert repository is not None and repository.root == str(repo.root)


def test_a_line_feed_in_the_name_of_the_folder(new_repo: Any, tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "two\nlines")
    repo.commit(a=b"1\n")
    repo.write("b", b"2\n")
    repo("add", "b")
    assert found(repo).root == str(repo.root)
    assert staged(repo) == {b"b": b"2\n"}


def test_a_broken_repository_is_an_error_and_not_no_repository(repo: Git) -> None:
    (repo.root / ".git" / "config").write_text("[core\n")
    with pytest.raises(GitError, match="bad config"):
        Repository.discover(str(repo.root))


def test_a_link_to_nowhere_is_an_error(git_environment: None, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: gone\n")
    with pytest.raises(GitError):
        Repository.discover(str(tmp_path))


def test_a_working_tree_elsewhere_is_refused(repo: Git, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    repo("config", "core.worktree", str(tmp_path / "private"))
    with pytest.raises(GitError, match="says that its files are in"):
        Repository.discover(str(repo.root))


def test_git_is_not_taken_from_the_scanned_folder(repo: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = repo.root / "git"
    fake.write_text(f"#!/bin/sh\ntouch '{tmp_path}/canary'\n")
    fake.chmod(0o755)
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("PATH", f".::{os.environ['PATH']}")
    found(repo).staged()
    assert not (tmp_path / "canary").exists()
    monkeypatch.setenv("PATH", ".:")
    with pytest.raises(GitError, match="git was not found"):
        found(repo)


# --- what is staged


def test_first_commit(repo: Git) -> None:
    repo.write("a", b"one\n")
    repo.write("b", b"two\n")
    repo("add", "a")
    assert staged(repo) == {b"a": b"one\n"}
    assert found(repo).staged()[0].status == "A"


def test_nothing_staged(repo: Git) -> None:
    assert found(repo).staged() == []
    repo.commit(a=b"1\n")
    repo.write("a", b"2\n")
    assert found(repo).staged() == []


def test_partial_staging_sees_the_index_and_not_the_working_tree(repo: Git) -> None:
    repo.commit(a=b"1\n")
    repo.write("a", b"staged\n")
    repo("add", "a")
    repo.write("a", b"later\n")
    (entry,) = found(repo).staged()
    assert (entry.path, entry.status, entry.staged) == (b"a", "M", True)
    assert entry.old_blob == repo("rev-parse", "HEAD:a")
    assert staged(repo) == {b"a": b"staged\n"}


def test_flags_on_the_index_hide_nothing(repo: Git) -> None:
    repo.commit(a=b"1\n", b=b"1\n")
    for name, flag in (("a", "--assume-unchanged"), ("b", "--skip-worktree")):
        repo.write(name, b"2\n")
        repo("add", name)
        repo("update-index", flag, name)
    assert staged(repo) == {b"a": b"2\n", b"b": b"2\n"}


def test_deleted_is_left_out(repo: Git) -> None:
    repo.commit(a=b"1\n", b=b"2\n")
    repo("rm", "-q", "a")
    assert found(repo).staged() == []


def test_rename_mode_and_type(repo: Git) -> None:
    repo.commit(old=b"same\n", run=b"#!/bin/sh\n", link=b"target")
    repo("mv", "old", "new")
    (repo.root / "run").chmod(0o755)
    (repo.root / "link").unlink()
    (repo.root / "link").symlink_to("target")
    repo("add", ".")
    by_path = {entry.path: entry for entry in found(repo).staged()}
    assert by_path[b"new"].status == "R"
    assert by_path[b"new"].old_path == b"old"
    assert (by_path[b"run"].status, by_path[b"run"].mode) == ("M", 0o100755)
    assert by_path[b"run"].blob == by_path[b"run"].old_blob
    assert (by_path[b"link"].status, by_path[b"link"].symlink) == ("T", True)
    assert staged(repo)[b"link"] == b"target"


def test_a_renamed_and_changed_file_is_there_in_full(repo: Git) -> None:
    repo.commit(old=b"line\n" * 100)
    repo("mv", "old", "new")
    repo.write("new", b"line\n" * 100 + b"more\n")
    repo("add", "new")
    assert staged(repo) == {b"new": b"line\n" * 100 + b"more\n"}


def test_a_link_is_its_target_text(repo: Git) -> None:
    (repo.root / "link").symlink_to("/somewhere/else")
    repo("add", "link")
    assert staged(repo) == {b"link": b"/somewhere/else"}


def test_intent_to_add_has_no_content_yet(repo: Git) -> None:
    repo.commit(a=b"1\n")
    repo.write("soon", b"text\n")
    repo("add", "-N", "soon")
    repository = found(repo)
    assert repository.staged() == []
    assert [entry.staged for entry in repository.index_entries(["soon"])] == [False]


def test_merge_with_conflicts(repo: Git) -> None:
    repo.commit(both=b"base\n", quiet=b"1\n")
    repo("checkout", "-q", "-b", "side")
    repo.commit(both=b"theirs\n", clean=b"from the side\n")
    repo("checkout", "-q", "main")
    repo.commit(both=b"ours\n")
    repo("merge", "side", check=False)
    repository = found(repo)
    entries = repository.staged()
    texts = {blob.id: blob.everything() for blob in repository.read_blobs(entry.blob for entry in entries)}
    assert {(entry.path, entry.status, entry.stage, texts[entry.blob]) for entry in entries} == {
        (b"clean", "A", 0, b"from the side\n"),
        (b"both", "U", 1, b"base\n"),
        (b"both", "U", 2, b"ours\n"),
        (b"both", "U", 3, b"theirs\n"),
    }
    assert repository.tracked() == [b"both", b"clean", b"quiet"]
    assert [entry.stage for entry in repository.index_entries(["both"])] == [1, 2, 3]
    repo.write("both", b"resolved\n")
    repo("add", "both")
    assert staged(repo) == {b"clean": b"from the side\n", b"both": b"resolved\n"}


def test_strange_paths(repo: Git) -> None:
    names = [
        b"line\nfeed",
        b"esc\x1b[2K\r",
        b"not-utf8-\xff\xfe",
        b"-dash",
        b":(glob)*",
        b'quote"',
        "käse".encode(),
        b" space ",
        b"tab\t",
    ]
    for name in names:
        repo.write(name, name)
    repo("add", ".")
    assert staged(repo) == {name: name for name in names}
    repository = found(repo)
    assert sorted(repository.tracked()) == sorted(names)
    for name in names:
        assert [entry.path for entry in repository.index_entries([name])] == [name]
        assert [entry.path for entry in repository.index_entries([os.fsdecode(name)])] == [name]


def test_linked_worktree(repo: Git, tmp_path: Path) -> None:
    repo.commit(a=b"1\n")
    repo.write("only-main")
    repo("add", "only-main")
    repo("worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked" / "b").write_bytes(b"2\n")
    repo("-C", str(tmp_path / "linked"), "add", "b")
    repository = Repository.discover(str(tmp_path / "linked"))
    assert repository is not None
    assert repository.root == str(tmp_path / "linked")
    assert repository.common_dir == str(repo.root / ".git")
    assert contents(repository, repository.staged()) == {b"b": b"2\n"}
    assert repository.commit("HEAD") == repository.head


def test_worktree_configuration(repo: Git, tmp_path: Path) -> None:
    repo.commit(a=b"1\n")
    repo("config", "extensions.worktreeConfig", "true")
    repo("worktree", "add", "-q", str(tmp_path / "linked"))
    repo("-C", str(tmp_path / "linked"), "config", "--worktree", "core.bare", "false")
    (tmp_path / "linked" / "b").write_bytes(b"2\n")
    repo("-C", str(tmp_path / "linked"), "add", "b")
    repository = Repository.discover(str(tmp_path / "linked"))
    assert repository is not None and [entry.path for entry in repository.staged()] == [b"b"]


def test_submodule(repo: Git, new_repo: Any, tmp_path: Path) -> None:
    inner = new_repo(tmp_path / "inner")
    inner.commit(x=b"1\n")
    repo.commit(a=b"1\n")
    repo("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.root), "lib")
    changes = found(repo).staged()
    assert [entry.path for entry in changes] == [b".gitmodules"]
    assert changes.submodules == [b"lib"]
    assert b"lib" in found(repo).tracked()
    repo.commit("with submodule")
    (repo.root / "lib" / "y").write_bytes(b"2\n")
    repo("-C", "lib", "add", "y")
    repository = Repository.discover(str(repo.root / "lib"))
    assert repository is not None
    assert repository.root == str(repo.root / "lib")
    assert contents(repository, repository.staged()) == {b"y": b"2\n"}
    repo("-C", "lib", "commit", "-qm", "inner")
    repo("config", "diff.ignoreSubmodules", "all")
    repo("add", "lib")
    assert found(repo).staged().submodules == [b"lib"]


def test_sha256(new_repo: Any, tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "repo", "--object-format=sha256")
    repo.write("a", b"first\n")
    repo("add", "a")
    assert found(repo).object_format == "sha256"
    assert staged(repo) == {b"a": b"first\n"}
    first = repo.commit()
    second = repo.commit(b=b"2\n")
    repo.write("c", b"3\n")
    repo("add", "c")
    assert staged(repo) == {b"c": b"3\n"}
    assert len(found(repo).staged()[0].blob) == 64
    assert [entry.path for entry in found(repo).changed(first, second)] == [b"b"]
    assert [entry.path for entry in found(repo).changed("0" * 64, second)] == [b"a", b"b"]


def test_bare(repo: Git, new_repo: Any, tmp_path: Path) -> None:
    first = repo.commit(a=b"1\n")
    second = repo.commit(b=b"2\n")
    repo("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    repository = Repository.discover(str(tmp_path / "bare.git"))
    assert repository is not None
    assert repository.bare and repository.root == ""
    assert repository.head == second
    assert repository.staged() == [] and repository.tracked() == []
    assert contents(repository, repository.changed(first, "main")) == {b"b": b"2\n"}


def test_inside_the_git_folder(repo: Git) -> None:
    repo.commit(a=b"1\n")
    repo.write("b", b"2\n")
    repo("add", "b")
    repository = Repository.discover(str(repo.root / ".git" / "hooks"))
    assert repository is not None
    assert [entry.path for entry in repository.staged()] == [b"b"]


@pytest.mark.parametrize("index", ["split", "version 4", "sparse", "untracked cache"])
def test_other_forms_of_the_index(repo: Git, index: str) -> None:
    repo.commit(**{"in/a": b"1\n", "out/deep/b": b"1\n", "top": b"1\n"})
    if index == "split":
        repo("update-index", "--split-index")
    elif index == "version 4":
        repo("update-index", "--index-version", "4")
    elif index == "sparse":
        repo("sparse-checkout", "set", "--cone", "--sparse-index", "in")
        assert "out/\t" not in repo("ls-files", "--stage") and "out/" in repo("ls-files", "--sparse")
    else:
        repo("update-index", "--force-untracked-cache")
    repo.write("in/new", b"2\n")
    repo("add", "in/new")
    if index == "split":
        assert list((repo.root / ".git").glob("sharedindex.*"))
    assert staged(repo) == {b"in/new": b"2\n"}
    assert set(found(repo).tracked()) == {b"in/a", b"in/new", b"out/deep/b", b"top"}


def test_alternates(repo: Git, tmp_path: Path) -> None:
    repo.commit(a=b"1\n")
    repo("clone", "-q", "--shared", ".", str(tmp_path / "borrower"))
    repository = Repository.discover(str(tmp_path / "borrower"))
    assert repository is not None
    assert contents(repository, repository.index_entries(["."])) == {b"a": b"1\n"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a repository to somebody else")
def test_a_repository_of_another_user(repo: Git) -> None:
    commit = repo.commit(a=b"1\n")
    repo.write("b", b"2\n")
    repo("add", "b")
    for folder, _, files in os.walk(repo.root):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, 4242, 4242)
    assert "dubious ownership" in repo("status", check=False)
    assert staged(repo) == {b"b": b"2\n"}
    repository = found(repo)
    assert repository.head == commit == repository.commit("main")
    assert repository.tracked() == [b"a", b"b"]
    assert repository.hooks_folder().path == str(repo.root / ".git" / "hooks")


def test_ten_thousand_files(repo: Git) -> None:
    lines = []
    for number in range(10_000):
        text = f"file {number}\n".encode()
        lines.append(b"blob\ndata %d\n%s\n" % (len(text), text))
    marks = "".join(f"M 100644 :{n + 1} d{n % 100}/f{n}\n" for n in range(10_000))
    stream = b"".join(line.replace(b"blob\n", b"blob\nmark :%d\n" % (n + 1), 1) for n, line in enumerate(lines))
    stream += b"commit refs/heads/other\ncommitter S <s@example.org> 0 +0000\ndata 1\nx\n" + marks.encode()
    repo("fast-import", "--quiet", stdin=stream)
    repo("read-tree", "other")
    began = time.monotonic()
    repository = found(repo)
    texts = contents(repository, repository.staged())
    assert len(texts) == 10_000 and texts[b"d7/f7"] == b"file 7\n"
    wanted = [os.fsdecode(path) for path in list(texts)[:9000]]  # more than fits on a command line
    assert len(repository.index_entries(wanted)) == 9000
    assert len(repository.index_entries(["d7", *wanted[:10]])) == 110 - sum(path.startswith("d7/") for path in wanted[:10])
    assert time.monotonic() - began < 20


# --- what a hook inherits


def record(repo: Git, tmp_path: Path, hook: str = "pre-commit") -> Path:
    """A hook that writes down what the scan sees from inside it."""
    seen = tmp_path / "seen"
    program = (
        "import sys; from keyward.scan.git import Repository; r = Repository.discover(sys.argv[1]);"
        "print(r.root, {b.id: b.everything() for b in r.read_blobs([e.blob for e in r.staged()])}.values(),"
        "[e.path for e in r.staged()])"
    )
    script = repo.root / ".git" / "hooks" / hook
    script.write_text(f"#!/bin/sh\n'{sys.executable}' -c \"{program}\" \"${{WHERE:-.}}\" > '{seen}' 2>&1\n")
    script.chmod(0o755)
    return seen


def test_the_index_of_git_commit_file(repo: Git, tmp_path: Path) -> None:
    repo.commit(a=b"1\n", b=b"1\n")
    seen = record(repo, tmp_path)
    repo.write("a", b"new a\n")
    repo.write("b", b"new b\n")
    repo("add", "b")
    repo("commit", "-qm", "only a", "a")
    assert "new a" in seen.read_text() and "new b" not in seen.read_text()
    repo.write("a", b"third a\n")
    repo("commit", "-qam", "all")
    assert "third a" in seen.read_text() and "new b" in seen.read_text()


def test_the_index_of_git_commit_file_in_a_worktree(repo: Git, tmp_path: Path) -> None:
    repo.commit(**{"sub/a": b"1\n", "b": b"1\n"})
    seen = record(repo, tmp_path)
    repo("worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked" / "sub" / "a").write_bytes(b"new a\n")
    (tmp_path / "linked" / "b").write_bytes(b"new b\n")
    repo("-C", str(tmp_path / "linked"), "add", "b")
    repo("-C", str(tmp_path / "linked"), "commit", "-qm", "only a", "sub/a", WHERE="sub")
    assert seen.read_text().startswith(str(tmp_path / "linked") + " ")
    assert "new a" in seen.read_text() and "new b" not in seen.read_text()


def test_what_is_inherited_does_not_hold_for_another_repository(repo: Git, new_repo: Any, tmp_path: Path) -> None:
    inner = new_repo(repo.root / "inner")
    inner.write("x", b"inner x\n")
    inner("add", "x")
    repo.commit(a=b"1\n")
    seen = record(repo, tmp_path)
    repo.write("a", b"new a\n")
    repo("commit", "-qam", "all", WHERE="inner")
    assert "inner x" in seen.read_text() and "new a" not in seen.read_text()
    linked = tmp_path / "linked"
    repo("worktree", "add", "-q", str(linked))
    (linked / "a").write_bytes(b"linked a\n")
    repo("-C", str(linked), "commit", "-qam", "all", WHERE=str(inner.root))
    assert "inner x" in seen.read_text() and "linked a" not in seen.read_text()


def test_git_dir_and_work_tree_apart(repo: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Dotfiles kept with `git --git-dir=… --work-tree=~`."""
    tree = tmp_path / "home"
    (tree / ".config").mkdir()
    (tree / ".config" / "x").write_bytes(b"dot\n")
    monkeypatch.chdir(tree)
    monkeypatch.setenv("GIT_DIR", "../repo/.git")
    monkeypatch.setenv("GIT_WORK_TREE", ".")
    subprocess.run(["git", "add", ".config/x"], check=True)
    for path in (".", ".config"):
        repository = Repository.discover(path)
        assert repository is not None and repository.root == str(tree)
        assert contents(repository, repository.staged()) == {b".config/x": b"dot\n"}
    assert Repository.discover(str(tmp_path)) is None


def test_the_quarantine_of_a_push(repo: Git, tmp_path: Path) -> None:
    first = repo.commit(a=b"1\n")
    repo("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    second = repo.commit(a=b"pushed\n")
    seen = tmp_path / "seen"
    program = (
        "import sys; from keyward.scan.git import Repository; r = Repository.discover('.'); b, a, _ = input().split();"
        "print([x.everything() for x in r.read_blobs([e.blob for e in r.changed(b, a)])])"
    )
    hook = tmp_path / "bare.git" / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\n'{sys.executable}' -c \"{program}\" > '{seen}' 2>&1\n")
    hook.chmod(0o755)
    repo("push", "-q", str(tmp_path / "bare.git"), "main")
    assert seen.read_text() == "[b'pushed\\n']\n", (first, second)


# --- commits, the index, blobs


def test_changed_between_two_commits(repo: Git) -> None:
    first = repo.commit(a=b"1\n", b=b"1\n", gone=b"1\n")
    repo("tag", "-a", "-m", "x", "v1")
    repo("rm", "-q", "gone")
    repo.commit(a=b"2\n", **{"new/c": b"3\n"})
    repository = found(repo)
    for name in (first, first[:12], "v1", "HEAD~1", "main^"):
        changes = repository.changed(name, "HEAD")
        assert contents(repository, changes) == {b"a": b"2\n", b"new/c": b"3\n"}
        assert [entry.status for entry in changes] == ["M", "A"]
    assert len(repository.changed("0" * 40, "main")) == 3


@pytest.mark.parametrize("ref", ["", "-x", "--output=canary", "a b", "a\nHEAD", "a\0b", "\x1b[2K", "a\u202eb"])
def test_names_that_are_no_names(repo: Git, ref: str) -> None:
    repo.commit(a=b"1\n")
    with pytest.raises(UsageError):
        found(repo).changed(ref, "HEAD")
    with pytest.raises(UsageError):
        found(repo).changed("HEAD", ref)


@pytest.mark.parametrize("ref", ["nope", "HEAD:a", "1" * 40, "HEAD~9", ":a"])
def test_names_of_nothing(repo: Git, ref: str) -> None:
    repo.commit(a=b"1\n")
    with pytest.raises(GitError, match="there is no commit") as caught:
        found(repo).changed(ref, "HEAD")
    assert caught.value.hint


def test_a_shallow_clone_says_that_the_commit_is_not_there(repo: Git, tmp_path: Path) -> None:
    first = repo.commit(a=b"1\n")
    repo.commit(a=b"2\n")
    repo("clone", "-q", "--depth=1", f"file://{repo.root}", str(tmp_path / "shallow"))
    repository = Repository.discover(str(tmp_path / "shallow"))
    assert repository is not None
    with pytest.raises(GitError, match="there is no commit") as caught:
        repository.changed(first, "HEAD")
    assert "fetch-depth" in caught.value.hint


def test_index_entries(repo: Git) -> None:
    repo.commit(a=b"1\n", b=b"1\n", **{"dir/c": b"1\n", "dir*": b"1\n"})
    repo.write("b", b"2\n")
    repo.write("untracked")
    repo("add", "b")
    repository = found(repo)
    entries = repository.index_entries(["a", "b", "untracked", "not there"])
    assert [(entry.path, entry.status, entry.staged) for entry in entries] == [(b"a", "", False), (b"b", "M", True)]
    assert contents(repository, entries) == {b"a": b"1\n", b"b": b"2\n"}
    assert [entry.path for entry in repository.index_entries(["dir/"])] == [b"dir/c"]
    assert [entry.path for entry in repository.index_entries(["dir*"])] == [b"dir*"]
    assert len(repository.index_entries(["."])) == 4
    assert repository.index_entries([]) == []
    assert repository.tracked("dir") == [b"dir/c"]


def test_blobs_in_order_once_and_half_read(repo: Git) -> None:
    repo.commit(a=b"a" * 300_000, b=b"", c=b"no line feed", d=b"x\n\ny\n")
    repository = found(repo)
    ids = [repo("rev-parse", f"HEAD:{name}") for name in "abcd"]
    tree = repo("rev-parse", "HEAD^{tree}")
    blobs = repository.read_blobs([ids[0], "0" * 40, ids[1], tree, ids[2], ids[0], ids[3]])
    seen = []
    for blob in blobs:
        first = blob.read(2)
        seen.append((blob.id, blob.size, first, blob.missing))
    assert seen == [
        (ids[0], 300_000, b"aa", False),
        ("0" * 40, 0, b"", True),
        (ids[1], 0, b"", False),
        (tree, 0, b"", True),
        (ids[2], 12, b"no", False),
        (ids[3], 5, b"x\n", False),
    ]
    assert list(repository.read_blobs([])) == []
    with pytest.raises(GitError, match="not an object id"):
        list(repository.read_blobs(["HEAD"]))


def test_a_damaged_object_does_not_hide_the_others(repo: Git) -> None:
    noise = os.urandom(500_000)
    repo.commit(a=noise, b=b"1\n", c=b"2\n", d=b"3\n")
    ids = [repo("rev-parse", f"HEAD:{name}") for name in "abcd"]
    for id, keep in ((ids[0], 250_000), (ids[2], 4)):
        path = repo.root / ".git" / "objects" / id[:2] / id[2:]
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:keep])
    seen: dict[str, object] = {}
    for blob in found(repo).read_blobs(ids):
        try:
            seen[blob.id] = blob.problem or blob.everything()
        except GitError as error:
            seen[blob.id] = error
    assert isinstance(seen[ids[0]], GitError)
    assert seen[ids[1]] == b"1\n"
    assert "damaged" in str(seen[ids[2]]) or "cannot read" in str(seen[ids[2]])
    assert seen[ids[3]] == b"3\n"


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of this process alone from /proc")
def test_a_huge_blob_takes_no_memory(repo: Git) -> None:
    size = 200 << 20
    path = repo.root / "huge"
    with path.open("wb") as file:
        for number in range(200):
            file.write(bytes([number]) * (1 << 20))
    repo("-c", "core.compression=0", "add", "huge")
    path.unlink()
    program = (
        "from keyward.scan.git import Repository\n"
        "def peak(): return [int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM')][0]\n"
        "r = Repository.discover('.'); e, = r.staged(); before = peak()\n"
        "for b in r.read_blobs([e.blob]): total = sum(map(len, b.chunks))\n"
        "print(b.size, total, peak() - before)"
    )
    output = subprocess.run([sys.executable, "-c", program], cwd=repo.root, capture_output=True, text=True, check=True).stdout
    stated, total, more = map(int, output.split())
    assert stated == total == size
    assert more < 4096, f"{more} kB more than before"


def test_nothing_is_left_behind(repo: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tests_support.children()
    room = tmp_path / "tmp"
    room.mkdir()
    monkeypatch.setenv("TMPDIR", str(room))
    repo.commit(a=b"1\n", b=b"2\n")
    repo("update-index", "--split-index")
    before = sorted((path, path.stat().st_mtime_ns) for path in repo.root.rglob("*") if "sharedindex" not in path.name)
    repository = found(repo)
    for blob in repository.read_blobs([entry.blob for entry in repository.index_entries(["."])]):
        assert blob.size == 2
        break
    repository.staged()
    repository.tracked()
    repository.changed("HEAD", "HEAD")
    assert list(room.iterdir()) == []
    after = sorted((path, path.stat().st_mtime_ns) for path in repo.root.rglob("*") if "sharedindex" not in path.name)
    assert after == before
    assert tests_support.children() <= here


def test_imports_of_the_hook_path(repo: Git) -> None:
    repo.write("a")
    repo("add", "a")
    program = (
        "import sys; before = set(sys.modules)\n"
        "from keyward.scan.git import Repository; r = Repository.discover('.')\n"
        "list(r.read_blobs([e.blob for e in r.staged()]))\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    output = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {os.path.dirname(os.path.dirname(keyward.__file__))!r})\n{program}"],
        cwd=repo.root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    heavy = {
        "subprocess",
        "signal",
        "dataclasses",
        "json",
        "pathlib",
        "tempfile",
        "threading",
        "shutil",
        "selectors",
        "inspect",
    }
    assert not heavy & set(output.split())
