"""What a plan would change, shown without a secret: neither those that go nor anything in the text around them that might be one."""

from __future__ import annotations

from typing import NamedTuple

from keyward.flows.scrub_files import Plan
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Place, Refusal, Treatment
from keyward.scrub.redactor import Blinded, Redactor, Style
from keyward.scrub.spans import HEAD, Span, find
from keyward.scrub.wide_text import wide_encoding, written

SHOWN = 5
"""Changes of one file that are shown; the rest is counted."""

AROUND = 48
"""Bytes of context on each side."""

COUNTED = 64 << 20
"""Bytes of a file up to which its lines are counted."""

MASK = "********"


class Change(NamedTuple):
    """`line`: 0 if it was not counted. `before`: with a mask where the secret is."""

    line: int
    offset: int
    before: str
    after: str


class Diff(NamedTuple):
    changes: tuple[Change, ...]
    more: int


def diff(plan: Plan, place: Place) -> Diff:
    """The first changes of a file, none of one that is no text. It is looked at anew: nothing of it was kept."""
    try:
        with OpenFile(place.path) as file:
            head = file.read(0, HEAD)
            encoding = wide_encoding(head)
            if b"\0" in head and not encoding:
                return Diff((), 0)
            found = find(file, plan.wanted.redactor)
            same_length = place.treatment is Treatment.OVERWRITE
            style = Style.SAME_LENGTH if same_length else plan.options.style
            careful = Redactor(plan.setting.project.recipe.matcher(), plan.setting.pseudonyms, persona="auditor")
            changes = [_change(file, span, found.spans, style, careful, encoding) for span in found.spans[:SHOWN]]
    except (OSError, Refusal):
        return Diff((), 0)
    return Diff(tuple(changes), len(found.spans) - len(changes))


def _change(file: OpenFile, span: Span, spans: tuple[Span, ...], style: Style, careful: Redactor, encoding: str) -> Change:
    start = max(0, span.start - AROUND) & ~1
    data = file.read(start, span.end + AROUND - start)
    hidden = bytearray(len(data))
    for each in spans:
        if each.end > start and each.start < start + len(data):
            first, last = max(each.start - start, 0), min(each.end - start, len(data))
            hidden[first:last] = b"\1" * (last - first)
    try:
        for unsure in careful.redactions(data, file.path):
            hidden[unsure.start : unsure.end] = b"\1" * (unsure.end - unsure.start)
    except Blinded:
        hidden[:] = b"\1" * len(data)
    own, end = span.start - start, span.end - start
    before = _masked(data[:own], hidden[:own], encoding)
    after = _masked(data[end:], hidden[end:], encoding)
    new = _text(written(span.redaction, data[own:end], style), encoding)
    left, right = before.rpartition("\n")[2], after.partition("\n")[0].rstrip("\r")
    # a mask of several lines is shown by its first
    return Change(_line(file, span), span.start, left + MASK + right, left + new.partition("\n")[0] + right)


def _masked(data: bytes, hidden: bytearray, encoding: str) -> str:
    pieces: list[str] = []
    at = 0
    while at < len(data):
        end = at
        while end < len(data) and hidden[end] == hidden[at]:
            end += 1
        pieces.append("…" if hidden[at] else _text(data[at:end], encoding))
        at = end
    return "".join(pieces)


def _text(data: bytes, encoding: str) -> str:
    return data.decode(encoding or "utf-8", "replace")


def _line(file: OpenFile, span: Span) -> int:
    if span.start > COUNTED:
        return 0
    return file.read(0, span.start).count(b"\n") + 1
