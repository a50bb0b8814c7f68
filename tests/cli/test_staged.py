"""`keyward scan --staged`, `keyward hook run` and git's own hook, in every state that a repository can be in."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_support import token

Git = Any  # see conftest
Keyward = Callable[..., Any]

PACKAGE = Path(__file__).parents[2]


def named(result: Any, *paths: str) -> bool:
    """Whether the hook stopped the commit for these places, and for no other ones."""
    assert result.code == (1 if paths else 0), result.out + result.err
    found = {place for place in result.out.replace(",", " ").split() if place.rpartition(":")[0] and place.split(":")[1].isdigit()}
    found = {place.split(":")[0] + ":" + place.split(":")[1] for place in found}
    assert found == set(paths), result.out
    return True


def staged(keyward: Keyward, repo: Git, *, cwd: Path | None = None, **variables: str) -> set[str]:
    """`path:line` by both commands, which must agree."""
    result = keyward("scan", "--staged", "--format", "jsonl", cwd=cwd or repo.root, **variables)
    assert result.code in (0, 1), result.err
    found = {f"{finding['path']}:{finding['line']}" for finding in result.findings}
    assert {finding["source"] for finding in result.findings} <= {"index"}
    assert named(keyward("hook", "run", cwd=cwd or repo.root, **variables), *found)
    return found


def leak(seed: int) -> bytes:
    return b"GH=" + token(seed) + b"\n"


def test_the_first_commit(keyward: Keyward, repo: Git) -> None:
    assert staged(keyward, repo) == set()
    repo.write("a.env", leak(1))
    assert staged(keyward, repo) == set()  # not staged
    repo("add", "a.env")
    assert staged(keyward, repo) == {"a.env:1"}


def test_the_index_and_not_the_working_tree(keyward: Keyward, repo: Git) -> None:
    repo.commit(**{"a": b"1\n", "gone": leak(1), "kept": leak(2)})
    repo.write("a", b"1\n" + leak(3))
    repo("add", "a")
    repo.write("a", b"clean again\n")
    assert staged(keyward, repo) == {"a:2"}
    repo("add", "a")
    repo.write("a", leak(4))
    repo("rm", "-q", "gone")  # what is taken out is not what the commit brings in
    assert staged(keyward, repo) == set()


def test_renamed_copied_and_again_elsewhere(keyward: Keyward, repo: Git) -> None:
    repo.commit(**{"old/name.env": leak(1) + b"x=1\n" * 50})
    repo("mv", "old", "new")
    assert staged(keyward, repo) == {"new/name.env:1"}
    repo.write("new/name.env", b"y=2\n" + leak(1) + b"x=1\n" * 50)
    repo.write("copy 1.env", leak(1))
    repo.write("copy 2.env", leak(1))
    repo("add", "-A")
    result = keyward("scan", "--staged", "--format", "jsonl", cwd=repo.root)
    assert {(f["path"], f["line"]) for f in result.findings} == {("new/name.env", 2), ("copy 1.env", 1), ("copy 2.env", 1)}
    assert result.summary["files_scanned"] == 3
    assert len({f["fingerprint"] for f in result.findings}) == 1


def test_a_linked_worktree(keyward: Keyward, repo: Git, tmp_path: Path) -> None:
    repo.commit(a=b"1\n")
    repo("worktree", "add", "-q", str(tmp_path / "linked"))
    repo.write("main.env", leak(1))
    repo("add", ".")
    (tmp_path / "linked" / "linked.env").write_bytes(leak(2))
    repo("-C", str(tmp_path / "linked"), "add", ".")
    assert staged(keyward, repo, cwd=tmp_path / "linked") == {"linked.env:1"}
    assert staged(keyward, repo) == {"main.env:1"}


def test_a_submodule(keyward: Keyward, repo: Git, new_repo: Any, tmp_path: Path) -> None:
    inner = new_repo(tmp_path / "inner")
    inner.commit(a=leak(1))
    repo("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.root), "sub")
    result = keyward("scan", "--staged", "--format", "jsonl", cwd=repo.root)
    assert result.code == 0  # a commit of another repository, which has been made already
    assert "submodule" in {e["path"]: e["by"] for e in result.summary["excluded"]}["sub"]
    assert keyward("hook", "run", "sub", ".gitmodules", cwd=repo.root).code == 0
    sub = repo.root / "sub"
    (sub / "b.env").write_bytes(leak(2))
    repo("-C", str(sub), "add", ".")
    assert staged(keyward, repo, cwd=sub) == {"b.env:1"}


def test_a_merge_with_a_conflict(keyward: Keyward, repo: Git) -> None:
    repo.commit(a=b"1\n")
    repo("checkout", "-q", "-b", "other")
    repo.commit(**{"a": b"1\n" + leak(1), "clean": b"x\n", "b.env": leak(2)})
    repo("checkout", "-q", "main")
    repo.commit(a=b"3\n")
    repo("merge", "other", check=False)
    assert staged(keyward, repo) == {"a:2", "b.env:1"}  # theirs of the unmerged file, and what was merged
    repo.write("a", b"3\n")
    repo("add", "a")
    assert staged(keyward, repo) == {"b.env:1"}


def test_below_the_top(keyward: Keyward, repo: Git) -> None:
    """Paths are said so that they hold where the user stands."""
    repo.write("a.env", leak(1))
    repo.write("sub/b.env", leak(2))
    repo("add", ".")
    assert staged(keyward, repo, cwd=repo.root / "sub") == {"../a.env:1", "../sub/b.env:1"}


def test_odd_contents(keyward: Keyward, repo: Git) -> None:
    repo.write("wide.txt", ("x=1\nGH=" + token(1).decode() + "\n").encode("utf-16"))
    repo.write("binary", b"\x7fELF\0\0\xff\xfe" + bytes(range(256)) + token(2) + b"\0")
    repo.write("empty", b"")
    os.symlink(b"https://" + token(3) + b"@example.org", os.fsencode(repo.root / "link"))
    repo("add", ".")
    repo("add", "-N", ".")
    assert staged(keyward, repo) == {"wide.txt:2", "binary:2", "link:1"}


def test_an_intended_file_a_deleted_one_and_nothing(keyward: Keyward, repo: Git) -> None:
    repo.commit(a=b"1\n")
    repo.write("later.env", leak(1))
    repo("add", "-N", "later.env")
    (repo.root / "a").unlink()
    assert staged(keyward, repo) == set()


def test_outside_of_a_repository(keyward: Keyward, tmp_path: Path) -> None:
    for words in (("scan", "--staged"), ("scan", "--staged", "--format", "json")):
        result = keyward(*words, cwd=tmp_path)
        assert result.code == 2
        assert "git repository" in result.err


# File names, as pre-commit hands them over


def test_a_name_is_read_where_it_counts(keyward: Keyward, repo: Git, tmp_path: Path) -> None:
    repo.commit(**{"committed.env": leak(1), "changed": b"1\n", "half": b"1\n"})
    repo.write("changed", leak(2))  # in the tree only
    repo.write("half", leak(3))
    repo("add", "half")
    repo.write("half", b"clean in the tree\n")
    repo.write("new.env", leak(4))  # not tracked
    names = ["committed.env", "changed", "half", "new.env"]
    assert named(keyward("hook", "run", *names, cwd=repo.root), "committed.env:1", "changed:1", "half:1", "new.env:1")
    assert named(keyward("hook", "run", "--", "half", cwd=repo.root), "half:1")
    (repo.root / "deep").mkdir()
    assert named(keyward("hook", "run", "../half", "../new.env", cwd=repo.root / "deep"), "../half:1", "../new.env:1")
    assert named(keyward("hook", "run", str(repo.root / "half"), cwd=repo.root), "half:1")
    repo.write("half", leak(5))
    repo("add", "half")
    repo.write("half", leak(6))
    result = keyward("hook", "run", "half", cwd=repo.root)
    assert named(result, "half:1") and "Notes" not in result.err
    (tmp_path / "elsewhere.env").write_bytes(leak(7))  # outside of the repository, but named
    assert keyward("hook", "run", "../elsewhere.env", cwd=repo.root).code == 1


def test_names_without_a_repository(keyward: Keyward, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(leak(1))
    assert named(keyward("hook", "run", "a.env"), "a.env:1")


def test_names_that_are_gone(keyward: Keyward, repo: Git) -> None:
    """What `git diff --cached --name-only | xargs keyward hook run` hands over."""
    repo.commit(**{"deleted": b"1\n", "untracked now": leak(1), "missing": b"3\n", "f/x": b"1\n"})
    repo("rm", "-q", "deleted")
    repo("rm", "-q", "-r", "f")
    repo("rm", "-q", "--cached", "untracked now")
    (repo.root / "missing").unlink()
    assert keyward("hook", "run", "deleted", "missing", "f/x", cwd=repo.root).code == 0
    assert keyward("hook", "run", "untracked now", cwd=repo.root).code == 1  # it is in the tree
    wrong = keyward("hook", "run", "deleted", "mistyped", cwd=repo.root)
    assert wrong.code == 2
    assert "there is no 'mistyped'" in wrong.err


def test_names_with_meaning(keyward: Keyward, repo: Git) -> None:
    names = ["*", ":(exclude)x", "[a]", "-", "--no-baseline", "-h", "--config=x", "a\nb", "x\ty", "ü", "\udcff"]
    for number, name in enumerate(names):
        repo.write(os.fsencode(name), leak(number))
    repo.write("not named", leak(99))
    repo("add", "-A")
    result = keyward("hook", "run", "--", *(os.fsencode(name) for name in names), cwd=repo.root)
    assert result.code == 1
    assert "not named" not in result.out
    for number in range(len(names)):
        assert token(number).decode() not in result.out
    refused = keyward("hook", "run", "--config=x", "*", cwd=repo.root)
    assert refused.code == 2
    assert "is an option and a file" in refused.err


def test_a_range(keyward: Keyward, repo: Git) -> None:
    first = repo.commit(**{"leak.env": b"GH=$GH\n"})
    second = repo.commit(**{"leak.env": leak(1), "sub/other.env": leak(2)})
    third = repo.commit(**{"leak.env": b"GH=$GH\n"})
    for words, variables in (
        (("scan", "--from-ref", first, "--to-ref", second), {}),
        (("hook", "run", "--from-ref", first, f"--to-ref={second}"), {}),
        (("hook", "run"), {"PRE_COMMIT_FROM_REF": first, "PRE_COMMIT_TO_REF": second}),
        (("hook", "run", "leak.env", "sub/other.env"), {"PRE_COMMIT_FROM_REF": first, "PRE_COMMIT_TO_REF": second}),
        (("scan", "--from-ref", "0" * 40, "--to-ref", "main~1"), {}),
    ):
        assert named(keyward(*words, cwd=repo.root, **variables), "leak.env:1", "sub/other.env:1")
    assert named(keyward("hook", "run", "--from-ref", first, "--to-ref", third, cwd=repo.root), "sub/other.env:1")
    assert keyward("hook", "run", "--from-ref", second, "--to-ref", third, cwd=repo.root).code == 0
    for words in (("hook", "run", "--from-ref", first), ("scan", "--to-ref", first)):
        result = keyward(*words, cwd=repo.root)
        assert result.code == 2
        assert "go together" in result.err
    assert keyward("hook", "run", "--from-ref", "nowhere", "--to-ref", first, cwd=repo.root).code != 0


def test_what_the_hook_does_not_know(keyward: Keyward, repo: Git) -> None:
    result = keyward("hook", "run", "--nonsense", cwd=repo.root)
    assert result.code == 2
    assert "--nonsense" in result.err
    assert keyward("hook", "run", "--help").code == 0


# git's own hook


def installed(keyward: Keyward, repo: Git) -> Path:
    result = keyward("hook", "git", "install", cwd=repo.root)
    assert result.code == 0, result.err
    return Path(repo.root) / ".git" / "hooks" / "pre-commit"


def commit(repo: Git, *words: str, cwd: Path | None = None) -> tuple[bool, str]:
    """Whether `git commit` made a commit, and what was said."""
    before = repo("rev-parse", "-q", "--verify", "HEAD", check=False)
    done = subprocess.run(
        ["git", "commit", "-q", "-m", "x", *words], cwd=cwd or repo.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    made = repo("rev-parse", "-q", "--verify", "HEAD", check=False) != before
    assert made is (done.returncode == 0)
    return made, done.stdout.decode("utf-8", "replace")


def test_git_commit_is_blocked_and_allowed(keyward: Keyward, repo: Git, tmp_path: Path) -> None:
    installed(keyward, repo)
    repo.write("a.env", leak(1))
    repo.write("b", b"1\n")
    repo("add", ".")
    made, said = commit(repo)
    assert not made and "a.env:1" in said and "The commit is stopped" in said and token(1).decode() not in said

    # the index that is prepared for these files only
    assert commit(repo, "b")[0]
    repo.write("b", leak(2))
    made, said = commit(repo, "b")
    assert not made and "b:1" in said and "a.env" not in said
    made, said = commit(repo, "-a")
    assert not made and "b:1" in said and "a.env:1" in said
    made, said = commit(repo, "--include", "b")
    assert not made and "b:1" in said and "a.env:1" in said

    (repo.root / "deep").mkdir()
    assert "b:1" in commit(repo, "../b", cwd=repo.root / "deep")[1]

    repo("rm", "-q", "--cached", "a.env")
    repo.write("b", b"2\n")
    assert commit(repo, "-a")[0]

    # in a linked worktree
    repo("worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked" / "b").write_bytes(leak(3))
    done = subprocess.run(["git", "commit", "-qam", "x"], cwd=tmp_path / "linked", capture_output=True, check=False)
    assert done.returncode == 1 and b"b:1" in done.stdout + done.stderr

    repo("commit", "-qam", "x", "--allow-empty", "--no-verify")


def test_uninstalling_puts_back_what_was_there(keyward: Keyward, repo: Git, tmp_path: Path) -> None:
    hook = Path(repo.root) / ".git" / "hooks" / "pre-commit"
    own = f"#!/bin/sh\necho own >> '{tmp_path}/ran'\n"
    hook.write_text(own)
    hook.chmod(0o755)
    installed(keyward, repo)
    repo.write("a.env", leak(1))
    repo("add", ".")
    assert not commit(repo)[0]
    assert (tmp_path / "ran").read_text() == "own\n"
    assert "keyward runs" in keyward("hook", "git", "status", cwd=repo.root).out
    assert keyward("hook", "git", "uninstall", cwd=repo.root).code == 0
    assert hook.read_text() == own and os.access(hook, os.X_OK)
    assert sorted(path.name for path in hook.parent.iterdir() if not path.name.endswith(".sample")) == ["pre-commit"]
    assert commit(repo)[0]
    assert (tmp_path / "ran").read_text() == "own\nown\n"


# What a clean commit costs: every module that is imported is paid for at every commit.

ALLOWED = """
    keyward keyward.cli keyward.cli.exits keyward.cli.hook_run keyward.cli.main keyward.errors keyward.flows
    keyward.flows.project keyward.flows.scan keyward.flows.scan_git keyward.flows.settings keyward.match
    keyward.match.catalogue keyward.match.engine keyward.match.engine.anchor keyward.match.engine.vectorscan
    keyward.match.fingerprint keyward.match.guessable keyward.match.matcher keyward.match.paths keyward.match.personas
    keyward.model keyward.model.finding keyward.model.kind keyward.model.rule keyward.registry keyward.scan
    keyward.scan.config keyward.scan.examine keyward.scan.git keyward.scan.git_blobs keyward.scan.git_discover
    keyward.scan.git_process keyward.scan.git_room keyward.scan.group keyward.scan.reader keyward.scan.recipe
    keyward.scan.sources keyward.scan.sources.tree

    __future__ _blake2 _collections _collections_abc _functools _hashlib _operator _sre _stat _typing _weakref binascii
    collections collections.abc contextlib copyreg enum functools gc genericpath hashlib hyperscan hyperscan._hs_ext
    hyperscan._version importlib importlib._abc importlib._bootstrap importlib._bootstrap_external itertools keyword marshal
    operator os os.path posixpath re re._casefix re._compiler re._constants re._parser reprlib select stat types typing
    typing.io typing.re warnings
"""


FORBIDDEN = """
    argparse asyncio base64 click dataclasses detect_secrets difflib git importlib.metadata inspect json logging multiprocessing
    msgspec pathlib pickle re2 rich secrets shutil signal socket ssl string subprocess tempfile threading tomllib traceback
    typer urllib.parse yaml
"""



@pytest.mark.parametrize("words", [["hook", "run"], ["hook", "run", "--", "a.py", "b.py"]], ids=" ".join)
def test_what_a_clean_commit_imports(words: list[str], keyward: Keyward, repo: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit(**{"a.py": b"print('hello')\n"})
    repo.write("a.py", b"print('hello, world')\n")
    repo.write("b.py", b"x = 1\n")
    repo("add", ".")
    # As in an ordinary install: the import hook of an editable one brings modules of its own.
    program = (
        f"import sys; sys.path[:0] = {[str(PACKAGE), sysconfig.get_paths()['platlib'], sysconfig.get_paths()['purelib']]!r}\n"
        "packs = sys.modules['keyward.detectors'] = type(sys)('keyward.detectors')\n"
        f"packs.__path__ = {[str(PACKAGE / 'detectors')]!r}; before = set(sys.modules)\n"
        "from keyward.cli.main import main; code = main(sys.argv[1:])\n"
        "print(*sorted(set(sys.modules) - before)); sys.exit(code)"
    )
    monkeypatch.delenv("KEYWARD_CONFIG")  # without a file of configuration, none is read

    def run() -> set[str]:
        command = [sys.executable, "-I", "-S", "-c", program, *words]
        done = subprocess.run(command, cwd=repo.root, capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    run()  # the first one compiles the rules
    imported = run()
    assert imported & set(FORBIDDEN.split()) == set()
    assert not {name for name in imported if name.startswith(("keyward.detectors.", "keyward.rotators.", "keyward.report"))}
    assert imported - set(ALLOWED.split()) == set()


def test_a_leaky_commit_imports_only_the_packs_that_matched(keyward: Keyward, repo: Git) -> None:
    repo.write("a.env", leak(1))
    repo("add", ".")
    program = (
        "import sys; from keyward.cli.main import main; main(['hook', 'run'])\n"
        "print('packs:', *sorted(m for m in sys.modules if m.startswith('keyward.detectors.') and '._' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=repo.root, capture_output=True, text=True, check=True)
    packs = set(done.stdout.splitlines()[-1].split()[1:])
    assert "keyward.detectors.github" in packs
    assert len(packs) <= 3
