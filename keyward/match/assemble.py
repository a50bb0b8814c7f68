"""From matches to credentials: parts of one credential are joined, and of overlapping ones the most specific stays."""

from __future__ import annotations

from typing import Callable, Iterable, Mapping, NamedTuple

from keyward.match.confirm import Match, Span
from keyward.model.kind import CredentialKind, Kind
from keyward.model.rule import STRUCTURAL, Rule

JOIN_WITHIN = 400
"""Bytes between two parts found by different rules of one kind, at most, for them to be one credential."""


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
        for match in _join(_without_subsets(group)):
            identity = next((part for part in (*kind.identity, *match.parts) if part in match.parts), "")
            if identity:
                candidates.append(Candidate(match.rule, kind, identity, match.parts[identity], match.parts))
    return _most_specific(candidates)


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
    """Joins neighbours that were found by different rules and have no part in common."""
    joined: list[Match] = []
    for match in group:
        previous = joined[-1] if joined else None
        if (
            previous is not None
            and previous.rule is not match.rule
            and not previous.parts.keys() & match.parts.keys()
            and match.start - previous.end <= JOIN_WITHIN
        ):
            better = max(previous, match, key=lambda m: m.rule.score)
            joined[-1] = Match(
                better.rule, min(previous.start, match.start), max(previous.end, match.end), {**previous.parts, **match.parts}
            )
        else:
            joined.append(match)
    return joined


def _most_specific(candidates: list[Candidate]) -> list[Candidate]:
    """Of overlapping values the most specific stays, then the surer, then the longer. What stands inside a block at least
    three times as long, such as letters inside a private key, goes with the block."""
    if len(candidates) < 2:
        return candidates

    def rank(candidate: Candidate) -> tuple[int, int, int, int, str]:
        length = candidate.span[1] - candidate.span[0]
        return (-candidate.rule.specificity, -len(candidate.parts), -candidate.rule.score, -length, candidate.rule.id)

    blocks = sorted(c.span for c in candidates if c.rule.specificity >= STRUCTURAL and c.span[1] - c.span[0] >= 120)
    kept: list[Candidate] = []
    taken: list[Span] = []
    for candidate in sorted(candidates, key=rank):
        start, end = candidate.span
        inside = any(s <= start and end <= e and e - s >= 3 * (end - start) for s, e in blocks)
        if inside or any(start < e and s < end for s, e in _near(taken, start, end)):
            continue
        kept.append(candidate)
        taken.append(candidate.span)
    return sorted(kept, key=lambda c: c.span)


def _near(taken: list[Span], start: int, end: int) -> list[Span]:
    return [span for span in taken if span[0] < end and start < span[1]]
