"""The second, exact match around each hit: span and parts. Python runs here per hit, never per byte."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from keyward.errors import RuleError
from keyward.match.engine.anchor import Anchor
from keyward.model.rule import Companion, Rule

Span = tuple[int, int]

HITS_PER_RULE = 20_000
"""Hits of one rule in one chunk that may fail before the rule is given up there, and the fact reported."""


class Match(NamedTuple):
    """A rule's match in a buffer: `start`, `end` of the whole, and the span of each part."""

    rule: Rule
    start: int
    end: int
    parts: Mapping[str, Span]


class Confirmer:
    """The exact matcher of one rule. Rules that are not keyward's own run in RE2, where no text can make them slow."""

    def __init__(self, rule: Rule, anchor: Anchor) -> None:
        self.rule = rule
        self._regex = _compile(rule)
        self._width = anchor.width
        self._lookback = anchor.lookback + 1
        self._lookahead = anchor.lookahead
        # RE2 names the groups of a bytes pattern in bytes, and takes no such name where it wants a group.
        groups = self._regex.groupindex.items()
        self._groups = tuple((name if isinstance(name, str) else name.decode(), number) for name, number in groups)
        self._companions = [(c, _compile_companion(c)) for c in rule.companions]

    def confirm(self, data: Any, ends: Iterable[int]) -> tuple[list[Match], bool]:
        """The matches around the hits that end at `ends` (ascending), and whether all hits were looked at."""
        found: list[Match] = []
        size = len(data)
        done = -1
        failed = 0
        for end in ends:
            if end <= done:
                continue
            high = min(size, end + self._lookahead)
            before = len(found)
            if self._width:
                matched = self._regex.match(data, end - self._width, high)
                if matched:
                    done = matched.end()
                    found.append(self._match(matched))
            else:
                low = max(0, end - self._lookback, done)
                for matched in self._regex.finditer(data, low, high):
                    if matched.end() > done:
                        done = matched.end()
                        found.append(self._match(matched))
            if len(found) == before:
                failed += 1
                if failed > HITS_PER_RULE:
                    return found, False
        return found, True

    def _match(self, matched: Any) -> Match:
        start, end = matched.span()
        if not self._groups:
            return Match(self.rule, start, end, {"secret": (start, end)})
        parts = {name: matched.span(number) for name, number in self._groups if matched.start(number) >= 0}
        return Match(self.rule, start, end, parts)

    def companions(self, data: Any, matches: list[Match]) -> list[Match]:
        """The matches with their companion parts, each value given to the nearest match that wants it."""
        for companion, regex in self._companions:
            pairs = []
            for index, match in enumerate(matches):
                for span in _nearby(data, match, companion, regex):
                    distance = span[0] - match.end if span[0] >= match.end else (match.start - span[1]) + companion.within
                    pairs.append((distance, index, span))
            pairs.sort()
            taken: set[Span] = set()
            served: dict[int, Span] = {}
            for _, index, span in pairs:
                if index not in served and span not in taken:
                    served[index] = span
                    taken.add(span)
            matches = [
                match._replace(parts={**match.parts, companion.part: served[index]}) if index in served else match
                for index, match in enumerate(matches)
            ]
        return matches


def _nearby(data: Any, match: Match, companion: Companion, regex: Any) -> list[Span]:
    low, high = max(0, match.start - companion.within), min(len(data), match.end + companion.within)
    group = companion.part if companion.part in regex.groupindex else 0
    spans = []
    for found in regex.finditer(data, low, high):
        start, end = found.span(group)
        if end > match.start and start < match.end:
            continue
        if companion.check is None or companion.check(bytes(data[start:end])):
            spans.append((start, end))
        if len(spans) >= 16:
            break
    return spans


def _compile(rule: Rule) -> Any:
    if rule.trusted:
        return re.compile(rule.pattern, re.IGNORECASE if rule.ignore_case else 0)
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = not rule.ignore_case
    options.max_mem = 8 << 20
    options.log_errors = False
    try:
        return re2.compile(rule.pattern, options=options)
    except re2.error as error:
        raise RuleError(f"rule {rule.id}: RE2 does not accept the pattern: {error}") from None


def _compile_companion(companion: Companion) -> Any:
    return re.compile(companion.pattern)
