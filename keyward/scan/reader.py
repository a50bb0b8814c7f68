"""From bytes to chunks of bounded size that overlap, so that nothing is lost at a border, whatever the encoding.

UTF-8 and every other encoding that keeps ASCII as it is are scanned as they are. UTF-16 and UTF-32, with a byte order mark
or without, are turned into UTF-8; offsets are mapped back to the source.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from keyward.scan.holes import SparseFile

CHUNK = 8 << 20
"""Bytes read at a time."""

MARGIN = 1 << 16
"""Bytes of context that a match sees on either side of a border; no rule may look further (`MAX_WINDOW`, compared in a test
because importing it would cost every commit a millisecond)."""

UNKNOWN_SIZE = 1 << 30
"""Bytes read at most of a file that says it is empty, as those that the kernel makes up do."""

Read = Callable[[int], bytes]
"""Answers up to that many bytes, none at the end. May raise OSError."""


class Chunk(NamedTuple):
    """A piece of a source. `data` begins at `offset` of the (decoded) stream. Only matches that begin within
    `own_start` and `own_end` (relative to `data`) belong to this chunk; the rest is context and belongs to a neighbour.
    `encoding`: how the source encodes it, `raw` for bytes as they stand; then `source_offset` is where the source stands
    at the start of `data`."""

    data: bytes
    offset: int
    own_start: int
    own_end: int
    encoding: str
    source_offset: int


_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_STARTS = tuple(mark for mark, _ in _MARKS)


SAMPLE = 1024
"""Bytes at the beginning that tell how a source is encoded."""


def wide_encoding(head: bytes) -> str:
    """`utf-16-le` and so on if the bytes look like it, else `raw`. Without a mark, the places of the NULs decide."""
    if head.startswith(_WIDE_STARTS):
        return next(encoding for mark, encoding in _MARKS if head.startswith(mark))
    first = head[:64]
    zeros, odd_zeros = first.count(0), first[1::2].count(0)
    even_zeros = zeros - odd_zeros
    if zeros < 38 and 3 * min(even_zeros, odd_zeros) > max(even_zeros, odd_zeros):  # zeros everywhere: a binary file
        return "raw"
    sample = head[: min(len(head), SAMPLE) & ~3]
    if sample.count(0) * 6 < len(sample) or len(sample) < 8:  # fewer than one byte in six is zero
        return "raw"
    quarter = len(sample) // 4
    nuls = [sample[place::4].count(0) for place in range(4)]
    most, few = quarter * 0.9, quarter * 0.1
    if nuls[3] == quarter and nuls[2] >= most and nuls[1] >= quarter * 0.35 and nuls[0] <= few:
        return "utf-32-le"
    if nuls[0] == quarter and nuls[1] >= most and nuls[2] >= quarter * 0.35 and nuls[3] <= few:
        return "utf-32-be"
    even, odd = nuls[0] + nuls[2], nuls[1] + nuls[3]
    if odd > quarter * 2 * 0.35 and even <= odd * 0.2:
        return "utf-16-le"
    if even > quarter * 2 * 0.35 and odd <= even * 0.2:
        return "utf-16-be"
    return "raw"


def chunks(read: Read, *, chunk: int = CHUNK, margin: int = MARGIN) -> Iterator[Chunk]:
    """The source in overlapping chunks. Memory is bounded by about three times `chunk`. Of a sparse file (`file_reader`), holes are left
    out: chunks do not touch each other where there are only NULs between them."""
    sparse: SparseFile | None = getattr(read, "sparse", None)
    if sparse is not None and wide_encoding(sparse.head(min(4096, chunk))) == "raw":
        yield from sparse.raw_chunks(chunk, margin)
        return
    data = _fill(read, b"", chunk)
    if len(data) < chunk:
        encoding = wide_encoding(data[:4096])
        if encoding == "raw":
            start = _wide_tail(data)
            yield Chunk(data, 0, 0, len(data) + 1 if start < 0 else start, "raw", 0)
            if start >= 0:
                yield from _decoded(
                    data[start:], lambda size: b"", wide_encoding(data[start : start + 4096]), start, chunk, margin
                )
            return
    else:
        encoding = wide_encoding(data[:4096])
    if encoding == "raw":
        yield from _overlapping(data, read, chunk, margin)
    else:
        yield from _decoded(data, read, encoding, 0, chunk, margin, sparse)


def chunks_of(data: bytes) -> Iterator[Chunk]:
    """The same for a small source (less than `CHUNK`) that has been read."""
    pieces = iter((data,))
    return chunks(lambda size: next(pieces, b""))


def plain_chunk(data: bytes) -> Chunk:
    """A whole source that is scanned as it stands."""
    return Chunk(data, 0, 0, len(data) + 1, "raw", 0)


def is_plain(data: bytes) -> bool:
    """Whether a whole small source is scanned as it stands, with nothing in it to be decoded."""
    if b"\0" not in data:
        return not data.startswith(_WIDE_STARTS)
    return wide_encoding(data[:4096]) == "raw" and _wide_tail(data) < 0


def _wide_tail(data: bytes) -> int:
    """Where UTF-16 begins in a file that starts as plain text (a shell appended to it with another encoding), else -1."""
    first = data.find(0)
    if first < 4096:  # none at all, or a binary file
        return -1
    for start in (first - 1, first):
        if wide_encoding(data[start : start + 4096]).startswith("utf-16"):
            return start
    return -1


def _fill(read: Read, held: bytes, wanted: int) -> bytes:
    pieces = [held] if held else []
    size = len(held)
    while size < wanted:
        piece = read(wanted - size)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _overlapping(data: bytes, read: Read, chunk: int, margin: int) -> Iterator[Chunk]:
    offset = own_start = 0
    while True:
        if len(data) < chunk:
            yield Chunk(data, offset, own_start, len(data) + 1, "raw", offset)
            return
        own_end = len(data) - margin
        yield Chunk(data, offset, own_start, own_end, "raw", offset)
        keep = data[own_end - margin :]
        offset += own_end - margin
        own_start = margin
        data = _fill(read, keep, chunk)


def _decoded(
    data: bytes, read: Read, encoding: str, source: int, chunk: int, margin: int, sparse: SparseFile | None = None
) -> Iterator[Chunk]:
    """The same over the UTF-8 form of wide text; each step decodes at most a chunk of the source."""
    decoder: Any = codecs.getincrementaldecoder(encoding)("replace")
    held = b""
    offset, own_start = source, 0
    held_source = source
    while True:
        last = not data
        text = held + decoder.decode(data, last).encode("utf-8", "replace")
        if last:
            yield Chunk(text, offset, own_start, len(text) + 1, encoding, held_source)
            return
        own_end = max(own_start, len(text) - margin)
        keep_from = max(0, own_end - margin)
        while keep_from and text[keep_from] & 0xC0 == 0x80:  # not inside a character
            keep_from -= 1
        if own_end > own_start:
            yield Chunk(text, offset, own_start, own_end, encoding, held_source)
        held_source += source_length(text[:keep_from], encoding)
        held = text[keep_from:]
        offset += keep_from
        own_start = own_end - keep_from
        if sparse is not None and chunk % 4 == 0 and held == bytes(2 * margin) and data.count(0) == len(data):
            skipped = sparse.skip(chunk)  # each chunk of NULs would leave things as they are
            held_source += skipped
            offset += skipped // (4 if "32" in encoding else 2)
        data = _fill(read, b"", chunk)


def source_length(text: bytes, encoding: str) -> int:
    """How many bytes of the source the (decoded) text takes."""
    return len(text) if encoding == "raw" else len(text.decode("utf-8", "replace").encode(encoding, "replace"))


def has_holes(status: os.stat_result) -> bool:
    """Whether a file may have holes that are worth leaving out. A file system that packs its files says so of every large one."""
    return status.st_size >= CHUNK and getattr(status, "st_blocks", status.st_size) * 512 < status.st_size


def file_reader(descriptor: int) -> Read:
    """Reads what the file holds now: a log may grow faster than it can be scanned, and the scan must end. Begins where the file stands, or
    at its beginning if it is large and sparse."""
    status = os.fstat(descriptor)
    if has_holes(status):
        from keyward.scan.holes import sparse_file

        sparse = sparse_file(descriptor)
        if sparse is not None:
            return sparse
    left = status.st_size or UNKNOWN_SIZE

    def read(size: int) -> bytes:
        nonlocal left
        piece = os.read(descriptor, min(size, left))
        left -= len(piece)
        return piece

    return read
