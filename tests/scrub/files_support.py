"""What the tests of scrubbed files share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests_support import token

from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.scrub.files import PlainFiles
from keyward.scrub.pseudonym import Pseudonyms
from keyward.scrub.redactor import Redactor

PSEUDONYMS = Pseudonyms(b"k" * 32)


@cache
def matcher() -> Matcher:
    registry = Registry()
    return Matcher(registry, catalogue.load(registry))


def redactor() -> Redactor:
    return Redactor(matcher(), PSEUDONYMS)


def plain(folder: Path, **options: object) -> PlainFiles:
    """`folder`: where the journals are."""
    return PlainFiles(PSEUDONYMS, journals=str(folder / "journals"), **options)  # type: ignore[arg-type]


def mask(value: bytes) -> bytes:
    """What stands in the place of a token of that length."""
    name = PSEUDONYMS.of(value).encode()
    text = b"[redacted:github/pat-classic:" + name
    return text + b"*" * (len(value) - len(text) - 1) + b"]"


def named(value: bytes) -> bytes:
    return b"[redacted:github/pat-classic:" + PSEUDONYMS.of(value).encode() + b"]"


HOLDER = """
import fcntl, mmap, os, sys
path, how = sys.argv[1:]
flags = {"reads": os.O_RDONLY, "appends": os.O_WRONLY | os.O_APPEND, "writes": os.O_RDWR, "locks": os.O_RDWR, "flocks": os.O_RDONLY,
         "maps": os.O_RDWR}[how]
descriptor = os.open(path, flags)
if how == "locks":
    fcntl.lockf(descriptor, fcntl.LOCK_EX)
if how == "flocks":
    fcntl.flock(descriptor, fcntl.LOCK_SH)
if how == "maps":
    mapped = mmap.mmap(descriptor, 0)
    os.close(descriptor)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path: Path, how: str) -> Iterator[int]:
    """Another process that holds the file; its number."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, path, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def facts(path: Path) -> tuple[int, ...]:
    """What a scrub must leave as it is in a file that it replaces."""
    status = os.stat(path)
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns


def leaves_nothing_beside(folder: Path, names: set[str]) -> bool:
    return {entry.name for entry in os.scandir(folder)} - {"journals"} == names


TOKEN, OTHER = token(1), token(2)
TEXT = b"started\nlogin token=" + TOKEN + b" ok\nmore " + OTHER + b"\nagain " + TOKEN + b"\nend\n"
