"""Repositories, trees and files that want to run something, to hide something, or to break the report."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile_tree import set_traps
from tests_support import token

Git = Any  # see conftest
Keyward = Callable[..., Any]

FORMATS = ("text", "json", "jsonl", "sarif", "junit", "gitlab")


def leak(seed: int) -> bytes:
    return b"GH=" + token(seed) + b"\n"


def paths(result: Any) -> list[str]:
    return sorted(finding["path"] for finding in result.findings)


# The repository's own git configuration and attributes


@pytest.fixture
def evil_repo(repo: Git, tmp_path: Path) -> Git:
    """Two commits and a staged change, all leaky, and every setting that could run the program `trap`."""
    repo.commit(**{"a.env": leak(1), "b.env": b"1\n"})
    repo.commit(**{"b.env": leak(2)})
    repo.write("c.env", leak(3))
    repo("add", "c.env")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho \"$0 $@\" >> '{tmp_path}/canary'\nexit 0\n")
    trap.chmod(0o755)
    hooks = tmp_path / "evil-hooks"
    hooks.mkdir()
    for name in ("pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout"):
        (hooks / name).symlink_to(trap)
        (repo.root / ".git" / "hooks" / name).symlink_to(trap)
    for name in ("git-remote-evil", "git-remote-none"):
        (repo.root / name).symlink_to(trap)
    settings = {
        "core.fsmonitor": trap, "core.hooksPath": hooks, "core.pager": trap, "core.editor": trap, "core.sshCommand": trap,
        "core.askPass": trap, "core.gitProxy": trap, "core.alternateRefsCommand": trap, "credential.helper": f"!{trap}",
        "diff.external": trap, "diff.evil.textconv": trap, "diff.evil.command": trap, "filter.evil.clean": trap,
        "filter.evil.smudge": trap, "filter.evil.process": trap, "filter.evil.required": "true", "merge.evil.driver": trap,
        "pager.cat-file": trap, "pager.diff-index": trap, "gpg.program": trap, "uploadpack.packObjectsHook": trap,
        "protocol.allow": "always", "protocol.ext.allow": "always", "remote.origin.url": f"ext::{trap} %S",
        "remote.origin.promisor": "true", "remote.origin.partialCloneFilter": "blob:none", "remote.origin.uploadpack": trap,
        "remote.other.url": "ssh://example.invalid/x", "remote.other.promisor": "true", "remote.third.vcs": "evil",
        "remote.third.promisor": "true", "extensions.partialClone": "origin", "core.repositoryFormatVersion": "1",
        "trace2.normalTarget": tmp_path / "canary", "submodule.recurse": "true",
    }  # fmt: skip
    for name, value in settings.items():
        repo("config", name, str(value))
    for command in ("rev-parse", "diff-index", "diff-tree", "cat-file", "ls-files", "config"):
        repo("config", f"alias.{command}", f"!{trap}")
    (repo.root / ".git" / "info").mkdir(exist_ok=True)
    (repo.root / ".git" / "info" / "attributes").write_text("* diff=evil filter=evil merge=evil\n")
    repo.write(".gitattributes", b"* diff=evil filter=evil merge=evil -diff export-ignore binary\n")
    (tmp_path / "canary").unlink(missing_ok=True)  # plain git has run some of it already
    return repo


COMMANDS = (
    (("scan", "--format", "jsonl"), ["a.env", "b.env", "c.env"]),
    (("scan", "--tracked", "--format", "jsonl"), ["a.env", "b.env", "c.env"]),
    (("scan", "--staged", "--format", "jsonl"), ["c.env"]),
    (("scan", "--from-ref", "main~1", "--to-ref", "main", "--format", "jsonl"), ["b.env"]),
)


def test_no_setting_of_a_repository_runs_anything(keyward: Keyward, evil_repo: Git, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for words, expected in COMMANDS:
        assert paths(keyward(*words, cwd=evil_repo.root)) == expected, words
        assert not canary.exists(), (words, canary.read_text())
    assert keyward("hook", "run", cwd=evil_repo.root).code == 1
    assert keyward("hook", "run", "a.env", "c.env", cwd=evil_repo.root).code == 1
    assert keyward("hook", "git", "status", cwd=evil_repo.root).code == 0
    assert not canary.exists(), canary.read_text()


def test_a_missing_object_is_named_and_not_fetched(keyward: Keyward, evil_repo: Git, tmp_path: Path) -> None:
    def lose(name: str) -> None:
        id = subprocess.run(["git", "rev-parse", name], cwd=evil_repo.root, capture_output=True, text=True, check=True).stdout.strip()
        (evil_repo.root / ".git" / "objects" / id[:2] / id[2:]).unlink()

    lose(":c.env")
    (tmp_path / "canary").unlink(missing_ok=True)
    result = keyward("scan", "--staged", "--format", "jsonl", cwd=evil_repo.root)
    assert result.code == 3
    assert [item["path"] for item in result.summary["not_scanned"]] == ["c.env"]
    hook = keyward("hook", "run", cwd=evil_repo.root)
    assert hook.code == 3 and "c.env" in hook.out
    lose("main~1^{tree}")
    (tmp_path / "canary").unlink(missing_ok=True)
    assert keyward("scan", "--from-ref", "main~1", "--to-ref", "main", cwd=evil_repo.root).code not in (0, 1)
    assert not (tmp_path / "canary").exists()


def test_attributes_hide_nothing(keyward: Keyward, repo: Git) -> None:
    lines = ["* -diff", "* export-ignore", "* binary -text", "* linguist-generated filter=lfs diff=lfs"]
    for number, line in enumerate(lines):
        repo.commit(**{f"{number}/.gitattributes": line.encode() + b"\n", f"{number}/a": b"1\n"})
        repo.write(f"{number}/a", leak(number))
    repo("add", ".")
    for words in ("--staged", "--tracked"):
        assert paths(keyward("scan", words, "--format", "jsonl", cwd=repo.root)) == [f"{number}/a" for number in range(len(lines))]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_repository_of_another_user(keyward: Keyward, repo: Git) -> None:
    """As in a CI container, where the checkout belongs to somebody else."""
    repo.commit(a=b"1\n")
    repo.write("a", leak(1))
    repo("add", "a")
    for folder, folders, files in os.walk(repo.root):
        for name in (folder, *(os.path.join(folder, each) for each in (*folders, *files))):
            os.chown(name, 54321, 54321)
    assert "dubious" in repo("status", check=False)  # git itself refuses
    for words in (("scan", "--tracked"), ("scan", "--staged"), ("scan", "--from-ref", "0" * 40, "--to-ref", "main")):
        result = keyward(*words, "--format", "jsonl", cwd=repo.root)
        assert result.code in (0, 1) and result.summary["complete"], result.err
        assert paths(result) == ([] if "--from-ref" in words else ["a"])
    assert keyward("hook", "run", cwd=repo.root).code == 1


# Names


ODD_NAMES = (
    b"\x1b[2K\x1b[1A\rclean.env", b"new\nline.env", b"\n::add-mask::x.env", b"::error::x.env", b"##vso[task.complete]x.env",
    b"##[group]x.env", b"##teamcity[x].env", "bidi\u202eetadpu.env".encode(), b"in\xffvalid\xfe.env", b"\x07\x08\x7f.env", "\u200b.env".encode(),
    "c1\x9b31m.env".encode(), b"<script>alert(1)<!--&.env", b"](javascript:x).env", b"{0}'\"`.env", b"tab\t.env", b"]]>.env",
    b"%s%n.env", b"\xed\xa0\x80.env",
)  # fmt: skip


def inert(text: str) -> None:
    assert text.isprintable() or set(filter(lambda c: not c.isprintable(), text)) <= {"\n"}, sorted(c for c in set(text) if not c.isprintable())
    for line in text.split("\n"):
        assert not line.lstrip().startswith("::")
    for command in ("::add-mask", "::error", "##vso", "##[", "##teamcity"):
        assert command not in text


@pytest.fixture
def odd_names(repo: Git) -> Git:
    """A file of each name with a leak, one that is allowed and one that cannot be read."""
    for number, name in enumerate(ODD_NAMES):
        repo.write(name, leak(number))
        repo.write(b"folder " + name + b"/allowed.env", leak(50 + number).strip() + b" # keyward:allow \x1b[31m::add-mask::x \xff\n")
        os.symlink(b"/etc/passwd", os.fsencode(repo.root) + b"/link " + name)
        os.mkfifo(os.fsencode(repo.root) + b"/pipe " + name)
    repo("add", "--", *ODD_NAMES, GIT_LITERAL_PATHSPECS="1")
    return repo


@pytest.mark.parametrize("format", FORMATS)
def test_odd_names_command_nothing(keyward: Keyward, odd_names: Git, format: str) -> None:
    result = keyward("scan", "--format", format, cwd=odd_names.root)
    assert result.code == 1
    inert(result.out)
    inert(result.err)
    assert "\udcff" not in result.out  # valid UTF-8, whatever the names are
    if format == "jsonl":
        assert len({finding["fingerprint"] for finding in result.findings}) == len(ODD_NAMES)
        assert len(result.summary["allowed"]) == len(ODD_NAMES)
        assert len(result.summary["excluded"]) == 2 * len(ODD_NAMES)
    elif format in ("json", "sarif", "gitlab"):
        json.loads(result.out)


def test_odd_names_in_the_hook_and_in_errors(keyward: Keyward, odd_names: Git) -> None:
    result = keyward("hook", "run", cwd=odd_names.root)
    assert result.code == 1
    inert(result.out)
    for name in ODD_NAMES[2:3]:  # each costs three processes; the escaping itself is tested with more of them elsewhere
        folder = odd_names.root / os.fsdecode(b"broken " + name)
        folder.mkdir()
        (folder / "keyward.toml").write_text("exclude = 1\n")
        for words in (("scan", os.fsencode(folder)), ("scan", name + b".missing"), ("hook", "run", "--", name + b".missing")):
            wrong = keyward(*words, cwd=odd_names.root)
            assert wrong.code == 2
            inert(wrong.err)


# A tree that brings its own code


def test_no_code_of_the_tree_is_run(keyward: Keyward, repo: Git, tmp_path: Path) -> None:
    canary = set_traps(repo.root, tmp_path / "canary")
    repo.write("leak.env", leak(1))
    repo("add", "-A")
    for words in (("scan", "-j", "2"), ("scan", "--staged")):
        assert paths(keyward(*words, "--format", "jsonl", cwd=repo.root)) == ["leak.env"]
    for words in (("hook", "run"), ("hook", "run", "leak.env"), ("baseline", "create")):
        keyward(*words, cwd=repo.root)
    assert not canary.exists(), canary.read_text()


def test_no_code_of_the_tree_is_run_by_the_git_hook(keyward: Keyward, repo: Git, tmp_path: Path) -> None:
    assert keyward("hook", "git", "install", cwd=repo.root).code == 0
    canary = set_traps(repo.root, tmp_path / "canary")
    repo.write("leak.env", leak(1))
    repo("add", "-A")
    commit = ["git", "commit", "-q", "-m", "x"]
    # what a shell has that reads the tree's `.env`
    done = subprocess.run(commit, cwd=repo.root, env={**os.environ, "PYTHONPATH": "."}, capture_output=True, check=False)
    assert done.returncode == 1 and b"leak.env:1" in done.stdout + done.stderr
    assert not canary.exists(), canary.read_text()


def test_what_the_trees_own_configuration_left_out_is_listed(keyward: Keyward, repo: Git) -> None:
    repo.write("hidden/a.env", leak(1))
    repo.write("shown.env", leak(2))
    repo.write("ignored.env", leak(3))
    found = keyward("scan", "--format", "jsonl", cwd=repo.root).findings
    fingerprint = next(f["fingerprint"] for f in found if f["path"] == "ignored.env")
    config = f'exclude = ["hidden/"]\n[[ignore]]\nfingerprint = "{fingerprint}"\nreason = "revoked"\n'
    repo.write("keyward.toml", config.encode())
    repo("add", "-A")
    for words in (("scan",), ("scan", "--tracked"), ("scan", "--staged")):
        result = keyward(*words, "--format", "jsonl", cwd=repo.root)
        assert paths(result) == ["shown.env"], words
        left_out = {item["path"].rstrip("/"): item["by"] for item in result.summary["excluded"]}
        assert any(path.startswith("hidden") and "keyward.toml" in by for path, by in left_out.items()), left_out
        assert [(item["path"], item["allowance"]["reason"]) for item in result.summary["allowed"]] == [("ignored.env", "revoked")]
    text = keyward("scan", cwd=repo.root).out
    assert "keyward.toml: hidden/" in text and "Allowed: 1 place (1 by keyward.toml)" in text
    hook = keyward("hook", "run", cwd=repo.root)
    assert hook.code == 1 and "keyward.toml: hidden/" in hook.out
    passed = keyward("hook", "run", "hidden/a.env", cwd=repo.root)
    assert passed.code == 0 and "keyward.toml: hidden/" in passed.out  # said even where nothing is found


@pytest.mark.parametrize(
    ("content", "line"),
    [("exclude = [\n", 2), ("\nexclude = 3\n", 2), ('plugins = ["evil"]\n', 1), ('\n\nrules = "x"\n', 3), ("\0", 1), ("unknown = 1\n", 1)],
)
def test_a_broken_configuration(keyward: Keyward, repo: Git, content: str, line: int) -> None:
    repo.write("keyward.toml", content.encode())
    for words in (("scan",), ("hook", "run")) if line == 3 else (("hook", "run"),):
        result = keyward(*words, cwd=repo.root)
        assert result.code == 2, result.out
        first, hint = result.err.strip().split("\n")
        assert f"keyward.toml:{line}" in first or f"line {line}" in first, first
        assert hint.strip()


# Files


def test_links_lead_nowhere(keyward: Keyward, tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    tree.mkdir()
    (outside / "x.env").write_bytes(leak(1))
    (tree / "real.env").write_bytes(leak(2))
    (tree / "folder").symlink_to(outside)
    (tree / "file.env").symlink_to(outside / "x.env")
    (tree / "up").symlink_to("..")
    (tree / "here").symlink_to(".")
    (tree / "loop").symlink_to("loop")
    (tree / "a").symlink_to("b")
    (tree / "b").symlink_to("a")
    (tree / "long").symlink_to("x/" * 1500)
    (tree / "dangling").symlink_to("nothing")
    (tree / "null").symlink_to("/dev/zero")
    (tree / "process").symlink_to("/proc/self/environ")
    result = keyward("scan", "tree", "--format", "jsonl")
    assert paths(result) == ["tree/real.env"]
    assert {"tree/folder", "tree/file.env", "tree/up", "tree/null", "tree/process"} <= {e["path"] for e in result.summary["excluded"]}
    assert result.summary["complete"]
    assert paths(keyward("scan", "tree/folder", "--format", "jsonl")) == ["tree/folder/x.env"]  # named by the user


def test_tracked_files_do_not_lead_out_either(keyward: Keyward, repo: Git, new_repo: Any, tmp_path: Path) -> None:
    new_repo(tmp_path / "inner").commit(x=b"1\n")
    repo("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "inner"), "sub")
    repo.commit(**{"folder/x.env": b"1\n", "file.env": b"1\n", "gone.env": b"1\n", "pipe.env": b"1\n", "real.env": leak(1)})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.env").write_bytes(leak(2))
    shutil.rmtree(repo.root / "folder")
    (repo.root / "folder").symlink_to(outside)
    for name in ("file.env", "gone.env", "pipe.env"):
        (repo.root / name).unlink()
    (repo.root / "file.env").symlink_to(outside / "x.env")
    os.mkfifo(repo.root / "pipe.env")
    for root, prefix in ((".", ""), ("../repo", "../repo/")):
        result = keyward("scan", root, "--tracked", "--format", "jsonl", cwd=repo.root)
        assert paths(result) == [f"{prefix}real.env"]
        assert {item["path"] for item in result.summary["not_scanned"]} == {f"{prefix}{name}" for name in ("folder/x.env", "gone.env", "pipe.env")}
        assert [item["path"] for item in result.summary["excluded"]] == [f"{prefix}sub"]
    new_repo(tmp_path / "bare", "--bare")
    assert keyward("scan", "--tracked", cwd=tmp_path / "bare").code == 2


def test_archives_that_explode_are_just_bytes(keyward: Keyward, tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    for name in ("bomb.gz", "bomb.zip", "bomb.zst", "bomb.tar", "bomb.svgz"):
        (tmp_path / name).write_bytes(bomb)
    (tmp_path / "laughs.xml").write_text("<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 20}'>" for n in range(9)) + "]><x>&j;</x>")  # fmt: skip
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "deep.toml").write_text("a = " + "[" * 200_000)
    (tmp_path / "bomb.gz.env").write_bytes(bomb + leak(1))
    result = keyward("scan", *(path.name for path in tmp_path.iterdir() if path.is_file()), "--format", "jsonl")
    assert paths(result) == ["bomb.gz.env"]
    assert result.summary["bytes_scanned"] < 5_000_000


def test_many_matches_in_one_file(keyward: Keyward, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(leak(1) * 10_500)
    result = keyward("scan", "one", "--format", "jsonl")
    assert result.code == 1
    assert len(result.findings) == 10_000
    assert "10,000" in result.summary["not_scanned"][0]["reason"]


def test_a_deep_folder_and_a_long_name(keyward: Keyward, tmp_path: Path) -> None:
    root = os.open(tmp_path, os.O_RDONLY)
    os.mkdir("deep", dir_fd=root)
    here = os.open("deep", os.O_RDONLY, dir_fd=root)
    for number in range(500):  # longer than any path that the system takes
        name = f"level-{number}"
        os.mkdir(name, dir_fd=here)
        if number in (10, 499):
            file = os.open("x.env", os.O_WRONLY | os.O_CREAT, dir_fd=here)
            os.write(file, leak(number))
            os.close(file)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    os.close(root)
    (tmp_path / "deep" / ("n" * 251 + ".env")).write_bytes(leak(1))
    result = keyward("scan", "deep", "--format", "jsonl")
    try:
        found = {f["fingerprint"] for f in result.findings}
        assert len(found) == 3 or (len(found) == 2 and not result.summary["complete"])  # found, or named
    finally:
        shutil.rmtree(tmp_path / "deep")


def test_special_files(keyward: Keyward, tmp_path: Path) -> None:
    tree = tmp_path / "t"
    tree.mkdir()
    os.mkfifo(tree / "pipe")
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(tree)  # the address has a limit that a temporary folder's path may pass
    try:
        server.bind("socket")
    finally:
        os.chdir(here)
    (tree / "real.env").write_bytes(leak(1))
    if os.geteuid() == 0:
        try:
            os.mknod(tree / "zero", 0o666 | 0o020000, os.makedev(1, 5))
        except OSError:
            pass
    result = keyward("scan", "t", "--format", "jsonl")
    assert paths(result) == ["t/real.env"]
    assert {"t/pipe", "t/socket"} <= {e["path"] for e in result.summary["excluded"]}
    names = ["/dev/null", "/dev/zero", "t/pipe", "t/socket"]
    named = keyward("scan", *names, "--format", "jsonl")
    assert named.code == 3
    assert sorted(item["path"] for item in named.summary["not_scanned"]) == names
    server.close()


def test_one_root_in_many_spellings(keyward: Keyward, tmp_path: Path) -> None:
    (tmp_path / "t" / "sub").mkdir(parents=True)
    (tmp_path / "t" / "sub" / "a.env").write_bytes(leak(1))
    (tmp_path / "again").symlink_to("t")
    for roots in (("t", "t", "t/", "./t", "again"), ("t/sub/a.env", "t/sub", "again/"), ("t/sub/a.env", "t/sub/../sub/a.env")):
        result = keyward("scan", *roots, "--format", "jsonl")
        assert result.summary["files_scanned"] == 1, roots
        assert len(result.findings) == 1, roots


def test_files_that_change_under_the_scan(keyward: Keyward, tmp_path: Path) -> None:
    """Files that grow, shrink and vanish: whatever happens is found or named, and nothing crashes."""
    tree = tmp_path / "t"
    tree.mkdir()
    for number in range(400):
        (tree / f"{number:04}").write_bytes(b"lorem ipsum\n" * 2_000 + leak(number))
    stop = threading.Event()

    def disturb() -> None:
        number = 399
        while not stop.is_set() and number > 0:
            with open(tree / f"{number:04}", "r+b") as file:
                file.truncate(100)
            (tree / f"{number - 1:04}").unlink()
            (tree / f"{number - 2:04}").write_bytes(b"x" * 1_000_000)
            number -= 3

    thread = threading.Thread(target=disturb)
    thread.start()
    result = keyward("scan", "t", "--format", "jsonl")
    stop.set()
    thread.join()
    assert result.code in (1, 3), result.err
    assert "Traceback" not in result.err
    for item in result.summary["not_scanned"]:
        assert item["path"].startswith("t/") and item["reason"]


def test_a_file_that_always_grows(keyward: Keyward, tmp_path: Path) -> None:
    """A log that something keeps writing: the scan ends before the writer does, though its file had much more in the end."""
    (tmp_path / "log").write_bytes(leak(1))
    assert len(keyward("scan", "log", "--format", "jsonl").findings) == 1  # the rules are compiled now, so what follows starts at once
    writer = subprocess.Popen(
        [sys.executable, "-c", "import os, time\nf = os.open('log', os.O_WRONLY | os.O_APPEND)\nwhile os.fstat(f).st_size < 2 << 30: os.write(f, bytes(1 << 20)); time.sleep(0.003)"],
        cwd=tmp_path,
    )
    try:
        result = keyward("scan", "log", "--format", "jsonl")
    finally:
        writer.kill()
        writer.wait()
        (tmp_path / "log").unlink()
    assert len(result.findings) == 1
    assert result.summary["bytes_scanned"] < 2 << 30
