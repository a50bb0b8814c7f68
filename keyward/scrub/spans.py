"""Where the secrets of a file of any size stand: windows of it are looked at one after another, holes are passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from keyward.formats.sparse import data_in
from keyward.model.kind import Kind
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Name
from keyward.scrub.redactor import Blinded, Redaction, Redactor
from keyward.scrub.stream import BATCH, HOLD, SMALLEST
from keyward.scrub.wide_text import wide_encoding, wide_redactions

HEAD = 4096
"""Bytes at the beginning that tell what a file is."""


class Span(NamedTuple):
    """One stretch of bytes that goes. `digest`: of these bytes, in memory only: to see before writing that they are still there."""

    start: int
    end: int
    kind: Kind
    pseudonym: str
    encoding: str
    digest: bytes

    @property
    def redaction(self) -> Redaction:
        return Redaction(self.start, self.end, self.kind, self.pseudonym, self.encoding)


class Spans(NamedTuple):
    """`spans`: by position, without overlaps. `unseen`: bytes that could not be looked at. `end`: up to where was looked."""

    spans: tuple[Span, ...]
    unseen: int
    end: int

    def counts(self) -> dict[Name, int]:
        counts: dict[Name, int] = {}
        for each in self.spans:
            name = Name(each.kind, each.pseudonym)
            counts[name] = counts.get(name, 0) + 1
        return counts


def digest_of(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def find(file: OpenFile, redactor: Redactor, *, start: int = 0, end: int | None = None) -> Spans:
    """The secrets that begin between `start` and `end` (None: the end of the file as it is now). Raises OSError."""
    size = os.fstat(file.descriptor).st_size
    end = size if end is None else min(end, size)
    look = _Look(file, redactor, wide_encoding(file.read(0, HEAD)))
    found: list[Span] = []
    for first, last in _extents(file.descriptor, start, end):
        # a rule may ask for what stands around: the NULs of the hole
        least, most = max(start, first - HOLD), min(end, last + HOLD)
        at = first
        while at < last:
            beyond = min(at + BATCH, last)
            found += look.at(least, at, beyond, most)
            at = beyond
    return Spans(tuple(_apart(found, file)), look.unseen, end)


class _Look:
    """One way through a file."""

    def __init__(self, file: OpenFile, redactor: Redactor, encoding: str) -> None:
        self._file, self._redactor, self._encoding = file, redactor, encoding
        self.unseen = 0

    def at(self, least: int, start: int, end: int, most: int) -> list[Span]:
        """What begins between `start` and `end`, with as much in view around it as a rule may look at, but nothing before `least` and
        behind `most`."""
        before = max(least, start - HOLD) & ~1
        data = self._file.read(before, min(most, end + HOLD) - before)
        try:
            if self._encoding:
                found = wide_redactions(self._redactor, data, self._file.path, self._encoding)
            else:
                found = self._redactor.redactions(data, self._file.path)
        except Blinded:
            if end - start <= SMALLEST:
                self.unseen += end - start
                return []
            middle = (start + (end - start) // 2) & ~1
            return self.at(least, start, middle, most) + self.at(least, middle, end, most)
        own_start, own_end = start - before, end - before
        return [
            Span(
                each.start + before,
                each.end + before,
                each.kind,
                each.pseudonym,
                each.encoding,
                digest_of(data[each.start : each.end]),
            )
            for each in found
            if own_start <= each.start < own_end
        ]


def _apart(found: list[Span], file: OpenFile) -> Iterator[Span]:
    """The same without overlaps, which may come about at the border of two windows."""
    last: Span | None = None
    for each in sorted(found, key=lambda span: (span.start, -span.end)):
        if last is None:
            last = each
        elif each.start < last.end:
            if each.end > last.end:
                data = file.read(last.start, each.end - last.start)
                last = last._replace(end=each.end, digest=digest_of(data))
        else:
            yield last
            last = each
    if last is not None:
        yield last


def _extents(descriptor: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a file that hold data; parts near to each other are one. A file system that knows no holes has one part."""
    next_data = data_in(descriptor)
    at = start
    pending: tuple[int, int] | None = None
    while at < end and (found := next_data(at) if next_data is not None else (at, end)) is not None:
        first, last = min(found[0], end), min(found[1], end)
        if pending is not None and first - pending[1] <= HOLD:
            pending = pending[0], last
        else:
            if pending is not None:
                yield pending
            pending = first, last
        at = last
    if pending is not None and pending[0] < pending[1]:
        yield pending
