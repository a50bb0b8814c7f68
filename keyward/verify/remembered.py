"""What providers said in the last minutes, so that an interrupted or repeated run asks nobody twice.

One file in the user's cache folder, for this user alone. An entry's name is a keyed hash of the fingerprint, the kind and the place
that was asked; the key lies in another file of the folder. An entry holds a verdict, its evidence and a keyed hash of the value that was
asked about, by which it is forgotten when the value is stopped or killed: never the value, nor the fingerprint. What is unknown is not kept.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from keyward.match.fingerprint import FingerprintCache
from keyward.match.paths import cache_folder, is_private, locked, write_private
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Evidence, Live, Restricted, Unknown, Verdict
from keyward.plugin.clock import Clock

MINUTES = 600.0
"""Seconds for which an answer holds."""

MOST = 5_000
LARGEST = 8 << 20

FORGOTTEN = "forgotten"
"""The state of an entry that says from when on older answers about a value do not hold. It is kept as long as they would be: a process that
read them before must not bring them back."""


class Remembered:
    """The answers. `folder`: the user's cache folder unless given. Safe for several threads."""

    def __init__(self, clock: Clock, folder: str | None = None) -> None:
        folder = cache_folder() if folder is None else folder
        self._path = os.path.join(folder, "verdicts.json")
        self._names = FingerprintCache(folder)
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, Any] | None = None
        self._changed = False
        self._next = 0.0

    def get(self, *names: str) -> Verdict | None:
        """What was said, if it was said in the last minutes."""
        with self._lock:
            return _verdict(self._known().get(self._name(names)), self._clock.now(), self._known())

    def add(self, verdict: Verdict, *names: str, about: str = "") -> None:
        """Remembers an answer. `about`: the value that was asked about, as `subject` names it. `save` writes it."""
        record = _record(verdict)
        if record is not None:
            with self._lock:
                self._known()[self._name(names)] = {**record, "about": about}
                self._changed = True

    def subject(self, value: Secret) -> str:
        """What a value is called here: a keyed hash."""
        with self._lock:
            return self._names.tag(b"keyward values", value.reveal()).hex()

    def forget(self, values: Iterable[Secret]) -> None:
        """No answer about these values that was given until now holds any more: they were stopped, or killed, or let in again."""
        subjects = [self.subject(value) for value in values]
        with self._lock:
            now = self._clock.now()
            for subject in subjects:
                self._known()[subject] = {"state": FORGOTTEN, "evidence": {"time": now}}
                self._changed = True

    def save_now_and_then(self) -> None:
        """Writes at most once a second: a run that is killed loses what was answered in the last one."""
        with self._lock:
            if self._clock.now() < self._next:
                return
            self._next = self._clock.now() + 1.0
        self.save()

    def save(self) -> None:
        """Writes what was added, together with what other processes wrote meanwhile; of two that they say of one thing, the newer holds. A
        folder that cannot be written is no error."""
        with self._lock:
            if not self._changed:
                return
            with contextlib.suppress(OSError), locked(self._path):
                self._write()
            self._changed = False

    def _write(self) -> None:
        import json

        now, known = self._clock.now(), self._known()
        merged = self._read()
        merged |= {name: entry for name, entry in known.items() if _time(entry) >= _time(merged.get(name))}
        fresh = [
            (name, entry)
            for name, entry in merged.items()
            if _verdict(entry, now, merged) is not None or 0 <= now - _forgotten(entry) <= MINUTES
        ]
        fresh.sort(key=lambda item: _time(item[1]))
        write_private(self._path, json.dumps(dict(fresh[-MOST:])).encode())

    def _name(self, names: tuple[str, ...]) -> str:
        text = "\0".join(names).encode("utf-8", "surrogateescape")
        return self._names.tag(b"keyward verdicts", text).hex()

    def _known(self) -> dict[str, Any]:
        if self._entries is None:
            self._entries = self._read()
        return self._entries

    def _read(self) -> dict[str, Any]:
        import json

        try:
            descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                if not is_private(os.fstat(file.fileno())):
                    return {}
                found = json.loads(file.read(LARGEST))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def _record(verdict: Verdict) -> dict[str, Any] | None:
    if isinstance(verdict, Unknown):
        return None
    state = "live" if isinstance(verdict, Live) else "restricted" if isinstance(verdict, Restricted) else "dead"
    return {"state": state, **verdict._asdict(), "evidence": verdict.evidence._asdict()}


def _time(entry: object) -> float:
    """When an entry was made; minus infinity if it does not say."""
    try:
        return float(entry["evidence"]["time"]) if isinstance(entry, Mapping) else -math.inf
    except (KeyError, TypeError, ValueError):
        return -math.inf


def _forgotten(entry: object) -> float:
    """From when on older answers do not hold; minus infinity for anything but an entry that says so."""
    return _time(entry) if isinstance(entry, Mapping) and entry.get("state") == FORGOTTEN else -math.inf


def _verdict(entry: object, now: float, others: Mapping[str, Any]) -> Verdict | None:
    """The verdict of an entry that is whole, young enough and not forgotten."""
    try:
        if not isinstance(entry, Mapping):
            return None
        seen = Evidence(**entry["evidence"])
        if not 0 <= now - seen.time <= MINUTES or not all(isinstance(field, (str, float, int)) for field in seen):
            return None
        if seen.time <= _forgotten(others.get(str(entry.get("about")))):
            return None
        if entry["state"] == "live":
            return Live(seen, str(entry["principal"]), tuple(map(str, entry["scopes"])))
        return Restricted(seen, str(entry["reason"])) if entry["state"] == "restricted" else Dead(seen)
    except (KeyError, TypeError, ValueError):
        return None
