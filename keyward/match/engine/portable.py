"""The engine for platforms without Hyperscan, and the oracle that Hyperscan is tested against: a keyword gate, then `re`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from keyward.match.engine.anchor import Anchor

Hits = dict[int, list[int]]
"""Rule number → ends of its hits, ascending."""


class PortableEngine:
    """Finds every anchor with `re`, for those rules one of whose literals occurs in the text at all."""

    name = "portable"

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self._anchors = anchors
        self._compiled: dict[int, re.Pattern[bytes]] = {}
        gates: dict[tuple[bytes, ...], list[int]] = {}
        for number, anchor in enumerate(anchors):
            gates.setdefault(anchor.literals, []).append(number)
        self._gates = gates

    def hits(self, data: Any) -> Hits:
        lowered = bytes(data).lower()
        hits: Hits = {}
        for literals, numbers in self._gates.items():
            if literals and not any(literal in lowered for literal in literals):
                continue
            for number in numbers:
                ends = self._ends(number, data)
                if ends:
                    hits[number] = ends
        return hits

    def _ends(self, number: int, data: Any) -> list[int]:
        regex = self._compiled.get(number)
        if regex is None:
            anchor = self._anchors[number]
            flags = (re.IGNORECASE if anchor.ignore_case else 0) | (re.MULTILINE if anchor.multiline else 0)
            expression = anchor.expression.replace(rb"\z", rb"\Z")
            regex = self._compiled[number] = re.compile(expression, flags)
        ends = set()
        at = 0
        while (found := regex.search(data, at)) is not None:
            ends.add(found.end())
            at = found.start() + 1
        return sorted(ends)
