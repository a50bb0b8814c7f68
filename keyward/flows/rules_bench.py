"""`keyward rules bench`: what each rule costs on a real tree, and how much noise it makes.

What is measured and what is estimated: the time that is spent on a rule's hits (the exact match around each, then the judgement) is
measured rule by rule with the scan's own matcher. The pass over all bytes looks for all rules at once, and its time is measured for
all of them; a rule's share of it is estimated, by running databases of ever smaller groups of rules over a sample of the same bytes.
A group is taken apart only while it costs more than its size would explain; rules that stay in a group share its cost equally, and are marked.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from keyward.errors import UsageError
from keyward.match.assemble import assemble
from keyward.match.catalogue import Catalogue, Entry, build
from keyward.match.confirm import Match
from keyward.match.judge import context_of, judge
from keyward.match.matcher import Judged, Matcher
from keyward.match.personas import REGULAR
from keyward.model.finding import Excluded, NotScanned
from keyward.registry import Registry
from keyward.scan.reader import chunks, file_reader
from keyward.scan.sources.tree import Walk, check_exists, files_under, keep_all

SAMPLE = 4 << 20
"""Bytes over which groups of rules are compared; the beginnings of the tree's files."""
HEAD = 64 << 10
GROUP = 32
"""Rules in a group at first."""
MOST_GROUPS = 120
"""Databases that are compiled at most; each takes tenths of a second."""
ROUNDS = 3

SLOW = 0.02
"""Share of the scan time from which a rule is marked as slow: hundreds of rules have to share it."""
NOISY_FINDINGS = 100
NOISY_HITS = 1_000_000
"""For one GB. A rule that finds, or is looked at, more often than that is marked as noisy."""
FEW = 3
"""What happens fewer times than this on the tree says nothing of a GB."""

GIGABYTE = 1_000_000_000


class Cost(NamedTuple):
    """One rule. Times in seconds; `engine` is estimated, and `shared` says that it is the equal part of a group's. `hits`: places that were looked
    at, `matches`: where the pattern fitted, `found`: shown to the regular persona."""

    rule: str
    engine: float
    confirm: float
    judge: float
    hits: int
    matches: int
    found: int
    shared: bool = False

    @property
    def seconds(self) -> float:
        return self.engine + self.confirm + self.judge


class Place(NamedTuple):
    """A finding of the rule that was asked for: nothing of its value."""

    path: str
    line: int
    confidence: int
    signals: tuple[tuple[str, int], ...]


class Bench(NamedTuple):
    """`seconds`: of all passes, matches and judgements. `engine`: of the pass over all bytes. `interrupted`: the tree was not seen to its end.
    `estimated`: whether shares of the pass were estimated."""

    files: int
    bytes: int
    seconds: float
    engine: float
    costs: tuple[Cost, ...]
    places: tuple[Place, ...] = ()
    estimated: bool = True
    interrupted: bool = False

    def marks(self, cost: Cost) -> tuple[str, ...]:
        """`slow` and `noisy`, as far as they fit."""
        marks = []
        if self.seconds and cost.seconds / self.seconds >= SLOW:
            marks.append("slow")
        findings = cost.found >= FEW and self.per_gigabyte(cost.found) > NOISY_FINDINGS
        hits = cost.hits >= FEW and self.per_gigabyte(cost.hits) > NOISY_HITS
        if findings or hits:
            marks.append("noisy")
        return tuple(marks)

    def per_gigabyte(self, count: int) -> int:
        """What a count on this tree comes to on a GB of such files."""
        return round(count * GIGABYTE / self.bytes) if self.bytes else 0


_WARMING = b'\npassword = "${NOTHING_TO_SEE}"\n'
"""Something that generic rules look at and drop."""


class TimedMatcher(Matcher):
    """The scan's own matcher, with a stop watch for each rule."""

    def __init__(self, registry: Registry, catalogue: Catalogue, clock: Callable[[], float]) -> None:
        super().__init__(registry, catalogue)
        self._clock = clock
        self._of = registry
        self.engine: Callable[[Any], dict[int, list[int]]] = self.hits
        self.names = [entry.rule for entry in catalogue.entries]
        self.confirm: Counter[str] = Counter()
        self.judge: Counter[str] = Counter()
        self.hit: Counter[str] = Counter()
        self.matched: Counter[str] = Counter()
        self._last: list[Match] = []

    def warm_up(self) -> None:
        """Imports and compiles what a scan does once, so that the first hit of a rule is not charged for it."""
        for number in range(len(self.names)):
            self._confirmer(number)
        super().judged(_WARMING, "settings.py", self.engine(_WARMING))
        for counter in (self.confirm, self.judge, self.hit, self.matched):
            counter.clear()

    def matches(self, data: Any, hits: dict[int, list[int]]) -> tuple[list[Match], list[str]]:
        """As the matcher's own, rule by rule."""
        found: list[Match] = []
        gave_up: list[str] = []
        for number, ends in hits.items():
            if number >= len(self.names):
                continue
            name = self.names[number]
            started = self._clock()
            more, given_up = super().matches(data, {number: ends})
            self.confirm[name] += self._clock() - started  # type: ignore[assignment]
            self.matched[name] += len(more)
            found.extend(more)
            gave_up.extend(given_up)
        self._last = found
        return found, gave_up

    def judged(self, data: Any, path: str, hits: dict[int, list[int]]) -> tuple[list[Judged], list[str]]:
        """As the matcher's own. What it takes besides the exact matches is given to the rules as judging each one's matches once more takes."""
        hits = {number: ends for number, ends in hits.items() if number < len(self.names)}  # the rest belongs to no rule
        for number, ends in hits.items():
            self.hit[self.names[number]] += len(ends)
        confirmed = sum(self.confirm.values())
        self._last = []
        started = self._clock()
        answer = super().judged(data, path, hits)
        rest = self._clock() - started - (sum(self.confirm.values()) - confirmed)
        weights: Counter[str] = Counter()
        for candidate in assemble(self._last, self._of.kind):
            started = self._clock()
            judge(context_of(candidate, data, path))
            weights[candidate.rule.id] += self._clock() - started  # type: ignore[assignment]
        total = sum(weights.values()) or 1.0
        for name, weight in weights.items():
            self.judge[name] += rest * weight / total  # type: ignore[assignment]
        return answer


def bench(
    path: str,
    registry: Registry,
    *,
    show: str = "",
    estimate: bool = True,
    progress: Callable[[int, int], None] = lambda files, size: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Bench:
    """Looks through a folder or file with every rule. Ctrl-C ends it early; what was measured by then is answered. `progress`: files and bytes.

    Raises UsageError for a path that is not there or a rule to `show` that is none, PackError or RuleError for a rule that does not work.
    """
    check_exists(path)
    catalogue = build(registry)
    matcher = TimedMatcher(registry, catalogue, clock)
    if show and show not in matcher.names:
        from keyward.formats.toml_file import nearest

        raise UsageError(f"there is no rule {show!r}", hint=nearest(show, matcher.names))
    found: Counter[str] = Counter()
    places: list[Place] = []
    sample: list[bytes] = []
    engine = 0.0
    files = size = held = 0
    interrupted = False
    matcher.warm_up()
    shares: dict[str, tuple[float, bool]] = {}
    try:
        for name in _files(path):
            for data, offset in _texts(name):
                started = clock()
                hits = matcher.engine(data)
                engine += clock() - started
                size += len(data) - offset
                if held < SAMPLE:
                    sample.append(data[:HEAD])
                    held += len(sample[-1])
                for judged in matcher.judged(data, name, hits)[0] if hits else ():
                    if judged.candidate.span[0] < offset:
                        continue  # belongs to the piece before
                    rule = judged.candidate.rule.id
                    found[rule] += judged.confidence >= REGULAR
                    if rule == show:
                        places.append(_place(judged, data, name))
            files += 1
            progress(files, size)
        if estimate and sample:
            shares = _shares(catalogue.entries, sample, engine, clock)
    except KeyboardInterrupt:
        interrupted = True
    costs = [
        Cost(
            rule=name,
            engine=shares.get(name, (0.0, True))[0],
            confirm=float(matcher.confirm[name]),
            judge=float(matcher.judge[name]),
            hits=matcher.hit[name],
            matches=matcher.matched[name],
            found=found[name],
            shared=shares.get(name, (0.0, False))[1],
        )
        for name in dict.fromkeys(matcher.names)
    ]
    costs.sort(key=lambda cost: (-cost.seconds, -cost.hits, cost.rule))
    total = engine + sum(cost.confirm + cost.judge for cost in costs)
    return Bench(files, size, total, engine, tuple(costs), tuple(places), bool(shares), interrupted)


def _files(path: str) -> Iterator[str]:
    excluded: list[Excluded] = []
    not_scanned: list[NotScanned] = []
    yield from files_under(path, keep_all, Walk(excluded, not_scanned))


def _texts(path: str) -> Iterator[tuple[bytes, int]]:
    """A file's text in pieces, and where in each the part begins that is new; nothing for one that cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return
    try:
        for chunk in chunks(file_reader(descriptor)):
            yield chunk.data, chunk.own_start
    except OSError:
        return
    finally:
        os.close(descriptor)


def _place(judged: Judged, data: bytes, path: str) -> Place:
    line = data.count(b"\n", 0, judged.candidate.span[0]) + 1
    return Place(path, line, judged.confidence, tuple((signal.name, signal.weight) for signal in judged.signals))


def _shares(
    entries: Sequence[Entry], sample: Sequence[bytes], engine: float, clock: Callable[[], float]
) -> dict[str, tuple[float, bool]]:
    """Each rule's part of the pass over all bytes, in seconds, and whether it is the equal part of a group's."""
    base = _seconds(entries[:0], sample, clock)
    groups = [list(entries[at : at + GROUP]) for at in range(0, len(entries), GROUP)]
    measured = [(max(0.0, _seconds(group, sample, clock) - base), group) for group in groups]
    compiled = len(groups)
    while compiled + 2 <= MOST_GROUPS:
        usual = sum(cost for cost, _ in measured) / max(1, len(entries))
        measured.sort(key=lambda each: each[0] if len(each[1]) > 1 else 0.0)
        cost, group = measured[-1]
        if len(group) < 2 or cost <= usual * len(group) / 2:
            break
        measured.pop()
        for half in (group[: len(group) // 2], group[len(group) // 2 :]):
            measured.append((max(0.0, _seconds(half, sample, clock) - base), half))
        compiled += 2
    total = sum(cost for cost, _ in measured) or 1.0
    shares: dict[str, tuple[float, bool]] = {}
    for cost, group in measured:
        for entry in group:
            before = shares.get(entry.rule, (0.0, False))
            shares[entry.rule] = (before[0] + engine * cost / total / len(group), before[1] or len(group) > 1)
    return shares


def _seconds(entries: Sequence[Entry], sample: Sequence[bytes], clock: Callable[[], float]) -> float:
    """The time of the fastest of some passes over the sample with a database of these rules, or of one that finds nothing."""
    from keyward.match.engine.anchor import Anchor
    from keyward.match.engine.vectorscan import VectorscanEngine, compile_database

    nothing = Anchor(b"\\x00\\xff\\x00\\xfe\\x00\\xfd", False, False, 6, 6, 0, ())
    database = compile_database([e.anchor for e in entries] or [nothing], [e.rule for e in entries] or ["-"])
    hits = VectorscanEngine(database).hits
    best = float("inf")
    for _ in range(ROUNDS):
        started = clock()
        for data in sample:
            hits(data)
        best = min(best, clock() - started)
    return best
