"""tar archives: the blocks of every header stay as they are; where a member's length changes, its size and checksum are written anew."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from io import BytesIO

from keyward.formats.containers.tar import headers
from keyward.scrub.stores.content import Part

BLOCK = 512
_SIZE = slice(124, 136)
_CHECKSUM = slice(148, 156)


class TarRewriter:
    """Rewrites tar archives."""

    name = "tar archive"

    def refusal(self, data: bytes) -> str:
        return ""

    def parts(self, data: bytes, called: str) -> Iterator[Part]:
        """A Debian package's or a container image's members are found like any other."""
        for header, opened in headers(BytesIO(data), True):
            if opened is None:
                raise ValueError("damaged: a member says that it is larger than it can be")
            if header.size and not header.issparse():
                yield Part(header.offset_data, header.name, data[header.offset_data : header.offset_data + header.size])

    def rewritten(self, data: bytes, changes: Mapping[int, bytes]) -> bytes:
        pieces: list[bytes] = []
        at = 0
        for header, _ in headers(BytesIO(data), True):
            new = changes.get(header.offset_data)
            if new is None:
                continue
            start = header.offset_data - BLOCK
            block = data[start : header.offset_data]
            if len(new) != header.size:
                if "size" in header.pax_headers or "GNU.sparse.realsize" in header.pax_headers:
                    raise ValueError("a member whose size stands in an extended header")
                block = _resized(block, len(new))
            pieces += (data[at:start], block, new, bytes(-len(new) % BLOCK))
            at = header.offset_data + header.size + -header.size % BLOCK
        return b"".join((*pieces, data[at:]))


def _resized(block: bytes, size: int) -> bytes:
    """A header block with another size. Raises ValueError where the size does not fit."""
    header = bytearray(block)
    header[_SIZE] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)  # type: ignore[attr-defined]  # what the library writes headers with
    header[_CHECKSUM] = b" " * 8
    header[_CHECKSUM] = b"%06o\0 " % sum(header)
    return bytes(header)
