"""What this process does besides: which processes it starts, with which arguments and environment, and which files it writes.

It hears of them by the interpreter's audit events (PEP 578: https://docs.python.org/3/library/audit_events.html), so that neither a
short-lived process nor a file that was removed again is missed. Children that were forked are not heard.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_STARTS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system")
_listening: list[Witness] = []
_installed: list[bool] = []


class Witness:
    """Use it as a context manager. `started`: what processes were given, as bytes. `written`: the paths of files that were opened for
    writing."""

    def __init__(self) -> None:
        self.started: list[bytes] = []
        self.written: set[str] = set()

    def __enter__(self) -> Witness:
        if not _installed:  # a hook stays for good, so there is one for all
            _installed.append(True)
            sys.addaudithook(_hear)
        _listening.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _listening.remove(self)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One audit event."""
        if event in _STARTS:
            self.started.append(b"\0".join(_flat(arguments)))
        elif isinstance(arguments[0], (str, bytes)):
            self.written.add(os.path.realpath(os.fsdecode(arguments[0])))


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _listening or not (event in _STARTS or (event == "open" and _is_write(arguments[2]))):
        return
    for witness in tuple(_listening):
        witness.hear(event, arguments)


def _is_write(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _flat(value: object) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, str):
        return [os.fsencode(value)]
    if isinstance(value, dict):
        return [each for pair in value.items() for part in pair for each in _flat(part)]
    if isinstance(value, (list, tuple)):
        return [each for part in value for each in _flat(part)]
    return []
