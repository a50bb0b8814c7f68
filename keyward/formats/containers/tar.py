"""tar archives of every kind that the standard library reads, and the images that container programs save as such.

The library is kept from what is known to hurt it: sizes below zero lead it round in a circle (CPython issue 130577), a long run of digits in
a PAX header costs the square of its length (issue 121285), and headers of any size are read whole. It collects its members; they
are dropped as they come.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator
from typing import IO, Any, BinaryIO

from keyward.formats.containers.names import Others, moment
from keyward.formats.opened import Container, Member, Piece, Unread

LONGEST_HEADER = 1 << 20
"""Bytes of a PAX header or a long name."""

HEADERS_WITH_DATA = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_MANY_DIGITS = re.compile(rb"[0-9]{21}")


LONGEST_STEP = 16 << 20
"""Bytes read from one member's header to its data: a map of a sparse file may be long, and is held."""


class _Watched:
    """The file as the library reads it. `careful`: the next read is that of a header's data. `left`: bytes that may be read before the
    next member. `end`: what ended the archive; the library is silent about a header that is damaged or cut off."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.careful = False
        self.left = LONGEST_STEP
        self.end = "it has no end mark"

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise ValueError("damaged: headers without end")
        if self.careful:
            self.careful = False
            if _MANY_DIGITS.search(data):
                raise ValueError("damaged: a header with a number that is none")
        return data


def _header_of(file: _Watched) -> type[tarfile.TarInfo]:
    """The library's class for a header, which refuses what would lead it astray."""

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Any:
            try:
                header = super().frombuf(buf, encoding, errors)
            except tarfile.TarError as error:
                file.end = "" if type(error).__name__ == "EOFHeaderError" else str(error)
                raise
            if header.size < 0:
                raise ValueError("damaged: a size below zero")
            if header.type in HEADERS_WITH_DATA:
                if header.size > LONGEST_HEADER:
                    raise ValueError("damaged: a header larger than 1 MB")
                file.careful = header.type in HEADERS_WITH_DATA[:3]
            return header

    return Header


class TarOpener:
    """Members in the order of the file. Links and devices have nothing to be read; their names stand in the raw bytes."""

    name = "tar archive"
    replaces_raw = False
    forward = True
    leftovers = "between the members"

    def open(self, container: Container) -> Iterator[Piece]:
        file = container.file
        seekable = file.seekable()
        renamed: dict[str, str] = {}
        if seekable:
            from keyward.formats.containers import docker_image

            renamed = docker_image.names(lambda: headers(file, True))
            file.seek(0)
        for header, opened in headers(file, seekable):
            name = renamed.get(header.name.removeprefix("./"), header.name)
            if opened is None:
                yield Unread(name, "damaged: it says that it is larger than it can be")
                return
            plain = seekable and not header.issparse()
            read = Slice(file, header.offset_data, header.size).read if plain else reading(opened)
            yield Member(name, read, moment(header.mtime), packed=header.size)


def headers(file: BinaryIO, seekable: bool) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """The regular files of an archive, with what reads them (None where a size is beyond belief). Raises ValueError where it is damaged."""
    watched = _Watched(file)
    mode: Any = "r:" if seekable else "r|"
    others = Others()
    last = -1
    try:
        with tarfile.open(
            fileobj=watched,  # type: ignore[call-overload]
            mode=mode,
            tarinfo=_header_of(watched),
            encoding="utf-8",
            errors="surrogateescape",
            bufsize=1 << 18,
        ) as archive:
            while (header := archive.next()) is not None:
                archive.members = []
                watched.left = 1 << 62  # its data come through the same file
                if header.size < 0 or header.offset <= last or header.size > 1 << 60:
                    yield header, None
                    return
                last = header.offset
                if header.isreg():
                    yield header, archive.extractfile(header)
                else:
                    others.count()
                watched.left = LONGEST_STEP if seekable else 1 << 62
    except tarfile.TarError as error:
        raise ValueError(f"damaged, or cut off: {str(error)[:100] or type(error).__name__}") from None
    if watched.end:
        raise ValueError(f"damaged, or cut off: {watched.end[:100]}")


class Slice:
    """Bytes of a file, so many from a place on, as far as they are there: the library gives nothing of a member that is cut off."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._at = start
        self._left = size

    def read(self, size: int) -> bytes:
        """Up to so many bytes, none at the end. Raises ValueError where the file ends before it."""
        self._file.seek(self._at)
        piece = self._file.read(min(size, self._left))
        self._at += len(piece)
        self._left -= len(piece)
        if not piece and self._left and size:
            raise ValueError("cut off: it ends before its end")
        return piece


def reading(opened: IO[bytes] | None) -> Callable[[int], bytes]:
    """A reader that says where a member ends before its end, which the library tells by another error."""

    def read(size: int) -> bytes:
        assert opened is not None
        try:
            return opened.read(size)
        except tarfile.TarError as error:
            raise ValueError(f"cut off: {str(error)[:100]}") from None

    return read
