"""Files packed by gzip, bzip2, xz or zstandard: unpacked, scrubbed and packed anew with the settings that their header shows.

Facts: RFC 1952 section 2.3 (gzip's header; CRC16 is over the header alone, so it stays right), the xz format section 2.1.1, RFC 8878
section 3.1.1. Several streams one after the other become one.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from keyward.formats.containers.compressed import reader
from keyward.scrub.stores.content import MOST, STEP, Part, TooLarge

_STARTS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstandard"}
_ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".tgz", ".tbz2", ".txz")
ZSTANDARD_LEVEL = 3


class Packing:
    """One packing. `name`: `gzip`, `bzip2`, `xz` or `zstandard`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def refusal(self, data: bytes) -> str:
        if self.name == "zstandard" and _zstandard_parameters(data).dict_id:
            return "is packed with a dictionary that is not at hand"
        return ""

    def parts(self, data: bytes, called: str) -> Iterator[Part]:
        yield Part(0, inner_name(called), unpacked(self.name, data))

    def rewritten(self, data: bytes, changes: Mapping[int, bytes]) -> bytes:
        return packed_like(self.name, data, changes[0])


def packing_of(head: bytes) -> Packing | None:
    """How a file with those first bytes is packed."""
    for start, name in _STARTS.items():
        if head.startswith(start) and (name != "bzip2" or head[4:10] == b"1AY&SY"):
            return Packing(name)
    return None


def inner_name(called: str) -> str:
    """What a packed file is called unpacked: its name says what is in it."""
    lowered = called.lower()
    for ending in _ENDINGS:
        if lowered.endswith(ending):
            return called[: -len(ending)] + (".tar" if ending.startswith(".t") else "")
    return called


def unpacked(name: str, data: bytes, most: int = MOST) -> bytes:
    """What is in it. Raises ValueError where it is damaged, TooLarge beyond `most` bytes."""
    read = reader(name, BytesIO(data))
    pieces: list[bytes] = []
    size = 0
    while piece := read(STEP):
        size += len(piece)
        if size > most:
            raise TooLarge("there is too much in it to be held in memory")
        pieces.append(piece)
    return b"".join(pieces)


def packed_like(name: str, old: bytes, content: bytes) -> bytes:
    """Packs as the old file was packed. Raises ValueError where it was packed in a way that is not known here."""
    if name == "gzip":
        return _gzip(old, content)
    if name == "bzip2":
        return bz2.compress(content, int(old[3:4]))
    if name == "xz":
        return lzma.compress(content, lzma.FORMAT_XZ, check=old[7] & 15)
    return zstandard_like(old, content)


def zstandard_like(old: bytes, content: bytes, level: int = ZSTANDARD_LEVEL) -> bytes:
    """A frame with the checksum and the size where the old one had them."""
    import zstandard

    parameters = _zstandard_parameters(old)
    if parameters.dict_id:
        raise ValueError("a zstandard frame with a dictionary")
    sized = parameters.content_size != zstandard.CONTENTSIZE_UNKNOWN
    compressor = zstandard.ZstdCompressor(
        level=level, write_checksum=bool(parameters.has_checksum), write_content_size=sized, write_dict_id=False
    )
    return compressor.compress(content)


def _zstandard_parameters(data: bytes) -> Any:
    import zstandard

    try:
        return zstandard.get_frame_parameters(data)
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged zstandard data ({str(error)[:100]})") from None


def _gzip(old: bytes, content: bytes) -> bytes:
    header = old[: gzip_header(old)]
    # the one byte of the header that says how hard it was packed: 2 for the most, 4 for the fastest
    level = {2: 9, 4: 1}.get(old[8], 6)
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = compressor.compress(content) + compressor.flush()
    return header + body + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def gzip_header(data: bytes) -> int:
    """Bytes of a gzip header. Raises ValueError where it has no end."""
    flags = data[3]
    at = 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):  # the name, the comment
        if flags & flag:
            end = data.find(b"\0", at)
            if end < 0:
                raise ValueError("damaged gzip header")
            at = end + 1
    at += 2 if flags & 2 else 0
    if at > len(data):
        raise ValueError("damaged gzip header")
    return at
