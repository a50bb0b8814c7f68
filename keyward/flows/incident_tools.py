"""The system's own commands, as incidents use them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence

TIMEOUT = 30.0
"""Seconds that a command which only reads may take."""

MOST_OUTPUT = 16 << 20


def output(argv: Sequence[str]) -> bytes | None:
    """What a command that only reads prints; None if it is not there, fails, or takes too long."""
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout[:MOST_OUTPUT] if done.returncode == 0 else None


def below(folder: str, paths: Iterable[str]) -> list[str]:
    """Those of the paths that lie below a folder."""
    top = os.path.join(os.path.realpath(folder), "")
    return [path for path in paths if os.path.realpath(path).startswith(top)]
