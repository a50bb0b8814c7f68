"""Two engines as one: keyward's rules, and a few others that are compiled by themselves; and rules that are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from keyward.match.catalogue import Apart
    from keyward.match.engine.portable import Hits


class Engine(Protocol):
    """What finds anchors: see `PortableEngine`."""

    name: str

    def hits(self, data: Any) -> Hits: ...


class JoinedEngine:
    """Numbers the hits as if all rules came first and then all triggers. `own`: finds what is apart; none where `engine` finds everything
    and has these numbers already. `rules`, `triggers`: how many there are in all."""

    def __init__(self, engine: Engine, own: Engine | None, rules: int, triggers: int, apart: Apart) -> None:
        self.name = engine.name
        self._hits = engine.hits
        self._own = own.hits if own is not None else None
        self._left_out = apart.left_out
        self._base = rules - apart.rules if own is not None else rules
        self._shift = apart.rules if own is not None else 0
        self._own_rules = apart.rules
        self._own_triggers = rules + triggers - apart.triggers

    def hits(self, data: Any) -> Hits:
        hits = self._hits(data)
        if self._left_out and hits:
            hits = {number: ends for number, ends in hits.items() if number not in self._left_out}
        if self._own is None:
            return hits
        if self._shift and hits:
            hits = {number if number < self._base else number + self._shift: ends for number, ends in hits.items()}
        for number, ends in self._own(data).items():
            rules = self._own_rules
            hits[self._base + number if number < rules else self._own_triggers + number - rules] = ends
        return hits
