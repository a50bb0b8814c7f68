"""The compiled rules, which all tests share: compiling them takes seconds, and every process would do it again."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

VARIABLE = "TESTS_RULES_CACHE"
_COMPILE = "from keyward.match import catalogue; from keyward.registry import Registry; catalogue.load(Registry())"


def begin() -> Callable[[], None]:
    """Makes the folder, unless a process above has made it, and answers with what removes it again."""
    if VARIABLE in os.environ:
        return lambda: None
    folder = os.environ[VARIABLE] = tempfile.mkdtemp(prefix="keyward-tests-")

    def end() -> None:
        os.environ.pop(VARIABLE, None)
        shutil.rmtree(folder, ignore_errors=True)

    return end


def folder() -> Path:
    """The cache folder with keyward's own rules in it. Whoever comes first compiles them, the others wait."""
    path = Path(os.environ[VARIABLE])
    with open(path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / "compiled").exists():
            subprocess.run([sys.executable, "-c", _COMPILE], env={**os.environ, "KEYWARD_CACHE": str(path)}, check=True)
            (path / "compiled").touch()
    return path


def copy(target: Path) -> Path:
    """A cache folder of one's own with keyward's own rules in it."""
    target.mkdir(mode=0o700)
    for rules in folder().glob("rules-*"):
        shutil.copy2(rules, target)
    return target
