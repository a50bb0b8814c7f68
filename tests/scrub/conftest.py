"""What several tests of scrubbing need."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of 64 kB, or of what the test's parameter says (`2m`)."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = getattr(request, "param", "64k")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only root can mount a file system here")
    yield folder
    subprocess.run(["umount", folder], check=True)
