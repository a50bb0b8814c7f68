"""From matches to credentials: parts of one credential are joined, and of overlapping ones the most specific stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from keyward.match.confirm import Match, Span
from keyward.model.kind import CredentialKind, Kind
from keyward.model.rule import GENERIC, STRUCTURAL, Rule

JOIN_WITHIN = 400
"""Bytes between two parts found by different rules of one kind, at most, for them to be one credential."""

BLOCK = 120
"""Bytes from which on a structural value may have others inside it that are only letters of it."""


class Candidate(NamedTuple):
    """One credential in a buffer: the rule that found its identity part, all parts, and the span of the identity part."""

    rule: Rule
    kind: CredentialKind
    identity: str
    span: Span
    parts: Mapping[str, Span]


def assemble(matches: Iterable[Match], kind_of: Callable[[Kind], CredentialKind]) -> list[Candidate]:
    """The credentials in the matches of one buffer, by position."""
    by_kind: dict[Kind, list[Match]] = {}
    for match in matches:
        by_kind.setdefault(match.rule.kind, []).append(match)
    candidates = []
    for name, group in by_kind.items():
        kind = kind_of(name)
        for match in group if _all_generic(group) else _join(_without_subsets(group)):
            identity = next((part for part in (*kind.identity, *match.parts) if part in match.parts), "")
            if identity:
                candidates.append(Candidate(match.rule, kind, identity, match.parts[identity], match.parts))
    return candidates


def _all_generic(group: list[Match]) -> bool:
    """Whether the rules of a kind know values by what stands around them alone. Each sees something else there, so which of them is the surest of a
    value is known when all are judged."""
    return group[0].rule.specificity == GENERIC and all(len(match.parts) == 1 for match in group)


def _without_subsets(group: list[Match]) -> list[Match]:
    """Drops a match whose parts all stand, at the same place, in another one that has more of them or a better score."""
    if len(group) < 2:
        return group
    kept: list[Match] = []
    claimed: set[tuple[str, Span]] = set()
    for match in sorted(group, key=lambda m: (-len(m.parts), -m.rule.score, m.start)):
        items = set(match.parts.items())
        if items <= claimed:
            continue
        claimed |= items
        kept.append(match)
    return sorted(kept, key=lambda m: m.start)


def _join(group: list[Match]) -> list[Match]:
    """Joins neighbours that were found by different rules and have no part in common: each with the nearer of its two."""
    joined: list[Match] = []
    for index, match in enumerate(group):
        previous = joined[-1] if joined else None
        following = group[index + 1] if index + 1 < len(group) else None
        if (
            previous is None
            or not _fit(previous, match)
            or (
                following is not None
                and following.rule is previous.rule
                and _fit(match, following)
                and _gap(match, following) < _gap(previous, match)
            )
        ):
            joined.append(match)
            continue
        better = max(previous, match, key=lambda m: m.rule.score)
        start, end = min(previous.start, match.start), max(previous.end, match.end)
        joined[-1] = Match(better.rule, start, end, {**previous.parts, **match.parts})
    return joined


def _gap(one: Match, other: Match) -> int:
    """Bytes between the parts; the names before them would make what follows seem nearer."""
    return min(start for start, _ in other.parts.values()) - max(end for _, end in one.parts.values())


def _fit(one: Match, other: Match) -> bool:
    """Whether two matches, in this order, may be parts of one credential."""
    return one.rule is not other.rule and not one.parts.keys() & other.parts.keys() and other.start - one.end <= JOIN_WITHIN


def most_specific(candidates: Sequence[Candidate], confidences: Sequence[int]) -> list[int]:
    """The indexes of the candidates that stay where values overlap, by position: the most specific, then the surest, then
    the longer. A part of a specific credential is no generic one by itself, and what stands inside a block at least three
    times as long, such as letters inside a private key, goes with the block. Candidates without confidence take no place.
    """
    indexes = [index for index, confidence in enumerate(confidences) if confidence > 0]
    if len(indexes) < 2:
        return indexes

    def rank(index: int) -> tuple[int, int, int, int, str]:
        candidate = candidates[index]
        length = candidate.span[1] - candidate.span[0]
        return (-candidate.rule.specificity, -len(candidate.parts), -confidences[index], -length, candidate.rule.id)

    kept: list[int] = []
    taken, blocks = Taken(), Taken()
    for candidate in map(candidates.__getitem__, indexes):
        if candidate.rule.specificity >= STRUCTURAL and candidate.span[1] - candidate.span[0] >= BLOCK:
            blocks.add(*candidate.span)
    for index in sorted(indexes, key=rank):
        candidate = candidates[index]
        start, end = candidate.span
        if taken.overlaps(start, end) or blocks.holds(start, end):
            continue
        kept.append(index)
        for span in candidate.parts.values() if candidate.rule.specificity > GENERIC else [candidate.span]:
            taken.add(*span)
    return sorted(kept, key=lambda index: candidates[index].span)


class Taken:
    """Spans by blocks of 256 bytes, so that asking stays cheap in a file with thousands of them."""

    def __init__(self) -> None:
        self._blocks: dict[int, list[Span]] = {}

    def add(self, start: int, end: int) -> None:
        for block in range(start >> 8, (end >> 8) + 1):
            self._blocks.setdefault(block, []).append((start, end))

    def holds(self, start: int, end: int) -> bool:
        """Whether the span stands inside one at least three times as long."""
        return any(s <= start and end <= e and e - s >= 3 * (end - start) for s, e in self._blocks.get(start >> 8, ()))

    def overlaps(self, start: int, end: int) -> bool:
        blocks = range(start >> 8, (end >> 8) + 1)
        return any(s < end and start < e for block in blocks for s, e in self._blocks.get(block, ()))
