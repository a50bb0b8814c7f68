"""Compiles keyward's rules while servers start: the first scan on a fresh machine would take seconds for it, in which the drill stood still."""

from __future__ import annotations

import os
import signal
import subprocess

from keyward.testing.drill.stage import PROGRAM
from keyward.testing.servers.process import end_with_parent


class WarmUp:
    """A scan of nothing, which leaves compiled rules in the cache folder. Use it as a context manager; `wait` before the first real scan.
    `root`: the drill's folder."""

    def __init__(self, root: str, cache: str) -> None:
        self._variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": root,
            "KEYWARD_CACHE": cache,
            "KEYWARD_STATE": os.path.join(root, "warm-up"),
        }

    def __enter__(self) -> WarmUp:
        self._process = subprocess.Popen(
            [*PROGRAM, "scan", "-"],
            env=self._variables,
            cwd=self._variables["HOME"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self) -> None:
        """Until the rules are compiled. What goes wrong here, the first scan will say."""
        self._process.wait()
