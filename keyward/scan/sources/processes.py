"""The environments of running processes: what an agent was started with stands there even where no file holds it any more.

Only Linux shows them as files. Only those of the same user are asked for, root's too, so that a sweep as root does not read everybody's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

from keyward.scan.roles import LIVE
from keyward.scan.sources.host import Host, Spot, Stream, Tool

_SCRUB = "nothing to scrub: restart the process with the new value"

LARGEST = 16 << 20
"""Bytes of one environment that are read; the kernel allows far fewer."""


def _nowhere(host: Host) -> tuple[Spot, ...]:
    return ()


def _environments(host: Host, *, folder: str = "/proc") -> Iterator[Stream]:
    """One stream for each process of this user but keyward's own."""
    if not host.running:
        return
    try:
        numbers = sorted(int(name) for name in os.listdir(folder) if name.isascii() and name.isdigit())
    except OSError:
        return  # a system without /proc
    mine, own = os.geteuid(), os.getpid()
    for number in numbers:
        try:
            if number == own or os.stat(f"{folder}/{number}").st_uid != mine:
                continue
        except OSError:
            continue  # it has ended
        path = f"{folder}/{number}/environ"
        yield Stream(path, partial(_open, path), "NUL-separated environment", _SCRUB, LIVE, f'of "{_name(folder, number)}"')


def _name(folder: str, number: int) -> str:
    """What the kernel calls a process: the first 15 bytes of its program's name."""
    try:
        with open(f"{folder}/{number}/comm", encoding="utf-8", errors="replace") as file:
            return file.read(64).strip()
    except OSError:
        return "a process that has ended"


def _open(path: str) -> Callable[[int], bytes]:
    """A reader of one environment, taken whole: a process may end while it is read. A protected one raises OSError."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST)
    except (FileNotFoundError, ProcessLookupError):
        data = b""  # it has ended, and its environment with it
    except PermissionError:
        raise OSError(0, "the process keeps its environment to itself (it changed its user, or may not be traced)") from None
    view, at = memoryview(data), 0

    def read(size: int) -> bytes:
        nonlocal at
        piece = view[at : at + size]
        at += len(piece)
        return bytes(piece)

    return read


TOOLS = (Tool("environ", "processes", "environments of running processes", _nowhere, _environments),)
