"""cpio archives in ASCII, old and new: initial RAM disks and what is in RPM packages (cpio(5))."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from keyward.formats.containers.ar import Section
from keyward.formats.containers.names import Others, moment, text
from keyward.formats.opened import Container, Member, Piece

LONGEST_NAME = 1 << 16
LAST = b"TRAILER!!!"


class _Header(NamedTuple):
    mode: int
    since: float
    size: int
    name: int
    align: int
    length: int


class CpioOpener:
    """Hard links share the data of one of their names; links and devices have none."""

    name = "cpio archive"
    replaces_raw = False
    forward = True

    def open(self, container: Container) -> Iterator[Piece]:
        file = container.file
        others = Others()
        while True:
            header = _header(file)
            name = file.read(header.name).rstrip(b"\0")
            if name == LAST:
                return
            file.read(-(header.length + header.name) % header.align)
            section = Section(file, header.size)
            if header.mode & 0o170000 == 0o100000 and header.size:
                yield Member(text(name), section.read, header.since, packed=header.size)
            else:
                others.count()
            section.skip()
            file.read(-header.size % header.align)


def _header(file: BinaryIO) -> _Header:
    """The next header. Raises ValueError where there is none: an archive says which member is the last."""
    mark = file.read(6)
    if mark in (b"070701", b"070702"):
        fields = file.read(104)
        if len(fields) == 104:
            number = [int(fields[at : at + 8], 16) for at in range(0, 104, 8)]
            return _checked(_Header(number[1], moment(number[5]), number[6], number[11], 4, 110))
    elif mark == b"070707":
        fields = file.read(70)
        if len(fields) == 70:
            return _checked(
                _Header(
                    int(fields[12:18], 8), moment(int(fields[42:53], 8)), int(fields[59:70], 8), int(fields[53:59], 8), 1, 76
                )
            )
    raise ValueError("damaged, or cut off: a header is not one")


def _checked(header: _Header) -> _Header:
    if not 0 < header.name <= LONGEST_NAME or header.size < 0:
        raise ValueError("damaged: a header with sizes that cannot be")
    return header
