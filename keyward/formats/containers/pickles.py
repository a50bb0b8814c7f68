"""Pickles of protocol 0 and 1, in which a text is written as Python would write it: a line feed in a private key is `\\u000a`.

From protocol 2 on texts stand as they are, and the raw bytes are enough (protocol 2 to 5 frame and remember whole texts, and split none).
A pickle is a program; it is read by `pickletools`, which runs nothing.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from typing import Any

from keyward.formats.opened import SEPARATOR, Container, Pack, Piece, Record, Unread

LARGEST = 64 << 20
BATCH = 4 << 20
SURE = 20
"""Operations after which it is a pickle, and not a text that some other program calls so."""


class PickleOpener:
    name = "pickle"
    replaces_raw = False
    hangs = True

    def open(self, container: Container) -> Iterator[Piece]:
        data = container.file.read(LARGEST + 1)
        if len(data) > LARGEST:
            yield Unread("", "its texts were looked at only as they stand: larger than 64 MB", opaque=True)
            return
        if b"\\" not in data:  # nothing is written otherwise than it is
            return
        texts: list[bytes] = []
        starts: list[int] = []
        places: list[int] = []
        size = 0
        for opcode, argument, place in _operations(data):
            if isinstance(argument, str) and opcode.name in ("UNICODE", "STRING") and "\\" in _written(data, place or 0):
                value = argument.encode("utf-8", "surrogatepass")
                texts.append(value)
                starts.append(size)
                places.append(place or 0)
                size += len(value) + len(SEPARATOR)
                if size > BATCH:
                    yield _pack(texts, starts, places)
                    texts, starts, places, size = [], [], [], 0
        if texts:
            yield _pack(texts, starts, places)


def _operations(data: bytes) -> Iterator[tuple[pickletools.OpcodeInfo, Any, int | None]]:
    """Its operations. Raises ValueError where it is damaged; what is none at all, whatever its name says, has none."""
    seen = 0
    try:
        for operation in pickletools.genops(data):
            seen += 1
            yield operation
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeError):
        if seen > SURE:
            raise ValueError("damaged pickle") from None


def _written(data: bytes, place: int) -> str:
    end = data.find(b"\n", place)
    return data[place : end if end >= 0 else len(data)].decode("latin-1")


def _pack(texts: list[bytes], starts: list[int], places: list[int]) -> Pack:
    return Pack(SEPARATOR.join(texts), starts, lambda number: Record(f"text at byte {places[number]}"))
