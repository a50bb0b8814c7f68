"""Runs of an encoding's alphabet around a place: in one piece, or wrapped over lines as programs that encode wrap them."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

BACK = FORWARD = 1 << 16
"""Bytes of a run that are looked at before and behind the place that betrays it."""

PACKED_FORWARD = 1 << 20
"""The same behind the beginning of something packed, which is of no use in part."""

NARROWEST = 16
"""Characters of a line from which on it may be one of several."""

_NEAR = 256

Span = tuple[int, int]


class Alphabet(NamedTuple):
    """`letters`: the bytes of the alphabet. `run`: matches a run. `line`: matches the break of a line, its indentation and the run after it (group 1), if nothing else
    stands on that line but the end of a quotation."""

    letters: bytes
    run: re.Pattern[bytes]
    line: re.Pattern[bytes]


def alphabet(letters: str, padding: str) -> Alphabet:
    """The alphabet with these letters, as the members of a class are written."""
    members = re.compile(f"[{letters}]".encode())
    bytes_ = bytes(byte for byte in range(256) if members.match(bytes((byte,))))
    run = f"[{letters}]".encode()
    line = rb"(?:\\r\\n|\\n|\r?\n)[ \t]*(" + run + rb"+)" + padding.encode() + rb"(?=[\s\"'`<,;)\\]|\Z)"
    return Alphabet(bytes_, re.compile(run + b"*"), re.compile(line))


BASE64 = alphabet("A-Za-z0-9+/_-", "={0,2}")
HEX = alphabet("0-9A-Fa-f", "")


def start_of(data: bytes, at: int, letters: bytes, back: int = BACK) -> int:
    """Where the run that `at` stands in, or behind, begins; not further back than so many bytes."""
    for reach in (_NEAR, back):
        low = max(0, at - reach)
        piece = data[low:at]
        kept = len(piece.rstrip(letters))
        if kept or not low:
            break
    return low + kept


def run_around(data: bytes, at: int, kind: Alphabet, forward: int = FORWARD) -> list[Span]:
    """The stretches of the run around a place, in order: one, or one for each line."""
    start = start_of(data, at, kind.letters)
    matched = kind.run.match(data, at, at + forward)
    end = matched.end() if matched else at
    return [*_lines_before(data, start, end - start, kind), (start, end), *_lines_after(data, start, end, kind, at + forward)]


def _lines_after(data: bytes, start: int, end: int, kind: Alphabet, limit: int) -> list[Span]:
    found: list[Span] = []
    width = end - start
    if width < NARROWEST:
        return found
    while (matched := kind.line.match(data, end, limit)) is not None:
        here = matched.end(1) - matched.start(1)
        # only the first line may be shorter than those after it, because something else may stand before it
        if here > width and found:
            break
        found.append(matched.span(1))
        end = matched.end(1)
        if found[1:] and here < width:
            break
        width = here
    return found


def _lines_before(data: bytes, start: int, width: int, kind: Alphabet) -> list[Span]:
    found: list[Span] = []
    low = max(0, start - BACK)
    while start > low:
        end = _end_of_line_before(data, start, low)
        if end < 0:
            break
        first = start_of(data, end, kind.letters, _NEAR)
        here = end - first
        whole = first == 0 or data[first - 1] in b" \t\n\r"
        if here < NARROWEST or (whole and here < width) or here == _NEAR:
            break
        found.append((first, end))
        start, width = first, here
    return found[::-1]


def _end_of_line_before(data: bytes, start: int, low: int) -> int:
    """Where the line before the one that begins at `start` (but for its indentation) ends; -1 if something else stands before."""
    piece = data[max(low, start - 80) : start].rstrip(b" \t")
    for newline in (b"\r\n", b"\n", b"\\r\\n", b"\\n"):
        if piece.endswith(newline):
            return max(low, start - 80) + len(piece) - len(newline)
    return -1


class Compact(NamedTuple):
    """A run without the breaks between its lines: `text`; where the stretches of the source begin that it comes from (`starts`), where the last one ends (`end`), and
    where each begins in `text` (`begins`)."""

    text: bytes
    starts: list[int]
    begins: list[int]
    end: int

    def source(self, index: int) -> int:
        """Where in the source the character with that index stands."""
        at = bisect_right(self.begins, index) - 1
        return self.starts[at] + index - self.begins[at]

    def ordinal(self, place: int) -> int:
        """How many characters of the run stand before a place of the source."""
        at = max(0, bisect_right(self.starts, place - 1) - 1)
        after = self.begins[at + 1] if at + 1 < len(self.begins) else len(self.text)
        return min(self.begins[at] + place - self.starts[at], after)

    def cut(self, first: int) -> Compact:
        """Without so many characters at its beginning."""
        if first <= 0:
            return self
        at = bisect_right(self.begins, first) - 1
        starts = [self.starts[at] + first - self.begins[at], *self.starts[at + 1 :]]
        return Compact(self.text[first:], starts, [0, *(begin - first for begin in self.begins[at + 1 :])], self.end)


def compact(data: bytes, spans: list[Span]) -> Compact:
    """The run that consists of these stretches."""
    begins = [0, *accumulate(end - start for start, end in spans)]
    return Compact(b"".join(data[start:end] for start, end in spans), [start for start, _ in spans], begins[:-1], spans[-1][1])
