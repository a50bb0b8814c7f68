"""Debian packages: an `ar` archive with a tar for the files and one for what the package manager wants (deb(5)).

Other ar archives hold object files, which stand as they are in the raw bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from keyward.formats.containers.names import moment, text
from keyward.formats.opened import Container, Member, Piece

HEADER = 60
"""Bytes before each member: name 16, time 12, owner 6, group 6, mode 8, size 10, two for the end, in ASCII (ar(5))."""


class ArOpener:
    name = "Debian package"
    replaces_raw = False
    forward = True

    def open(self, container: Container) -> Iterator[Piece]:
        file = container.file
        file.read(8)
        while header := file.read(HEADER):
            if len(header) < HEADER or header[58:] != b"`\n":
                raise ValueError("damaged, or cut off: a header is not one")
            size = int(header[48:58])
            if size < 0:
                raise ValueError("damaged: a size below zero")
            section = Section(file, size)
            written = header[16:28].strip()
            since = moment(int(written)) if written.isdigit() else 0.0
            yield Member(text(header[:16].rstrip().rstrip(b"/")), section.read, since, packed=size)
            section.skip()
            if size % 2:
                file.read(1)


class Section:
    """The next bytes of a file, so many of them."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        """Up to so many bytes, none at the end. Raises ValueError where the file ends before it."""
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        if not piece and self._left and size:
            self._left = 0
            raise ValueError("it ends before its end (truncated)")
        return piece

    def skip(self) -> None:
        """Passes over what was not read."""
        while self._left and self.read(1 << 18):
            pass
