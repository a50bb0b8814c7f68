"""Sparse files: what is found, where, and how much was looked at is the same as if every NUL of a hole had been read."""

from __future__ import annotations

import io
import itertools
import os
import random
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import cannot, token

from keyward.formats.sparse import WHOLE, NextData, data_in
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.scan.examine import Cursor, Examined, Examiner
from keyward.scan.holes import Cut, ShortenedFile, SparseFile, cuts_of, sparse_file
from keyward.scan.other_readings import OVERLAP, WINDOW, windows
from keyward.scan.pool import examine_file
from keyward.scan.reader import CHUNK, MARGIN, Chunk, Read, chunks, file_reader, source_length, wide_encoding

TOKEN, OTHER, THIRD = token(71), token(72), token(73)
NEEDLE = b"needle-abc"
BLOCK = 1 << 16
"""A multiple of every file system's block."""


# --- compared with reading everything, without a file


class Layout(NamedTuple):
    """A source of which the stretches between `data` are holes."""

    content: bytes
    data: tuple[tuple[int, int], ...]

    def next_data(self, offset: int) -> tuple[int, int] | None:
        for first, last in self.data:
            if last > offset:
                return max(first, offset), last
        return None

    def read_at(self, offset: int, size: int) -> bytes:
        return self.content[offset : offset + size]

    def sparse(self) -> SparseFile:
        return SparseFile(self.read_at, self.next_data, lambda: len(self.content))


def laid_out(pieces: list[tuple[int, bytes]], tail: int) -> Layout:
    """Pieces of data, each after so many bytes of a hole, and a hole at the end."""
    content = bytearray()
    data = []
    for hole, piece in pieces:
        content += bytes(hole)
        if piece:
            data.append((len(content), len(content) + len(piece)))
        content += piece
    return Layout(bytes(content) + bytes(tail), tuple(data))


class Spot(NamedTuple):
    start: int
    line: int
    column: int


def spots(read: Read, chunk: int, margin: int) -> tuple[list[Spot], int]:
    """Where needles are owned, and up to where was looked."""
    found: list[Spot] = []
    cursor = Cursor()
    previous: Chunk | None = None
    size = 0
    for each in chunks(read, chunk=chunk, margin=margin):
        if previous is not None:
            cursor.next_chunk(previous)
        previous = each
        size = max(size, each.source_offset + source_length(each.data, each.encoding))
        at = each.data.find(NEEDLE)
        while at >= 0:
            if each.own_start <= at < each.own_end:
                start = each.source_offset + source_length(each.data[:at], each.encoding)
                found.append(Spot(start, *cursor.at(each, at)))
            at = each.data.find(NEEDLE, at + 1)
    return found, size


HOLES = st.sampled_from([0, 1, 3, 16, 40, 64, 100, 101, 500, 2000, 4096])
PIECES = st.sampled_from(
    [
        b"",
        b"x",
        b"\n",
        NEEDLE,
        NEEDLE * 2,
        NEEDLE[:5],
        NEEDLE[5:],
        b"one\n" + NEEDLE,
        b"a\0b\n",
        "é中😀 ".encode() + NEEDLE,
        b"." * 333,
    ]
)
LAYOUTS = st.lists(st.tuples(HOLES, PIECES), max_size=12)


@settings(max_examples=400, deadline=None)
@given(LAYOUTS, HOLES, st.integers(12, 60), st.integers(64, 700))
def test_chunks_find_the_same_as_when_everything_is_read(
    pieces: list[tuple[int, bytes]], tail: int, margin: int, chunk: int
) -> None:
    layout = laid_out(pieces, tail)
    chunk = max(chunk, 3 * margin)
    expected = spots(io.BytesIO(layout.content).read, chunk, margin)
    if len(layout.content) < chunk:  # never read as a sparse file
        return
    assert spots(layout.sparse(), chunk, margin) == expected


@settings(max_examples=200, deadline=None)
@given(LAYOUTS, HOLES, st.integers(12, 60), st.integers(64, 700))
def test_chunks_hold_what_stands_there_and_leave_out_nothing_but_holes(
    pieces: list[tuple[int, bytes]], tail: int, margin: int, chunk: int
) -> None:
    layout = laid_out(pieces, tail)
    seen = bytearray(len(layout.content))
    given = list(layout.sparse().raw_chunks(max(chunk, 3 * margin), margin))
    for each in given:
        assert each.data == layout.content[each.offset : each.offset + len(each.data)]
        seen[each.offset : each.offset + len(each.data)] = b"\1" * len(each.data)
    for first, last in layout.data:
        assert 0 not in seen[max(0, first - margin) : last + margin]  # with the context that a match may see
    owned = [(each.offset + each.own_start, each.offset + min(each.own_end, len(each.data))) for each in given]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(owned))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from(["x", "é中", "needle-abc", "line\n", "\nneedle-abc"])), max_size=8),
    st.integers(0, 90),
    st.sampled_from([("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-32-le", b"\xff\xfe\0\0"), ("utf-32-be", b"\0\0\xfe\xff")]),
    st.integers(12, 20),
)  # fmt: skip
def test_wide_text_is_decoded_past_its_holes(
    pieces: list[tuple[int, str]], tail: int, encoding: tuple[str, bytes], margin: int
) -> None:
    name, mark = encoding
    wide = [(hole * 32, piece.encode(name)) for hole, piece in pieces]
    layout = laid_out([(0, mark + "begin ".encode(name)), *wide], tail * 32)
    chunk = 4 * 64
    if len(layout.content) < chunk:
        return
    assert wide_encoding(layout.content[:chunk]) == name
    assert spots(layout.sparse(), chunk, margin) == spots(io.BytesIO(layout.content).read, chunk, margin)


def test_long_holes_are_not_read() -> None:
    read = 0

    def read_at(offset: int, size: int) -> bytes:
        nonlocal read
        read += size
        return bytes(size)

    asked: list[int] = []

    def next_data(offset: int) -> tuple[int, int] | None:
        asked.append(offset)
        start = max(offset, -(-(offset - 4095) // (1 << 30)) * (1 << 30))  # 4 KiB at the beginning of each GiB
        return (start, start // (1 << 30) * (1 << 30) + 4096) if start < 40 << 30 else None

    file = SparseFile(read_at, next_data, lambda: 40 << 30)
    last = max(each.offset + len(each.data) for each in chunks(file))
    assert last == 40 << 30 and read < 40 * 4 * MARGIN and len(asked) < 40 * 8


def test_many_small_holes_are_asked_for_only_so_often() -> None:
    content = (b"x" * 16 + bytes(16)) * 4096
    asked = 0

    def next_data(offset: int) -> tuple[int, int]:
        nonlocal asked
        asked += 1
        start = offset if offset % 32 < 16 else offset // 32 * 32 + 32
        return start, start // 32 * 32 + 16

    file = SparseFile(lambda offset, size: content[offset : offset + size], next_data, lambda: len(content))
    assert b"".join(each.data for each in file.raw_chunks(len(content), 16))[: len(content)] == content
    assert asked < 100


def lazy(size: int, pieces: dict[int, bytes]) -> tuple[Callable[[int, int], bytes], NextData]:
    """A long file with few data that nobody holds."""

    def read_at(offset: int, length: int) -> bytes:
        data = bytearray(max(0, min(length, size - offset)))
        for at, piece in pieces.items():
            low, high = max(at, offset), min(at + len(piece), offset + len(data))
            if low < high:
                data[low - offset : high - offset] = piece[low - at : high - at]
        return bytes(data)

    def next_data(offset: int) -> tuple[int, int] | None:
        ahead = [(max(at, offset), at + len(piece)) for at, piece in sorted(pieces.items()) if at + len(piece) > offset]
        return ahead[0] if ahead else None

    return read_at, next_data


@pytest.mark.parametrize("seed", range(6))
def test_the_windows_of_other_readings_are_the_same_where_there_are_data(seed: int) -> None:
    chosen = random.Random(seed)
    size = chosen.randrange(150 << 20, 250 << 20)
    pieces = {
        chosen.randrange(0, size): chosen.choice([b"one\ntwo\n" * 500, b"x" * 3000, b"\n", b"a" * WINDOW, b"line\n" * (WINDOW // 4)])
        for _ in range(2)
    }  # fmt: skip
    if chosen.random() < 0.5:
        pieces[0] = b"begin\n" * 9000
    read_at, next_data = lazy(size, pieces)
    everything = ShortenedFile(read_at, [])
    cuts = cuts_of(next_data, size, window=WINDOW, step=WINDOW - OVERLAP)
    short = ShortenedFile(read_at, cuts)
    assert cuts
    expected = [each for each in windows(everything.as_file()) if each[2].strip(b"\0")]
    got = [(short.outside(at), lines, data) for at, lines, data in windows(short.as_file()) if data.strip(b"\0")]
    assert got == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=5), st.integers(0, 9), st.integers(1, 7))
def test_a_shortened_file_leaves_out_its_cuts_and_counts_back(gaps: list[tuple[int, int]], tail: int, size: int) -> None:
    cuts, at = [], 0
    for kept, length in gaps:
        cuts.append(Cut(at + kept, length))
        at += kept + length
    content = bytes(range(1, at + tail + 1))
    short = ShortenedFile(lambda offset, length: content[offset : offset + length], cuts)
    left = [place for place in range(len(content)) if not any(cut.start <= place < cut.start + cut.length for cut in cuts)]
    assert b"".join(iter(lambda: short.read(size), b"")) == bytes(content[place] for place in left)
    assert [short.outside(number) for number in range(len(left))] == left
    assert [short.inside(place) for place in left] == list(range(len(left)))
    for number in range(len(left)):
        assert short.seek(number) == number and short.read(1) == content[left[number] : left[number] + 1]


# --- real files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """On a file system that tells where its holes are."""
    made = tmp_path_factory.mktemp("holes")
    if tells_holes(made):
        yield made
        return
    memory = Path(os.sep, "dev", "shm")  # on Linux nearly everywhere
    if memory.is_dir() and os.access(memory, os.W_OK):
        with tempfile.TemporaryDirectory(dir=memory) as name:
            if tells_holes(Path(name)):
                yield Path(name)
                return
    cannot("no file system here tells where the holes of a file are")


def tells_holes(where: Path) -> bool:
    if not hasattr(os, "SEEK_DATA"):
        return False
    probe = where / "probe"
    with open(probe, "w+b") as file:
        file.seek(64 * BLOCK)
        file.write(b"x")
        file.flush()
        try:
            return os.lseek(file.fileno(), 0, os.SEEK_DATA) > BLOCK
        except OSError:
            return False
        finally:
            probe.unlink()


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    registry = Registry()
    matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
    return Examiner(matcher, Fingerprinter(bytes(16)))


def written(path: Path, size: int, pieces: dict[int, bytes]) -> Path:
    with open(path, "wb") as file:
        for at, piece in pieces.items():
            file.seek(at)
            file.write(piece)
        file.truncate(size)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert os.stat(path).st_blocks * 512 < size, "it has no holes"
    return path


def filled(path: Path) -> None:
    """The same file without holes."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        for at in range(0, status.st_size, 1 << 20):
            data = os.pread(file.fileno(), 1 << 20, at)
            os.pwrite(file.fileno(), data, at)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert os.stat(path).st_blocks * 512 >= status.st_size


def both(examiner: Examiner, path: Path) -> tuple[Examined, Examined]:
    """As it is, and when everything in it is read."""
    sparse = examine_file(examiner, str(path), follow=False)
    filled(path)
    return sparse, examine_file(examiner, str(path), follow=False)


LINE = b"2026-11-22 10:00:00 T="
MB = 1 << 20
PLACES: dict[str, tuple[int, dict[int, bytes]]] = {
    "hole at the beginning": (20 * MB, {17 * MB: b"T=" + TOKEN + b"\n" + b"and\nT=" + OTHER}),
    "hole at the end": (20 * MB, {0: b"one\nT=" + TOKEN + b"\n"}),
    "hole in the middle": (24 * MB, {0: b"one\nT=" + TOKEN, 21 * MB: b"x\nT=" + OTHER + b"\n"}),
    "ends at a hole": (20 * MB, {9 * MB - len(TOKEN): TOKEN, 12 * MB - 7 - len(OTHER): b"=" + OTHER}),
    "begins at a hole's end": (20 * MB, {9 * MB: TOKEN, 13 * MB: OTHER + b"\n" + THIRD}),
    "two halves are none": (20 * MB, {9 * MB - 20: TOKEN[:20], 9 * MB + 4 * BLOCK: TOKEN[20:]}),
    "around the border of a chunk": (20 * MB, {CHUNK - MARGIN - 20: TOKEN, CHUNK - 5: b"=" + OTHER, 2 * CHUNK - 3 * MARGIN: THIRD}),
    "a hole from border to border": (33 * MB, {CHUNK - 2 * MARGIN - 50: TOKEN, 4 * (CHUNK - 2 * MARGIN): OTHER}),
    "nothing but a hole": (20 * MB, {}),
    "data behind it to the last byte": (20 * MB + 3, {20 * MB + 3 - len(TOKEN): TOKEN}),
    "not much larger than a chunk": (CHUNK, {CHUNK - len(TOKEN): TOKEN}),
    "many lines": (40 * MB, {0: b"line\n" * 70_000 + TOKEN, 30 * MB: "é中 😀\n".encode() * 9000 + b"T=" + OTHER + b"\n" * 5 + THIRD}),
    "UTF-16": (40 * MB, {0: "\ufeffone\nT=".encode("utf-16-le") + TOKEN.decode().encode("utf-16-le"),
                         33 * MB: "\n中 T=".encode("utf-16-le") + OTHER.decode().encode("utf-16-le")}),
    "UTF-16 behind text": (40 * MB, {0: b"a line\n" * 3000 + ("\r\nT=" + TOKEN.decode()).encode("utf-16-le"), 33 * MB: b"\nT=" + OTHER}),
    "a program": (20 * MB, {0: b"\x7fELF\2\1\1" + bytes(9) + bytes(range(256)) * 40 + TOKEN, 15 * MB: b"\xff\xfe" + bytes(range(256)) + OTHER}),
}  # fmt: skip


@pytest.mark.parametrize("name", ["disk.img", "app.log", "data.jsonl", "notes.md"])
@pytest.mark.parametrize("case", PLACES)
def test_findings_are_those_of_the_same_file_without_holes(examiner: Examiner, folder: Path, case: str, name: str) -> None:
    size, pieces = PLACES[case]
    path = written(folder / name, size, pieces)
    sparse, dense = both(examiner, path)
    assert sparse == dense
    if "UTF" not in case:
        assert sparse.bytes == size
        content = path.read_bytes()
        assert {content.index(value) for value in (TOKEN, OTHER, THIRD) if value in content} == {
            each.locator.start for each in sparse.occurrences
        }
    else:
        assert sparse.occurrences


@pytest.mark.parametrize("name", ["app.log", "data.jsonl"])
def test_other_readings_and_labels_of_a_log_with_long_holes(examiner: Examiner, folder: Path, name: str) -> None:
    begin = LINE + TOKEN + b"\n" + b"an ordinary line\n" * 9000
    escaped = (
        b'{"time":"2026-11-22T10:00:00Z","text":"{\\"key\\":\\"' + OTHER[:9] + b"\\u%04x" % OTHER[9] + OTHER[10:] + b'\\"}"}\n'
    )
    coloured = LINE + THIRD[:12] + b"\x1b[0m" + THIRD[12:] + b"\r\n"
    path = written(folder / name, 150 * MB, {0: begin, 100 * MB: b"\n" + escaped + coloured + escaped, 120 * MB: coloured * 2})
    sparse, dense = both(examiner, path)
    assert sparse == dense and sparse.bytes == 150 * MB
    assert len({each.fingerprint for each in sparse.occurrences}) >= 2
    assert max(each.locator.start for each in sparse.occurrences) > 100 * MB


def test_a_sparse_archive_is_read_as_before(examiner: Examiner, folder: Path) -> None:
    path = folder / "backup.tar"
    image = io.BytesIO(bytes(12 * MB) + b"\nGITHUB_TOKEN=" + TOKEN + b"\n" + bytes(3 * MB))
    with open(path, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("disk.img")
        info.size = len(image.getvalue())
        archive.addfile(info, image)
    content = path.read_bytes()
    blocks = {at: content[at : at + BLOCK] for at in range(0, len(content), BLOCK) if content[at : at + BLOCK].strip(b"\0")}
    sparse, dense = both(examiner, written(path, len(content), blocks))
    assert sparse == dense
    assert [each.locator.container for each in sparse.occurrences] == [("disk.img",)]


def test_forty_gigabytes_of_holes_do_not_keep_anybody_waiting(examiner: Examiner, folder: Path) -> None:
    size = 40 << 30
    pieces = {20 << 30: b"\nT=" + TOKEN + b"\n" + b"an ordinary line\n" * 9000, size - 90: OTHER}
    for name in ("disk.img", "app.log"):
        began = time.process_time()
        try:
            path = written(folder / name, size, pieces)
        except OSError as error:
            cannot(f"this file system takes no file of that size: {error.strerror}")
        examined = examine_file(examiner, str(path), follow=False)
        path.unlink()
        assert [(each.locator.start, each.line) for each in examined.occurrences] == [((20 << 30) + 3, 2), (size - 90, 9003)]
        assert examined.occurrences[1].column == size - 90 - (20 << 30) - len(pieces[20 << 30]) + 1
        assert examined.bytes == size and not examined.problems
        assert time.process_time() - began < 20


def needles(each: Chunk) -> list[int]:
    return [each.offset + at for at in range(len(each.data)) if each.data.startswith(NEEDLE, at)] if NEEDLE in each.data else []


def test_a_hole_that_is_filled_meanwhile_is_read(folder: Path) -> None:
    path = written(folder / "filled", 100 * MB, {0: NEEDLE, 90 * MB: NEEDLE})
    with open(path, "r+b") as file:
        found = []
        for number, each in enumerate(chunks(file_reader(file.fileno()))):
            found += needles(each)
            if not number:
                os.pwrite(file.fileno(), NEEDLE, 50 * MB)
                os.pwrite(file.fileno(), NEEDLE, 100 * MB)  # and it grows
    assert found == [0, 50 * MB, 90 * MB]


def test_a_file_that_grows_as_fast_as_it_is_read_comes_to_an_end(folder: Path) -> None:
    path = written(folder / "grows", 30 * MB, {0: NEEDLE})
    with open(path, "r+b") as file:
        size = 30 * MB
        seen = []
        for each in chunks(file_reader(file.fileno())):
            size += 40 * MB
            os.pwrite(file.fileno(), b"x", size)
            seen.append(each.offset + len(each.data))
            assert len(seen) < 20
    assert seen[-1] == 30 * MB


@pytest.mark.parametrize("length", [0, 5 * MB, 50 * MB + 2])
def test_a_file_that_is_cut_off_meanwhile_ends_there(folder: Path, length: int) -> None:
    path = written(folder / "cut", 100 * MB, {0: NEEDLE, 50 * MB: NEEDLE, 60 * MB: NEEDLE * 2000, 90 * MB: NEEDLE})
    with open(path, "r+b") as file:
        found, reached = [], 0
        for number, each in enumerate(chunks(file_reader(file.fileno()))):
            found += needles(each)
            reached = max(reached, each.offset + len(each.data))
            if not number:
                first = reached
                os.ftruncate(file.fileno(), length)
    assert found == [0] and reached == max(first, length)


def test_where_reading_stands_is_left_alone(folder: Path) -> None:
    path = written(folder / "stands", 20 * MB, {0: b"begin", 10 * MB: b"x" * (1 * MB)})
    with open(path, "rb") as file:
        assert file.read(3) == b"beg"
        descriptor = file.fileno()
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        next_data = data_in(descriptor)
        assert next_data is not None and next_data(BLOCK) == (10 * MB, 11 * MB) and next_data(12 * MB) is None
        sparse = sparse_file(descriptor)
        assert sparse is not None and len(list(chunks(sparse))) >= 2
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == before and file.read(2) == b"in"


def test_as_a_plain_reader_it_gives_everything(folder: Path) -> None:
    """Whoever knows nothing of holes loses nothing."""
    path = written(folder / "plain", 20 * MB, {0: b"begin", 19 * MB: b"end"})
    with open(path, "rb") as file:
        read = file_reader(file.fileno())
        assert isinstance(read, SparseFile)
        assert b"".join(iter(lambda: read(3 * MB), b"")) == path.read_bytes()


@pytest.mark.parametrize(("size", "pieces"), [(4 * MB, {4 * MB - 1: b"x"}), (CHUNK + 1, {0: b"x" * (CHUNK + 1)})])
def test_small_and_dense_files_are_not_asked_for_holes(folder: Path, size: int, pieces: dict[int, bytes]) -> None:
    path = folder / "ordinary"
    with open(path, "wb") as file:
        for at, piece in pieces.items():
            file.seek(at)
            file.write(piece)
    with open(path, "rb") as file:
        assert path.stat().st_size == size and not isinstance(file_reader(file.fileno()), SparseFile)


def test_what_cannot_tell_its_holes_has_data_everywhere() -> None:
    made_up = Path(os.sep, "proc", "self", "status")
    if not made_up.exists():
        cannot("no file here is made up by the kernel")
    with open(made_up, "rb") as file:
        next_data = data_in(file.fileno())
        assert next_data is not None and next_data(0) == (0, WHOLE) and next_data(7) == (7, WHOLE)
