"""The steps of a git plan, carried out with the real git filter-repo: afterwards no object holds a value."""

from __future__ import annotations

import base64
import gzip
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from git_repository import Git
from tests_support import token

from keyward.errors import Refused, UsageError
from keyward.flows.scrub_git import GitPlan, git_plan
from keyward.registry import Registry

TOKEN, OTHER, BINARY, PACKED, NOTED = (token(number) for number in range(60, 65))


@pytest.fixture
def repository(environment: None, tmp_path: Path) -> Git:
    from keyward.testing.leaky_project import planted

    git = Git(tmp_path / "project")
    git.write("settings.py", b'TOKEN = "' + TOKEN + b'"\n')
    git.write("encoded.txt", b"blob: " + base64.b64encode(b"user:" + TOKEN + b":x") + b"\n")
    git.write("program.bin", b"\0\1\2 token=" + BINARY + b"\0")
    git.write("logs/app.log.gz", gzip.compress(b"token=" + PACKED + b"\n", mtime=0))
    git.write("key.pem", next(text for text in planted(7).files.values() if b"PRIVATE KEY" in text))
    git.write("other.txt", b"nothing here\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    git("checkout", "-q", "-b", "side")
    git.write("side.txt", b"token: " + OTHER + b"\n")
    git("add", "-A")
    git("commit", "-q", "-m", "with " + NOTED.decode() + " in the message")
    git("tag", "-a", "-m", "tagged " + NOTED.decode(), "v1")
    git("checkout", "-q", "main")
    git.write("settings.py", b"TOKEN = None\n")
    git("commit", "-q", "-am", "gone from here")
    git("remote", "add", "origin", "https://somebody:" + OTHER.decode() + "@git.example.org/project.git")
    return git


def values() -> dict[str, bytes]:
    found = {"token": TOKEN, "other": OTHER, "binary": BINARY, "noted": NOTED}
    return found | {"base64": base64.b64encode(b"user:" + TOKEN + b":x")[8:48]}


def objects(git: Git) -> bytes:
    """The content of every object there is, packed or loose."""
    ids = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    done = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=git.root, input="\n".join(ids).encode(), capture_output=True, check=True
    )
    return done.stdout


def planned(git: Git, tmp_path: Path) -> GitPlan:
    plan = git_plan(str(git.root), str(tmp_path / "values.txt"), anyway=True)
    assert plan is not None
    return plan


def has_filter_repo() -> bool:
    return os.path.exists(os.path.join(os.path.dirname(sys.executable), "git-filter-repo"))


def test_after_the_steps_no_object_holds_a_value(repository: Git, tmp_path: Path) -> None:
    if not has_filter_repo():
        assert not os.environ.get("CI"), "git-filter-repo must be installed here"
        pytest.skip("git-filter-repo is not installed")
    before = objects(repository)
    assert [name for name, value in values().items() if value not in before] == []
    plan = planned(repository, tmp_path)
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    commands = [command for _, command in plan.steps if command.startswith("git ") and " push " not in command]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(shlex.split(command), check=True, capture_output=True, cwd=tmp_path, env={**os.environ, "PATH": path})
    cleaned = object.__new__(Git)
    cleaned.root = Path(shlex.split(commands[0])[-1])
    after = objects(cleaned)
    assert [name for name, value in values().items() if value in after] == []
    assert b"PRIVATE KEY" not in after and gzip.compress(b"token=" + PACKED + b"\n", mtime=0) not in after
    assert b"[redacted:github/pat-classic:" in after and b"nothing here" in after
    cleaned("fsck", "--full")
    assert set(cleaned("for-each-ref", "--format=%(refname)").split()) >= {"refs/heads/main", "refs/heads/side", "refs/tags/v1"}
    again = git_plan(str(cleaned.root), "", anyway=True)
    assert again is None
    assert objects(repository) == before  # the plan itself rewrote nothing


def test_what_is_written_and_said(repository: Git, tmp_path: Path) -> None:
    plan = planned(repository, tmp_path)
    for name in (plan.replacements, plan.blobs):
        assert os.stat(name).st_mode & 0o777 == 0o600
    assert TOKEN in Path(plan.replacements).read_bytes()
    said = repr((plan.steps, plan.refs, plan.remotes, plan.notes, plan.secrets))
    assert not [value for value in values().values() if value.decode() in said]
    assert "refs/heads/side" in plan.refs and "refs/tags/v1" in plan.refs
    assert plan.remotes == ("origin: https://git.example.org/project.git",)
    blobs = set(Path(plan.blobs).read_text().split())
    wanted = {repository("rev-parse", f"main:{name}") for name in ("program.bin", "logs/app.log.gz")}
    assert blobs == wanted and plan.stripped == 2
    assert [command for _, command in plan.steps if command.startswith("shred -u")]


def test_who_else_has_a_copy_is_said(repository: Git, tmp_path: Path) -> None:
    """A host keeps refs of merged requests, views and forks that no push replaces; clones and caches bring the secret back."""
    texts = [text for text, _ in planned(repository, tmp_path).steps]
    host = next(at for at, text in enumerate(texts) if text.startswith("Ask the host"))
    assert all(word in texts[host] for word in ("pull and merge requests", "cached views", "forks"))
    assert texts[host - 1].startswith("Put it in place of what was published"), "the host is asked once the rewritten one is there"
    everybody = next(text for text in texts if text.startswith("Tell everybody"))
    assert all(word in everybody for word in ("clone", "CI caches", "mirrors"))
    repository("remote", "remove", "origin")
    other = tmp_path / "other"
    other.mkdir()
    alone = [text for text, _ in planned(repository, other).steps]
    assert everybody in alone and not [text for text in alone if text.startswith(("Ask the host", "Put it in place of what was p"))]


def test_it_refuses_before_the_secret_is_dead(repository: Git, tmp_path: Path) -> None:
    config = tmp_path / "operator.toml"
    # nobody listens there: so that no test asks anybody
    config.write_text('[providers.github]\nbase_url = "http://127.0.0.1:9"\n')
    with pytest.raises(Refused, match="not known to be dead") as caught:
        git_plan(str(repository.root), str(tmp_path / "values.txt"), config=str(config))
    assert not [value for value in values().values() if value.decode() in str(caught.value) + caught.value.hint]
    assert not (tmp_path / "values.txt").exists()


def test_the_file_goes_only_where_it_may(repository: Git, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds the secrets"):
        git_plan(str(repository.root), "", anyway=True)
    for inside in (repository.root / "values.txt", repository.root / ".git" / "values.txt"):
        with pytest.raises(UsageError, match="in the repository itself"):
            git_plan(str(repository.root), str(inside), anyway=True)
    there = tmp_path / "there"
    there.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        git_plan(str(repository.root), str(there), anyway=True)
    assert there.read_text() == "mine"


def test_only_what_a_report_names(repository: Git, tmp_path: Path) -> None:
    from keyward.flows.scan import ScanOptions, scan
    from keyward.report import ReportOptions
    from keyward.report.jsonl import render

    leaked = tmp_path / "leak.txt"
    leaked.write_bytes(b"token=" + OTHER + b"\n")
    report = tmp_path / "report.jsonl"
    report.write_text(render(scan(ScanOptions(paths=(str(leaked),), baseline="")), ReportOptions(Registry().kind)))
    plan = git_plan(str(repository.root), str(tmp_path / "values.txt"), leaked=str(report), anyway=True)
    assert plan is not None and len(plan.secrets) == 1
    written = Path(plan.replacements).read_bytes()
    assert OTHER in written and TOKEN not in written and not plan.blobs
