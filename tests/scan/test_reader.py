"""Chunks: nothing is lost at a border, in any encoding, in bounded memory."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.scan.reader import Chunk, chunks, source_length, wide_encoding

ENCODINGS = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0", "utf-32-be": b"\0\0\xfe\xff"}


def read(data: bytes, **sizes: int) -> list[Chunk]:
    return list(chunks(io.BytesIO(data).read, **sizes))


def places(data: bytes, needle: bytes, **sizes: int) -> list[int]:
    """Where a needle is owned by a chunk, in the source's own bytes."""
    found = []
    for chunk in read(data, **sizes):
        at = chunk.data.find(needle)
        while at >= 0:
            if chunk.own_start <= at < chunk.own_end:
                assert chunk.data[at : at + len(needle)] == needle
                found.append(chunk.source_offset + source_length(chunk.data[:at], chunk.encoding))
            at = chunk.data.find(needle, at + 1)
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=8, unique=True), st.integers(20, 60), st.integers(64, 300))
def test_every_needle_is_owned_exactly_once(positions: list[int], margin: int, chunk: int) -> None:
    data = bytearray(b"." * 1000)
    kept: list[int] = []
    for position in sorted(positions):
        if not kept or position >= kept[-1] + 12:
            kept.append(position)
            data[position : position + 10] = b"needle-abc"
    assert places(bytes(data), b"needle-abc", chunk=max(chunk, 3 * margin), margin=margin) == kept


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("size", [100, 5000])
def test_wide_text_is_decoded_and_mapped_back(encoding: str, mark: bool, size: int) -> None:
    text = ("line é 中 😀 = value\n" * (size // 20)) + "needle-abc" + "\ntail 中\n" * 30
    head = MARKS[encoding] if mark else b""
    data = head + text.encode(encoding)
    expected = len(head) + len(text[: text.index("needle-abc")].encode(encoding))
    assert places(data, b"needle-abc", chunk=1200, margin=100) == [expected]
    start = expected
    assert data[start : start + len("needle-abc".encode(encoding))].decode(encoding) == "needle-abc"


def test_wide_text_appended_to_plain_text_is_found() -> None:
    plain = b"2026-11-22 started\n" * 400
    data = plain + "needle-abc in another encoding\r\n".encode("utf-16-le") * 3
    assert places(data, b"needle-abc")[0] == len(plain)


@pytest.mark.parametrize("data", [b"", b"\0", b"a\0b\0", b"\xff\xfe", b"\0" * 100, bytes(range(256)) * 20])
def test_odd_heads_are_read_as_they_stand_or_decoded_without_error(data: bytes) -> None:
    assert read(data)


def test_binary_is_not_taken_for_wide_text() -> None:
    import random

    data = random.Random(4).randbytes(4096)
    assert wide_encoding(data) == "raw"
    assert wide_encoding(b"\x7fELF\x02\x01\x01" + b"\0" * 9 + random.Random(5).randbytes(200)) == "raw"


def test_small_reads_are_put_together() -> None:
    data = b"." * 50 + b"needle-abc" + b"." * 50
    stream = io.BytesIO(data)
    assert [c.data for c in chunks(lambda size: stream.read(min(size, 3)))] == [data]


def test_no_rule_looks_further_than_the_margin() -> None:
    from keyward.model.rule import MAX_WINDOW
    from keyward.scan.reader import MARGIN

    assert MARGIN >= MAX_WINDOW
