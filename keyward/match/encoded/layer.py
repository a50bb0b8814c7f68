"""A decoded text that leads back to the bytes that it stands for.

A layer knows its *units*: the smallest stretches of the source that can be decoded by themselves (four characters of base64, one escape, the whole of a
packed text). A value begins and ends somewhere within a unit, so its place is given by whole units, with how many decoded bytes are cut off
at either end: `base64[1:-2]`. Layers within layers are joined by `+`, the outermost first: `base64+gzip[120:-7]`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol


class Unit(NamedTuple):
    """`start`, `end`: of the decoded bytes; `source_start`, `source_end`: of what they were decoded from."""

    start: int
    end: int
    source_start: int
    source_end: int


class Layer(Protocol):
    """`name`: of the encoding, as in a locator. `text`: what is to be looked through. `partial`: whether bytes may stand in the source as they
    are (those that have to be written otherwise never take one byte each)."""

    @property
    def name(self) -> str: ...

    @property
    def text(self) -> bytes: ...

    @property
    def partial(self) -> bool: ...

    def unit(self, offset: int) -> Unit:
        """The unit that the byte at an offset of `text` comes from."""
        ...


class Place(NamedTuple):
    """Where a value stands in the source, and the name of what gives it back."""

    start: int
    end: int
    encoding: str


def place(layer: Layer, start: int, end: int) -> Place:
    """The place of the bytes from `start` to `end` of a layer's text. Without a name where they stand in the source as they are."""
    first = layer.unit(start)
    last = layer.unit(max(start, end - 1))
    if layer.partial and last.source_end - first.source_start == end - start:
        return Place(first.source_start, last.source_end, "")
    cut = sliced(start - first.start, max(0, last.end - end))
    return Place(first.source_start, last.source_end, layer.name + cut)


def through(layers: Iterable[Layer], start: int, end: int) -> Place:
    """The same through several layers, the innermost first."""
    names: list[str] = []
    for layer in layers:
        start, end, name = place(layer, start, end)
        if name:
            names.append(name)
    return Place(start, end, "+".join(reversed(names)) or "raw")


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
    """A layer made of pieces in order: a decoded text each, with the bounds of what it stands for. Each is one unit."""

    partial = False

    def __init__(self, name: str, pieces: Sequence[tuple[bytes, int, int]]) -> None:
        self.name = name
        self.text = b"".join(text for text, _, _ in pieces)
        self._units: list[Unit] = []
        at = 0
        for text, low, high in pieces:
            self._units.append(Unit(at, at + len(text), low, high))
            at += len(text)
        self._begins = [unit.start for unit in self._units]

    def unit(self, offset: int) -> Unit:
        return self._units[bisect_right(self._begins, offset) - 1]


class Tail:
    """A layer without the beginning of its text, and cut off at its end."""

    def __init__(self, layer: Layer, first: int, end: int) -> None:
        self.name = layer.name
        self.partial = layer.partial
        self.text = layer.text[first:end]
        self._layer = layer
        self._first = first

    def unit(self, offset: int) -> Unit:
        unit = self._layer.unit(offset + self._first)
        return unit._replace(start=unit.start - self._first, end=unit.end - self._first)
