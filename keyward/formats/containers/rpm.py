"""RPM packages: a lead, two headers, and a packed cpio archive (the RPM reference manual, "RPM V4 package format").

A header is 16 bytes (mark, reserved, number of index entries, bytes of data), the entries of 16 bytes each, and the data; the first one,
of the signatures, is padded to eight bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from keyward.formats.opened import Container, Member, Piece

LEAD = 96
LARGEST = 256 << 20
"""Bytes of a header; the program's own limit."""


class RpmOpener:
    name = "RPM package"
    replaces_raw = False
    forward = True

    def open(self, container: Container) -> Iterator[Piece]:
        file = container.file
        file.read(LEAD)
        signatures = _skip(file)
        file.read(-signatures % 8)
        _skip(file)
        yield Member("payload", file.read)


def _skip(file: BinaryIO) -> int:
    """Passes over a header; its length."""
    head = file.read(16)
    if len(head) < 16 or not head.startswith(b"\x8e\xad\xe8"):
        raise ValueError("damaged: no header where one should be")
    length = 16 * int.from_bytes(head[8:12], "big") + int.from_bytes(head[12:16], "big")
    if length > LARGEST:
        raise ValueError("damaged: a header larger than it may be")
    left = length
    while left and (piece := file.read(min(left, 1 << 18))):
        left -= len(piece)
    return length
