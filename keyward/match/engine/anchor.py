"""What the engines look for: the coarse expression of one rule, and how far a match can reach around a hit."""

from __future__ import annotations

from typing import NamedTuple


class Anchor(NamedTuple):
    """`expression`: what is looked for. `width`: bytes from the start of the match to the hit, if always the same,
    else 0. `lookback`: the most bytes a match can begin before the hit. `lookahead`: the most bytes it can go on after it.
    `literals`: lower-case strings of which every match contains one; empty where there are none. `keeps_to_line`: the rule is
    a generic one, and what becomes of a match depends on its line alone. `branches`: the alternatives of the expression, each of
    which Hyperscan gets as an entry of its own, because one with a short literal would slow down the others. `escapes`: the exact match
    lets an escape pass before the value (`edges`)."""

    expression: bytes
    ignore_case: bool
    multiline: bool
    width: int
    lookback: int
    lookahead: int
    literals: tuple[bytes, ...]
    keeps_to_line: bool = False
    branches: tuple[bytes, ...] = ()
    escapes: bool = False
