"""Which of several findings of one place stays: what stands there raw, and what it decodes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from keyward.match.assemble import Taken
from keyward.match.matcher import Judged
from keyward.model.rule import GENERIC, PROVIDER

Span = tuple[int, int]


def joined(raw: Sequence[Judged], decoded: Sequence[Judged], covered: Iterable[Span] = ()) -> list[Judged]:
    """Both, each credential once. The more specific stays; of equals, what is inside, because what holds it is only its encoding. `covered`: stretches that are known
    to be an encoding of a text, so that nothing generic can be said of them as they stand."""
    inner = _distinct(decoded)
    encodings = Taken()
    for span in covered:
        encodings.add(*span)
    kept = [each for each in raw if each.candidate.rule.specificity > GENERIC or not encodings.overlaps(*each.candidate.span)]
    meets = _meeting(kept)
    gone: set[int] = set()
    result: list[Judged] = []
    for each in inner:
        others = [index for index in meets(each.candidate.span) if index not in gone]
        if any(_stays(kept[index], each) for index in others):
            continue
        gone.update(index for index in others if not _beside(kept[index], each))
        result.append(each)
    return [each for index, each in enumerate(kept) if index not in gone] + result


def _stays(raw: Judged, inside: Judged) -> bool:
    """Whether a raw finding makes the one inside superfluous."""
    if raw.candidate.rule.specificity != inside.candidate.rule.specificity:
        return raw.candidate.rule.specificity > inside.candidate.rule.specificity
    if canonical(raw) == canonical(inside):
        return True
    return _glued(inside) or (not _beside(raw, inside) and raw.candidate.rule.specificity == GENERIC and raw.confidence > inside.confidence + 20)


def _beside(raw: Judged, inside: Judged) -> bool:
    """Whether both are reported: a token of one provider within a token of another."""
    both = raw.candidate.rule.specificity == inside.candidate.rule.specificity == PROVIDER
    return both and raw.candidate.kind.name != inside.candidate.kind.name


def _glued(judged: Judged) -> bool:
    """Whether it was put together from pieces, which is a guess where one piece is a credential by itself."""
    return judged.encoding.rpartition("+")[2].startswith(("joined", "wrapped"))


def canonical(judged: Judged) -> bytes:
    """The value in the form that is fingerprinted."""
    form = judged.candidate.kind.canonical
    value = judged.context.value
    try:
        return form(value) if form else value
    except Exception:  # a pack's code on bytes from anywhere
        return value


def _distinct(decoded: Iterable[Judged]) -> list[Judged]:
    """The findings without those that overlap a better one: more specific, then surer, then with the shorter way to it."""
    kept: list[Judged] = []
    taken = Taken()
    seen: set[tuple[Span, bytes]] = set()
    for each in sorted(decoded, key=lambda j: (-j.candidate.rule.specificity, -j.confidence, len(j.encoding), j.candidate.span)):
        key = (each.candidate.span, each.context.value)
        if key in seen or (each.encoding == "raw" and taken.overlaps(*each.candidate.span)):
            continue
        # several credentials may stand in one unit (a packed text): only the same value, or a weaker reading of it, gives way
        if taken.overlaps(*each.candidate.span) and any(_same_text(other, each) for other in kept):
            continue
        seen.add(key)
        taken.add(*each.candidate.span)
        kept.append(each)
    return kept


def _same_text(one: Judged, other: Judged) -> bool:
    (start, end), (low, high) = one.candidate.span, other.candidate.span
    if start >= high or low >= end:
        return False
    first, second = one.context.value, other.context.value
    return first == second or first in second or second in first


def _meeting(judged: Sequence[Judged]) -> Callable[[Span], list[int]]:
    """A function from a span to the indexes of the findings that overlap it, in steps of 256 bytes."""
    blocks: dict[int, list[int]] = {}
    for index, each in enumerate(judged):
        start, end = each.candidate.span
        for block in range(start >> 8, (end >> 8) + 1):
            blocks.setdefault(block, []).append(index)

    def meets(span: Span) -> list[int]:
        start, end = span
        found = {index for block in range(start >> 8, (end >> 8) + 1) for index in blocks.get(block, ())}
        return sorted(index for index in found if judged[index].candidate.span[0] < end and judged[index].candidate.span[1] > start)

    return meets
