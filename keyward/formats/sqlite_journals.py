"""What SQLite's side files say about the pages of a database: the committed pages of a write-ahead log, and the pages as they
were before an unfinished transaction.

Both are read here without SQLite, because SQLite itself takes locks, makes a `-shm` file or checkpoints, and a scan must neither
hold up nor change the program that owns the database.

Formats: https://www.sqlite.org/fileformat2.html (sections 3, "The Rollback Journal", and 4, "The Write-Ahead Log").
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

WAL_HEADER = 32
FRAME_HEADER = 24
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_JOURNAL_MAGIC = bytes((0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7))

SUMMED = 64 << 20
"""Bytes of a write-ahead log up to which each frame's checksum is computed. Beyond, the salts alone tell the frames that count:
the sums guard against a torn write, which only a loss of power leaves behind, and cost a second for 50 MB."""


class Overlay(NamedTuple):
    """Pages that stand in for those of the main file, as (number from 1, offset in `data`), and the database's size in pages."""

    page_size: int
    pages: dict[int, int]
    size: int
    data: bytes


class Index(NamedTuple):
    """Where the pages stand: (number from 1, offset in the side file), and the database's size in pages. `salts`: what each frame that counts
    holds; empty for a rollback journal."""

    page_size: int
    pages: dict[int, int]
    size: int
    salts: bytes = b""


Reading = Callable[[int, int], bytes]
"""Some bytes of a side file: from where, how many at most."""


def committed(wal: bytes) -> Overlay | None:
    """The newest committed content of each page in a write-ahead log. None where nothing in it is committed."""
    index = committed_pages(lambda at, size: wal[at : at + size], len(wal))
    return None if index is None else Overlay(index.page_size, index.pages, index.size, wal)


def committed_pages(read: Reading, length: int) -> Index | None:
    """The same of a log that is read piece by piece, of so many bytes."""
    head = read(0, WAL_HEADER)
    if len(head) < WAL_HEADER:
        return None
    magic, _, page_size = struct.unpack_from(">3I", head)
    if magic not in _WAL_MAGIC or not _is_page_size(page_size):
        return None
    order = ">" if magic & 1 else "<"
    summed = length <= SUMMED
    sums = _checksum(head[:24], order, (0, 0)) if summed else (0, 0)
    if summed and sums != struct.unpack_from(">2I", head, 24):
        return None
    salts = head[16:24]
    pages: dict[int, int] = {}
    pending: dict[int, int] = {}
    size = 0
    step = FRAME_HEADER + page_size
    for at in range(WAL_HEADER, length - step + 1, step):
        frame = read(at, step if summed else FRAME_HEADER)
        if len(frame) < FRAME_HEADER:
            break  # it was cut off meanwhile
        number, after, _, _, sum_1, sum_2 = struct.unpack_from(">6I", frame)
        if frame[8:16] != salts or not number:
            break  # left over from before the log was begun anew
        if summed:
            if len(frame) < step:
                break
            sums = _checksum(frame[:8] + frame[FRAME_HEADER:], order, sums)
            if sums != (sum_1, sum_2):
                break
        pending[number] = at + FRAME_HEADER
        if after:
            pages.update(pending)
            pending.clear()
            size = after
    return Index(page_size, pages, size, salts) if size else None


def _checksum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """Both running sums after some more words; the length is a multiple of eight."""
    first, second = sums
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for even, odd in zip(words, words, strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def before_transaction(journal: bytes) -> Overlay | None:
    """The pages as they were before a transaction that is not finished, from its rollback journal. None where there is none."""
    index = pages_before(lambda at, size: journal[at : at + size], len(journal))
    return None if index is None else Overlay(index.page_size, index.pages, index.size, journal)


def pages_before(read: Reading, length: int) -> Index | None:
    """The same of a journal that is read piece by piece, of so many bytes."""
    head = read(0, _JOURNAL_HEADER)
    if len(head) < _JOURNAL_HEADER or not head.startswith(_JOURNAL_MAGIC):
        return None
    _, _, size, _, page_size = struct.unpack_from(">5I", head, 8)
    if not _is_page_size(page_size):
        return None
    pages: dict[int, int] = {}
    for number, body in _records(read, length, page_size):
        pages.setdefault(number, body)
    return Index(page_size, pages, size) if pages and size else None


_JOURNAL_HEADER = 28


def _records(read: Reading, length: int, page_size: int) -> Iterator[tuple[int, int]]:
    """Page numbers and where their content stands. A journal has one header for each time that it was flushed, at a sector's
    beginning; a damaged record ends it."""
    at = 0
    while at + _JOURNAL_HEADER <= length:
        head = read(at, _JOURNAL_HEADER)
        if len(head) < _JOURNAL_HEADER or not head.startswith(_JOURNAL_MAGIC):
            return
        records, nonce, _, sector, _ = struct.unpack_from(">5I", head, 8)
        if not 32 <= sector <= 65536:
            return
        at += sector
        for _ in range(min(records, (length - at) // (page_size + 8))):
            record = read(at, page_size + 8)
            if len(record) < page_size + 8:
                return  # it was cut off meanwhile
            number, expected = struct.unpack_from(">I", record)[0], struct.unpack_from(">I", record, page_size + 4)[0]
            # some bytes of the page, from its end
            sampled = record[page_size + 4 - 200 : 4 : -200]
            if not number or (nonce + sum(sampled)) & 0xFFFFFFFF != expected:
                return
            yield number, at + 4
            at += page_size + 8
        at += -at % sector


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65536 and size & (size - 1) == 0


def overlaid(main: bytearray, overlay: Overlay) -> bytearray:
    """The main file with the pages put in."""
    page_size = overlay.page_size
    wanted = overlay.size * page_size
    # a log that names a page far beyond the end would otherwise cost any amount of memory
    if wanted > len(main) + len(overlay.data):
        wanted = len(main)
    if len(main) > wanted:
        del main[wanted:]
    elif len(main) < wanted:
        main.extend(bytes(wanted - len(main)))
    content = memoryview(overlay.data)
    for number, body in overlay.pages.items():
        start = (number - 1) * page_size
        if start + page_size <= len(main):
            main[start : start + page_size] = content[body : body + page_size]
    return main
