"""Small things that several tests need."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from keyward.plugin.checksums import crc32_base62
from keyward.plugin.shapes import an, concat


def token(seed: int) -> bytes:
    """A GitHub token with a valid checksum; the same for the same seed."""
    return concat("ghp_", an(30)).tail(lambda text: crc32_base62(text[4:])).sample(1000 + seed).text


def children() -> set[int]:
    """The child processes of this one, the dead that nobody has asked after included."""
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            found.update(int(number) for number in file.read().split())
    return found


def cannot(reason: str) -> NoReturn:
    """Ends a test that cannot run here: skipped on somebody's own machine, failed in CI, where it has to run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
