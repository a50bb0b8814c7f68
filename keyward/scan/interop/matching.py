"""Matching with another scanner's rules: what they ask for besides their pattern, and what their allowlists let pass."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.match.catalogue import Catalogue
from keyward.match.confirm import Match
from keyward.match.matcher import Judged, Matcher
from keyward.model.finding import Allowance
from keyward.registry import Registry
from keyward.scan.interop.go_regex import quiet_options
from keyward.scan.interop.translated import (
    LINE,
    MATCH,
    PREFIX,
    Allowlist,
    ForeignRule,
    ForeignRules,
    Requirement,
    Test,
    entropy,
)

if TYPE_CHECKING:
    from keyward.scan.interop.detect_secrets import PluginRunner

Hits = dict[int, list[int]]

NEARBY = 100_000
"""Bytes around a hit in which a keyword must stand. gitleaks reads a file in pieces of that size, and asks for the keyword in the piece."""

LONGEST_LINE = 10_000
"""Bytes of a line on either side of a secret that an allowlist may look at."""

MOST_NEIGHBOURS = 1_000
"""Matches of a required rule that are compared with one match."""

NO_HITS: Hits = {-1: []}
"""Says "look at this all the same": a plugin may find what no pattern does."""


class InteropMatcher(Matcher):
    """A matcher that holds other scanners' rules to their paths, keywords and required rules, and asks plugins.

    `root`: what the paths that rules name are relative to.
    """

    def __init__(
        self,
        registry: Registry,
        catalogue: Catalogue,
        foreign: ForeignRules | None,
        *,
        root: str = "",
        plugins: PluginRunner | None = None,
    ) -> None:
        super().__init__(registry, catalogue)
        rules = {rule.id: rule for rule in foreign.rules} if foreign is not None else {}
        self._foreign = {
            number: rules[entry.rule]
            for number, entry in enumerate(catalogue.entries)
            if entry.pack == "user" and entry.rule in rules
        }
        self._number = {rule.source: number for number, rule in self._foreign.items()}
        self._gated = {
            number for number, rule in self._foreign.items() if rule.path or rule.keywords or rule.required or rule.silent
        }
        self._root = root
        self._plugins = plugins
        if plugins is not None:
            engine = self.hits
            self.hits = lambda data: engine(data) or dict(NO_HITS)

    def matches(self, data: Any, hits: Hits) -> tuple[list[Match], list[str]]:
        """As the matcher's own; line ends around a foreign secret are no part of it, as in gitleaks."""
        found, gave_up = super().matches(data, hits)
        if not self._foreign:
            return found, gave_up
        return [_trimmed(match, data) if match.rule.id.startswith(PREFIX) else match for match in found], gave_up

    def judged(self, data: Any, path: str, hits: Hits) -> tuple[list[Judged], list[str]]:
        """As the matcher's own, without what a rule does not want here, and with what plugins find."""
        hits = {number: ends for number, ends in hits.items() if number >= 0}
        unwanted: set[tuple[str, int]] = set()
        if self._gated and not self._gated.isdisjoint(hits):
            hits, unwanted = self._narrowed(data, path, hits)
        judged, gave_up = super().judged(data, path, hits) if hits else ([], [])
        if unwanted:
            judged = [each for each in judged if (each.candidate.rule.id, each.candidate.span[0]) not in unwanted]
        if self._plugins is not None:
            judged, further = self._plugins.joined(data, path, judged)
            gave_up = [*gave_up, *further]
        return judged, gave_up

    def _narrowed(self, data: Any, path: str, hits: Hits) -> tuple[Hits, set[tuple[str, int]]]:
        """The hits that count here, and the secrets (rule, start) of those whose required rule is not near."""
        place = relative(path, self._root)
        kept: Hits = {}
        for number, ends in hits.items():
            rule = self._foreign.get(number)
            if rule is None or number not in self._gated:
                kept[number] = ends
            elif not rule.path or occurs((rule.path,), place):
                near = near_keywords(data, rule.keywords, ends)
                if near:
                    kept[number] = near
        unwanted: set[tuple[str, int]] = set()
        positions = Positions(data)
        final: Hits = {}
        for number, ends in kept.items():
            rule = self._foreign.get(number)
            if rule is None or not (rule.silent or rule.required):
                final[number] = ends
            elif not rule.silent:
                good = self._with_neighbours(data, kept, rule, number, positions)
                spans = {match.parts[name] for match in good for name in rule.groups if name in match.parts}
                alone = {
                    (rule.id, span[0])
                    for match in self._found(data, kept, number)
                    for span in match.parts.values()
                    if span not in spans
                }
                unwanted |= alone
                if good:
                    final[number] = ends
        return final, unwanted

    def _found(self, data: Any, hits: Hits, number: int) -> list[Match]:
        """A rule's matches that have enough entropy."""
        if number not in hits:
            return []
        rule = self._foreign[number]
        return [
            match
            for match in self.matches(data, {number: hits[number]})[0]
            if not rule.entropy or entropy(_secret(data, match, rule)) > rule.entropy
        ]

    def _with_neighbours(self, data: Any, hits: Hits, rule: ForeignRule, number: int, positions: Positions) -> list[Match]:
        found = self._found(data, hits, number)
        for required in rule.required:
            if not found:
                break
            others = self._found(data, hits, self._number.get(required.rule, -1))
            found = _near(found, others, required, positions)
        return found


def _trimmed(match: Match, data: Any) -> Match:
    parts = dict(match.parts)
    for name, (start, end) in match.parts.items():
        while start < end and data[start] == 10:
            start += 1
        while start < end and data[end - 1] == 10:
            end -= 1
        parts[name] = (start, end)
    return match if parts == match.parts else match._replace(parts=parts)


def _secret(data: Any, match: Match, rule: ForeignRule) -> bytes:
    start, end = next((match.parts[name] for name in rule.groups if name in match.parts), (0, 0))
    return bytes(data[start:end])


class Positions:
    """Lines and columns of offsets in a buffer, from 0; the buffer is gone over once, when it is first asked."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._ends: list[int] | None = None

    def of(self, offset: int) -> tuple[int, int]:
        """(line, column in bytes)."""
        if self._ends is None:
            ends: list[int] = []
            at = self._data.find(b"\n")
            while at >= 0:
                ends.append(at)
                at = self._data.find(b"\n", at + 1)
            self._ends = ends
        line = bisect_left(self._ends, offset)
        return line, offset - (self._ends[line - 1] + 1 if line else 0)


def _near(found: list[Match], others: Sequence[Match], required: Requirement, positions: Positions) -> list[Match]:
    """The matches with one of the others within the distance, from beginning to beginning."""
    places = sorted(positions.of(match.start) for match in others)
    lines = [line for line, _ in places]
    near = []
    for match in found:
        line, column = positions.of(match.start)
        low, high = 0, len(places)
        if required.lines is not None:
            low, high = bisect_left(lines, line - required.lines), bisect_right(lines, line + required.lines)
        neighbours = places[low : min(high, low + MOST_NEIGHBOURS)]
        if required.columns is not None:
            neighbours = [place for place in neighbours if abs(place[1] - column) <= required.columns]
        if neighbours:
            near.append(match)
    return near


def near_keywords(data: Any, keywords: Sequence[str], ends: list[int]) -> list[int]:
    """The hits with one of the keywords, in any case, within `NEARBY`; all of them where there are no keywords."""
    if not keywords:
        return ends
    places = [found.start() for found in _any_word(tuple(keywords)).finditer(data)]
    if not places:
        return []
    if len(data) <= NEARBY:
        return ends
    near = []
    for end in ends:
        at = bisect_left(places, end - NEARBY)
        if at < len(places) and places[at] <= end + NEARBY:
            near.append(end)
    return near


@lru_cache(maxsize=1024)
def _any_word(words: tuple[str, ...]) -> Any:
    import re2

    options = quiet_options()
    options.case_sensitive = False
    return re2.compile(b"|".join(re2.escape(word.encode()) for word in words), options=options)


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> Any:
    import re2

    return re2.compile(pattern.encode("ascii"), options=quiet_options())


def occurs(patterns: Iterable[str], text: bytes) -> bool:
    """Whether one of the (translated) patterns occurs in a text."""
    return any(_compiled(pattern).search(text) for pattern in patterns)


def relative(path: str, root: str) -> bytes:
    """A path as a rule file of a repository means it: relative to the top, with `/`; as it is where it lies elsewhere."""
    if root and path != "-":
        inside = os.path.relpath(os.path.realpath(path), root)
        if inside != os.pardir and not inside.startswith(os.pardir + os.sep):
            path = inside
    return os.fsencode(path.replace("\\", "/"))


class _Finding(NamedTuple):
    """What an allowlist may look at."""

    secret: bytes
    path: bytes
    target: Callable[[str], bytes]


class ForeignAllowlists:
    """Says what the allowlists of a rule file let pass: a global one any finding, a rule's own that rule's.

    Where a finding is one of keyward's own rules, its match is its value.
    """

    def __init__(self, foreign: ForeignRules, root: str = "") -> None:
        self._foreign = foreign
        self._rules: Mapping[str, ForeignRule] = {rule.id: rule for rule in foreign.rules}
        self._by = os.path.basename(foreign.path)
        self._root = root

    def __call__(self, judged: Judged, data: Any, path: str) -> Allowance | None:
        """What lets a finding pass, if anything."""
        rule_id = judged.candidate.rule.id
        rule = self._rules.get(rule_id)
        lists = [*self._foreign.allowlists, *(rule.allowlists if rule is not None else ())]
        lists.extend(
            each
            for prefix, each in self._foreign.own
            if rule_id == prefix or (prefix[-1] == "/" and rule_id.startswith(prefix))
        )
        if not lists:
            return None
        start, end = judged.candidate.span

        def target(name: str) -> bytes:
            if name == LINE:
                low = max(data.rfind(b"\n", max(0, start - LONGEST_LINE), start) + 1, start - LONGEST_LINE, 0)
                high = data.find(b"\n", end, end + LONGEST_LINE)
                return bytes(data[low : high if high >= 0 else end + LONGEST_LINE])
            return _whole_match(rule, data, start, end) if name == MATCH and rule is not None else judged.context.value

        finding = _Finding(judged.context.value, relative(path, self._root), target)
        for each in lists:
            held = _holds(each, finding)
            if held:
                return Allowance(self._by, f"gitleaks: {each.name}: {held}")
        return None


def _holds(allowlist: Allowlist, finding: _Finding) -> str:
    """Which tests of an allowlist a finding fits, or nothing if it does not let it pass."""
    held = []
    for test in allowlist.tests:
        if _fits(test, finding) != test.negated:
            if not allowlist.every:
                return test.what
            held.append(test.what)
        elif allowlist.every:
            return ""
    return " and ".join(held)


def _fits(test: Test, finding: _Finding) -> bool:
    if test.what == "paths":
        return occurs(test.values, finding.path)
    if test.what == "entropy":
        return entropy(finding.secret) <= test.most
    text = finding.target(test.target)
    if test.what == "stopwords":
        lowered = text.decode("utf-8", "replace").lower()
        return any(word in lowered for word in test.values)
    return occurs(test.values, text)


def _whole_match(rule: ForeignRule, data: Any, start: int, end: int) -> bytes:
    """The match that a secret is a part of; the secret itself where it is not found again."""
    low = max(0, start - rule.window)
    for found in _compiled(rule.whole).finditer(data, low, min(len(data), end + rule.window)):
        if found.start() > start:
            break
        if found.end() >= end:
            return bytes(found.group()).strip(b"\n")
    return bytes(data[start:end])
