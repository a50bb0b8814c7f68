"""Takes secrets out of a stream, whatever the borders of its reads.

What has been read is held back until nothing that may still come can make a secret of it: the longest that a rule may look at, or, while
the stream pauses, until the line is complete and nothing that runs over lines (a private key, a known value) has been begun. What was
passed on stays in view, because a name in one line says what the value in the next one is.

If matching fails, nothing of what could not be looked at is passed on: a line says how much was withheld.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from keyward.model.rule import MAX_WINDOW
from keyward.scrub.redactor import Blinded, Redaction, Redactor, Style, replacement

HOLD = MAX_WINDOW + 4096
"""Bytes held back while more is coming: no rule looks further, and a value may begin just before."""

CONTEXT = MAX_WINDOW
"""Bytes of what was passed on that stay in view."""

BATCH = 4 << 20
"""Bytes that are looked at together while more is coming: what is held back and what stays in view are gone over twice."""

SHORT_CONTEXT = 2048
"""The same while single lines come: what stands beside a value stands near."""

LONGEST_BLOCK = 1 << 20
"""Bytes that an unfinished private key may hold a pausing stream back; beyond, its lines go one by one."""

_BLOCK_BEGINS = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_ENDS = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")

SMALLEST = 4096
"""Bytes below which a buffer that cannot be matched is not divided further."""


class Count(NamedTuple):
    """What became of a stream. `withheld`: bytes that could not be looked at and were not passed on."""

    read: int = 0
    redacted: int = 0
    withheld: int = 0


class StreamScrubber:
    """Feed it, and pass on what it answers. `on_redaction`: told of each place (its offset in the stream and what it is)."""

    def __init__(
        self,
        redactor: Redactor,
        style: Style = Style.TOKEN,
        *,
        path: str = "",
        on_redaction: Callable[[int, Redaction], None] = lambda offset, redaction: None,
    ) -> None:
        self._redactor = redactor
        self._style = style
        self._path = path
        self._on_redaction = on_redaction
        self._data = b""  # what was passed on and stays in view, and then what is held back
        self._own = 0  # how much of it was passed on
        self._arrived: list[bytes] = []
        self._arrived_bytes = 0
        self._offset = 0
        self._redacted = 0
        self._withheld = 0
        self._fits = 1 << 62

    @property
    def count(self) -> Count:
        return Count(self._offset + self.held, self._redacted, self._withheld)

    @property
    def held(self) -> int:
        """Bytes that are held back now."""
        return len(self._data) - self._own + self._arrived_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """More of the stream; what may be passed on now, in pieces."""
        self._arrived.append(data)
        self._arrived_bytes += len(data)
        if self.held < BATCH:
            return []
        self._gather()
        return self._pass_on(len(self._data) - self._own - HOLD, CONTEXT)

    def pause(self) -> list[bytes]:
        """Nothing more has come for a while: what of the complete lines may be passed on."""
        self._gather()
        pending = self._data[self._own :]
        end = pending.rfind(b"\n") + 1
        if not end:
            return []
        for begun in (_unfinished_block(pending, end), self._redactor.begun(pending, end)):
            if begun >= 0:
                end = min(end, pending.rfind(b"\n", 0, begun) + 1)
        return self._pass_on(end, SHORT_CONTEXT)

    def finish(self) -> list[bytes]:
        """The stream has ended: the rest."""
        self._gather()
        return self._pass_on(len(self._data) - self._own, CONTEXT)

    def _gather(self) -> None:
        self._data = b"".join((self._data, *self._arrived))
        self._arrived, self._arrived_bytes = [], 0

    def _pass_on(self, end: int, context: int) -> list[bytes]:
        """What stands before `end`, and all of a secret that goes on behind it."""
        pieces: list[bytes] = []
        target = self._offset + end
        while self._offset < target:
            pieces += self._step(min(target - self._offset, self._fits), context)
        return [piece for piece in pieces if piece]

    def _step(self, size: int, context: int) -> list[bytes]:
        """Looks at so many bytes and what is around them; fewer where a rule gives up on so much, and then of what follows as well."""
        if size == self._fits:
            self._fits *= 2
        while True:
            seen = self._own + size + HOLD
            data = self._data if seen >= len(self._data) else self._data[:seen]
            try:
                return self._without(data, self._redactor.redactions(data, self._path), size, context)
            except Blinded:
                if size <= SMALLEST:
                    return self._withhold(size)
                end = self._own + size // 2
                size = self._fits = max(0, self._data.rfind(b"\n", self._own, end) + 1 - self._own) or size // 2
            except Exception:  # whatever it is: what was not looked at does not leave
                return self._withhold(size)

    def _without(self, data: bytes, redactions: list[Redaction], size: int, context: int) -> list[bytes]:
        own = self._own
        limit = own + size
        pieces: list[bytes] = []
        at = own
        for each in redactions:
            if each.end <= at:
                continue
            if each.start >= limit:
                break
            limit = max(limit, each.end)  # it begins before the end and goes on behind it: it goes as a whole
            start = max(each.start, at)
            pieces += (data[at:start], replacement(each, data[start : each.end], self._style))
            if each.start >= own:
                self._redacted += 1
                self._on_redaction(self._offset + each.start - own, each)
            at = each.end
        pieces.append(data[at:limit])
        self._offset += limit - own
        self._own = min(limit, context)
        self._data = self._data[limit - self._own :]
        return pieces

    def _withhold(self, size: int) -> list[bytes]:
        lost, self._data = self._data[self._own : self._own + size], self._data[self._own + size :]
        self._own = 0
        self._offset += size
        self._withheld += size
        note = b"[keyward: %d bytes withheld: they could not be looked at]" % size
        return [note + b"\n" if lost.endswith(b"\n") else note]


def _unfinished_block(pending: bytes, end: int) -> int:
    """Where a private key begins of which the end has not come yet, or -1."""
    begins = [found.start() for found in _BLOCK_BEGINS.finditer(pending, 0, end)]
    if not begins or len(pending) - begins[-1] > LONGEST_BLOCK:
        return -1
    return -1 if _BLOCK_ENDS.search(pending, begins[-1], end) else begins[-1]


def scrub_bytes(redactor: Redactor, data: bytes, style: Style = Style.TOKEN, path: str = "") -> tuple[bytes, list[Redaction]]:
    """A whole text without its secrets, and what went. Raises what matching raises."""
    from keyward.scrub.redactor import apply

    redactions = redactor.redactions(data, path)
    return apply(data, redactions, style), redactions


def scrubbed(scrubber: StreamScrubber, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A stream of pieces without its secrets."""
    for piece in pieces:
        yield from scrubber.feed(piece)
    yield from scrubber.finish()
