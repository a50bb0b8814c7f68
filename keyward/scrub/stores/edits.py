"""Where in a text something goes, and what stands there instead: in the bytes as they stand, and where a format writes a value otherwise
than it is (`\\040` for a space, a value split over two records), at the bytes that stand for it.

Every byte that is no part of a value stays: what joins two records, the escape that a line ends in, a colour in the middle.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from keyward.formats.views import View, encoding_for, view_for
from keyward.scrub.plan import Name
from keyward.scrub.redactor import Redaction, Style, replacement, same_length

HEAD = 4096
"""First bytes by which a format is told."""

FIXED_LENGTH = frozenset(("viminfo",))
"""Formats that write down how long a text is: a value in them is overwritten in its length, whatever the style."""


class Finds(Protocol):
    """What finds the values of a text."""

    def find(self, data: bytes, path: str = "") -> list[Redaction]: ...


class Edit(NamedTuple):
    """One stretch of bytes that goes. `put`: what stands there then. `name`: of the secret. `first`: whether the value begins here; one
    that is written in several stretches is counted once."""

    start: int
    end: int
    put: bytes
    name: Name
    first: bool = True


def text_edits(data: bytes, called: str, finder: Finds, style: Style) -> list[Edit]:
    """What goes in a text, ascending and without overlaps. `called`: its path or a member's name, by which its format is told."""
    style = Style.SAME_LENGTH if encoding_for(called, data[:HEAD]) in FIXED_LENGTH else style
    edits = [
        Edit(each.start, each.end, replacement(each, data[each.start : each.end], style), Name(each.kind, each.pseudonym))
        for each in finder.find(data, called)
    ]
    make = view_for(called, data[:HEAD])
    view = make(data) if make is not None else None
    if view is not None:
        edits = _with(edits, [_edits_of(each, view, data, style) for each in finder.find(view.text, called)])
    return [_as_number(data, edit) for edit in edits] if b"{" in data or b"[" in data else edits


def _edits_of(redaction: Redaction, view: View, data: bytes, style: Style) -> list[Edit]:
    """A value that was found in a view, at its bytes in the source: its name where it begins, nothing in the stretches that follow."""
    ranges: list[tuple[int, int]] = []
    for offset in range(redaction.start, redaction.end):
        start, end = view.source_start(offset), view.source_end(offset + 1)
        if ranges and start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    name = Name(redaction.kind, redaction.pseudonym)
    edits = []
    for number, (start, end) in enumerate(ranges):
        original = data[start:end]
        if style is Style.SAME_LENGTH:
            put = same_length(redaction, original) if not number else b"*" * (end - start)
        else:
            put = replacement(redaction, original, style) if not number else b""
        edits.append(Edit(start, end, put, name, not number))
    return edits


def _with(edits: list[Edit], values: list[list[Edit]]) -> list[Edit]:
    """Both. Where the text as it stands and as it is meant show the same value, the former; where the latter shows more of it, the latter."""
    starts, ends = [each.start for each in edits], [each.end for each in edits]
    dropped: set[Edit] = set()
    more: list[Edit] = []
    for pieces in filter(None, values):
        low, high = pieces[0].start, pieces[-1].end
        meets = edits[bisect_right(ends, low) : bisect_left(starts, high)]
        if all(any(one.start <= each.start and each.end <= one.end for one in meets) for each in pieces):
            continue
        outside = [each for each in meets if each.start < low or each.end > high]
        dropped.update(each for each in meets if each not in outside)
        more += (each for each in pieces if not any(one.start < each.end and one.end > each.start for one in outside))
    merged: list[Edit] = []
    for each in sorted([*(each for each in edits if each not in dropped), *more]):
        if not merged or each.start >= merged[-1].end:
            merged.append(each)
    return merged


_NUMBER = re.compile(rb"[0-9]{6,}\Z")
_BEFORE_NUMBER = re.compile(rb"[:,\[]\s*\Z")
_AFTER_NUMBER = re.compile(rb"\s*[,\]}]")


def _as_number(data: bytes, edit: Edit) -> Edit:
    """A value that stands as a number in JSON becomes another number: a word there would end the document."""
    if not _NUMBER.match(data[edit.start : edit.end]):
        return edit
    if _BEFORE_NUMBER.search(data[max(0, edit.start - 16) : edit.start]) and _AFTER_NUMBER.match(data, edit.end):
        return edit._replace(put=b"9" * (edit.end - edit.start))
    return edit


def applied(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The text with them made."""
    pieces: list[bytes] = []
    at = 0
    for each in edits:
        pieces += (data[at : each.start], each.put)
        at = each.end
    pieces.append(data[at:])
    return b"".join(pieces)


def counts_of(edits: Sequence[Edit]) -> dict[Name, int]:
    """How often each secret is among them."""
    counts: dict[Name, int] = {}
    for each in edits:
        if each.first:
            counts[each.name] = counts.get(each.name, 0) + 1
    return counts
