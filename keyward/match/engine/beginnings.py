"""Where the matches of an expression can begin: words of which each match has one, and how far from its beginning.

Between the places of a rare word and the whole text lies most of what the portable engine would otherwise spend: `re` tries an expression
at every byte, and one with a hundred alternatives takes a microsecond there. Words are lower-case and are looked for in the text made so;
they are never fewer than what is needed (`Word`), so that no match is missed, and what they find besides is for the expression to refuse.
"""

from __future__ import annotations

from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11
from re import _parser  # type: ignore[attr-defined]  # the same
from typing import NamedTuple

from keyward.match.engine.rarest import Node, times

LONGEST = 8
"""Bytes of a word: more make it hardly rarer."""

MOST = 600
"""Words of one piece of an expression; where it has more, they end where there are fewer."""

FEW = 10
"""Members of a class of bytes that are spelt out."""

REACH = 64
"""Bytes between the beginning of a match and its word, at most: each is a place to try."""

WORD = 20.0
"""Places to try that a word costs as much as, wherever it stands."""

OFTEN = 400_000.0
"""Places in a megabyte from which on `re` does better by itself."""

_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_EMPTY = (sre.AT, sre.ASSERT, sre.ASSERT_NOT)


class Word(NamedTuple):
    """Lower-case text, and the fewest and the most bytes that a match has before it."""

    text: bytes
    fewest: int
    most: int


def beginnings(expression: bytes, flags: int) -> tuple[Word, ...]:
    """Words one of which every match has, where it says; empty where none are found that are rare enough."""
    count, words = _best(list(_parser.parse(expression, flags)))
    return tuple(sorted(words)) if count < OFTEN else ()


def _best(nodes: list[Node]) -> tuple[float, set[Word]]:
    """How many places there are to try, about, and the words that lead there."""
    while len(nodes) == 1 and nodes[0][0] is sre.SUBPATTERN:
        nodes = list(nodes[0][1][3])
    if len(nodes) == 1 and nodes[0][0] is sre.BRANCH:
        each = [_best(list(branch)) for branch in nodes[0][1][1]]
        return sum(count for count, _ in each), set().union(*(words for _, words in each))
    best: tuple[float, set[Word]] = (float("inf"), set())
    low = high = 0
    for index in range(len(nodes)):
        texts = {text for text, _ in _heads(nodes[index:])}
        texts = {text for text in texts if not any(text[:end] in texts for end in range(1, len(text)))}
        count = sum(times(text) * (high - low + 1) + WORD for text in texts) if b"" not in texts else float("inf")
        if count < best[0]:
            best = count, {Word(text, low, high) for text in texts}
        few, many = _parser.SubPattern(_parser.State(), nodes[index : index + 1]).getwidth()
        low, high = low + few, high + many
        if high > REACH:
            break
    return best


_Head = tuple[bytes, bool]
"""What a sequence can begin with, and whether that is all of it."""


def _heads(nodes: list[Node]) -> set[_Head]:
    """Every match of the sequence begins with one of these, whatever the case of its letters."""
    found: set[_Head] = {(b"", True)}
    for node in nodes:
        open_ = [text for text, whole in found if whole and len(text) < LONGEST]
        if not open_:
            break
        more = _own(node)
        if len(found) + len(open_) * len(more) > MOST:
            more = {(b"", False)}
        closed = {(text, False) for text, whole in found if not whole or len(text) >= LONGEST}
        found = closed | {((text + own)[:LONGEST], whole) for text in open_ for own, whole in more}
    return found


def _own(node: Node) -> set[_Head]:
    """The beginnings of one node."""
    op, arg = node
    if op is sre.LITERAL:
        return {(bytes([arg]).lower(), True)}
    if op is sre.IN:
        members = _members(arg)
        return {(bytes([byte]), True) for byte in members} if members else {(b"", False)}
    if op in _EMPTY:
        return {(b"", True)}
    if op is sre.SUBPATTERN:
        return _heads(list(arg[3]))
    if op is sre.BRANCH:
        return set().union(*(_heads(list(branch)) for branch in arg[1]))
    if op in _REPEATS:
        low, high, body = int(arg[0]), arg[1], list(arg[2])
        found = _heads(body * min(low, LONGEST) if low else body)
        if low == high and low <= LONGEST:
            return found
        if low == 0:
            return {(b"", True)} | (found if high == 1 else {(text, False) for text, _ in found})
        return {(text, False) for text, _ in found}
    return {(b"", False)}


def _members(items: list[Node]) -> set[int]:
    """The bytes of a class, made lower-case; empty for a class of many."""
    members: set[int] = set()
    for op, arg in items:
        if op is sre.LITERAL:
            members.update(bytes([arg]).lower())
        elif op is sre.RANGE and arg[1] - arg[0] < 2 * FEW:
            members.update(bytes(range(arg[0], arg[1] + 1)).lower())
        else:
            return set()
    return members if len(members) <= FEW else set()
