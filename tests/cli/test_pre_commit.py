"""The real pre-commit, with keyward installed by it from this repository, makes real commits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hostile_tree import set_traps
from tests_support import token

Git = Any  # see conftest

SOURCE = Path(__file__).parents[2]
PROGRAMS = os.path.dirname(sys.executable)
PRE_COMMIT = os.path.join(PROGRAMS, "pre-commit")


class Done(NamedTuple):
    code: int
    out: str


class Kit(NamedTuple):
    """A repository that holds this working tree as a commit, and pre-commit's folder with its environments."""

    repository: Path
    revision: str
    home: Path


def call(*words: str, cwd: Path, **variables: str) -> Done:
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False
    )
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"))


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """The working tree as it stands, uncommitted changes included, where pre-commit can clone it; and keyward installed from
    there, once: that takes pip a while."""
    folder = tmp_path_factory.mktemp("pre-commit")
    source, home = folder / "keyward", folder / "home"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=SOURCE, env=clean, capture_output=True, check=True
    )
    for name in map(os.fsdecode, filter(None, listed.stdout.split(b"\0"))):
        if os.path.lexists(SOURCE / name):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCE / name, source / name, follow_symlinks=False)
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "--no-verify", "-m", "keyward")):
        subprocess.run(["git", *words], cwd=source, env=clean, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=source, env=clean, capture_output=True, text=True, check=True)
    kit = Kit(source, head.stdout.strip(), home)
    (folder / "project").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder / "project", env=clean, check=True)
    (folder / "project" / ".pre-commit-config.yaml").write_text(configuration(kit))
    # without this variable, or every later run would compile keyward again
    clean = {name: value for name, value in clean.items() if name != "PYTHONDONTWRITEBYTECODE"} | {"PRE_COMMIT_HOME": str(home)}
    done = subprocess.run(
        [PRE_COMMIT, "install-hooks"], cwd=folder / "project", env=clean, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return kit


def configuration(kit: Kit, hook: str = "keyward", more: str = "") -> str:
    return f"repos:\n- repo: {kit.repository}\n  rev: {kit.revision}\n  hooks:\n  - id: {hook}\n{more}"


@pytest.fixture
def pre_commit(kit: Kit, environment: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs pre-commit in a repository: `pre_commit(repo, "run", …)`."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(kit.home))
    for name in list(os.environ):
        if name.startswith("PRE_COMMIT_") and name != "PRE_COMMIT_HOME":
            monkeypatch.delenv(name)
    return lambda repo, *words: call(PRE_COMMIT, *words, cwd=repo.root)


@pytest.fixture
def hooked(repo: Git, kit: Kit, pre_commit: Callable[..., Done]) -> Git:
    """A repository without a commit, with the hook installed."""
    repo.write(".pre-commit-config.yaml", configuration(kit).encode())
    repo("add", ".")
    installed = pre_commit(repo, "install")
    assert installed.code == 0, installed.out
    return repo


def commit(repo: Git, *words: str) -> Done:
    return call("git", "commit", "-q", "-m", "x", *words, cwd=repo.root)


def head(repo: Git) -> str:
    return repo("rev-parse", "-q", "--verify", "HEAD", check=False)


def blocked(done: Done, repo: Git, before: str, *secrets: bytes) -> str:
    """The message of a commit that was refused for its content, and that shows none of it."""
    assert done.code == 1, done.out
    assert head(repo) == before
    assert "The commit is stopped" in done.out
    for secret in secrets:
        assert secret.decode() not in done.out
    return done.out


def test_commits(hooked: Git) -> None:
    """A day's work: what must be stopped is, from the first commit on, and what must pass passes."""
    repo = hooked
    repo.write("config.py", b"TOKEN = '" + token(1) + b"'\n")
    repo("add", "config.py")
    assert "config.py:1" in blocked(commit(repo), repo, "", token(1))  # in the very first commit

    repo.write("config.py", b"import os\nTOKEN = os.environ['TOKEN']\n")
    repo("add", "config.py")
    assert commit(repo).code == 0
    first = head(repo)
    assert first

    repo.write("notes.txt", b"GH=" + token(2) + b"\n")
    repo("add", "notes.txt")
    assert "notes.txt" in blocked(commit(repo), repo, first, token(2))

    # only the staged half leaks
    repo.write("notes.txt", b"nothing\n")
    assert "notes.txt" in blocked(commit(repo), repo, first, token(2))
    assert (repo.root / "notes.txt").read_bytes() == b"nothing\n"

    # only the other half leaks
    repo("add", "notes.txt")
    repo.write("notes.txt", b"nothing\nGH=" + token(2) + b"\n")
    assert commit(repo).code == 0
    assert (repo.root / "notes.txt").read_bytes() == b"nothing\nGH=" + token(2) + b"\n"
    second = head(repo)
    assert second != first

    # `git commit FILE` and `git commit -a` prepare an index of their own
    assert "notes.txt" in blocked(commit(repo, "notes.txt"), repo, second, token(2))
    assert "notes.txt" in blocked(commit(repo, "-a"), repo, second, token(2))

    # allowed where it stands, with a reason, which is shown
    repo.write("notes.txt", b"GH=" + token(2) + b"  # keyward:allow revoked last year\n")
    repo("add", "notes.txt")
    assert commit(repo).code == 0

    # a binary file, and a link whose target is its content
    third = head(repo)
    repo.write("image.bin", b"\x89PNG\0\0\xff" + bytes(range(256)) + token(3) + b"\0\1")
    repo("add", "image.bin")
    assert "image.bin" in blocked(commit(repo), repo, third, token(3))
    repo("rm", "-q", "--cached", "image.bin")
    os.symlink(b"https://" + token(4) + b"@github.com/x/y", os.fsencode(repo.root / "link"))
    repo("add", "link")
    assert "link" in blocked(commit(repo), repo, third, token(4))


def test_a_baseline_lets_pass_what_it_lists(hooked: Git, keyward: Any) -> None:
    repo = hooked
    repo.write("old.env", b"GH=" + token(1) + b"\n")
    assert keyward("baseline", "create", cwd=repo.root).code == 0
    repo("add", "old.env", ".keyward.baseline")
    done = commit(repo)
    assert done.code == 0, done.out
    before = head(repo)
    repo.write("moved/new.env", b"\n\nGH=" + token(1) + b"\nGH2=" + token(2) + b"\n")
    repo("add", "moved/new.env")
    assert "moved/new.env:4" in blocked(commit(repo), repo, before, token(1), token(2))


def test_all_files_of_a_clean_checkout(hooked: Git, pre_commit: Callable[..., Done]) -> None:
    repo = hooked
    repo.write("a/leak.env", b"GH=" + token(1) + b"\n")
    repo("add", ".")
    repo("commit", "-qm", "x", "--no-verify")
    assert repo("status", "--porcelain") == ""
    done = pre_commit(repo, "run", "--all-files")
    assert done.code == 1
    assert "a/leak.env:1" in done.out and token(1).decode() not in done.out
    assert pre_commit(repo, "run").code == 0  # nothing is staged


def test_a_range(hooked: Git, pre_commit: Callable[..., Done]) -> None:
    repo = hooked
    commits = []
    for name, content in (("leak.env", b"GH=$GH\n"), ("leak.env", b"GH=" + token(1) + b"\n"), ("b", b"2\n")):
        repo.write(name, content)
        repo("add", name)
        repo("commit", "-qm", name, "--no-verify")
        commits.append(head(repo))
    repo("checkout", "-q", commits[0])  # neither the index nor the working tree holds the leak
    repo.write("b")
    done = pre_commit(repo, "run", "--from-ref", commits[0], "--to-ref", commits[2])
    assert done.code == 1 and "leak.env:1" in done.out
    assert pre_commit(repo, "run", "--from-ref", commits[1], "--to-ref", commits[2]).code == 0


def test_before_a_push(hooked: Git, new_repo: Any, pre_commit: Callable[..., Done], tmp_path: Path) -> None:
    repo = hooked
    new_repo(tmp_path / "remote", "--bare")
    repo("remote", "add", "origin", str(tmp_path / "remote"))
    repo("commit", "-qm", "x", "--no-verify")
    repo("push", "-q", "origin", "main")
    assert pre_commit(repo, "install", "--hook-type", "pre-push").code == 0
    repo.write("leak.env", b"GH=" + token(1) + b"\n")
    repo("add", "leak.env")
    repo("commit", "-qm", "x", "--no-verify")
    before = repo("ls-remote", "origin", "main")
    done = call("git", "push", "-q", "origin", "main", cwd=repo.root)
    assert done.code == 1 and "leak.env:1" in done.out, done.out
    assert repo("ls-remote", "origin", "main") == before
    repo.write("leak.env", b"GH=$GH\n")
    repo("add", "leak.env")
    repo("commit", "-q", "--amend", "-m", "x", "--no-verify")
    assert call("git", "push", "-q", "origin", "main", cwd=repo.root).code == 0


def test_more_names_than_one_command_line_holds(hooked: Git, pre_commit: Callable[..., Done]) -> None:
    repo = hooked
    for number in range(1300):
        repo.write(f"{'long-name-' * 12}{number}/{'file' * 20}", b"text\n")
    repo.write("zz-last.env", b"GH=" + token(1) + b"\n")
    repo("add", ".")
    done = pre_commit(repo, "run")
    assert done.code == 1
    assert done.out.count("zz-last.env:1") == 1
    repo("commit", "-qm", "x", "--no-verify")
    done = pre_commit(repo, "run", "--all-files")
    assert done.code == 1 and done.out.count("zz-last.env:1") == 1


def test_nothing_of_the_scanned_tree_is_run(hooked: Git, pre_commit: Callable[..., Done], tmp_path: Path) -> None:
    canary = set_traps(Path(hooked.root), tmp_path / "canary")
    hooked("add", "-A")
    done = pre_commit(hooked, "run")  # not by a commit: pre-commit's own git hook runs `python -m`, which imports from here
    assert done.code == 0, done.out
    assert pre_commit(hooked, "run", "--all-files").code == 0
    assert not canary.exists(), canary.read_text()


def test_try_repo(repo: Git, kit: Kit, pre_commit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the installed command: for the other id, `try-repo` would install keyward a second time, as `kit` has done."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    repo.write("leak.env", b"GH=" + token(1) + b"\n")
    repo("add", "leak.env")
    done = pre_commit(repo, "try-repo", str(kit.repository), "keyward-system")
    assert done.code == 1
    assert "leak.env:1" in done.out and token(1).decode() not in done.out


def test_a_file_name_is_no_option(hooked: Git, pre_commit: Callable[..., Done]) -> None:
    """pre-commit hands over names from the repository as they are."""
    repo = hooked
    repo.write("leak.env", b"GH=" + token(1) + b"\n")
    for name in ("--no-baseline", "--help", "-h", "--config=evil.toml", "--from-ref=HEAD"):
        repo.write(name, b'disabled = ["github"]\n')
    repo.write("evil.toml", b'disabled = ["github"]\n')
    repo("add", "-A")
    assert "leak.env:1" in blocked(commit(repo), repo, "", token(1))
    done = pre_commit(repo, "run", "--all-files")
    assert done.code == 1 and "leak.env:1" in done.out


def test_both_names_of_the_manifest_are_one_file() -> None:
    assert os.readlink(SOURCE / "pre-commit-hooks.yaml") == ".pre-commit-hooks.yaml"
    done = call(PRE_COMMIT, "validate-manifest", "pre-commit-hooks.yaml", cwd=SOURCE)
    assert done.code == 0, done.out
