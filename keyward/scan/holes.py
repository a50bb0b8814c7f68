"""Reads sparse files: a hole is nothing but NULs, so that only what stands around it has to be looked at.

Every answer is the same as if all of it had been read: chunks and windows begin and end where they would, and have the NULs around them
that a match may see. What is left out are NULs in the middle of a hole. The file system is asked for each piece just before it is read: a hole
that is filled by then is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, NamedTuple, cast

from keyward.formats.sparse import WHOLE, NextData, data_in, read_at
from keyward.scan.reader import Chunk

ReadAt = Callable[[int, int], bytes]
"""Answers that many bytes from an offset on, fewer only at the end. May raise OSError."""

MOST_STRETCHES = 64
"""Stretches of data within a chunk that are asked for; behind so many, the rest of the chunk is read as it is."""


class SparseFile:
    """A file with holes, as a reader (`Read`) that gives all of it, and as chunks that leave holes out. `size`: bytes that it has now; what it
    has when it is opened is read, for a log may grow faster than it can be scanned."""

    def __init__(self, read_at: ReadAt, next_data: NextData, size: Callable[[], int]) -> None:
        self._read_at = read_at
        self._next_data = next_data
        self._size_now = size
        self._size = size()
        self._at = 0

    @property
    def sparse(self) -> SparseFile:
        """Itself: by this name `reader.chunks` knows that holes can be left out."""
        return self

    def __call__(self, size: int) -> bytes:
        piece = self._read_at(self._at, min(size, self._size - self._at))
        self._at += len(piece)
        return piece

    def head(self, size: int) -> bytes:
        """Its first bytes."""
        return self._read_at(0, min(size, self._size))

    def raw_chunks(self, chunk: int, margin: int) -> Iterator[Chunk]:
        """The chunks of `reader.chunks` of a file that is scanned as it stands, without those that are NULs throughout, and without NULs at
        either end that are further than `margin` from data."""
        step = chunk - 2 * margin
        offset = 0
        while (found := self._next_data(offset)) is not None and found[0] < self._size:
            first, last = found
            if first >= offset + chunk:  # on to the first chunk that it lies in
                offset += ((first - offset - chunk) // step + 1) * step
                continue
            end = min(offset + chunk, self._size)
            start = max(offset, first - margin)
            stop = min(end, self._end_of_data(last, end) + margin)
            data = self._read_at(start, stop - start)
            cut_off = len(data) < stop - start  # meanwhile, as any file may be: that is its end
            is_last = cut_off or offset + chunk > self._size
            own_start = max(0, offset + margin - start) if offset else 0
            own_end = len(data) + 1 if is_last else offset + chunk - margin - start
            yield Chunk(data, start, own_start, own_end, "raw", start)
            if cut_off:
                return
            if is_last:
                break
            offset += step
        ended = max(0, min(self._size, self._size_now()))
        yield Chunk(b"", ended, 0, 1, "raw", ended)  # the hole at its end was looked at as well

    def _end_of_data(self, last: int, end: int) -> int:
        """Behind which place before `end` there are only NULs, seen from the end of a stretch of data."""
        for _ in range(MOST_STRETCHES):
            if last >= end:
                return end
            found = self._next_data(last)
            if found is None or found[0] >= end:
                return last
            last = found[1]
        return end

    def skip(self, block: int) -> int:
        """Goes on by as many whole blocks as there is nothing but a hole, from where reading stands. Answers how many bytes that are."""
        found = self._next_data(self._at)
        first = min(found[0] if found is not None else self._size_now(), self._size)
        skipped = max(0, first - self._at) // block * block
        self._at += skipped
        return skipped


def sparse_file(descriptor: int) -> SparseFile | None:
    """A file that has holes, with its own place in it; None where they cannot be told."""
    next_data = data_in(descriptor)
    if next_data is None:
        return None
    return SparseFile(partial(read_at, descriptor), next_data, lambda: os.fstat(descriptor).st_size)


class Cut(NamedTuple):
    """Bytes of a hole that are left out: where they begin in the file, and how many."""

    start: int
    length: int


class ShortenedFile:
    """A file as if its long holes were shorter, for what reads it window by window: `windows` and labels. In a hole, `windows` goes on by
    `step` bytes each time; as a multiple of it is left out, and a window on either side of that is not, all other windows are the same."""

    def __init__(self, read_at: ReadAt, cuts: list[Cut]) -> None:
        self._read_at = read_at
        self._cuts = cuts
        self._at = 0

    def seek(self, offset: int) -> int:
        """Counts in the shortened file."""
        self._at = offset
        return offset

    def read(self, size: int) -> bytes:
        """So many bytes, fewer only at the end."""
        pieces = []
        while size > 0:
            start, left = self._place(self._at)
            piece = self._read_at(start, min(size, left))
            if not piece:
                break
            pieces.append(piece)
            self._at += len(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def outside(self, offset: int) -> int:
        """Where in the file an offset of the shortened one is."""
        return self._place(offset)[0]

    def inside(self, offset: int) -> int:
        """Where in the shortened file an offset of the file is."""
        return offset - sum(min(cut.length, max(0, offset - cut.start)) for cut in self._cuts)

    def as_file(self) -> BinaryIO:
        """Itself, by the type that readers are given."""
        return cast(BinaryIO, self)

    def _place(self, offset: int) -> tuple[int, int]:
        """The offset in the file, and how many bytes there are from there to the next cut."""
        for cut in self._cuts:
            if offset < cut.start:
                return offset, cut.start - offset
            offset += cut.length
        return offset, WHOLE


def cuts_of(next_data: NextData, size: int, *, window: int, step: int) -> list[Cut]:
    """What can be left out of the holes of a file for windows of that length that go on by `step` bytes where there is no line."""
    cuts = []
    at = 0
    while at < size:
        found = next_data(at)
        first = min(found[0], size) if found is not None else size
        left_out = (first - at - 2 * window) // step * step
        if left_out > 0:
            cuts.append(Cut(at + window, left_out))
        at = first + window  # a shorter hole is not worth asking for
    return cuts


def shortened(file: BinaryIO, *, window: int, step: int) -> ShortenedFile | None:
    """An open file without most of its holes; None if it has none that are worth it. Raises OSError."""
    descriptor = file.fileno()
    next_data = data_in(descriptor)
    if next_data is None:
        return None
    cuts = cuts_of(next_data, os.fstat(descriptor).st_size, window=window, step=step)
    return ShortenedFile(partial(read_at, descriptor), cuts) if cuts else None
