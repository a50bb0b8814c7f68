"""The real command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from keyward.testing.leaky_project import Planted, plant


class Result(NamedTuple):
    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """The objects of a JSON lines report."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["type"] == "finding"]

    @property
    def summary(self) -> dict[str, Any]:
        return self.lines()[-1]


Keyward = Callable[..., Result]


@pytest.fixture
def keyward(environment: None, tmp_path: Path) -> Keyward:
    """Runs the command: `keyward("scan", ".", cwd=folder, stdin=b"")`."""

    def run(*words: str | bytes, cwd: Path | None = None, stdin: bytes = b"", **variables: str) -> Result:
        done = subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "keyward"), *words],
            cwd=cwd or tmp_path,
            input=stdin,
            capture_output=True,
            env={**os.environ, **variables},
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "replace"))

    return run


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, Planted]:
    """The small leaky project, in a folder of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder, plant(str(folder))
