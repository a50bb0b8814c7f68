"""Values of a program (texts, containers, objects) looked at as one text, and put together again without what had to go.

One look at everything that belongs together costs less than one at each piece, and sees more: a name says what the value beside it is,
and a value that was recognised in one place is recognised in all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from keyward.scrub.encodings import SHORTEST
from keyward.scrub.redactor import Redaction, Style, replacement

DEEPEST = 16
"""Containers within containers that are looked into."""

MOST = 10_000
"""Values of one document."""

LONGEST_NAME = 12
"""Characters of a key from which on it might be a secret itself, and is looked at as a value too."""

MOST_ECHOES = 256
"""Different secrets of one document that are looked for everywhere in it: the time for it grows with their number."""

TOO_MUCH = "[keyward: withheld: nested too deep, or too many values to be looked at]"

PLAIN = frozenset((int, float, bool, complex, type(None)))
"""Types without a text that could hold a secret."""

_LISTED = (list, tuple, set, frozenset, deque)

Pieces = Sequence[bytes | None]
"""What each piece of a document became; None for one that stays as it is. Empty where all of them stay."""


class Node(Protocol):
    """A value in a document."""

    def rebuilt(self, pieces: Pieces) -> Any:
        """The value without what had to go: the very same object where nothing had to."""


class Document:
    """Collects pieces of text. `too_much`: whether something in it was beyond the limits, and is withheld."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._borders: list[tuple[int, int]] = []
        self._at = 0
        self._values = 0
        self.too_much = False

    def __len__(self) -> int:
        return len(self._pieces)

    def text(self, value: str | bytes, name: str = "") -> int:
        """Adds a text; answers its number. `name`: what it is called where it stands, which says a lot about it."""
        own = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        before = f'{name}="'.encode("utf-8", "surrogatepass") if name else b""
        start = self._at + len(before)
        self._borders.append((start, start + len(own)))
        piece = b'%b%b"' % (before, own) if name else own
        self._pieces.append(piece)
        self._at += len(piece) + 1
        return len(self._pieces) - 1

    def node(self, value: Any, name: str = "", depth: int = 0) -> Node:
        """Adds a value of any type: texts and bytes as they are, containers with what is in them, other objects by `str()`.

        Raises what an object's `str()` raises.
        """
        kind = type(value)
        if kind in PLAIN:
            return _Same(value)
        self._values += 1
        if depth > DEEPEST or self._values > MOST:
            self.too_much = True
            return _Same(TOO_MUCH)
        if isinstance(value, str):
            return _Text(value, self.text(str(value), name))
        if isinstance(value, (bytes, bytearray)):
            return _Bytes(value, self.text(bytes(value), name))
        if isinstance(value, Mapping):
            return _Mapped(value, [(self.key(key, depth), self._member(key, item, depth)) for key, item in list(value.items())])
        if isinstance(value, _LISTED):
            return _Listed(value, [self.node(item, name, depth + 1) for item in list(value)])
        return _Text(value, self.text(str(value), name))

    def key(self, key: Any, depth: int = 0) -> Node:
        """Adds a key of a container, where it might be a secret itself."""
        return self.node(key, "", depth + 1) if not isinstance(key, str) or len(key) >= LONGEST_NAME else _Same(key)

    def _member(self, key: Any, value: Any, depth: int) -> Node:
        return self.node(value, key if type(key) is str else "", depth + 1)

    def data(self) -> bytes:
        """All pieces, one a line (or several)."""
        return b"\n".join(self._pieces)

    def values(self) -> list[bytes]:
        """Each piece by itself, without its name."""
        data = self.data()
        return [data[start:end] for start, end in self._borders]

    def without(self, redactions: Sequence[Redaction], style: Style) -> Pieces:
        """The pieces without what these take out of `data()`."""
        data = self.data()
        redactions = _with_echoes(data, redactions) if len(self._pieces) > 1 else redactions
        pieces: list[bytes | None] = []
        first = 0
        for start, end in self._borders:
            while first < len(redactions) and redactions[first].end <= start:
                first += 1
            inside = []
            for each in redactions[first:]:
                if each.start >= end:
                    break
                inside.append(each._replace(start=max(each.start, start) - start, end=min(each.end, end) - start))
            pieces.append(taken_out(data[start:end], inside, style) if inside else None)
        return pieces


def taken_out(data: bytes, redactions: Sequence[Redaction], style: Style) -> bytes:
    """A text without them. What is left is UTF-8 where it was: a character goes as a whole."""
    pieces: list[bytes] = []
    at = 0
    for each in redactions:
        start, end = each.start, each.end
        while start > at and data[start] & 0xC0 == 0x80:
            start -= 1
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        start = max(start, at)
        pieces += (data[at:start], replacement(each, data[start:end], style))
        at = max(at, end)
    pieces.append(data[at:])
    return b"".join(pieces)


def _with_echoes(data: bytes, redactions: Sequence[Redaction]) -> list[Redaction]:
    """Them, and every other place where the same values stand."""
    values = {data[each.start : each.end]: each for each in redactions if each.end - each.start >= SHORTEST}
    found = list(redactions)
    for value, first in list(values.items())[:MOST_ECHOES]:
        at = data.find(value)
        while at >= 0:
            found.append(first._replace(start=at, end=at + len(value)))
            at = data.find(value, at + len(value))
    merged: list[Redaction] = []
    for each in sorted(found, key=lambda r: (r.start, -r.end)):
        if merged and each.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, each.end))
        else:
            merged.append(each)
    return merged


def decoded(piece: bytes) -> str:
    """A text again. Lone surrogates survive; what is no UTF-8 is replaced."""
    try:
        return piece.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return piece.decode("utf-8", "replace")


class _Same(NamedTuple):
    value: Any

    def rebuilt(self, pieces: Pieces) -> Any:
        return self.value


class _Text(NamedTuple):
    value: Any
    number: int

    def rebuilt(self, pieces: Pieces) -> Any:
        piece = pieces[self.number] if pieces else None
        return self.value if piece is None else decoded(piece)


class _Bytes(NamedTuple):
    value: bytes | bytearray
    number: int

    def rebuilt(self, pieces: Pieces) -> Any:
        piece = pieces[self.number] if pieces else None
        return self.value if piece is None else type(self.value)(piece)


class _Mapped(NamedTuple):
    value: Mapping[Any, Any]
    members: list[tuple[Node, Node]]

    def rebuilt(self, pieces: Pieces) -> Any:
        rebuilt = {key.rebuilt(pieces): node.rebuilt(pieces) for key, node in self.members}
        same = len(rebuilt) == len(self.value) and all(
            key in self.value and self.value[key] is item for key, item in rebuilt.items()
        )
        return self.value if same else rebuilt


class _Listed(NamedTuple):
    value: Any
    members: list[Node]

    def rebuilt(self, pieces: Pieces) -> Any:
        rebuilt = [node.rebuilt(pieces) for node in self.members]
        if all(new is old for new, old in zip(rebuilt, self.value)):
            return self.value
        if isinstance(self.value, tuple):
            make = getattr(type(self.value), "_make", tuple)
            return make(rebuilt)
        return (
            set(rebuilt)
            if isinstance(self.value, set)
            else frozenset(rebuilt)
            if isinstance(self.value, frozenset)
            else rebuilt
        )
