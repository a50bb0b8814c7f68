"""Encodings in which most bytes stand as they are and some are written otherwise: percent, escapes, entities, quoted-printable; and values that are
in pieces: literals put together, lines that go on, characters that are not shown. All are rewritten by one expression each."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from html.entities import html5
from typing import NamedTuple, Union

from keyward.match.encoded.layer import Unit

BACK = 1024
FORWARD = 2048
"""Bytes around a hit that are rewritten; a line's end is a border before that."""

PIECES_BACK = 256
PIECES_FORWARD = 1024
"""The same where a value is in pieces: it begins before the hit, and goes on behind it."""

_BORDERS = re.compile(rb"[\s\"'`<>]")

Spell = Union[bytes, Callable[["re.Match[bytes]"], bytes]]


class Rewriting(NamedTuple):
    """What is rewritten, and how. `lines`: whether a value may go on in the next line."""

    pattern: re.Pattern[bytes]
    spell: Spell
    lines: bool = False


def _number(match: re.Match[bytes]) -> bytes:
    """The character with the (hexadecimal) number in the first group that took part."""
    digits = next(group for group in match.groups() if group)
    return bytes((int(digits, 16),))


def _entity(match: re.Match[bytes]) -> bytes:
    hexadecimal, decimal, name = match.groups()
    if name:
        return html5[name.decode("ascii")].encode()
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return bytes((number,)) if 9 <= number < 127 else match[0]


_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _json(match: re.Match[bytes]) -> bytes:
    what: bytes = match[1]
    return bytes((int(what[3:], 16),)) if len(what) == 5 else _CONTROLS.get(what, what)


REWRITINGS = {
    "percent": Rewriting(re.compile(rb"%(?:25)*([2-7][0-9A-Fa-f]|0[9aAdD])"), _number),
    "escape": Rewriting(re.compile(rb"\\+(?:u00|x)([0-7][0-9A-Fa-f])"), _number),
    "html": Rewriting(re.compile(rb"&(?:#[xX]0{0,4}([0-9A-Fa-f]{1,2})|#0{0,4}([0-9]{1,3})|((?:quot|amp|lt|gt|apos|sol|colon|equals|lowbar|commat|plus);));?"), _entity),
    # all backslashes in a row belong to one escape: each further level of JSON doubles them
    "json-string": Rewriting(re.compile(rb"\\+([nrt/\"]|u00(?:[2-7][0-9a-fA-F]))"), _json),
    "quoted-printable": Rewriting(re.compile(rb"=(?:\r?\n|([2-7][0-9A-F]|0[9AD]))"), lambda match: _number(match) if match[1] else b"", lines=True),
    "invisible": Rewriting(re.compile(rb"\x1b\[[0-9;]{0,12}m|\xe2\x80[\x8b-\x8f]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad"), b""),
    "joined": Rewriting(
        re.compile(rb"[\"'`]\s{0,80}(?:(?:\+|\.\.?|&|\\\r?\n)\s{0,80})?[rbuf]?[\"'`]|(?<=[A-Za-z0-9_.-])\\\r?\n[ \t]*(?=[A-Za-z0-9_-]|\Z)"), b"", lines=True
    ),
    "wrapped": Rewriting(re.compile(rb"(?<=[A-Za-z0-9_.-])(?:\r?\n)(?=[A-Za-z0-9_.-]|\Z)"), b"", lines=True),
}  # fmt: skip


PIECES = ("joined", "wrapped", "invisible")
"""Those that put a value together, and do not write any byte of it otherwise."""


def decode(text: bytes, name: str) -> bytes:
    """The bytes of a value as they are meant."""
    rewriting = REWRITINGS[name]
    return rewriting.pattern.sub(rewriting.spell, text)


class Rewritten:
    """A layer over a stretch of the source from `start` to `end`."""

    partial = True

    def __init__(self, data: bytes, start: int, end: int, name: str) -> None:
        self.name = name
        self.start = start
        self.end = end
        self.text = decode(data[start:end], name)
        self._data = data
        self._units: list[Unit] = []
        self._begins: list[int] = []

    def unit(self, offset: int) -> Unit:
        if not self._units:
            self._units = list(self._changed())
            self._begins = [unit.start for unit in self._units]
        at = bisect_right(self._begins, offset) - 1
        if at >= 0 and offset < self._units[at].end:
            return self._units[at]
        source = self._units[at].source_end + offset - self._units[at].end if at >= 0 else self.start + offset
        return Unit(offset, offset + 1, source, source + 1)

    def _changed(self) -> Iterable[Unit]:
        """What was rewritten, in order. What was left out altogether has no bytes of its own and is passed over."""
        rewriting = REWRITINGS[self.name]
        piece = self._data[self.start : self.end]
        grown = 0
        for match in rewriting.pattern.finditer(piece):
            spell = rewriting.spell
            size = len(spell if isinstance(spell, bytes) else spell(match))
            start = match.start() + grown
            grown += size - (match.end() - match.start())
            yield Unit(start, start + size, self.start + match.start(), self.start + match.end())


def stretches(data: bytes, ends: Iterable[int], name: str) -> list[tuple[int, int]]:
    """The stretches around the hits, ascending, none touching another."""
    lines = REWRITINGS[name].lines
    back, forward = (PIECES_BACK, PIECES_FORWARD) if name in PIECES else (BACK, FORWARD)
    found: list[tuple[int, int]] = []
    for at in ends:
        if found and at + forward // 2 < found[-1][1]:
            continue
        low, high = max(0, at - back), min(len(data), at + forward)
        if not lines:
            low = max(low, data.rfind(b"\n", low, at) + 1)
            newline = data.find(b"\n", at, high)
            high = newline if newline >= 0 else high
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
            continue
        found.append((_outwards(data, low), high))
    return found


def _outwards(data: bytes, low: int) -> int:
    """A place near `low` that is not inside a word: the end of half a value must not be taken for one."""
    if low == 0 or data[low - 1 : low] == b"\n":
        return low
    border = _BORDERS.search(data, low, low + 256)
    return border.end() if border else low
