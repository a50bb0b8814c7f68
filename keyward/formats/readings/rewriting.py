"""Rewritings by a regular expression, and views of a whole source or of the stretches where there is something to rewrite."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from typing import Union

from keyward.formats.opened import SEPARATOR
from keyward.formats.views import Runs, Step, View, Window

Spell = Union[bytes, Callable[["re.Match[bytes]"], bytes]]
"""What stands in place of a match: fixed bytes without a backslash (rewritten at the speed of C), or what a call answers."""

CONTEXT = 2048
"""Bytes of the source on either side of what is rewritten that are looked through with it, where not the whole source is."""

_BORDERS = (b"\n", b'"', b" ", b"\t")


class Substitution:
    """Each match of a pattern stands for other bytes, or for none. `loose`: the pattern where only a value's own bytes are at hand,
    for patterns that look around themselves."""

    def __init__(self, pattern: bytes, spell: Spell, loose: bytes = b"") -> None:
        self._pattern = re.compile(pattern)
        self._loose = re.compile(loose) if loose else self._pattern
        self._spell = spell

    def apply(self, data: bytes) -> bytes:
        return self._pattern.sub(self._spell, data)

    def decode(self, span: bytes) -> bytes:
        return self._loose.sub(self._spell, span)

    def runs(self, data: bytes) -> Runs:
        spell = self._spell
        fixed = len(spell) if isinstance(spell, bytes) else -1
        text, source, ends = array("q"), array("q"), array("q")
        at = size = 0
        for match in self._pattern.finditer(data):  # written out: a log has a million of them
            start, end = match.span()
            if start > at:
                text.append(size)
                source.append(at)
                ends.append(start)
                size += start - at
            width = fixed if fixed >= 0 else len(spell(match))  # type: ignore[operator]  # it is a call where nothing is fixed
            if width:
                text.append(size)
                source.append(start)
                ends.append(end)
                size += width
            at = end
        if at < len(data):
            text.append(size)
            source.append(at)
            ends.append(len(data))
        return Runs(text, source, ends, size + len(data) - at)


class RunsUnderWay:
    """Collects runs in the order of the text."""

    def __init__(self) -> None:
        self._text, self._source, self._end = array("q"), array("q"), array("q")
        self._size = 0

    def copy(self, start: int, end: int) -> None:
        """The source's bytes from `start` to `end`, as they are."""
        self.stand(end - start, start, end)

    def stand(self, size: int, start: int, end: int) -> None:
        """So many bytes of text for the source's from `start` to `end`."""
        if size > 0:
            self._text.append(self._size)
            self._source.append(start)
            self._end.append(end)
            self._size += size

    def runs(self) -> Runs:
        return Runs(self._text, self._source, self._end, self._size)


def whole_view(encoding: str, steps: Sequence[Step], data: bytes) -> View | None:
    """The whole source rewritten; None if nothing in it changes."""
    text = data
    for step in steps:
        text = step.apply(text)
    if text == data:
        return None
    return View(encoding, text, data, [Window(0, 0, len(data))], steps)


def view_around(encoding: str, steps: Sequence[Step], triggers: Sequence[re.Pattern[bytes]], data: bytes) -> View | None:
    """Only the stretches around the matches of the triggers; None if there is none. Each trigger begins with a fixed byte, so that
    a search goes from one such byte to the next."""
    pieces: list[bytes] = []
    windows: list[Window] = []
    size = 0
    for low, high in _stretches(triggers, data):
        text = data[low:high]
        for step in steps:
            text = step.apply(text)
        if pieces:
            pieces.append(SEPARATOR)
            size += len(SEPARATOR)
        windows.append(Window(size, low, high))
        pieces.append(text)
        size += len(text)
    return View(encoding, b"".join(pieces), data, windows, steps) if windows else None


def _stretches(triggers: Sequence[re.Pattern[bytes]], data: bytes) -> list[tuple[int, int]]:
    """Bounds of the stretches, ascending, none touching another."""
    around = [bounds for trigger in triggers for bounds in _around(trigger, data)]
    return _apart(sorted((_border_before(data, low), _border_after(data, high)) for low, high in around))


def _around(trigger: re.Pattern[bytes], data: bytes) -> list[tuple[int, int]]:
    """Bounds around the matches of one trigger. After a match the search goes on half a context later: what lies between is within
    the stretch anyway, so a file full of matches costs one step a kilobyte."""
    found: list[tuple[int, int]] = []
    match = trigger.search(data)
    while match is not None:
        low, high = max(0, match.start() - CONTEXT), min(len(data), match.end() + CONTEXT)
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
        match = trigger.search(data, match.end() + CONTEXT // 2)
    return found


def _apart(bounds: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches without those that grew into each other."""
    joined: list[tuple[int, int]] = []
    for low, high in bounds:
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _border_before(data: bytes, at: int) -> int:
    """A place at or before `at` that is not inside a word: half a value must not be taken for one."""
    if at <= 0:
        return 0
    found = max(data.rfind(border, max(0, at - CONTEXT), at) for border in _BORDERS)
    return found + 1 if found >= 0 else at


def _border_after(data: bytes, at: int) -> int:
    if at >= len(data):
        return len(data)
    found = [place for border in _BORDERS if (place := data.find(border, at, at + CONTEXT)) >= 0]
    return min(found) if found else at
