"""The journal of one rotation: append-only JSON lines, each on disk before anything that follows it. Never a value.

One folder per rotation, mode 0700, with `journal.jsonl` in it, mode 0600. A line is
`{v, rotation, seq, step, phase, attempt, time, ids, prev}`: `phase` is `intent` (about to act) or `seen` (what came of it),
`ids` are public facts (ids at the provider, versions in the store, evidence), `prev` the hash of the line before. A torn last
line, as a crash leaves it, is dropped; a hole or an edit anywhere else is an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from keyward.errors import Halted
from keyward.plugin.clock import Clock
from keyward.plugin.ports import Call, Fence
from keyward.rotate.durable import append_synced, cut_synced, sync_folder

VERSION = 1
FILE = "journal.jsonl"
INTENT, SEEN = "intent", "seen"


class Line(NamedTuple):
    """One line. `time`: Unix seconds."""

    rotation: str
    seq: int
    step: str
    phase: str
    attempt: int
    time: float
    ids: Mapping[str, Any]
    prev: str

    def encode(self) -> bytes:
        fields = {"v": VERSION, **self._asdict()}
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def new_rotation_id(clock: Clock) -> str:
    """A name for a rotation that sorts by time: `r20261122-031500-k3f9ab`."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(clock.now()))
    return f"r{stamp}-{secrets.token_hex(3)}"


class Journal:
    """Open for appending. Use `create` or `open_`; not for several threads or processes (the entry's lock sees to that)."""

    def __init__(self, folder: str, rotation: str, lines: list[Line], clock: Clock, fences: tuple[Fence, ...]) -> None:
        self.folder, self.rotation, self.lines = folder, rotation, lines
        self._clock, self._fences = clock, fences
        self._path = os.path.join(folder, FILE)
        self._head = _digest(lines[-1].encode()) if lines else ""
        self._torn_at: int | None = None

    @classmethod
    def create(cls, rotations: str, rotation: str, clock: Clock, fences: tuple[Fence, ...] = ()) -> Journal:
        """A new one, in a folder of its own below `rotations`. Raises Halted if that cannot be written."""
        folder = os.path.join(rotations, rotation)
        try:
            os.makedirs(rotations, mode=0o700, exist_ok=True)
            os.mkdir(folder, 0o700)
            os.close(os.open(os.path.join(folder, FILE), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            sync_folder(folder)
            sync_folder(rotations)
        except OSError as error:
            raise Halted(f"cannot make the journal {folder!r}: {error.strerror}", hint="Nothing was changed.") from None
        return cls(folder, rotation, [], clock, fences)

    @classmethod
    def open_(cls, folder: str, clock: Clock, fences: tuple[Fence, ...] = ()) -> Journal:
        """An existing one. Raises Halted for one that is damaged anywhere but in a torn last line."""
        rotation = os.path.basename(folder.rstrip("/"))
        path = os.path.join(folder, FILE)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise Halted(f"cannot read the journal {path!r}: {error.strerror}") from None
        whole = data[: data.rfind(b"\n") + 1]
        lines = list(_parse(path, rotation, whole))
        journal = cls(folder, rotation, lines, clock, fences)
        # a torn line was never acted upon: the action comes after the sync. It may be one that another process is just writing,
        # so that whoever only reads leaves it there; it is cut off before the next line is written, under the entry's lock
        journal._torn_at = len(whole) if len(whole) < len(data) else None
        return journal

    def intent(self, step: str, attempt: int = 1, **ids: Any) -> None:
        """About to act. Once this returns, a resume knows that it may have happened."""
        self._append(step, INTENT, attempt, ids)

    def seen(self, step: str, attempt: int = 1, **ids: Any) -> None:
        """What came of it."""
        self._append(step, SEEN, attempt, ids)

    def last(self, step: str, phase: str) -> Line | None:
        """The newest line of a step and phase."""
        return next((line for line in reversed(self.lines) if line.step == step and line.phase == phase), None)

    def all(self, step: str, phase: str) -> list[Line]:
        return [line for line in self.lines if line.step == step and line.phase == phase]

    def _append(self, step: str, phase: str, attempt: int, ids: Mapping[str, Any]) -> None:
        line = Line(
            self.rotation, len(self.lines) + 1, step, phase, attempt, round(self._clock.now(), 3), dict(ids), self._head
        )
        data = line.encode()
        call = Call(f"journal {step} {phase}", "", True)
        for fence in self._fences:
            fence.before(call)
        try:
            self._write(data)
        except OSError as error:
            hint = f"Make room and run: keyward resume {self.rotation}"
            raise Halted(f"cannot write the journal {self._path!r}: {error.strerror}", hint=hint) from None
        self.lines.append(line)
        self._head = _digest(data)
        for fence in self._fences:
            fence.after(call, "ok")

    def _write(self, data: bytes) -> None:
        if self._torn_at is not None:
            cut_synced(self._path, self._torn_at)
            self._torn_at = None
        append_synced(self._path, data)


def journals(rotations: str) -> list[str]:
    """The folders of all rotations, oldest first."""
    try:
        names = os.listdir(rotations)
    except OSError:
        return []
    return [os.path.join(rotations, name) for name in sorted(names) if os.path.isfile(os.path.join(rotations, name, FILE))]


def _parse(path: str, rotation: str, data: bytes) -> Iterator[Line]:
    previous = ""
    for number, raw in enumerate(data.splitlines(keepends=True), 1):
        try:
            fields = json.loads(raw)
            if fields.pop("v") != VERSION:
                raise Halted(f"{path}:{number}: written by another version of keyward")
            line = Line(**fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Halted(f"{path}:{number}: not a line of a journal", hint="The file was damaged; nothing was done.") from None
        if line.seq != number or line.prev != previous or line.rotation != rotation:
            raise Halted(f"{path}:{number}: the journal was changed", hint="Lines are missing or altered; nothing was done.")
        previous = _digest(raw)
        yield line


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
