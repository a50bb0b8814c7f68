"""The audit log: append-only JSON lines, each with an HMAC over itself and over the one before. Never a value.

A line is an object whose last member is `mac`: HMAC-SHA256, under the log's key, of the line's text before that member. `prev` is the
`mac` of the entry before, `seq` counts. So an edit, a deletion and a change of order are seen by whoever has the key
(`keyward.rotate.audit_verify`). Entries cut off at the end, and a log written anew by somebody who has the key, are seen only
against a head (`seq` and `mac` of the newest entry) that was mirrored to a place which that somebody cannot write. Whoever is about to
write over that head looks first whether the log still has the entry: if it has not, the next entry says so in `lost`, for good. Else
whatever is done next would put a head there that fits to the log as it was left.

A write that was cut off leaves a torn last line. The next entry names its digest in `torn`, and the chain goes on from the last
whole entry: a log that was damaged keeps being written, and keeps saying so.

Retention replaces the oldest entries by a `checkpoint` as the first line, which holds the `mac` that the chain goes on from.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from keyward.errors import ConfigError, Halted, StoreConflict, StoreError
from keyward.match import paths
from keyward.model.secret import Secret
from keyward.plugin.clock import Clock, SystemClock
from keyward.plugin.ports import Call
from keyward.plugin.store import Slot, Store, Stored
from keyward.rotate.audit_mirror import Head, Mirror
from keyward.rotate.durable import append_synced
from keyward.rotate.who import Who, current

VERSION = 1
FILE = "audit.jsonl"
BEGIN, EVENT, CHECKPOINT = "begin", "event", "checkpoint"

KEY_PATH = "audit/key"
"""Where a store keeps the log's key; no lane's credential may lie there."""

KEY_BYTES = 32
LONGEST_TEXT = 500
MOST_ITEMS = 200
SHORTEST_GUARDED = 6
"""Bytes from which on a value is searched for in what is about to be written; shorter ones are part of ordinary words."""

MIRROR_EVERY = 5.0
"""Seconds between two writes of the head to its mirror, at least."""

Record = dict[str, Any]

_DOMAIN = b"keyward audit 1\n"
_LINE = re.compile(rb'(?P<body>\{.*),"mac":"(?P<mac>[0-9a-f]{64})"\}', re.DOTALL)


class CallSeen(NamedTuple):
    """One external call and what came of it, as an entry names it."""

    what: str
    host: str
    changes: bool
    outcome: str


class Event(NamedTuple):
    """What one entry tells. `ref`: `lane/name`. `calls`: what was asked of whom, in what `what` names."""

    what: str
    ref: str = ""
    rotation: str = ""
    detail: str = ""
    calls: tuple[CallSeen, ...] = ()
    files: tuple[str, ...] = ()
    evidence: tuple[Mapping[str, Any], ...] = ()


class CallRecorder:
    """A fence that remembers the calls between two entries."""

    def __init__(self) -> None:
        self._seen: list[CallSeen] = []

    def before(self, call: Call) -> None:
        """Nothing is refused here."""

    def after(self, call: Call, outcome: str) -> None:
        self._seen.append(CallSeen(call.what, call.host, call.changes, outcome))

    def take(self) -> tuple[CallSeen, ...]:
        """The calls since the last time."""
        seen, self._seen = tuple(self._seen), []
        return seen


class AuditLog:
    """Open for appending; any number of processes may have it open. Use it as a context manager: leaving mirrors the head.

    `key`: 32 bytes or more. `who`: found out if left out. `written`: whether this process has written an entry.
    """

    def __init__(
        self, path: str, key: Secret, *, clock: Clock | None = None, mirror: Mirror | None = None, who: Who | None = None
    ) -> None:
        if len(key) < KEY_BYTES:
            raise ConfigError(f"the audit log's key has fewer than {KEY_BYTES} bytes", hint="Make a new one.")
        self.path = path
        self.key = key
        self.clock = clock or SystemClock()
        self.mirror_problem = ""
        self.written = False
        self._mirror = mirror
        self._mirrored = float("-inf")
        self._unmirrored: Head | None = None
        self._who = who or current()

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Mirrors the newest head that this process wrote."""
        self._send_head()

    def append(
        self,
        what: str,
        *,
        ref: str = "",
        rotation: str = "",
        detail: str = "",
        calls: Iterable[CallSeen] = (),
        files: Iterable[str] = (),
        evidence: Iterable[Mapping[str, Any]] = (),
        never: Iterable[Secret] = (),
    ) -> Head:
        """Writes one entry; it is on disk when this returns. `ref`: `lane/name`. `never`: values that must not stand in it; where one
        does all the same, it is left out. Raises Halted if it cannot be written."""
        event = Event(what, ref, rotation, detail, tuple(calls), tuple(files), tuple(evidence))
        return self.append_all((event,), never=never)

    def append_all(self, events: Sequence[Event], *, never: Iterable[Secret] = ()) -> Head:
        """Several entries at once, in their order, for the price of one; all of them are on disk when this returns, or none counts."""
        guard = _Guard(never)
        plain = [self._plain(event, guard) for event in events]
        mirrored = self._mirrored_head()  # it may be slow, and others need the lock
        with locked(self.path):
            tail = read_tail(self.path, self.key)
            data = b"\n" if tail.unended else b""
            if tail.head is None:
                if b"\n" in tail.debris:
                    hint = "Its key was changed, or it was overwritten. Keep the file, move it away, and a new log begins."
                    raise Halted(f"no entry of the audit log {self.path!r} was written with this key", hint=hint)
                first: Record = {"v": VERSION, "seq": 1, "time": self._now(), "type": BEGIN, "log": os.urandom(8).hex()}
                line, tail_head = seal(self.key, {**first, **_torn(tail), "prev": ""})
                data, tail = data + line, Tail(tail_head)
            assert tail.head is not None
            head, lost = tail.head, self._lost(mirrored)
            for each in plain:
                record: Record = {"v": VERSION, "seq": head.seq + 1, "time": self._now(), "type": EVENT}
                line, head = seal(self.key, {**record, **each, **lost, **_torn(tail), "prev": head.mac})
                data, tail, lost = data + line, Tail(head), {}
            try:
                append_synced(self.path, data, create=True)
            except OSError as error:
                hint = "Make room, or put right who may write there: nothing is done that is not recorded."
                raise Halted(f"cannot write the audit log {self.path!r}: {error.strerror}", hint=hint) from None
            self._unmirrored, self.written = head, True
        if self.clock.monotonic() - self._mirrored >= MIRROR_EVERY:
            self._send_head()
        return head

    def _plain(self, event: Event, guard: _Guard) -> Record:
        return {
            "what": guard.text(event.what),
            "ref": guard.text(event.ref),
            "rotation": guard.text(event.rotation),
            "detail": guard.text(event.detail),
            "who": guard.plain(self._who._asdict()),
            "calls": guard.plain([seen._asdict() for seen in event.calls]),
            "files": guard.plain(list(event.files)),
            "evidence": guard.plain([dict(each) for each in event.evidence]),
        }

    def _now(self) -> float:
        return round(self.clock.now(), 3)

    def _mirrored_head(self) -> Head | None:
        """What stands in the mirror, whenever it is due to be written over; a mirror that does not answer is told when it is."""
        if self._mirror is None or self.clock.monotonic() - self._mirrored < MIRROR_EVERY:
            return None
        try:
            return self._mirror.get()
        except (StoreError, OSError):
            return None

    def _lost(self, mirrored: Head | None) -> Record:
        """What the next entry says of one that the mirror has seen and this log does not have."""
        return {"lost": mirrored._asdict()} if mirrored is not None and _lacks(self.path, self.key, mirrored) else {}

    def _send_head(self) -> None:
        """A mirror that fails stops nothing: the entry is on disk, and an emergency does not wait for a log."""
        if self._mirror is None or self._unmirrored is None:
            return
        try:
            self._mirror.put(self._unmirrored)
            self.mirror_problem = ""
        except (StoreError, OSError) as error:
            self.mirror_problem = f"the head of the audit log could not be mirrored to {self._mirror.name}: {error}"
        self._mirrored, self._unmirrored = self.clock.monotonic(), None


def audit_key(store: Store, path: str = KEY_PATH) -> Secret:
    """The log's key from a store, made there on first use. Raises StoreError."""
    held = store.read(path, Slot.CURRENT)
    if held is None:
        try:
            key = Secret(os.urandom(KEY_BYTES))
            store.write(path, Slot.CURRENT, {"key": key}, {}, expected=0)
            return key
        except StoreConflict:
            held = store.read(path, Slot.CURRENT)
    return _key_in(held, store, path)


def kept_key(store: Store, path: str = KEY_PATH) -> Secret:
    """The log's key from a store that has it; reads only. Raises StoreError."""
    return _key_in(store.read(path, Slot.CURRENT), store, path)


def _key_in(held: Stored | None, store: Store, path: str) -> Secret:
    if held is None or "key" not in held.parts:
        raise StoreError(f"store {store.name} holds no audit key at {path}", hint="Restore it, or the log cannot be verified.")
    return held.parts["key"]


class _Guard:
    """Brings whatever an entry is given to plain JSON of bounded size, without the values that must not stand in it."""

    def __init__(self, never: Iterable[Secret]) -> None:
        values = (secret.reveal().decode("utf-8", "replace") for secret in never)
        self._values = sorted((value for value in values if len(value) >= SHORTEST_GUARDED), key=len, reverse=True)

    def text(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, "(withheld)")
        return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"

    def plain(self, value: object) -> Any:
        """Mappings, sequences, numbers and texts; of anything else only the class is told."""
        if isinstance(value, str):
            return self.text(value)
        if (
            value is None
            or isinstance(value, (bool, int))
            or (isinstance(value, float) and value == value and abs(value) < 1e300)
        ):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.plain(item) for key, item in list(value.items())[:MOST_ITEMS]}
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value[:MOST_ITEMS]]
        return f"({type(value).__name__})"


def seal(key: Secret, record: Record) -> tuple[bytes, Head]:
    """The line of a record, with its newline, and the head that it becomes."""
    body = json.dumps(record, separators=(",", ":"), ensure_ascii=True).encode()[:-1]
    mac = _mac(key, body)
    return body + b',"mac":"' + mac.encode() + b'"}\n', Head(record["seq"], mac)


def unseal(key: Secret, line: bytes) -> Record | None:
    """The record of a line without its newline; None unless it stands there byte by byte as it was sealed under this key."""
    found = _LINE.fullmatch(line)
    if found is None or not hmac.compare_digest(_mac(key, found["body"]).encode(), found["mac"]):
        return None
    record: Record = json.loads(line)
    return record


def _mac(key: Secret, body: bytes) -> str:
    return hmac.new(key.reveal(), _DOMAIN + body, hashlib.sha256).hexdigest()


class Tail(NamedTuple):
    """How a log ends. `head`: of the last whole entry, None where there is none. `debris`: what stands after it and is no entry.
    `unended`: whether the last line has no newline."""

    head: Head | None
    debris: bytes = b""
    unended: bool = False


def read_tail(path: str, key: Secret) -> Tail:
    """How the log ends. Only its last 64 kB are read, unless no entry is found there."""
    for length in (1 << 16, None):
        data, whole = read_end(path, length)
        tail = _tail(data, key, whole=whole)
        if tail is not None:
            return tail
    raise AssertionError("unreachable")


def read_end(path: str, length: int | None = None) -> tuple[bytes, bool]:
    """The last bytes of the log (all for None), and whether that is all of it. A log that is not there is empty.

    Raises Halted for one that cannot be read, a link, or no regular file.
    """
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "not a regular file")
            start = 0 if length is None else max(0, status.st_size - length)
            file.seek(start)
            return file.read(status.st_size - start), start == 0
    except FileNotFoundError:
        return b"", True
    except OSError as error:
        raise Halted(f"cannot read the audit log {path!r}: {error.strerror}") from None


def _tail(data: bytes, key: Secret, *, whole: bool) -> Tail | None:
    unended = bool(data) and not data.endswith(b"\n")
    end = len(data)
    while end > 0:
        start = data.rfind(b"\n", 0, end - 1 if data[end - 1 : end] == b"\n" else end) + 1
        if start == 0 and not whole:
            return None
        record = unseal(key, data[start:end].rstrip(b"\n"))
        if record is not None:
            mac = str(record["mac"]) if record["type"] != CHECKPOINT else str(record["last"])
            return Tail(Head(int(record["seq"]), mac), data[end:], unended)
        end = start
    return Tail(None, data, unended) if whole else None


def _lacks(path: str, key: Secret, seen: Head) -> bool:
    """Whether an entry is not in the log, or another one stands in its place. What retention dropped tells nothing. Only the last 64 kB
    are read, unless it is not there."""
    for length in (1 << 16, None):
        data, whole = read_end(path, length)
        for line in reversed(data.split(b"\n")):
            record = unseal(key, line)
            if record is None or int(record["seq"]) > seen.seq:
                if record is None or record["type"] != CHECKPOINT:
                    continue
                return False
            head = record["last"] if record["type"] == CHECKPOINT else record["mac"]
            return (int(record["seq"]), str(head)) != seen
        if whole:
            return True
    raise AssertionError("unreachable")


def _torn(tail: Tail) -> Record:
    """What an entry says of the debris before it. `whole_lines`: it has a line's end, so that no cut-off write explains it."""
    if not tail.debris:
        return {}
    return {"torn": {"sha256": hashlib.sha256(tail.debris).hexdigest(), "whole_lines": b"\n" in tail.debris}}


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Alone with the log, over all processes of this host. Raises Halted."""
    with ExitStack() as stack:
        try:
            stack.enter_context(paths.locked(path))
        except OSError as error:
            raise Halted(f"cannot lock the audit log {path!r}: {error.strerror}") from None
        yield
