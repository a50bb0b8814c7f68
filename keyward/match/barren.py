"""Lines that hold the name of a credential and no credential: remembered, because the same few stand in thousands of places.

`"output_token": "NextToken",` in a tree of data files is met a thousand times; matching and judging it takes twenty times
as long as recognising it. Only generic rules whose matches keep to one line take part: the line and the kind of file decide
alone what becomes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from keyward.match.assemble import assemble
from keyward.match.judge import context_of, judge, path_facts

if TYPE_CHECKING:
    from keyward.match.confirm import Confirmer
    from keyward.model.kind import CredentialKind, Kind

MOST = 8192
"""Lines that are remembered."""


class BarrenLines:
    """Tells hits that lead nowhere. One per matcher."""

    def __init__(self, confirmer: Callable[[int], Confirmer], kind_of: Callable[[Kind], CredentialKind]) -> None:
        self._confirmer = confirmer
        self._kind_of = kind_of
        self._verdicts: dict[object, bool] = {}

    def without(self, data: Any, path: str, hits: Mapping[int, list[int]]) -> dict[int, list[int]]:
        """The hits, but for those in lines in which their rule finds nothing."""
        facts: tuple[object, ...] = ()
        verdicts = self._verdicts
        remaining: dict[int, list[int]] = {}
        for number, ends in hits.items():
            confirmer = self._confirmer(number)
            if confirmer.keeps_to_line:
                facts = facts or path_facts(path)
                kept = []
                for end in ends:
                    start = data.rfind(b"\n", max(0, end - confirmer.lookback), end - 1) + 1
                    stop = data.find(b"\n", end - 1, end + confirmer.lookahead)
                    # A whole line within what the exact match may see, and not the first: a pattern may ask for the beginning.
                    if start and stop >= 0:
                        key = (number, data[start:stop], facts)
                        barren = verdicts.get(key)
                        if barren is None:
                            barren = self._judge(key, confirmer, data[start - 1 : stop + 1], path)
                        if barren:
                            continue
                    kept.append(end)
                ends = kept
            if ends:
                remaining[number] = ends
        return remaining

    def _judge(self, key: object, confirmer: Confirmer, line: bytes, path: str) -> bool:
        """Whether the rule finds nothing in the line, given with the newlines around it."""
        candidates = assemble(confirmer.all_in(line), self._kind_of)
        barren = not any(judge(context_of(candidate, line, path))[0] for candidate in candidates)
        if len(self._verdicts) >= MOST:
            self._verdicts.clear()
        self._verdicts[key] = barren
        return barren
