"""What is being overwritten in a file that stays open elsewhere, so that a scrub that was killed can be finished.

One file of JSON lines for each scrubbed file, in the state folder, readable by this user only, there only while the work goes on. A
line says where an occurrence is, how long it and its lines are, and what it is called; never what stood there. To see that a place
still holds what the line means, it has two short keyed checks, as guessable as the pseudonym is: not at all without the operator's key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from keyward.match.paths import state_folder
from keyward.model.kind import Kind
from keyward.plugin.ports import Fence
from keyward.scrub.fences import act

VERSION = 1


class Entry(NamedTuple):
    """One occurrence. `lines`: bytes of each of its lines, their ends not counted. `check`: of its bytes; `before`: of those before it."""

    start: int
    length: int
    kind: Kind
    pseudonym: str
    encoding: str
    lines: tuple[int, ...]
    check: str
    before: str
    before_length: int


class Journal:
    """The journal of one file, told by device and inode: its name may change while the work goes on. `of`: what is done to it, where
    that is not overwriting."""

    def __init__(
        self, status: os.stat_result, *, folder: str | None = None, fences: tuple[Fence, ...] = (), of: str = ""
    ) -> None:
        self._folder = folder or journals_folder()
        self.path = os.path.join(self._folder, f"{status.st_dev:x}-{status.st_ino:x}{of and f'.{of}'}.jsonl")
        self._fences = fences
        self._descriptor = -1

    @property
    def is_begun(self) -> bool:
        """Whether an earlier scrub was killed before it had ended."""
        return os.path.lexists(self.path)

    def read(self) -> list[Entry]:
        """What an earlier scrub began and did not finish. A torn line was never acted upon. Raises OSError."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return []
        with os.fdopen(descriptor, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
        entries: dict[int, Entry] = {}
        for line in lines:
            record = _record(line)
            if "done" in record:
                entries.pop(record["done"], None)
            elif "start" in record:
                entry = _entry(record)
                if entry is not None:
                    entries[entry.start] = entry
        return list(entries.values())

    def begin(self, path: str, entries: Sequence[Entry]) -> None:
        """Writes down what will be overwritten, on the disk before the first byte of the file changes. Raises OSError."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor = os.open(self.path, flags, 0o600)
        lines = [json.dumps({"v": VERSION, "path": os.path.abspath(path)})]
        lines += (json.dumps(entry._asdict(), separators=(",", ":")) for entry in entries)
        with act(self._fences, "write journal"):
            self._append("\n".join((*lines, "")))
        with act(self._fences, "fsync journal"):
            os.fsync(self._descriptor)
            _sync_folder(self._folder)

    def done(self, entry: Entry) -> None:
        """An occurrence is gone. It need not be on the disk: to overwrite it again does no harm."""
        with act(self._fences, "write journal"):
            self._append(f'{{"done":{entry.start}}}\n')

    def end(self) -> None:
        """All of it is done, and on the disk."""
        self.close()
        try:
            with act(self._fences, "remove journal"):
                os.unlink(self.path)
        except FileNotFoundError:
            pass

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, text: str) -> None:
        view = memoryview(text.encode())
        while view:
            view = view[os.write(self._descriptor, view) :]


def journals_folder() -> str:
    return os.path.join(state_folder(), "scrub")


def unfinished(folder: str | None = None) -> Iterator[tuple[str, str]]:
    """The files that a scrub was killed at, by the names that they had then, and the journals."""
    top = folder or journals_folder()
    try:
        names = sorted(os.listdir(top))
    except OSError:
        return
    for name in names:
        if name.endswith(".jsonl"):
            with open(os.path.join(top, name), "rb") as file:
                path = _record(file.readline()).get("path")
            if isinstance(path, str):
                yield path, os.path.join(top, name)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _entry(record: dict[str, Any]) -> Entry | None:
    try:
        entry = Entry(**{**record, "lines": tuple(record["lines"]), "kind": Kind(record["kind"])})
    except (TypeError, KeyError):
        return None
    numbers = (entry.start, entry.length, entry.before_length, *entry.lines)
    if (
        any(type(number) is not int or number < 0 for number in numbers)
        or sum(entry.lines) > entry.length
        or entry.before_length > entry.start
    ):
        return None
    return entry
