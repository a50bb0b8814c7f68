"""Second places for the audit log's head: whoever rewrites the log, or cuts it off, would have to write there too.

    [audit]
    mirror = ["store:main", "syslog"]       # one of them, or both; the default store unless said
    socket = "/dev/log"                     # where the system's log listens, if it is elsewhere

A store can be read back, so that `audit verify` compares by itself, and so does whoever is about to write over the head (see `audit`). The
system's log cannot: what it has (it may be sent on to another machine at once) is handed to `audit verify --head`.

Each host has a log of its own, and several may share a store. So the head of each stands there under a name of its own: what one host
has written is nothing that the log of another one lacks.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from keyward.errors import StoreConflict, StoreError
from keyward.model.secret import Secret
from keyward.plugin.clock import Clock, SystemClock
from keyward.plugin.store import Slot, Store

HEAD_PATH = "audit/head"
"""Where a store keeps the log's mirrored head; no lane's credential may lie there."""

LATEST = "head"
"""The part that any host writes."""

SYSLOG, STORE = "syslog", "store:"
SOCKETS = ("/dev/log", "/var/run/syslog", "/var/run/log")
"""Where the system's log listens: Linux, macOS, the BSDs."""

PRIORITY = 10 * 8 + 5
"""Facility authpriv, severity notice (RFC 3164, 4.1.1)."""

PATIENCE = 2.0
"""Seconds that the system's log is waited for: a log that stands still must not hold up an emergency."""


class Head(NamedTuple):
    """The newest entry: its number, and its HMAC in hex."""

    seq: int
    mac: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.mac}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """The head that `str` wrote. Raises ValueError."""
        seq, _, mac = text.strip().partition(":")
        if not (seq.isascii() and seq.isdigit()) or not re.fullmatch("[0-9a-f]{64}", mac):
            raise ValueError("a head is SEQ:MAC, a number and 64 hexadecimal digits")
        return cls(int(seq), mac)


class Mirror(Protocol):
    """A second place for the head. `get` answers None where there is none, or none can be read back."""

    name: str

    def put(self, head: Head) -> None: ...

    def get(self) -> Head | None: ...


class StoreMirror:
    """The head in a store: in the part `head` whoever wrote last, beside it the head of each host's own log. `host`: whose log it is (this
    one's, or nobody's where the path is another one than that of the log of all work). Raises StoreError."""

    def __init__(self, store: Store, path: str = HEAD_PATH, *, host: str | None = None) -> None:
        self.name = f"store {store.name}"
        self._store, self._path = store, path
        if host is None:
            host = socket.gethostname() if path == HEAD_PATH else ""
        self._part = f"{LATEST}-{hashlib.sha256(host.encode()).hexdigest()[:16]}" if host else LATEST

    def put(self, head: Head) -> None:
        for _ in range(5):
            held = self._store.read(self._path, Slot.CURRENT)
            try:
                new = Secret(str(head).encode())
                parts = {**(held.parts if held else {}), LATEST: new, self._part: new}
                self._store.write(self._path, Slot.CURRENT, parts, {}, expected=held.version if held else 0)
                return
            except StoreConflict:
                continue

    def get(self) -> Head | None:
        held = self._store.read(self._path, Slot.CURRENT)
        if held is None:
            return None
        others = any(name.startswith(f"{LATEST}-") for name in held.parts)
        if others and self._part not in held.parts:
            return None
        try:
            return Head.parse(held.parts.get(self._part, held.parts[LATEST]).reveal().decode())
        except (KeyError, ValueError):
            raise StoreError(
                f"{self.name} holds no head at {self._path}", hint="Somebody wrote something else there."
            ) from None


class SyslogMirror:
    """The head in the system's log, by its socket: unlike the C library's `syslog`, that says when nobody listens. Raises OSError."""

    name = "the system's log"

    def __init__(self, path: str = "", clock: Clock | None = None) -> None:
        self._paths = (path,) if path else SOCKETS
        self._clock = clock or SystemClock()

    def put(self, head: Head) -> None:
        stamp = time.strftime("%b %e %H:%M:%S", time.localtime(self._clock.now()))
        line = f"<{PRIORITY}>{stamp} keyward[{os.getpid()}]: keyward audit head {head}".encode()
        path = next((each for each in self._paths if os.path.exists(each)), self._paths[0])
        try:
            _send(path, socket.SOCK_DGRAM, line)
        except OSError as error:
            if not isinstance(error, ConnectionRefusedError | FileNotFoundError):
                _send(path, socket.SOCK_STREAM, line + b"\0")  # a log of the older kind listens so
                return
            raise OSError(f"nobody listens at {path}") from None

    def get(self) -> Head | None:
        return None


def _send(path: str, kind: socket.SocketKind, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX, kind) as door:
        door.settimeout(PATIENCE)
        door.connect(path)
        door.sendall(data)


class Mirrors:
    """Several mirrors as one. Raises StoreError that names those that failed, once all were tried."""

    def __init__(self, mirrors: Sequence[Mirror]) -> None:
        self._mirrors = tuple(mirrors)
        self.name = ", ".join(each.name for each in mirrors)

    def put(self, head: Head) -> None:
        failed = []
        for mirror in self._mirrors:
            try:
                mirror.put(head)
            except (StoreError, OSError) as error:
                failed.append(f"{mirror.name}: {error}")
        if failed:
            raise StoreError("; ".join(failed))

    def get(self) -> Head | None:
        """The newest that any of them has. Raises StoreError where none answers, and one could not."""
        found: list[Head] = []
        failed: list[StoreError] = []
        for mirror in self._mirrors:
            try:
                head = mirror.get()
            except StoreError as error:
                failed.append(error)
            else:
                found += [head] if head is not None else []
        if failed and not found:
            raise failed[0]
        return max(found, default=None)
