"""Bytes in, judged candidates out: engine, exact match, companions, assembly, judgement. Used by scan and by scrub."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.match.catalogue import Catalogue
from keyward.model.finding import Signal
from keyward.model.rule import GENERIC
from keyward.registry import Registry

if TYPE_CHECKING:  # imported where something was hit, which at most commits is never
    from keyward.match.assemble import Candidate
    from keyward.match.barren import BarrenLines
    from keyward.match.confirm import Confirmer, Match
    from keyward.match.judge import Context


class Judged(NamedTuple):
    """A candidate in its buffer, with its confidence and why. `encoding`: how the buffer holds it, `raw` as it stands, else as in a
    locator; then the spans are those of the encoded bytes, and the context that of the decoded text."""

    candidate: Candidate
    context: Context
    confidence: int
    signals: tuple[Signal, ...]
    encoding: str = "raw"


class Matcher:
    """Matches buffers against a catalogue. One per process; not for several threads."""

    def __init__(self, registry: Registry, catalogue: Catalogue) -> None:
        self._registry = registry
        self._entries = catalogue.entries
        self._rules = len(catalogue.entries)
        self._triggers = catalogue.triggers
        self._confirmers: dict[int, Confirmer] = {}
        self._barren: BarrenLines | None = None
        self._engine = _engine(catalogue)
        self.hits: Callable[[Any], dict[int, list[int]]] = self._engine.hits
        self.engine_name: str = self._engine.name

    def matches(self, data: Any, hits: dict[int, list[int]]) -> tuple[list[Match], list[str]]:
        """The exact matches behind the hits, and the rules that gave up because too many of their hits failed."""
        found: list[Match] = []
        gave_up: list[str] = []
        for number, ends in sorted(hits.items()):  # of two rules that are as sure, the same one wins whichever engine found them
            if number >= self._rules:
                continue
            confirmer = self._confirmer(number)
            matched, whole = confirmer.confirm(data, ends)
            if matched:
                found.extend(confirmer.companions(data, matched))
            if not whole:
                gave_up.append(confirmer.rule.id)
        return found, gave_up

    def judged(self, data: Any, path: str, hits: dict[int, list[int]]) -> tuple[list[Judged], list[str]]:
        """The credentials in a buffer as it stands with a confidence above zero, by position; and the rules that gave up."""
        if any(number >= self._rules for number in hits):
            hits = self.of_rules(hits)
        if not hits:
            return [], []
        from keyward.match.assemble import Taken, assemble, most_specific
        from keyward.match.judge import context_of, judge

        if self._barren is None:
            from keyward.match.barren import BarrenLines

            self._barren = BarrenLines(self._confirmer, self._registry.kind)
        hits = self._barren.without(data, path, hits)
        if not hits:
            return [], []

        def those_that_stay(candidates: Iterable[Candidate], already: list[Judged]) -> list[Judged]:
            for candidate in candidates:
                context = context_of(candidate, data, path)
                already.append(Judged(candidate, context, *judge(context)))
            kept = most_specific([each.candidate for each in already], [each.confidence for each in already])
            return [already[index] for index in kept]

        matched, gave_up = self.matches(data, hits)
        generic: list[Candidate] = []
        specific: list[Candidate] = []
        for candidate in assemble(matched, self._registry.kind):
            (specific if candidate.rule.specificity > GENERIC else generic).append(candidate)
        judged = those_that_stay(specific, [])
        taken = Taken()
        for each in judged:
            for span in each.candidate.parts.values():
                taken.add(*span)
        # Generic candidates cost most to judge, and where a specific one stands they would have to give way anyhow.
        rest = [candidate for candidate in generic if not taken.overlaps(*candidate.span)]
        return (those_that_stay(rest, judged) if rest else judged), gave_up

    def triggered(self, hits: dict[int, list[int]]) -> dict[str, list[int]]:
        """The hits that no rule has: places where something may be encoded or in pieces, by the names of the triggers. Empty for most."""
        found: dict[str, list[int]] = {}
        for number, ends in hits.items():
            if number >= self._rules:
                name = self._triggers[number - self._rules].rule
                found[name] = sorted({*found[name], *ends}) if name in found else ends
        return found

    def of_rules(self, hits: dict[int, list[int]]) -> dict[int, list[int]]:
        """The other hits."""
        return {number: ends for number, ends in hits.items() if number < self._rules}

    def with_encoded(
        self, data: bytes, path: str, triggered: dict[str, list[int]], judged: list[Judged]
    ) -> tuple[list[Judged], str]:
        """The credentials of a buffer, `judged` as it stands, joined with those inside its encodings, each once; and what was given up on, empty
        if nothing was."""
        from keyward.match.encoded.reading import Budget, read

        budget = Budget(len(data), len(judged))
        found = read(self, bytes(data), path, triggered, judged, budget)
        return found, budget.gave_up

    def find(self, data: Any, path: str = "") -> list[Judged]:
        """All credentials in a buffer with a confidence above zero."""
        return self.judged(data, path, self.hits(data))[0]

    def _confirmer(self, number: int) -> Confirmer:
        confirmer = self._confirmers.get(number)
        if confirmer is None:
            from keyward.match.confirm import Confirmer

            entry = self._entries[number]
            confirmer = self._confirmers[number] = Confirmer(self._registry.rule(entry.pack, entry.rule), entry.anchor)
        return confirmer


def _engine(catalogue: Catalogue) -> Any:
    apart = catalogue.apart
    if catalogue.database:
        from keyward.match.engine.vectorscan import VectorscanEngine

        engine: Any = VectorscanEngine(catalogue.database)
        own = VectorscanEngine(apart.database) if apart is not None and apart.database else None
    else:
        from keyward.match.engine.portable import PortableEngine

        engine, own = PortableEngine([entry.anchor for entry in (*catalogue.entries, *catalogue.triggers)]), None
    if apart is None or (own is None and not apart.left_out):
        return engine
    from keyward.match.engine.joined import JoinedEngine

    return JoinedEngine(engine, own, len(catalogue.entries), len(catalogue.triggers), apart)
