"""What is looked for in one store: what the detectors find in it, and, once it was found anywhere in the store, the same value everywhere.

A value that a name in one row gave away stands in ten other rows without that name, in a full-text index in lower case, and in free
pages. So a store is read twice: first to learn its values, then to find them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from keyward.model.secret import Secret
from keyward.scrub.encodings import SHORTEST
from keyward.scrub.known import KnownSecret, KnownSecrets, literal_finder
from keyward.scrub.plan import Name, counted
from keyward.scrub.redactor import Blinded, Redaction, Redactor

SMALLEST = 4096
"""Bytes below which a text at which the detectors give up is not divided further."""

BLOCK = 8 << 20
"""Bytes of a file that are searched at a time."""

OVERLAP = 64 << 10
"""Bytes that are searched again with the next block: no value, in whatever encoding, is longer, but for keys of several lines, whose
lines are found one by one."""

SHORTEST_TOKEN = 12
"""Letters and digits in a row from which on a full-text token of a value is looked for by itself."""

_BETWEEN = b"\0\xff\0\xff"
"""What stands between values that are looked through as one text."""

_TOKENS = re.compile(rb"[A-Za-z0-9\x80-\xff]{%d,}" % SHORTEST_TOKEN)


class Finder:
    """Finds the values of one store. `unseen`: bytes at which the detectors gave up, so that only what is known was looked for there."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._values: dict[Secret, KnownSecret] = {}
        self._echoes = KnownSecrets()
        self._end_to_end = b""
        self._grown = False
        self.unseen = 0

    def __repr__(self) -> str:
        return f"Finder({len(self._values)} values)"

    @property
    def names(self) -> frozenset[Name]:
        """Of all values that were learnt."""
        return frozenset(Name(each.kind, each.pseudonym) for each in self._values.values())

    def learn(self, data: bytes, path: str = "") -> list[Redaction]:
        """What stands in a text; its values are looked for from now on."""
        found = self._detected(data, path)
        for each in found:
            self._remember(each, data[each.start : each.end])
        return found

    def find(self, data: bytes, path: str = "") -> list[Redaction]:
        """What stands in a text, values that were learnt elsewhere included."""
        return _together(self._detected(data, path), self.echoes(data))

    def echoes(self, data: bytes) -> list[Redaction]:
        """Where values that were learnt stand, in whatever encoding."""
        self._settle()
        return [Redaction(*each) for each in self._echoes.seen(data)]

    def is_related(self, data: bytes) -> bool:
        """Whether some bytes are a value that was learnt with what stands beside it, or a piece of one."""
        self._settle()
        return data in self._end_to_end or bool(self._echoes.seen(data))

    def _settle(self) -> None:
        """Makes what finds all values at once, after more of them were learnt."""
        if self._grown:
            self._echoes = KnownSecrets(self._values.values())
            self._end_to_end = _BETWEEN.join(each.reveal() for each in self._values)
            self._grown = False

    def learn_leftovers(self, file: BinaryIO) -> dict[Name, int]:
        """What the detectors find in the bytes of a file that is no value that was learnt before, nor one with what happens to stand
        beside it: rows that were deleted. From now on it is looked for as well."""
        counts: dict[Name, int] = {}
        fresh: list[tuple[Redaction, bytes]] = []
        for own, data in _blocks(file):
            for each in self._detected(data, ""):
                value = data[each.start : each.end]
                if each.end > own and not self.is_related(value):
                    name = Name(each.kind, each.pseudonym)
                    counts[name] = counts.get(name, 0) + 1
                    fresh.append((each, value))
        for each, value in fresh:
            self._remember(each, value)
        return counts

    def search(self, file: BinaryIO) -> dict[Name, int]:
        """How often each value that was learnt stands in the bytes of a file, in any encoding, or in the lower case of a full-text index."""
        counts: dict[Name, int] = {}
        lowered = self._lowered()
        words = literal_finder([token for token, _ in lowered])
        in_lower_case: set[Name] = set()
        for own, data in _blocks(file):
            for name, count in counted([each for each in self.echoes(data) if each.end > own]).items():
                counts[name] = counts.get(name, 0) + count
            in_lower_case.update(lowered[number][1] for number, _ in words(data))
        for name in in_lower_case:
            counts.setdefault(name, 1)
        return counts

    def tokens(self) -> list[tuple[str, Name]]:
        """What a full-text index would make of each value: its words, in lower case."""
        return [(token.decode("utf-8", "replace"), name) for token, name in self._lowered()]

    def _lowered(self) -> list[tuple[bytes, Name]]:
        return [
            (found[0].lower(), Name(each.kind, each.pseudonym))
            for each in self._values.values()
            for found in _TOKENS.finditer(each.secret.reveal())
        ]

    def _remember(self, redaction: Redaction, value: bytes) -> None:
        if len(value) < SHORTEST:
            return
        # one that was found encoded is looked for as it stands there: what it is beneath, the redactor knows
        secret = Secret(value)
        if secret not in self._values:
            self._values[secret] = KnownSecret(redaction.kind, secret, redaction.pseudonym)
            self._grown = True

    def _detected(self, data: bytes, path: str) -> list[Redaction]:
        """What the redactor finds, in smaller parts where it gives up on the whole."""
        try:
            return self._redactor.redactions(data, path)
        except Blinded:
            if len(data) <= SMALLEST:
                self.unseen += len(data)
                return []
            middle = data.rfind(b"\n", len(data) // 4, len(data) // 2) + 1 or len(data) // 2
            rest = [
                each._replace(start=each.start + middle, end=each.end + middle) for each in self._detected(data[middle:], path)
            ]
            return self._detected(data[:middle], path) + rest


def _together(found: list[Redaction], echoes: list[Redaction]) -> list[Redaction]:
    """Both, by position and without overlaps: what was found first, and of what overlaps it only what stands apart."""
    if not echoes:
        return found
    merged: list[Redaction] = []
    for each in sorted((*found, *echoes), key=lambda r: (r.start, -r.end)):
        if merged and each.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, each.end))
        else:
            merged.append(each)
    return merged


def _blocks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """A file in overlapping blocks, with how many of each block's bytes were in the last one."""
    file.seek(0)
    kept = b""
    while piece := file.read(BLOCK):
        data = kept + piece
        yield len(kept), data
        kept = data[-OVERLAP:]
