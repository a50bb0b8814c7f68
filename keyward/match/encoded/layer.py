"""A decoded text that leads back to the bytes that it stands for.

A layer knows its *units*: the smallest stretches of the source that can be decoded by themselves (four characters of base64, one escape, the whole of a
packed text). A value begins and ends somewhere within a unit, so its place is given by whole units, with how many decoded bytes are cut off
at either end: `base64[1:-2]`. Layers within layers are joined by `+`, the outermost first: `base64+gzip[120:-7]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from bisect import bisect_right
from typing import NamedTuple, Protocol


class Unit(NamedTuple):
    """`start`, `end`: of the decoded bytes; `source_start`, `source_end`: of what they were decoded from."""

    start: int
    end: int
    source_start: int
    source_end: int


class Layer(Protocol):
    """`name`: of the encoding, as in a locator. `text`: what is to be looked through."""

    @property
    def name(self) -> str: ...

    @property
    def text(self) -> bytes: ...

    def unit(self, offset: int) -> Unit:
        """The unit that the byte at an offset of `text` comes from."""
        ...


class Place(NamedTuple):
    """Where a value stands in the source, and the name of what gives it back."""

    start: int
    end: int
    encoding: str


def place(layer: Layer, start: int, end: int) -> Place:
    """The place of the bytes from `start` to `end` of a layer's text."""
    first = layer.unit(start)
    last = layer.unit(max(start, end - 1))
    cut = sliced(start - first.start, max(0, last.end - end))
    return Place(first.source_start, last.source_end, layer.name + cut)


def through(layers: Iterable[Layer], start: int, end: int) -> Place:
    """The same through several layers, the innermost first."""
    names: list[str] = []
    for layer in layers:
        start, end, name = place(layer, start, end)
        names.append(name)
    return Place(start, end, "+".join(reversed(names)))


def sliced(first: int, last: int) -> str:
    """How many bytes are cut off, as Python writes it; nothing if none are."""
    if not first and not last:
        return ""
    return f"[{first or ''}:{-last if last else ''}]"


_STEP = re.compile(r"([a-z0-9-]+)(?:\[([0-9]*):(?:-([0-9]+))?\])?")


class Step(NamedTuple):
    """One step of an encoding's name."""

    name: str
    first: int
    last: int


def steps(encoding: str) -> list[Step]:
    """The steps of an encoding's name, outermost first; none if it is not of that form."""
    found = [_STEP.fullmatch(step) for step in encoding.split("+")]
    return [Step(each[1], int(each[2] or 0), int(each[3] or 0)) for each in found if each] if all(found) else []


class Pieces:
    """A layer made of pieces in order. A piece whose decoded length is that of its source is byte for byte the same, unless it is `whole`."""

    def __init__(self, name: str, pieces: Sequence[tuple[bytes, int, int]]) -> None:
        self.name = name
        self.text = b"".join(text for text, _, _ in pieces)
        self._pieces = pieces
        self._starts: list[int] = []

    def unit(self, offset: int) -> Unit:
        if not self._starts:
            at = 0
            for text, _, _ in self._pieces:
                self._starts.append(at)
                at += len(text)
        index = bisect_right(self._starts, offset) - 1
        text, low, high = self._pieces[index]
        start = self._starts[index]
        if len(text) == high - low:
            source = low + offset - start
            return Unit(offset, offset + 1, source, source + 1)
        return Unit(start, start + len(text), low, high)
