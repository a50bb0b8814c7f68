"""Views of a source, looked through beside its raw bytes: window by window, each match led back to where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from keyward.model.finding import Occurrence
from keyward.scan.examine import within

WINDOW = 16 << 20
"""Bytes of a source that are read otherwise at a time; a window ends with a line, if it has any."""

OVERLAP = 1 << 16
"""Bytes at the end of a window that are looked at again with the next one."""


class Reading(Protocol):
    """What a view is asked for."""

    @property
    def encoding(self) -> str: ...

    @property
    def text(self) -> bytes: ...

    @property
    def cut_short(self) -> str: ...

    def source_start(self, offset: int) -> int: ...

    def source_end(self, offset: int) -> int: ...


MakeReading = Callable[[bytes], "Reading | None"]


def reading_of(name: str, head: bytes) -> MakeReading | None:
    """What reads a source of that name and beginning otherwise; None for most."""
    from keyward.formats.containers import xml_text
    from keyward.formats.views import view_for

    return view_for(name, head) or (xml_text.make_view if xml_text.is_part(name, head) else None)


def decoder(encoding: str) -> Callable[[bytes], bytes] | None:
    """What gives a value back from its bytes in the source, by the name of the view that it was found in."""
    from keyward.formats.containers import xml_text
    from keyward.formats.views import decoder as decoder_of

    known = xml_text.decode if encoding == xml_text.NAME else decoder_of(encoding)
    if known is not None:
        return known
    from keyward.match.encoded.decoding import decoder as encoded

    view, _, inner = encoding.partition("+")
    outer = decoder(view) if inner else None
    return encoded(encoding) if outer is None else _one_after_the_other(outer, decoder(inner))


def _one_after_the_other(
    outer: Callable[[bytes], bytes], inner: Callable[[bytes], bytes] | None
) -> Callable[[bytes], bytes] | None:
    return None if inner is None else lambda data: inner(outer(data))


def windows(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """The source in overlapping windows: where each begins, the lines before it, its bytes."""
    file.seek(0)
    start = lines = 0
    data = file.read(WINDOW)
    while data:
        last = len(data) < WINDOW
        if not last:
            cut = data.rfind(b"\n", WINDOW // 2) + 1
            if cut:
                data = data[:cut]
        yield start, lines, data
        if last:
            return
        begin = data.find(b"\n", len(data) - OVERLAP) + 1 or len(data) - OVERLAP
        if begin >= len(data):
            begin = len(data) - OVERLAP
        lines += data.count(b"\n", 0, begin)
        start += begin
        file.seek(start)
        data = file.read(WINDOW)


def mapped(found: Iterable[Occurrence], view: Reading, data: bytes, base: int, lines: int) -> Iterator[Occurrence]:
    """Occurrences in a view's text as occurrences in the source, of which `data` begins at `base`, after so many lines."""
    for occurrence in found:
        start, end = view.source_start(occurrence.locator.start), view.source_end(occurrence.locator.end)
        line = 1 + lines + data.count(b"\n", 0, start)
        column = 1 + len(data[data.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace"))
        yield occurrence._replace(
            locator=occurrence.locator._replace(
                start=base + start, end=base + end, encoding=within(view.encoding, occurrence.locator.encoding)
            ),
            line=line,
            column=column,
            end_line=line + data.count(b"\n", start, end),
        )


def merged(raw: list[Occurrence], other: list[Occurrence]) -> list[Occurrence]:
    """Both, each place once. What both find stays as it stands raw; where the text as it is meant gives another value at the same place,
    the raw bytes were misread."""
    result = list(raw)
    kept: set[tuple[str, int]] = set()
    for occurrence in other:
        start, end = occurrence.locator.start, occurrence.locator.end
        if (occurrence.fingerprint, start) in kept:
            continue
        kept.add((occurrence.fingerprint, start))
        meets = [each for each in result if each.locator.start < end and each.locator.end > start]
        if any(each.fingerprint == occurrence.fingerprint for each in meets):
            continue
        misread = [each for each in meets if each.locator.encoding == "raw" and each.confidence <= occurrence.confidence]
        result = [each for each in result if each not in misread]
        result.append(occurrence)
    result.sort(key=lambda each: each.locator.start)
    return result
