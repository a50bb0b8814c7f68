"""The history of real repositories: everything that git keeps is looked at once, and told with the commit that brought it in."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_support import token

from keyward.errors import ConfigError, GitError, UsageError
from keyward.flows.scan import ScanOptions, scan
from keyward.model.finding import Occurrence, Outcome
from keyward.scan.reread import reread

Git = Any  # see conftest

FIRST = "2021-03-04T05:06:07Z"
FIRST_SECONDS = 1614834367


def leak(seed: int) -> bytes:
    return b"GH=" + token(seed) + b"\n"


@pytest.fixture
def history(environment: None, repo: Git, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Scans the history of the current folder, which is the repository, or of a path."""
    monkeypatch.chdir(repo.root)

    def run(*paths: str, **options: Any) -> Outcome:
        return scan(ScanOptions(paths=paths or (".",), history=True, **{"cache": False, **options}))

    return run


def occurrences(outcome: Outcome) -> list[Occurrence]:
    return [occurrence for finding in outcome.findings for occurrence in finding.occurrences]


def paths(outcome: Outcome) -> set[str]:
    return {occurrence.locator.path for occurrence in occurrences(outcome)}


# --- where secrets hide


def test_every_version_on_every_branch_and_tag(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(**{"gone.env": leak(1)})
    repo("rm", "-q", "gone.env")
    repo.commit("clean")
    repo("checkout", "-q", "-b", "side")
    repo.commit(**{"side.env": leak(2)})
    repo("checkout", "-q", "main")
    repo("checkout", "-q", "--orphan", "other")
    repo("rm", "-rfq", "--ignore-unmatch", ".")
    repo.commit(**{"orphan.env": leak(3)})
    repo("tag", "kept")
    repo("checkout", "-q", "main")
    repo("branch", "-q", "-D", "other")
    outcome = history()
    assert paths(outcome) == {"gone.env", "side.env", "orphan.env"}
    assert outcome.complete
    assert {occurrence.locator.source for occurrence in occurrences(outcome)} == {"history"}


def test_what_only_the_stash_the_reflog_or_a_worktree_keeps(history: Callable[..., Outcome], repo: Git, tmp_path: Path) -> None:
    repo.commit(**{"a": b"1\n"})
    repo.write("a", leak(1))
    repo.write("untracked.env", leak(2))
    repo("stash", "push", "-q", "--include-untracked")
    repo.commit(**{"amended.env": leak(3)})
    repo("rm", "-q", "--cached", "amended.env")
    (repo.root / "amended.env").unlink()
    repo("commit", "-q", "--allow-empty", "--amend", "-m", "better")
    tree = tmp_path / "tree"
    repo("worktree", "add", "-q", "--detach", str(tree))
    (tree / "detached.env").write_bytes(leak(4))
    repo("-C", str(tree), "add", ".")
    repo("-C", str(tree), "commit", "-q", "-m", "x")
    (tree / "staged.env").write_bytes(leak(5))
    repo("-C", str(tree), "add", ".")
    repo.write("here.env", leak(6))
    repo("add", "here.env")
    repo("worktree", "lock", str(tree))
    outcome = history()
    assert paths(outcome) == {"a", "untracked.env", "amended.env", "detached.env", "staged.env", "here.env"}
    uncommitted = {o.locator.path: o.provenance for o in occurrences(outcome) if not o.provenance.commit}
    assert set(uncommitted) == {"staged.env", "here.env"}
    assert {provenance.where for provenance in uncommitted.values()} == {"GH, in no commit"}
    assert history(str(tree)).stats.files == outcome.stats.files  # the same repository, from its other worktree


def test_what_an_unfinished_rebase_set_aside(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(**{"a": b"1\n"})
    repo.write("a", leak(1))
    aside = repo("stash", "create")
    repo("checkout", "-q", "a")
    (repo.root / ".git/rebase-merge").mkdir()
    (repo.root / ".git/rebase-merge/autostash").write_text(aside + "\n")
    assert paths(history()) == {"a"}


def test_messages_notes_and_names(history: Callable[..., Outcome], repo: Git) -> None:
    first = repo.commit("a message\n\nwith " + leak(1).decode(), a=b"1\n")
    repo("tag", "-a", "v1", "-m", "release " + leak(2).decode())
    repo("tag", "-a", "v2", "-m", "of the tag " + leak(3).decode(), "v1")
    (repo.root / ".git/COMMIT_EDITMSG").unlink()
    repo("notes", "add", "-m", leak(4).decode(), first)
    second = repo("commit-tree", "HEAD^{tree}", "-m", "x", GIT_AUTHOR_NAME=leak(5).decode().strip())
    repo("branch", "named", second)
    outcome = history()
    assert paths(outcome) == {
        f"commit {first[:12]} message",
        "tag v1 message",
        "tag v2 message",
        f"note on {first[:12]}",
        f"commit {second[:12]} header",
    }
    by_path = {o.locator.path: o for o in occurrences(outcome)}
    said = by_path[f"commit {first[:12]} message"]
    assert (said.line, said.locator.blob, said.provenance.commit, said.provenance.in_head) == (3, first, first, True)
    raw = repo("cat-file", "commit", first).encode()
    assert raw[said.locator.start : said.locator.end] == token(1)
    assert by_path["tag v1 message"].provenance.author == "Somebody <somebody@example.org>"


def test_objects_that_are_tagged_by_themselves(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(a=b"1\n")
    blob = repo("hash-object", "-w", "--stdin", stdin=leak(1))
    repo("tag", "blob", blob)
    inner = repo("hash-object", "-w", "--stdin", stdin=leak(2))
    tree = repo("mktree", stdin=f"100644 blob {inner}\tdeep.env\n".encode())
    repo("tag", "-a", "tree", "-m", "x", tree)
    outcome = history()
    assert paths(outcome) == {f"object {blob[:12]}", "deep.env"}
    assert {o.provenance.commit for o in occurrences(outcome)} == {""}


def test_what_only_a_merge_brought_in(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(a=b"1\n")
    repo("checkout", "-q", "-b", "side")
    repo.commit(b=b"2\n")
    repo("checkout", "-q", "main")
    repo.commit(c=b"3\n")
    repo("merge", "-q", "--no-commit", "side")
    repo.write("b", leak(1))
    repo.write("added.env", leak(2))
    repo("add", ".")
    repo("commit", "-q", "-m", "merged")
    merge = repo("rev-parse", "HEAD")
    outcome = history()
    assert paths(outcome) == {"b", "added.env"}
    assert {o.provenance.commit for o in occurrences(outcome)} == {merge}
    assert outcome.stats.files == sum(1 for _ in repo("rev-list", "--objects", "--all", "--filter=tree:0").split("\n")) + len(
        {b"1", b"2", b"3", b"x", b"y"}
    ) + texts(repo)


def texts(repo: Git) -> int:
    from keyward.scan.git import Repository
    from keyward.scan.git_texts import texts_of

    repository = Repository.discover(str(repo.root))
    assert repository is not None
    return len(texts_of(repository))


def test_both_sides_of_replacements_and_grafts(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(**{"old.env": leak(1)})
    repo("rm", "-q", "old.env")
    original = repo.commit("hidden side", **{"hidden.env": leak(2)})
    tree = repo("mktree", stdin=f"100644 blob {repo('hash-object', '-w', '--stdin', stdin=leak(3))}\tshown.env\n".encode())
    repo("replace", original, repo("commit-tree", tree, "-m", "replacement"))
    grafted = repo(
        "commit-tree",
        repo("mktree", stdin=f"100644 blob {repo('hash-object', '-w', '--stdin', stdin=leak(4))}\tgrafted.env\n".encode()),
        "-m",
        "x",
    )
    (repo.root / ".git/info/grafts").write_text(f"{original} {grafted}\n")
    assert paths(history()) == {"old.env", "hidden.env", "shown.env", "grafted.env"}


def test_the_git_folder_s_own_texts(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(a=b"1\n")
    repo("remote", "add", "origin", f"https://oauth2:{token(1).decode()}@git.example.com/x.git")
    (repo.root / ".git/MERGE_MSG").write_bytes(leak(2))
    assert paths(history()) == {".git/config", ".git/MERGE_MSG"}
    assert paths(history(branch=("main",))) == set()


def test_a_commit_graph_that_lies_is_not_believed(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(**{"gone.env": leak(1)})
    repo("rm", "-q", "gone.env")
    repo.commit("clean")
    repo("reflog", "expire", "--expire=now", "--all")
    (repo.root / ".git/ORIG_HEAD").unlink(missing_ok=True)
    repo("commit-graph", "write", "--reachable")
    graph = repo.root / ".git/objects/info/commit-graph"
    graph.chmod(0o644)
    graph.write_bytes(without_parents(graph.read_bytes()))
    assert repo("rev-list", "--count", "HEAD") == "1"  # git itself is fooled
    assert paths(history()) == {"gone.env"}


def without_parents(graph: bytes) -> bytes:
    """A commit graph that says of every commit that it has no parent (`gitformat-commit-graph`)."""
    data = bytearray(graph[:-20])
    chunks = graph[6]
    for number in range(chunks):
        name, offset = struct.unpack_from(">4sQ", graph, 8 + 12 * number)
        if name == b"CDAT":
            end = struct.unpack_from(">Q", graph, 8 + 12 * (number + 1) + 4)[0]
            for at in range(offset, end, 36):
                struct.pack_into(">II", data, at + 20, 0x70000000, 0x70000000)
    return bytes(data) + hashlib.sha1(data, usedforsecurity=False).digest()


# --- what is told


def test_commit_author_date_and_whether_it_is_still_there(history: Callable[..., Outcome], repo: Git) -> None:
    repo.write("x/a.env", b"# first\n" + leak(1))
    repo("add", ".")
    repo("commit", "-q", "-m", "x", GIT_AUTHOR_NAME="Ann", GIT_AUTHOR_EMAIL="ann@example.org", GIT_COMMITTER_DATE=FIRST)
    first = repo("rev-parse", "HEAD")
    for number in range(3):
        repo.commit(**{"x/a.env": b"# later\n" * number + leak(1) + b"B=%d\n" % number})
    repo.commit(**{"b.env": leak(2)})
    repo("rm", "-q", "b.env")
    repo.commit("gone")
    by_path = {o.locator.path: o for o in occurrences(history())}
    still, gone = by_path["x/a.env"], by_path["b.env"]
    assert (still.line, still.provenance.commit, still.provenance.author) == (2, first, "Ann <ann@example.org>")
    assert (still.provenance.since, still.provenance.since_from) == (FIRST_SECONDS, "commit")
    assert (still.provenance.in_head, still.provenance.where) == (True, "GH, first of 4 versions")
    assert (gone.provenance.in_head, gone.provenance.where) == (False, "GH")
    assert repo("cat-file", "blob", still.locator.blob).encode()[still.locator.start : still.locator.end] == token(1)


def test_only_what_is_there_now_is_a_live_configuration(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(**{"still.env": leak(1), "gone.env": leak(2), "changed.env": leak(3), "NOTES.md": leak(4)})
    repo("rm", "-q", "gone.env")
    repo.commit("gone, " + leak(5).decode(), **{"changed.env": leak(6)})
    repo("notes", "add", "-m", leak(7).decode())
    repo("hash-object", "-w", "--stdin", stdin=leak(8))
    repo.write("staged.env", leak(9))
    repo("add", "staged.env")
    named = {f"commit {repo('rev-parse', 'HEAD')[:12]} message": "m", f"note on {repo('rev-parse', 'HEAD')[:12]}": "n"}
    roles: dict[str, set[tuple[str, bool]]] = {}
    for each in occurrences(history(all_objects=True)):
        path = "object" if each.locator.path.startswith("object ") else each.locator.path
        roles.setdefault(each.role, set()).add((named.get(path, path), bool(each.provenance.in_head)))
    assert {role: sorted(each) for role, each in roles.items()} == {
        "live-config": [("changed.env", True), ("staged.env", False), ("still.env", True)],
        "echo": sorted(
            [
                ("gone.env", False),
                ("changed.env", False),
                ("NOTES.md", True),
                ("m", True),
                ("n", False),
                ("object", False),
                (".git/COMMIT_EDITMSG", False),
                (".git/logs/HEAD", False),
                (".git/logs/refs/heads/main", False),
            ]
        ),
    }


def test_a_version_counts_at_every_path_and_is_judged_by_each(history: Callable[..., Outcome], repo: Git) -> None:
    chosen = b"kT7!" + b"mQ2$" + b"vX9z"
    repo.commit(**{"tests/fixtures/x.py": b"password = '%s'\n" % chosen})
    repo("mv", "tests/fixtures/x.py", "settings.py")
    moved = repo.commit("moved")
    by_path = {o.locator.path: o for o in occurrences(history(persona="auditor"))}
    assert set(by_path) == {"tests/fixtures/x.py", "settings.py"}
    assert by_path["settings.py"].confidence > by_path["tests/fixtures/x.py"].confidence
    assert by_path["settings.py"].provenance.commit == moved


def test_two_in_one_file_stay_two_places(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(a=leak(1) + b"\n" + leak(1))
    repo.commit(a=leak(1) + b"\n" + leak(1) + b"more\n")
    assert sorted(o.line for o in occurrences(history())) == [1, 3]


def test_a_comment_that_was_added_later_hides_nothing(history: Callable[..., Outcome], repo: Git) -> None:
    allowed = leak(1).rstrip() + b"  # keyward:allow a sample\n"
    repo.commit(always=leak(2).rstrip() + b"  # keyward:allow a sample\n")
    first = repo.commit(a=leak(1))
    repo.commit(a=allowed)
    outcome = history()
    assert [o.provenance.commit for o in occurrences(outcome)] == [first]
    assert {o.locator.path for o in outcome.allowed} == {"always", "a"}


def test_baselines_and_other_tools_ignore_files_hold(history: Callable[..., Outcome], repo: Git) -> None:
    commit = repo.commit(a=leak(1))
    repo.commit(a=b"clean\n", b=leak(2), c=leak(3))
    repo.write(".gitleaksignore", f"{commit}:a:github-pat:1\n".encode())
    outcome = history()
    assert paths(outcome) == {"b", "c"}
    known = next(o for o in occurrences(outcome) if o.locator.path == "b").fingerprint
    repo.write("keyward.toml", f'[[ignore]]\nfingerprint = "{known}"\nreason = "a sample"\n'.encode())
    outcome = history()
    assert paths(outcome) == {"c"}
    assert {o.allowance.by for o in outcome.allowed if o.allowance} == {".gitleaksignore", "keyward.toml"}


def test_a_version_is_left_out_only_if_all_its_paths_are(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(**{"vendor/only.env": leak(1), "vendor/both.env": leak(2), "src/both.env": leak(2)})
    outcome = history(exclude=("vendor/",))
    assert paths(outcome) == {"src/both.env"}
    assert {(e.path, e.by) for e in outcome.excluded} == {
        ("vendor/only.env", "--exclude: vendor/"),
        ("vendor/both.env", "--exclude: vendor/"),
    }


def test_paths_lead_to_the_repository_from_where_one_stands(
    history: Callable[..., Outcome], repo: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("x\n\n" + leak(2).decode(), **{"sub/a.env": leak(1)})
    (repo.root / ".git/COMMIT_EDITMSG").unlink()
    monkeypatch.chdir(repo.root.parent)
    commit = repo("rev-parse", "HEAD")
    assert paths(history("repo/sub")) == {"repo/sub/a.env", f"repo/commit {commit[:12]} message"}
    monkeypatch.chdir(repo.root / "sub")
    assert "../sub/a.env" in paths(history())


# --- a part of it


@pytest.fixture
def line(repo: Git) -> list[str]:
    """Five commits on main; the third and fifth leak, and `side` leaves at the second with another leak."""
    ids = [
        repo.commit(a=b"1\n"),
        repo.commit(a=b"2\n"),
        repo.commit(**{"three.env": leak(3)}),
        repo.commit(a=b"4\n"),
        repo.commit(**{"five.env": leak(5)}),
    ]
    repo("checkout", "-q", "-b", "side", ids[1])
    repo.commit("side " + leak(7).decode(), **{"side.env": leak(6)})
    repo("checkout", "-q", "main")
    return ids


def test_since_branch_and_ranges(history: Callable[..., Outcome], repo: Git, line: list[str]) -> None:
    side = f"commit {repo('rev-parse', 'side')[:12]} message"
    assert paths(history(since=line[2])) == {"five.env", "side.env", side}
    assert paths(history(branch=("main",))) == {"three.env", "five.env"}
    assert paths(history(branch=("side", "main"), since=line[3])) == {"five.env", "side.env", side}
    assert paths(history(commits="main~1..main")) == {"five.env"}
    assert paths(history(commits="main~2..main~1")) == set()
    assert paths(history(commits="side..main")) == {"three.env", "five.env"}
    assert paths(history(commits="main..side")) == {"side.env", side}
    assert paths(history(commits="main...side")) == {"three.env", "five.env", "side.env", side}
    assert paths(history(commits="main~1..")) == {"five.env"}
    assert paths(history(commits="..side")) == {"side.env", side}
    zeros = "0" * 40
    assert paths(history(commits=f"{zeros}..side")) == {"side.env", side}
    deleted = history(commits=f"side..{zeros}")
    assert (paths(deleted), deleted.complete) == (set(), True)
    assert "deleted branch" in deleted.notes[-1]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"commits": "main"}, UsageError),
        ({"commits": "nowhere..main"}, GitError),
        ({"commits": "--output=x..main"}, UsageError),
        ({"branch": ("nowhere",)}, GitError),
        ({"since": "main", "commits": "main~1..main"}, UsageError),
        ({"all_objects": True, "since": "main"}, UsageError),
        ({"staged": True}, UsageError),
        ({"paths": ("-",)}, UsageError),
    ],
)
def test_what_cannot_be_meant(
    history: Callable[..., Outcome], repo: Git, line: list[str], options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        history(*options.pop("paths", ()), **options)


def test_no_repository(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(UsageError):
        scan(ScanOptions(history=True))


def test_before_the_first_commit(history: Callable[..., Outcome], repo: Git) -> None:
    assert history().complete
    repo.write("a.env", leak(1))
    repo("add", ".")
    assert paths(history()) == {"a.env"}


def test_a_change_cannot_bring_its_own_exceptions(history: Callable[..., Outcome], repo: Git) -> None:
    repo.write("keyward.toml", b'exclude = ["old/"]\n')
    repo("add", ".")
    repo.commit(**{"old/a.env": leak(9)})
    repo("checkout", "-q", "-b", "change")
    repo.write("keyward.toml", b'exclude = ["*.env"]\n')
    repo.write(".gitleaksignore", b"b.env:x:1\n")
    repo("add", ".")
    repo.commit(**{"b.env": leak(1), "old/c.env": leak(2)})
    assert paths(history(commits="main..change")) == set()
    outcome = history(commits="main..change", config_ref="main")
    assert paths(outcome) == {"b.env"}
    assert [(e.path, e.by) for e in outcome.excluded] == [("old/c.env", "keyward.toml: old/")]
    with pytest.raises(GitError):
        history(config_ref="nowhere")


def test_rules_and_baseline_come_from_the_commit(history: Callable[..., Outcome], repo: Git) -> None:
    rule = b"""
[[rules]]
id = "acme"
title = "Acme"
pattern = 'acme_[0-9]{8}'
examples = ["acme_12345678"]
near_misses = ["acme_1234567"]
"""
    from keyward.scan.config import load_rules

    repo.write("keyward.toml", rule)
    load_rules(str(repo.root / "keyward.toml"), project=True)  # it is a rule
    repo("add", ".")
    repo.commit("rules")
    repo("checkout", "-q", "-b", "change")
    repo("rm", "-q", "keyward.toml")
    repo.commit(**{"a.txt": b"key = acme_48151623\n"})
    assert paths(history(commits="main..change", persona="auditor")) == set()
    assert paths(history(commits="main..change", config_ref="main", persona="auditor")) == {"a.txt"}
    repo.write("keyward.toml", b"exclude = 1\n")
    repo("add", ".")
    broken = repo.commit("broken")
    with pytest.raises(ConfigError, match=r"keyward\.toml"):
        history(config_ref=broken)
    (repo.root / "keyward.toml").unlink()
    (repo.root / "keyward.toml").symlink_to("/etc/passwd")
    repo("add", ".")
    with pytest.raises(ConfigError, match="regular"):
        history(config_ref=repo.commit("link"))


# --- all kinds of clones


def test_a_shallow_clone_is_incomplete(history: Callable[..., Outcome], repo: Git, line: list[str], tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    repo("clone", "-q", "--depth", "2", "--no-local", str(repo.root), str(clone))
    outcome = history(str(clone))
    assert {Path(path).name for path in paths(outcome)} == {"five.env", "three.env"}  # the oldest commit there has all files
    assert not outcome.complete
    assert [n.reason for n in outcome.not_scanned if "git fetch --unshallow" in n.reason]
    inside = history(str(clone), commits="main~1..main")
    assert inside.complete  # the range does not reach the end of the clone
    assert {Path(path).name for path in paths(inside)} == {"five.env"}


@pytest.mark.parametrize("missing", ["blob:none", "tree:0"])
def test_a_partial_clone_is_incomplete_and_nothing_is_fetched(
    history: Callable[..., Outcome], repo: Git, line: list[str], tmp_path: Path, missing: str
) -> None:
    repo("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    repo("clone", "-q", "--bare", f"--filter={missing}", repo.root.as_uri(), str(clone))
    before = sorted(os.walk(clone / "objects"))
    outcome = history(str(clone))
    assert not outcome.complete
    assert sorted(os.walk(clone / "objects")) == before
    assert paths(outcome) == {f"../clone/commit {repo('rev-parse', 'side')[:12]} message"}


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_bare_repositories_and_their_alternates(
    environment: None, new_repo: type[Any], tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = new_repo(tmp_path / "work", f"--object-format={kind}")
    repo.commit("x\n\n" + leak(2).decode(), **{"a.env": leak(1), "keyward.toml": b'exclude = ["b.env"]\n', "b.env": leak(3)})
    repo("clone", "-q", "--bare", "--shared", ".", str(tmp_path / "bare.git"))
    assert not list((tmp_path / "bare.git/objects").glob("??"))
    monkeypatch.chdir(tmp_path / "bare.git")
    outcome = scan(ScanOptions(history=True, cache=False))
    commit = repo("rev-parse", "HEAD")
    assert paths(outcome) == {"a.env", f"commit {commit[:12]} message"}
    assert len(commit) == (40 if kind == "sha1" else 64)
    assert all(o.provenance.in_head for o in occurrences(outcome))
    assert [(e.path, e.by) for e in outcome.excluded] == [("b.env", "keyward.toml: b.env")]  # what HEAD says


def test_submodules_are_another_repository(
    history: Callable[..., Outcome], new_repo: type[Any], repo: Git, tmp_path: Path
) -> None:
    inner = new_repo(tmp_path / "inner")
    inner.commit(**{"a.env": leak(1)})
    repo("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.root), "sub")
    repo.commit("x")
    outcome = history()
    assert paths(outcome) == set()
    assert [(e.path, e.by) for e in outcome.excluded] == [("sub", "submodule: another repository, scan it by itself")]
    assert outcome.complete


def test_what_nothing_leads_to(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(a=b"1\n")
    dropped = repo.commit("dropped " + leak(1).decode(), **{"dropped.env": leak(2)})
    repo("reset", "-q", "--hard", "HEAD~1")
    repo("reflog", "expire", "--expire=now", "--all")
    (repo.root / ".git/ORIG_HEAD").unlink()
    (repo.root / ".git/COMMIT_EDITMSG").unlink()
    alone = repo("hash-object", "-w", "--stdin", stdin=leak(3))
    assert paths(history()) == set()
    outcome = history(all_objects=True)
    assert paths(outcome) == {f"commit {dropped[:12]} message", "dropped.env", f"object {alone[:12]}"}
    by_path = {o.locator.path: o.provenance for o in occurrences(outcome)}
    assert by_path["dropped.env"].commit == dropped
    assert by_path["dropped.env"].in_head is False


def loose(repo: Git, id: str) -> Path:
    return Path(repo.root) / ".git/objects" / id[:2] / id[2:]


def test_damaged_objects_are_named_and_hide_no_other(history: Callable[..., Outcome], repo: Git) -> None:
    repo.commit(**{"a.env": leak(1), "bad.env": leak(2)})
    repo.commit(**{"c.env": leak(3)})
    bad = loose(repo, repo("rev-parse", "HEAD:bad.env"))
    bad.chmod(0o644)
    bad.write_bytes(b"nonsense")
    outcome = history()
    assert paths(outcome) == {"a.env", "c.env"}
    assert [n.path for n in outcome.not_scanned] == ["bad.env"]
    assert not outcome.complete


@pytest.mark.parametrize("what", ["HEAD~1", "HEAD~1^{tree}"])
def test_missing_commits_and_trees_are_named_and_hide_no_other(history: Callable[..., Outcome], repo: Git, what: str) -> None:
    repo.commit(**{"first.env": leak(1)})
    repo("rm", "-q", "first.env")
    repo.commit(**{"second.env": leak(2)})
    repo.commit(**{"third.env": leak(3)})
    loose(repo, repo("rev-parse", what)).unlink()
    outcome = history()
    assert {"first.env", "third.env"} <= paths(outcome)
    assert outcome.not_scanned
    assert not outcome.complete


def test_lfs_content_is_looked_at_where_it_is(history: Callable[..., Outcome], repo: Git) -> None:
    content = b"weights\n" + leak(1)
    for name, text in (("here.bin", content), ("away.bin", b"elsewhere")):
        oid = hashlib.sha256(text).hexdigest()
        repo.write(name, b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n" % (oid.encode(), len(text)))
        if name == "here.bin":
            place = repo.root / ".git/lfs/objects" / oid[:2] / oid[2:4]
            place.mkdir(parents=True)
            (place / oid).write_bytes(text)
    repo("add", ".")
    commit = repo.commit("x")
    outcome = history()
    (found,) = occurrences(outcome)
    assert found.provenance.where == "the LFS content of here.bin"
    assert found.provenance.commit == commit
    assert Path(found.locator.path).read_bytes()[found.locator.start : found.locator.end] == token(1)
    assert [(n.path, "git lfs fetch" in n.reason) for n in outcome.not_scanned] == [("away.bin", True)]


def test_every_place_can_be_read_again(
    history: Callable[..., Outcome], repo: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner/.env", leak(1))
    repo.commit("message " + leak(2).decode(), **{"a.env": leak(3), "archive.zip": packed.getvalue()})
    repo("tag", "-a", "v1", "-m", leak(4).decode())
    for here in (repo.root, tmp_path):
        monkeypatch.chdir(here)
        outcome = history(str(repo.root))
        values = {}
        for occurrence in occurrences(outcome):
            value = reread(occurrence.locator)
            assert value is not None, occurrence.locator
            values[occurrence.locator.path, occurrence.locator.container] = value.reveal()
        assert {token(n) for n in (1, 2, 3, 4)} == set(values.values())
        assert ("inner/.env",) in {container for _, container in values}


def test_names_that_are_no_text(history: Callable[..., Outcome], repo: Git) -> None:
    odd = b'a\xff:b\n\t"c d.env'
    repo.write(odd, leak(1))
    repo("add", ".")
    repo.commit("x")
    assert paths(history()) == {os.fsdecode(odd)}


def test_many_processes_find_what_one_finds(history: Callable[..., Outcome], repo: Git) -> None:
    files = {f"d{n % 7}/f{n}.env": (leak(n) if n % 50 == 0 else b"A=%d\n" % n) for n in range(300)}
    for path, content in files.items():
        repo.write(path, content)
    repo("add", ".")
    repo.commit("many")
    one, more = history(jobs=1), history(jobs=2)
    assert paths(one) == paths(more) == {f"d{n % 7}/f{n}.env" for n in range(0, 300, 50)}
    assert one.stats[:2] == more.stats[:2]
