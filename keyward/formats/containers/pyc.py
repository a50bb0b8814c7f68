"""Constants of compiled Python modules. They stand as they are, but without anything between them: the type of the next one, a letter, would be
taken for the end of a value. So each is given by itself.

The file is read as marshal writes it (Python/marshal.c; the fields of a code object as in 3.8 to 3.14), and nothing of it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyward.formats.opened import SEPARATOR, Container, Pack, Piece, Record

LARGEST = 32 << 20
MOST = 2_000_000
"""Values in a file."""

SHORTEST = 6
"""Bytes below which a constant holds no secret."""

_SIZES = {b"i": 4, b"I": 8, b"g": 8, b"y": 16, b"r": 4}
_NOTHING = b"NFTS.0"
_LONG_TEXTS, _SHORT_TEXTS = b"stuaA", b"zZ"


class PycOpener:
    name = "compiled Python module"
    replaces_raw = False

    def open(self, container: Container) -> Iterator[Piece]:
        data = container.file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError("larger than any module")
        texts: list[bytes] = []
        starts: list[int] = []
        places: list[int] = []
        size = 0
        for place, text in _texts(data):
            texts.append(text)
            starts.append(size)
            places.append(place)
            size += len(text) + len(SEPARATOR)
        if texts:
            yield Pack(SEPARATOR.join(texts), starts, lambda number: Record(f"constant at byte {places[number]}"))


def _texts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The texts and byte strings, with where they stand. Raises ValueError where it is no marshalled value.

    `pending`: values that are to come, innermost last: how many, or -1 for a dictionary, which says when it ends; and what a code object
    has between its values: bytes to pass over (as a negative number below -1)."""
    version = int.from_bytes(data[:2], "little")
    at = 16 if version >= 3392 else 12
    pending = [1]
    seen = 0
    while pending:
        if pending[-1] < -1:
            at += -pending.pop() - 1
            continue
        if pending[-1] == 0:
            pending.pop()
            continue
        seen += 1
        if at >= len(data) or seen > MOST:
            raise ValueError("damaged: it ends before its end" if at >= len(data) else "damaged: it has no end")
        kind = bytes((data[at] & 0x7F,))
        at += 1
        if kind == b"0":  # the end of a dictionary
            pending.pop()
            continue
        if pending[-1] > 0:
            pending[-1] -= 1
        if kind in _SIZES:
            at += _SIZES[kind]
        elif kind in _LONG_TEXTS or kind in _SHORT_TEXTS:
            width = 1 if kind in _SHORT_TEXTS else 4
            length = int.from_bytes(data[at : at + width], "little")
            at += width
            if at + length > len(data):
                raise ValueError("damaged: a text goes beyond the end")
            if length >= SHORTEST:
                yield at, data[at : at + length]
            at += length
        elif kind in b"([<>":
            pending.append(int.from_bytes(data[at : at + 4], "little"))
            at += 4
        elif kind == b")":
            pending.append(data[at] if at < len(data) else 0)
            at += 1
        elif kind == b"{":
            pending.append(-1)
        elif kind == b"c":
            at += _enter_code(version, pending)
        elif kind == b"l":
            at += 4 + 2 * abs(int.from_bytes(data[at : at + 4], "little", signed=True))
        elif kind == b"f":
            at += 1 + (data[at] if at < len(data) else 0)
        elif kind == b"x":
            for _ in range(2):
                at += 1 + (data[at] if at < len(data) else 0)
        elif kind == b":":
            pending.append(3)
        elif kind not in _NOTHING:
            raise ValueError("damaged: a value of no known type")


def _enter_code(version: int, pending: list[int]) -> int:
    """Notes the values of a code object; how many bytes of numbers come first."""
    if version >= 3450:  # 3.11: two tables after the line number
        pending += [2, -5, 8]
        return 20
    pending += [1, -5, 8]  # the line number, four bytes, stands before the last one
    return 24 if version >= 3410 else 20
