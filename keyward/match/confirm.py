"""The second, exact match around each hit: span and parts. Python runs here per hit, never per byte."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from keyward.errors import RuleError
from keyward.match.engine.anchor import Anchor
from keyward.match.engine.edges import with_escapes
from keyward.model.rule import Companion, Rule

Span = tuple[int, int]

LONGEST_VALUE = 4_200
"""A companion's value is looked at in full up to this length."""

REGION = 65_536
"""At most about so many bytes are looked at in one go; between two of them a rule may be given up."""

HITS_PER_RULE = 5_000
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
        self._regex = _compile(rule, anchor.escapes)
        self._width = anchor.width
        self.keeps_to_line = anchor.keeps_to_line
        self.lookback = anchor.lookback + 1
        self.lookahead = anchor.lookahead
        # RE2 names the groups of a bytes pattern in bytes, and takes no such name where it wants a group.
        groups = self._regex.groupindex.items()
        self._groups = tuple((name if isinstance(name, str) else name.decode(), number) for name, number in groups)
        self._companions = [(c, _compile_companion(c)) for c in rule.companions]

    def confirm(self, data: Any, ends: Iterable[int]) -> tuple[list[Match], bool]:
        """The matches around the hits that end at `ends` (ascending), and whether all hits were looked at."""
        return self._at_known_starts(data, ends) if self._width else self._in_regions(data, ends)

    def all_in(self, data: Any) -> list[Match]:
        """The matches in a short text, wherever they are."""
        return [self._match(matched) for matched in self._regex.finditer(data)]

    def _at_known_starts(self, data: Any, ends: Iterable[int]) -> tuple[list[Match], bool]:
        found: list[Match] = []
        size = len(data)
        done = -1
        failed = 0
        for end in ends:
            if end <= done:
                continue
            bound = end + self.lookahead + 1
            matched = self._regex.match(data, end - self._width, min(size, bound))
            if matched and (matched.end() < bound or bound >= size):
                done = matched.end()
                found.append(self._match(matched))
                continue
            failed += 1
            if failed > HITS_PER_RULE:
                return found, False
        return found, True

    def _in_regions(self, data: Any, ends: Iterable[int]) -> tuple[list[Match], bool]:
        """Hits whose windows overlap are looked at together, so that no byte is gone over once per hit near it.

        One byte more than a match may take is looked at, so that the end of what is looked at is not taken for the end of the text.
        """
        found: list[Match] = []
        size = len(data)
        low = high = failed = hits = last = 0
        for end in (*ends, -1):
            start, stop = self._around(data, end) if end >= 0 else (size, size)
            if end >= 0 and hits and start <= high and high - low < REGION:
                high = stop
                last = end
                hits += 1
                continue
            if hits:
                before = len(found)
                for matched in self._regex.finditer(data, max(low, found[-1].end if found else 0), min(size, high + 1)):
                    if matched.end() > high and high + 1 < size:  # only because the text is cut off here (`\\Z`)
                        break
                    found.append(self._match(matched))
                    if matched.end() >= last:  # another match would have a hit of its own behind this one's end
                        break
                failed += max(0, hits - (len(found) - before))
                if failed > HITS_PER_RULE and end >= 0:
                    return found, False
            low, high, last, hits = start, stop, end, 1
        return found, True

    def _around(self, data: Any, end: int) -> Span:
        """Where a match with a hit that ends at `end` can begin and end. Going over a line costs a fifth of going over all that a generic
        rule may look at."""
        low, high = max(0, end - self.lookback), min(len(data), end + self.lookahead)
        if self.keeps_to_line:
            newline = data.find(b"\n", end - 1, high)
            return data.rfind(b"\n", low, end - 1) + 1 or low, newline + 1 or high
        return low, high

    def _match(self, matched: Any) -> Match:
        spans = matched.regs if self.rule.trusted else [matched.span(number) for number in range(self._regex.groups + 1)]
        start, end = spans[0]
        if not self._groups:
            return Match(self.rule, start, end, {"secret": (start, end)})
        return Match(self.rule, start, end, {name: spans[number] for name, number in self._groups if spans[number][0] >= 0})

    def companions(self, data: Any, matches: list[Match]) -> list[Match]:
        """The matches with their companion parts, as far as they stand nearby."""
        for companion, regex in self._companions:
            served = _distribute(data, matches, companion, _nearby(data, matches, companion, regex))
            matches = [
                match if span is None else match._replace(parts={**match.parts, companion.part: span})
                for match, span in zip(matches, served)
            ]
        return matches


def _nearby(data: Any, matches: list[Match], companion: Companion, regex: Any) -> list[list[Span]]:
    """The companion's values before the first match, between the first and the second, and so on: one list more than matches.

    Each stretch of text is gone over once, however many matches stand near it."""
    group = companion.part if companion.part in regex.groupindex else 0
    starts = [match.start for match in matches]
    gaps: list[list[Span]] = [[] for _ in range(len(matches) + 1)]
    for low, high in _merged((match.start - companion.within, match.end + companion.within) for match in matches):
        for found in regex.finditer(data, max(0, low), high + LONGEST_VALUE):
            start, end = found.span(group)
            if start > high:
                break
            index = bisect(starts, start)
            clear = (not index or matches[index - 1].end <= start) and (index == len(matches) or end <= starts[index])
            if clear and (companion.check is None or companion.check(bytes(data[start:end]))):
                gaps[index].append((start, end))
    return gaps


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans in order of their beginning, those that touch made one."""
    low, high = 0, -1
    for start, end in spans:
        if start > high:
            if high >= 0:
                yield low, high
            low = start
        high = max(high, end)
    if high >= 0:
        yield low, high


class _Way(NamedTuple):
    """One way to serve the matches so far. `amiss`: one for each value on the other side of an object's end, two for each match
    without a value. `choice`: what the last match got; `came_from`: the way before it."""

    amiss: int = 0
    distance: int = 0
    choice: Span | None = None
    came_from: Any = None


def _distribute(data: Any, matches: list[Match], companion: Companion, gaps: list[list[Span]]) -> list[Span | None]:
    """Which match gets which value. Of all ways to give them out, the one that leaves fewest without, and then the nearest.

    A match takes the first value after it or the last one before it, with no other match between; what stands before counts
    as a little further away. The end of an object, a section or a paragraph between the two is half as bad as no value. So
    each of several accounts keeps its own secret, whichever part the file names first.
    """
    # `used` is the best way in which the last match took the only value that stands between it and the next one.
    free: _Way | None = _Way()
    used: _Way | None = None
    for index, match in enumerate(matches):
        best = _better(free, used)
        next_free, next_used = _Way(best.amiss + 2, best.distance, None, best), None
        previous, following = gaps[index], gaps[index + 1]
        source = best if len(previous) > 1 else free
        if previous and source is not None and match.start - previous[-1][1] <= companion.within:
            next_free = _better(
                next_free, _step(source, data, previous[-1], previous[-1][1], match.start, companion.within // 8)
            )
        if following and following[0][0] - match.end <= companion.within:
            way = _step(best, data, following[0], match.end, following[0][0], 0)
            if len(following) > 1:
                next_free = _better(next_free, way)
            else:
                next_used = way
        free, used = next_free, next_used
    chosen: list[Span | None] = []
    last = _better(free, used)
    while last is not None and last.came_from is not None:
        chosen.append(last.choice)
        last = last.came_from
    return chosen[::-1]


def _better(one: _Way | None, other: _Way | None) -> _Way:
    if one is None or other is None:
        return one or other or _Way()
    return other if other[:2] < one[:2] else one


def _step(way: _Way, data: Any, value: Span, start: int, end: int, further: int) -> _Way:
    amiss = 1 if _END_OF_OBJECT.search(data, start, end) else 0
    return _Way(way.amiss + amiss, way.distance + end - start + further, value, way)


_END_OF_OBJECT = re.compile(rb"\}|\n[ \t\r]*\n|\n[ \t]*(?:\[|- |---)")


def _compile(rule: Rule, escapes: bool) -> Any:
    if rule.trusted:
        return re.compile(with_escapes(rule.pattern) if escapes else rule.pattern, re.IGNORECASE if rule.ignore_case else 0)
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
