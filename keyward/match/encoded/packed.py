"""Text that was compressed before it was encoded: gzip, bzip2, xz, unpacked in memory up to a limit. Its unit is the whole."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any

from keyward.match.encoded.layer import Unit

MOST = 2 << 20
"""Bytes that are unpacked at most; what comes after is not looked at. A value is given back within the same limit."""

_PIECE = 1 << 14

_FORMATS: dict[str, tuple[bytes, Callable[[], Any], type[Exception]]] = {
    "gzip": (b"\x1f\x8b\x08", lambda: zlib.decompressobj(31), zlib.error),
    "bzip2": (b"BZh", bz2.BZ2Decompressor, OSError),
    "xz": (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(memlimit=64 << 20), lzma.LZMAError),
}

NAMES = tuple(_FORMATS)


def packing(text: bytes) -> str:
    """How a text is packed, by its first bytes; nothing if it is not."""
    return next((name for name, (magic, _, _) in _FORMATS.items() if text.startswith(magic)), "")


def packing_before(text: bytes, end: int) -> int:
    """Where the last beginning of something packed before an offset is; -1 if there is none."""
    return max(text.rfind(magic, 0, end) for magic, _, _ in _FORMATS.values())


def unpack(text: bytes, name: str) -> bytes:
    """What a packed text holds, as far as it can be read, up to the limit."""
    _, make, error = _FORMATS[name]
    found: list[bytes] = []
    size = 0
    try:
        unpacker = make()
        for at in range(0, len(text), _PIECE):
            waiting = text[at : at + _PIECE]
            while size < MOST and not unpacker.eof:
                piece = unpacker.decompress(waiting, MOST - size)
                found.append(piece)
                size += len(piece)
                waiting = unpacker.unconsumed_tail if name == "gzip" else b""
                if not piece or (not waiting and (name == "gzip" or unpacker.needs_input)):
                    break
            if size >= MOST or unpacker.eof:
                break
    except (error, EOFError, ValueError):  # damaged, or cut off: what came out before counts
        pass
    return b"".join(found)


class Packed:
    """A layer over the whole of a packed text."""

    partial = False

    def __init__(self, text: bytes, name: str) -> None:
        self.name = name
        self.text = unpack(text, name)
        self._size = len(text)

    def unit(self, offset: int) -> Unit:
        return Unit(0, len(self.text), 0, self._size)
