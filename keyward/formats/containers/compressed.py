"""One file packed by gzip, bzip2, xz, lzma, zlib or zstandard: one member without a name, for it is the same file.

Several streams one after the other are one file, as the programs themselves read them (RFC 1952 section 2.2; the xz format, section 2;
RFC 8878 section 3). What stands behind the last one and is no stream makes the file damaged.
"""

from __future__ import annotations

import bz2
import lzma
import zlib as _zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from keyward.formats.opened import Container, Member, Opener, Piece

zlib: Any
try:  # three times as fast, and the same interface; it has no wheels for some platforms
    from isal import isal_zlib as zlib
except ImportError:
    zlib = _zlib

STEP = 1 << 18
"""Bytes of the packed file that are taken at a time."""

ZSTANDARD_STEP = 1 << 11
"""The same for zstandard, whose library gives all output of its input at once: at most 128 KB for 4 bytes."""

MEMORY = 256 << 20
"""Bytes that a decompressor may take for its dictionary; the format lets a file of 20 bytes ask for 4 GB."""

WINDOW = 128 << 20
"""The same for zstandard: what its own program allows without being told otherwise."""


class CompressedOpener:
    """`streams`: from the packed file to a reader of what is in it."""

    replaces_raw = True
    forward = True

    def __init__(self, name: str, streams: Callable[[BinaryIO], Callable[[int], bytes]]) -> None:
        self.name = name
        self._streams = streams

    def open(self, container: Container) -> Iterator[Piece]:
        yield Member("", self._streams(container.file))


def opener(what: str) -> Opener:
    """The opener for `gzip`, `bzip2`, `xz`, `lzma`, `zlib` or `zstandard`."""
    return CompressedOpener(what, lambda file: _Streams(file, what).read)


def reader(what: str, file: BinaryIO) -> Callable[[int], bytes]:
    """What is in a packed stream, for formats that have one inside."""
    return _Streams(file, what).read


class _Inflate:
    """zlib's object with the interface of the two others."""

    def __init__(self, wbits: int) -> None:
        self._object = zlib.decompressobj(wbits)
        self.needs_input = True

    def decompress(self, data: bytes, limit: int) -> bytes:
        held = self._object.unconsumed_tail
        result: bytes = self._object.decompress(held + data if held else data, limit)
        # a full buffer may hide more output even where all input is taken
        self.needs_input = not self._object.unconsumed_tail and len(result) < limit
        return result

    @property
    def eof(self) -> bool:
        return bool(self._object.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._object.unused_data)


class _Zstandard:
    """The library's object with the interface of the others. Its stream reader would end at a cut like at an end."""

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._object = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
        self._data = b""
        self._output = memoryview(b"")

    def decompress(self, data: bytes, limit: int) -> bytes:
        self._data += data
        while not self._output and self._data and not self._object.eof:
            step, self._data = self._data[:ZSTANDARD_STEP], self._data[ZSTANDARD_STEP:]
            try:
                self._output = memoryview(self._object.decompress(step))
            except self._error as error:
                raise ValueError(f"damaged zstandard data ({_first(error)})") from None
        piece, self._output = bytes(self._output[:limit]), self._output[limit:]
        return piece

    @property
    def needs_input(self) -> bool:
        return not self._output and not self._data

    @property
    def eof(self) -> bool:
        return self._object.eof and not self._output

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data + self._data


_MAKE: dict[str, Callable[[], Any]] = {
    "gzip": lambda: _Inflate(31),
    "zlib": lambda: _Inflate(15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MEMORY),
    "zstandard": _Zstandard,
}
_STARTS = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0", "zstandard": b"\x28\xb5\x2f\xfd"}
_SKIPPABLE = b"\x2a\x4d\x18"
"""Bytes 1 to 3 of a zstandard frame that holds no data; byte 0 is 0x50 to 0x5f, and its length stands behind."""


class _Streams:
    """Reads the streams of a file as one. Raises ValueError where it is damaged or ends before it should."""

    def __init__(self, file: BinaryIO, what: str) -> None:
        self._file = file
        self._what = what
        self._stream = _MAKE[what]()
        self._ended = False

    def read(self, size: int) -> bytes:
        while not self._ended:
            try:
                piece: bytes = self._step(size)
            except (OSError, zlib.error, _zlib.error, lzma.LZMAError, EOFError) as error:
                self._ended = True
                raise ValueError(f"damaged {self._what} data ({_first(error)})") from None
            if piece:
                return piece
        return b""

    def _step(self, size: int) -> bytes:
        if self._stream.eof:
            return self._next(self._stream.unused_data)
        data = self._file.read(STEP) if self._stream.needs_input else b""
        if self._stream.needs_input and not data:
            self._ended = True
            raise ValueError(f"{self._what} data that ends before its end (truncated)")
        piece: bytes = self._stream.decompress(data, size)
        return piece

    def _next(self, rest: bytes) -> bytes:
        """Begins the stream that follows, if one does. Zeros between and behind are padding."""
        while True:
            while not rest.strip(b"\0"):
                rest = self._file.read(STEP)
                if not rest:
                    self._ended = True
                    return b""
            rest = rest.lstrip(b"\0")
            if len(rest) < 8:
                rest += self._file.read(STEP)
            if self._what != "zstandard" or rest[1:4] != _SKIPPABLE or rest[0] & 0xF0 != 0x50:
                break
            rest = self._behind(rest, 8 + int.from_bytes(rest[4:8], "little"))
        start = _STARTS.get(self._what)
        if start is None or not rest.startswith(start):
            self._ended = True
            raise ValueError(f"something other than {self._what} follows the {self._what} data")
        self._stream = _MAKE[self._what]()
        piece: bytes = self._stream.decompress(rest, STEP)
        return piece

    def _behind(self, rest: bytes, count: int) -> bytes:
        """What follows that many bytes."""
        while len(rest) < count:
            count -= len(rest)
            rest = self._file.read(STEP)
            if not rest:
                return b""
        return rest[count:]


def _first(error: Exception) -> str:
    return str(error).partition("\n")[0][:100] or type(error).__name__
