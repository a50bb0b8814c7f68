"""A file that somebody has open keeps its inode, its size and every other byte: its secrets are overwritten where they stand.

The writer's offset and the place up to which a log shipper has read stay true. Each occurrence is one write at its own offset, and is
written down before (`journal`), so that after a kill at any instant each is old, masked or partly masked, and a second run finishes.
A writer may append, rename the file and begin another one meanwhile; one that cuts the file off is noticed before the next write.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from keyward.plugin.ports import Fence
from keyward.scrub.atomic import Changed
from keyward.scrub.fences import act
from keyward.scrub.journal import Entry, Journal
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Name
from keyward.scrub.pseudonym import Pseudonyms
from keyward.scrub.redactor import Redaction, Style, same_length
from keyward.scrub.spans import Span, digest_of
from keyward.scrub.wide_text import BIG, LITTLE, written

BEFORE = 48
"""Bytes in front of an occurrence that say that a file is still the one of the journal."""

TORN = 8
"""Bytes of the mask at one end of an occurrence that make it one that was being written when the power went."""


class Finished(NamedTuple):
    """What became of the journal of an earlier run. `written`: what was overwritten now. `lost`: places that hold neither what was there nor
    a mask."""

    written: tuple[Name, ...]
    lost: int


def overwrite(
    file: OpenFile,
    spans: tuple[Span, ...],
    pseudonyms: Pseudonyms,
    *,
    journals: str | None = None,
    fences: tuple[Fence, ...] = (),
) -> None:
    """Overwrites the spans of a file that is open for writing. Raises Changed where one of them does not stand there any more (those before
    it are overwritten), OSError."""
    if not spans:
        return
    entries = []
    last = 0
    for span in spans:
        entries.append(_entry(file, span, pseudonyms, last))
        last = span.end
    journal = Journal(file.status, folder=journals, fences=fences)
    try:
        journal.begin(file.path, entries)
        for span, entry in zip(spans, entries):
            original = file.read(span.start, span.end - span.start)
            if digest_of(original) != span.digest:
                raise Changed
            _put(file, span.start, written(span.redaction, original, Style.SAME_LENGTH), fences)
            journal.done(entry)
        with act(fences, "fsync file"):
            os.fsync(file.descriptor)
    except Changed:
        journal.end()  # what stands there now is for the next look at the file to say
        raise
    finally:
        journal.close()
    journal.end()


def finish(file: OpenFile, pseudonyms: Pseudonyms, *, journals: str | None = None, fences: tuple[Fence, ...] = ()) -> Finished:
    """Does what an earlier run began on this file and did not end. Raises OSError."""
    journal = Journal(file.status, folder=journals, fences=fences)
    entries = journal.read()
    finished: list[Name] = []
    lost = 0
    for entry in entries:
        now = file.read(entry.start, entry.length)
        mask = _mask(entry)
        if now == mask:
            continue
        if len(now) == entry.length and (pseudonyms.of(now) == entry.check or _is_torn(file, entry, now, mask, pseudonyms)):
            _put(file, entry.start, mask, fences)
            finished.append(Name(entry.kind, entry.pseudonym))
        else:
            lost += 1
    if entries:
        with act(fences, "fsync file"):
            os.fsync(file.descriptor)
    journal.end()
    return Finished(tuple(finished), lost)


def _put(file: OpenFile, start: int, data: bytes, fences: tuple[Fence, ...]) -> None:
    done = 0
    while done < len(data):  # once, unless the disk takes only a part
        with act(fences, "write"):
            done += os.pwrite(file.descriptor, data[done:], start + done)


def _entry(file: OpenFile, span: Span, pseudonyms: Pseudonyms, least: int) -> Entry:
    original = file.read(span.start, span.end - span.start)
    if digest_of(original) != span.digest:
        raise Changed
    before = file.read(max(least, span.start - BEFORE), span.start - max(least, span.start - BEFORE))
    newline = "\n".encode(span.encoding) if span.encoding in (LITTLE, BIG) else b"\n"
    return Entry(
        span.start,
        len(original),
        span.kind,
        span.pseudonym,
        span.encoding,
        tuple(map(len, _lines(original, newline))),
        pseudonyms.of(original),
        pseudonyms.of(before),
        len(before),
    )


def _lines(data: bytes, newline: bytes) -> list[bytes]:
    if len(newline) == 1:
        return data.split(newline)
    lines, at = [], 0
    for end in range(0, len(data), len(newline)):
        if data[end : end + len(newline)] == newline:
            lines.append(data[at:end])
            at = end + len(newline)
    return [*lines, data[at:]]


def _mask(entry: Entry) -> bytes:
    """What an entry's place holds when it is done: made of the outline alone."""
    wide = entry.encoding in (LITTLE, BIG)
    outline = b"\n".join(b"x" * (length // 2 if wide else length) for length in entry.lines)
    mask = same_length(Redaction(entry.start, 0, entry.kind, entry.pseudonym), outline)
    return mask.decode("ascii").encode(entry.encoding) if wide else mask


def _is_torn(file: OpenFile, entry: Entry, now: bytes, mask: bytes, pseudonyms: Pseudonyms) -> bool:
    """Whether a place holds the mask at one end and the rest of what was there: the disk had not got all of it."""
    before = file.read(entry.start - entry.before_length, entry.before_length)
    if pseudonyms.of(before) != entry.before:
        return False
    least = min(TORN, entry.length // 2)
    return now[:least] == mask[:least] or now[-least:] == mask[-least:]
