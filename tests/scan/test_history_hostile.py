"""A repository that tries to run commands, to reach the network or to hide content while its whole history is looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests_support import token

from keyward.flows.scan import ScanOptions, scan
from keyward.model.finding import Outcome

Git = Any  # see conftest


def leak(seed: int) -> bytes:
    return b"GH=" + token(seed) + b"\n"


def history(path: Path, **options: Any) -> Outcome:
    return scan(ScanOptions(paths=(str(path),), history=True, cache=False, **options))


def names(outcome: Outcome) -> set[str]:
    return {Path(o.locator.path).name for finding in outcome.findings for o in finding.occurrences}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_files_in_the_git_folder_that_are_none_are_passed_over(environment: None, repo: Git, tmp_path: Path) -> None:
    repo.commit(**{"a.env": leak(1)})
    (tmp_path / "outside.env").write_bytes(leak(2))
    git = repo.root / ".git"
    (git / "logs/refs/heads/linked").symlink_to(tmp_path / "outside.env")
    (git / "linked").symlink_to(tmp_path / "outside.env")
    os.mkfifo(git / "logs/pipe")
    os.mkfifo(git / "MERGE_HEAD")
    (git / "worktrees").symlink_to(tmp_path)
    assert names(history(repo.root)) == {"a.env"}


def test_lfs_content_outside_of_the_repository_is_not_read(environment: None, repo: Git, tmp_path: Path) -> None:
    oid = "ab" * 32
    outside = tmp_path / "outside/ab"
    outside.mkdir(parents=True)
    (outside / oid).write_bytes(leak(2))
    (repo.root / ".git/lfs/objects").mkdir(parents=True)
    (repo.root / ".git/lfs/objects/ab").symlink_to(tmp_path / "outside")
    repo.commit(**{"x.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 1\n" % oid.encode()})
    outcome = history(repo.root)
    assert not outcome.findings
    assert ["outside the repository" in n.reason for n in outcome.not_scanned] == [True]


def test_a_process_that_dies_costs_the_object_that_killed_it(environment: None, repo: Git) -> None:
    """The object is a bomb for one process only: it ends whoever reads it, by a rule's own code."""
    for number in range(200):
        repo.write(f"f{number}", b"%d\n" % number)
    repo.write("last.env", leak(1))
    repo("add", ".")
    repo.commit("x")
    script = (
        "import os, sys, keyward.scan.history as h\n"
        "from keyward.flows.scan import ScanOptions, scan\n"
        "whole = h.Looker._object\n"
        "def dying(self, item, blob):\n"
        "    if item.paths[0].endswith('f77'):\n"
        "        os._exit(9)\n"
        "    return whole(self, item, blob)\n"
        "h.Looker._object = dying\n"
        "o = scan(ScanOptions(paths=(sys.argv[1],), history=True, cache=False, jobs=2))\n"
        "print([n.path.split('/')[-1] + ' ' + n.reason for n in o.not_scanned])\n"
        "print([x.locator.path.split('/')[-1] for f in o.findings for x in f.occurrences])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(repo.root)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == ["['f77 the scanning process ended on this object (code 9)']", "['last.env']"], (
        done.stderr
    )


def test_more_than_a_few_missing_objects_are_counted(environment: None, repo: Git, tmp_path: Path) -> None:
    for number in range(30):
        repo.write(f"f{number}", b"%d\n" % number)
    repo("add", ".")
    repo.commit("x")
    repo("config", "uploadpack.allowFilter", "true")
    repo("clone", "-q", "--bare", "--filter=blob:none", repo.root.as_uri(), str(tmp_path / "clone"))
    outcome = history(tmp_path / "clone")
    assert len(outcome.not_scanned) == 11
    assert (
        outcome.not_scanned[-1].reason == "20 more objects are not in this clone; fetch them: git fetch --refetch --no-filter"
    )
