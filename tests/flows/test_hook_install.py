"""Installing, keeping, chaining and taking out the hook, and what it does when it runs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keyward.errors import GitError, UsageError
from keyward.flows import hook_install
from keyward.flows.hook_install import KEPT, install, status, uninstall
from keyward.scan.git import Repository

Git = Any  # see conftest


@pytest.fixture(autouse=True)
def _here(repo: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)


@pytest.fixture
def hooks(repo: Git) -> Path:
    return Path(repo.root) / ".git" / "hooks"


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of the interpreter: writes down how it was called, and ends with the code that `code` holds."""
    (tmp_path / "a 'quoted' place").mkdir()
    program = tmp_path / "a 'quoted' place" / "python"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/called"\nexit $(cat "{tmp_path}/code")\n')
    program.chmod(0o755)
    (tmp_path / "code").write_text("0")
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path / "called"


def other_hook(path: Path, text: str = "exit 0", mode: int = 0o755) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path.read_bytes()


def commit(repo: Git, **environment: str) -> tuple[bool, str]:
    repo.write("a", os.urandom(8).hex().encode())
    repo("add", "a")
    before = repo("rev-parse", "--verify", "-q", "HEAD", check=False)
    said = repo("commit", "-m", "x", check=False, **environment)
    return repo("rev-parse", "--verify", "-q", "HEAD", check=False) != before, said


def test_install_and_commit(repo: Git, hooks: Path, stub: Path, tmp_path: Path) -> None:
    assert "installed" in install()
    assert stat.S_IMODE((hooks / "pre-commit").stat().st_mode) == 0o755
    assert commit(repo)[0]
    assert stub.read_text() == "-E -P -m keyward hook run\n"
    (tmp_path / "code").write_text("1")
    assert not commit(repo)[0]
    assert "keyward runs before each commit" in status()


def test_it_is_idempotent(hooks: Path) -> None:
    install()
    first = (hooks / "pre-commit").read_bytes()
    assert "already installed" in install()
    assert (hooks / "pre-commit").read_bytes() == first
    assert not (hooks / KEPT).exists()


def test_it_renews_what_another_interpreter_wrote(hooks: Path, stub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    monkeypatch.undo()
    assert "another version or interpreter" in status(str(hooks.parent.parent))
    assert "up to date again" in install(str(hooks.parent.parent))
    assert "another version" not in status(str(hooks.parent.parent))
    (hooks / "pre-commit").chmod(0o644)
    assert "does NOT run" in status(str(hooks.parent.parent))
    install(str(hooks.parent.parent))
    assert os.access(hooks / "pre-commit", os.X_OK)


def test_an_existing_hook_runs_first_and_its_refusal_counts(repo: Git, hooks: Path, stub: Path, tmp_path: Path) -> None:
    other_hook(hooks / "pre-commit", f'echo other >> "{stub}"; exit $(cat "{tmp_path}/other")')
    (tmp_path / "other").write_text("0")
    assert "runs first" in install()
    assert commit(repo)[0]
    assert stub.read_text() == "other\n-E -P -m keyward hook run\n"
    (tmp_path / "other").write_text("5")
    stub.unlink()
    assert not commit(repo)[0]
    assert stub.read_text() == "other\n"
    assert "runs first" in status()
    result = subprocess.run([".git/hooks/pre-commit"], check=False)
    assert result.returncode == 5


def test_a_hook_that_git_would_not_run_is_not_run(repo: Git, hooks: Path, stub: Path) -> None:
    other_hook(hooks / "pre-commit", "exit 1", 0o644)
    install()
    assert commit(repo)[0]


@pytest.mark.parametrize("mode", [0o755, 0o644, 0o700])
def test_uninstall_restores_exactly(hooks: Path, mode: int) -> None:
    content = other_hook(hooks / "pre-commit", "echo 'mine'  \t", mode)
    before = (hooks / "pre-commit").stat()
    install()
    install()
    assert "again what it was" in uninstall()
    after = (hooks / "pre-commit").stat()
    assert (hooks / "pre-commit").read_bytes() == content
    assert (after.st_mode, after.st_mtime_ns, after.st_ino) == (before.st_mode, before.st_mtime_ns, before.st_ino)
    assert sorted(path.name for path in hooks.iterdir() if not path.name.endswith(".sample")) == ["pre-commit"]
    assert "not installed" in uninstall()
    assert (hooks / "pre-commit").read_bytes() == content


def test_a_link_is_kept_as_a_link(repo: Git, hooks: Path, stub: Path, tmp_path: Path) -> None:
    content = other_hook(tmp_path / "elsewhere", f'echo other >> "{stub}"')
    (hooks / "pre-commit").symlink_to(tmp_path / "elsewhere")
    install()
    assert commit(repo)[0] and stub.read_text().startswith("other\n")
    assert (tmp_path / "elsewhere").read_bytes() == content
    uninstall()
    assert (hooks / "pre-commit").is_symlink() and (hooks / "pre-commit").read_bytes() == content


def test_uninstall_without_anything_before(hooks: Path) -> None:
    install()
    assert "is gone" in uninstall()
    assert not (hooks / "pre-commit").exists()
    assert "not installed" in status()


def test_another_tool_took_the_place(hooks: Path) -> None:
    first = other_hook(hooks / "pre-commit", "echo first")
    install()
    second = other_hook(hooks / "pre-commit", "echo second")
    assert "another tool's hook" in status()
    with pytest.raises(UsageError, match="both"):
        install()
    assert "stays" in uninstall()
    assert (hooks / "pre-commit").read_bytes() == second
    install(force=True)
    assert (hooks / KEPT).read_bytes() == second
    assert (hooks / f"{KEPT}.1").read_bytes() == first


def test_after_a_crash_between_the_two_renames(hooks: Path) -> None:
    content = other_hook(hooks / KEPT)
    install()
    assert (hooks / KEPT).read_bytes() == content
    (hooks / "pre-commit").unlink()
    assert "again what it was" in uninstall()
    assert (hooks / "pre-commit").read_bytes() == content


@pytest.mark.parametrize("value", [".githooks", "~/hooks-of-mine", "{root}/deep/hooks"])
def test_hooks_path_of_the_repository(repo: Git, stub: Path, value: str, tmp_path: Path) -> None:
    value = value.format(root=repo.root)
    repo("config", "core.hooksPath", value)
    outside = value.startswith("~")
    if outside:
        with pytest.raises(UsageError, match="other repositories may share"):
            install()
        assert not (tmp_path / "home" / "hooks-of-mine").exists()
    said = install(force=outside)
    assert "other repositories may share" in said if outside else "do not commit it" in said
    assert commit(repo)[0]
    assert stub.exists()
    assert not (Path(repo.root) / ".git" / "hooks" / "pre-commit").exists()
    assert "keyward runs" in status()
    uninstall()
    assert "not installed" in status()


def test_from_a_deeper_folder(repo: Git, stub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo("config", "core.hooksPath", ".githooks")
    (Path(repo.root) / "deep").mkdir()
    monkeypatch.chdir(Path(repo.root) / "deep")
    install()
    assert (Path(repo.root) / ".githooks" / "pre-commit").exists()


def test_a_global_hooks_path_shadows(repo: Git, stub: Path, tmp_path: Path) -> None:
    install()
    shared = tmp_path / "shared"
    (tmp_path / "home" / ".gitconfig").write_text(f"[core]\n\thooksPath = {shared}\n")
    assert "does NOT run" in status() and "global" in status()
    assert commit(repo)[0] and not stub.exists()
    with pytest.raises(UsageError, match="global") as caught:
        install()
    assert "--force" in caught.value.hint
    assert not shared.exists()
    assert "other repositories may share" in install(force=True)
    assert commit(repo)[0] and stub.exists()
    uninstall()  # in both places
    assert not (shared / "pre-commit").exists() and not (Path(repo.root) / ".git" / "hooks" / "pre-commit").exists()


def test_a_setting_of_its_own_wins_over_the_global_one(repo: Git, stub: Path, hooks: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / ".gitconfig").write_text("[core]\n\thooksPath = ~/shared\n")
    repo("config", "core.hooksPath", str(hooks))
    install()
    assert commit(repo)[0] and stub.exists()


def test_hooks_turned_off(repo: Git) -> None:
    repo("config", "core.hooksPath", "/dev/null")
    with pytest.raises(UsageError):
        install()
    with pytest.raises(GitError, match="cannot be written"):
        install(force=True)


def test_a_folder_that_cannot_be_written(repo: Git, hooks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = other_hook(hooks / "pre-commit")

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(hook_install, "_is_ours", lambda path: False)
    # git needs os.open as well, so what it would answer is settled before
    repository = Repository(str(repo.root), str(repo.root / ".git"), str(repo.root / ".git"), "sha1", "")
    monkeypatch.setattr(hook_install, "_repository", lambda path: repository)
    with pytest.raises(GitError, match="permission denied"):
        install()
    assert (hooks / "pre-commit").read_bytes() == content
    assert not (hooks / KEPT).exists()


def test_a_worktree_shares_the_hooks(repo: Git, hooks: Path, stub: Path, tmp_path: Path) -> None:
    repo.commit(a=b"1\n")
    repo("worktree", "add", "-q", str(tmp_path / "linked"))
    install(str(tmp_path / "linked"))
    assert (hooks / "pre-commit").exists()
    repo("-C", str(tmp_path / "linked"), "commit", "--allow-empty", "-qm", "x")
    assert stub.read_text() == "-E -P -m keyward hook run\n"


def test_keyward_on_the_path_is_the_second_choice(repo: Git, stub: Path, tmp_path: Path) -> None:
    install()
    os.unlink(sys.executable)
    bin = tmp_path / "bin"
    bin.mkdir()
    other_hook(bin / "keyward", f'echo "path $@" >> "{stub}"')
    assert commit(repo, PATH=f"{bin}:{os.environ['PATH']}")[0]
    assert stub.read_text() == "path hook run\n"


def test_without_keyward_the_commit_is_stopped(repo: Git, stub: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bin = tmp_path / "bin"
    bin.mkdir()
    for name in ("git", "sh"):
        (bin / name).symlink_to(subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip())
    for gone in ("interpreter", "package"):
        with monkeypatch.context() as patch:
            if gone == "package":  # the interpreter is there, but keyward was taken out of it
                patch.setattr("keyward.__file__", str(tmp_path / "gone" / "__init__.py"))
            else:
                patch.setattr(sys, "executable", str(tmp_path / "gone" / "python"))
            install()
        done, said = commit(repo, PATH=str(bin))
        assert not done
        assert "keyward is not there" in said and "git commit --no-verify" in said
    repo("commit", "-qm", "x", "--no-verify")


def test_modules_of_the_scanned_repository_are_not_imported(repo: Git, tmp_path: Path) -> None:
    install()
    for name in ("keyward/__init__.py", "typing.py", "os.py", "runpy.py"):
        repo.write(name, f"open({str(tmp_path / 'canary')!r}, 'w')\n".encode())
    commit(repo)
    assert not (tmp_path / "canary").exists()


def test_the_script_is_plain_shell() -> None:
    install()
    script = Path(".git/hooks/pre-commit")
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.read_text().startswith("#!/bin/sh\n")


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for call in (install, uninstall, status):
        with pytest.raises(UsageError, match="not a git repository"):
            call(".")
