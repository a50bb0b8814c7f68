"""The values that the operator's stores and lanes hold or held, found wherever and however they are written.

They live in memory only: no file, cache or log ever holds them or anything that is made of them. There is no limit on their number, so
that no live one is ever forgotten for a newer one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.scrub.encodings import SHORTEST, forms


class KnownSecret(NamedTuple):
    """`pseudonym`: what stands for it."""

    kind: Kind
    secret: Secret
    pseudonym: str


class Seen(NamedTuple):
    """One place of a known value: `encoding` says how it is written there."""

    start: int
    end: int
    kind: Kind
    pseudonym: str
    encoding: str


class KnownSecrets:
    """All of them. `too_short`: how many could not be looked for, because they would be found everywhere."""

    def __init__(self, secrets: Iterable[KnownSecret] = ()) -> None:
        self._forms: dict[bytes, tuple[Kind, str, str]] = {}
        self.too_short = 0
        for each in secrets:
            value = each.secret.reveal()
            if len(value) < SHORTEST:
                self.too_short += 1
                continue
            for encoding, form in forms(value):
                self._forms.setdefault(form, (each.kind, each.pseudonym, encoding))
        self._ordered = list(self._forms.items())
        self._over_lines = [form for form in self._forms if b"\n" in form[:-1]]
        self._find = literal_finder([form for form, _ in self._ordered])

    def __len__(self) -> int:
        return len({(kind, pseudonym) for kind, pseudonym, _ in self._forms.values()})

    def __repr__(self) -> str:
        return f"KnownSecrets({len(self)})"

    def seen(self, data: bytes) -> list[Seen]:
        """Their places, by position; of overlapping ones the longest."""
        ends = self._find(data)
        if not ends:
            return []
        spans = sorted(((end - len(self._ordered[n][0]), end, n) for n, end in ends), key=lambda s: (s[0], -s[1]))
        found: list[Seen] = []
        for start, end, number in spans:
            if found and start < found[-1].end:
                if end - start <= found[-1].end - found[-1].start:
                    continue
                found.pop()
            found.append(Seen(start, end, *self._ordered[number][1]))
        return found

    def begun(self, data: bytes, end: int) -> int:
        """Where a value of several lines begins of which the lines before `end` are the first and the rest has not come yet, or -1."""
        first = -1
        for form in self._over_lines:
            newline = form.find(b"\n")
            while 0 <= newline < len(form) - 1:
                start = end - newline - 1
                if start >= 0 and form.startswith(data[start:]) and form[: newline + 1].strip():
                    first = start if first < 0 else min(first, start)
                newline = form.find(b"\n", newline + 1)
        return first


MOST_COMPILED = 1024
"""Bytes of a literal that are compiled; the rest is compared. Hyperscan refuses patterns of more than 16,000 characters, and
each byte takes four: a private key in UTF-16 is longer."""

LiteralFinder = Callable[[bytes], list[tuple[int, int]]]
"""From data to (number of a literal, where it ends), in one pass for all of them. The list is good until the next call."""


def literal_finder(literals: list[bytes]) -> LiteralFinder:
    """Finds many literals at once. Nothing of it is ever written to a disk."""
    if not literals:
        return lambda data: []
    try:
        import hyperscan
    except ImportError:
        return _by_re(literals)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = [b"".join(b"\\x%02x" % byte for byte in literal[:MOST_COMPILED]) for literal in literals]
    database.compile(expressions=expressions, ids=list(range(len(literals))), flags=[hyperscan.HS_FLAG_DOTALL] * len(literals))
    some_are_long = any(len(literal) > MOST_COMPILED for literal in literals)
    scratch, scan = hyperscan.Scratch(database), database.scan
    found: list[tuple[int, int]] = []

    def on_match(number: int, start: int, end: int, flags: int, context: Any) -> None:
        found.append((number, end))

    def find(data: bytes) -> list[tuple[int, int]]:
        found.clear()
        scan(data, on_match, 0, None, scratch)
        return _whole(found, literals, data) if some_are_long else found

    return find


def _whole(found: list[tuple[int, int]], literals: list[bytes], data: bytes) -> list[tuple[int, int]]:
    """Matches of the first bytes of literals made matches of all of them, where the rest stands there, too."""
    starts = [(number, end - min(len(literals[number]), MOST_COMPILED)) for number, end in found]
    return [(number, start + len(literals[number])) for number, start in starts if data.startswith(literals[number], start)]


def _by_re(literals: list[bytes]) -> LiteralFinder:
    numbers = {literal: number for number, literal in enumerate(literals)}
    longest_first = sorted(literals, key=len, reverse=True)
    pattern = re.compile(b"|".join(map(re.escape, longest_first)))
    return lambda data: [(numbers[found.group()], found.end()) for found in pattern.finditer(data)]
