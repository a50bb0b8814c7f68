"""7z archives, by py7zr. It gives what it unpacks and cannot be asked for it, so an archive is held in memory as a whole, up to a limit."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from keyward.errors import MissingExtra
from keyward.formats.containers.names import moment
from keyward.formats.opened import Container, Member, Piece, Unread

MOST = 256 << 20
"""Bytes that an archive may unpack to."""


class SevenZipOpener:
    name = "7z archive"
    replaces_raw = True
    hangs = True

    def open(self, container: Container) -> Iterator[Piece]:
        try:
            import py7zr
        except ImportError:
            raise MissingExtra("py7zr, which reads 7z archives,", "documents") from None
        try:
            with py7zr.SevenZipFile(container.file) as archive:
                if archive.needs_password():
                    yield Unread("", "encrypted", opaque=True)
                    return
                listed = archive.list()
                since = {info.filename: moment(info.creationtime.timestamp()) for info in listed if info.creationtime}
                unpacked, problem = _unpacked(archive)
        except py7zr.exceptions.PasswordRequired:
            yield Unread("", "encrypted", opaque=True)
            return
        except py7zr.exceptions.ArchiveError as error:
            raise ValueError(f"damaged 7z archive ({str(error)[:100] or type(error).__name__})") from None
        for name, data in unpacked:
            yield Member(name, data.read, since.get(name, 0.0))
        if problem:
            yield Unread("", problem)


def _unpacked(archive: Any) -> tuple[list[tuple[str, BytesIO]], str]:
    """Names and contents, in order; and why there are no more of them, if there should be."""
    from py7zr.io import Py7zIO, WriterFactory

    class TooMuch(Exception):
        pass

    unpacked: list[tuple[str, BytesIO]] = []
    left = MOST

    class Output(Py7zIO):
        def __init__(self) -> None:
            self.data = BytesIO()

        def write(self, s: bytes | bytearray) -> int:
            nonlocal left
            left -= len(s)
            if left < 0:
                raise TooMuch
            return self.data.write(s)

        def read(self, size: int | None = None) -> bytes:
            return self.data.read(-1 if size is None else size)

        def seek(self, offset: int, whence: int = 0) -> int:
            return self.data.seek(offset, whence)

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return len(self.data.getbuffer())

    class Outputs(WriterFactory):
        def create(self, filename: str) -> Py7zIO:
            output = Output()
            unpacked.append((filename, output.data))
            return output

    problem = ""
    try:
        archive.extract(factory=Outputs())
    except TooMuch:
        problem = f"it unpacks to more than {MOST >> 20} MB; the rest was not looked at"
    except Exception as error:  # whatever the library raises on hostile bytes, what it has unpacked by then is looked at
        problem = f"damaged 7z archive ({str(error)[:100] or type(error).__name__})"
    for _, data in unpacked:
        data.seek(0)
    return unpacked, problem
