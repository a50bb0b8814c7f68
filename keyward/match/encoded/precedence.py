"""Which of several findings of one place stays: what stands there raw, and what it decodes to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from keyward.match.assemble import Taken
from keyward.match.matcher import Judged
from keyward.model.rule import GENERIC, PROVIDER

Span = tuple[int, int]

NEIGHBOURS = 48
"""Findings next to one in the order of the buffer that it is compared with, on either side."""

SURER = 20
"""By so much a raw generic reading has to be surer than another one inside of it, to stay."""


def joined(raw: Sequence[Judged], decoded: Iterable[Judged], covered: Iterable[Span] = ()) -> list[Judged]:
    """Both, each credential once. The more specific stays; of equals, what is inside, because what holds it is only its encoding.

    `covered`: stretches that are known to be an encoding of a text, so that nothing generic can be said of them as they stand.
    """
    encodings = Taken()
    for span in covered:
        encodings.add(*span)
    kept = [each for each in raw if each.candidate.rule.specificity > GENERIC or not encodings.overlaps(*each.candidate.span)]
    kept.sort(key=lambda each: each.candidate.span)
    starts = [each.candidate.span[0] for each in kept]
    ends = [each.candidate.span[1] for each in kept]  # ascending as well: raw findings do not overlap
    gone: set[int] = set()
    result: list[Judged] = []
    for each in distinct(decoded):
        start, end = each.candidate.span
        low = bisect_right(ends, start)
        others = [index for index in range(low, min(bisect_left(starts, end), low + NEIGHBOURS)) if index not in gone]
        if any(_stays(kept[index], each) for index in others):
            continue
        gone.update(index for index in others if not _beside(kept[index], each))
        result.append(each)
    return [each for index, each in enumerate(kept) if index not in gone] + result


def distinct(decoded: Iterable[Judged]) -> list[Judged]:
    """The findings without those that are another reading of a better one: more specific, then surer, then with the shorter way to it.

    Several may stand in one unit (a packed text), so places that meet are not enough: the values are compared.
    """
    ordered = sorted(decoded, key=lambda each: each.candidate.span)
    gone: set[int] = set()
    for index in sorted(range(len(ordered)), key=lambda index: _rank(ordered[index])):
        if index in gone:
            continue
        start, end = ordered[index].candidate.span
        for other in range(max(0, index - NEIGHBOURS), min(len(ordered), index + NEIGHBOURS + 1)):
            low, high = ordered[other].candidate.span
            if other != index and low < end and start < high and _is_reading_of(ordered[other], ordered[index]):
                gone.add(other)
    return [each for index, each in enumerate(ordered) if index not in gone]


def _rank(judged: Judged) -> tuple[int, int, int]:
    return (-judged.candidate.rule.specificity, -judged.confidence, len(judged.encoding))


def _is_reading_of(one: Judged, other: Judged) -> bool:
    first, second = one.context.value, other.context.value
    if one.encoding == other.encoding and one.candidate.span == other.candidate.span:
        return first == second
    return first in second or second in first


def _stays(raw: Judged, inside: Judged) -> bool:
    """Whether a raw finding makes the one inside superfluous."""
    difference = raw.candidate.rule.specificity - inside.candidate.rule.specificity
    if difference:
        return difference > 0
    if canonical(raw) == canonical(inside):
        return True
    if raw.candidate.rule.specificity == GENERIC and raw.confidence >= inside.confidence + SURER:
        return True
    return _is_put_together(inside)


def _beside(raw: Judged, inside: Judged) -> bool:
    """Whether both are reported: a token of one provider within a token of another."""
    both = raw.candidate.rule.specificity == inside.candidate.rule.specificity == PROVIDER
    return both and raw.candidate.kind.name != inside.candidate.kind.name


def _is_put_together(judged: Judged) -> bool:
    """Whether it is made of pieces, which is a guess where one piece is a credential by itself."""
    return judged.encoding.rpartition("+")[2] in ("joined", "wrapped")


def canonical(judged: Judged) -> bytes:
    """The value in the form that is fingerprinted."""
    form = judged.candidate.kind.canonical
    value = judged.context.value
    try:
        return form(value) if form else value
    except Exception:  # a pack's code on bytes from anywhere
        return value
