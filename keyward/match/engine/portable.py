"""The engine for platforms without Hyperscan, and the oracle that Hyperscan is tested against: a keyword gate, then `re`.

`re` takes one expression at a time, and the whole text for each. So the words that matches contain are looked for first, all of them in one
pass over the text's groups of bytes, and an expression is tried only where one of its words stands (`beginnings`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from keyward.match.engine.anchor import Anchor
from keyward.match.engine.beginnings import Word, beginnings

Hits = dict[int, list[int]]
"""Rule number → ends of its hits, ascending."""


class PortableEngine:
    """Finds every anchor with `re`, for those rules one of whose words occurs in the text at all: one of its literals to begin with, and once
    its expression has been read, a word that tells where a match can begin."""

    name = "portable"

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self._anchors = anchors
        self._searches: dict[int, _Search] = {}
        self._gates: dict[bytes, set[int]] = {}
        self._ungated: set[int] = set()
        self._vocabulary = _Vocabulary()
        for number, anchor in enumerate(anchors):
            self._gate(number, anchor.literals)

    def hits(self, data: Any) -> Hits:
        text, numbers = self._read(data)
        while unread := [number for number in numbers if number not in self._searches]:
            for number in unread:
                self._make_search(number)
            text, numbers = self._read(data)
        found = ((number, self._searches[number].ends(data, text)) for number in sorted(numbers))
        return {number: ends for number, ends in found if ends}

    def _read(self, data: Any) -> tuple[_Text, set[int]]:
        """A text, and the anchors that it may have matches of."""
        text = _Text(bytes(data).lower(), self._vocabulary)
        return text, self._ungated.union(*(self._gates[word] for word in text.words))

    def _make_search(self, number: int) -> None:
        anchor = self._anchors[number]
        flags = (re.IGNORECASE if anchor.ignore_case else 0) | (re.MULTILINE if anchor.multiline else 0)
        expression = anchor.expression.replace(rb"\z", rb"\Z")
        words = beginnings(expression, flags)
        self._searches[number] = _Search(re.compile(expression, flags), words)
        if words:
            for literal in anchor.literals:
                self._gates[literal].discard(number)
            self._ungated.discard(number)
            self._gate(number, [word.text for word in words])

    def _gate(self, number: int, words: Sequence[bytes]) -> None:
        for word in words:
            if word not in self._gates:
                self._gates[word] = set()
                self._vocabulary.add(word)
            self._gates[word].add(number)
        if not words:
            self._ungated.add(number)


class _Search:
    """One expression, and the words that lead to its matches; without any, the whole text is gone through."""

    def __init__(self, regex: re.Pattern[bytes], words: Sequence[Word]) -> None:
        self._regex = regex
        self._before: dict[bytes, list[tuple[int, int]]] = {}
        for word, fewest, most in words:
            self._before.setdefault(word, []).append((fewest, most))

    def ends(self, data: Any, text: _Text) -> list[int]:
        """The end of the match at each place where there is one, ascending."""
        if not self._before:
            return sorted({found.end() for found in self._everywhere(data)})
        places: set[int] = set()
        for word in self._before.keys() & text.words:
            for fewest, most in self._before[word]:
                for at in text.places(word):
                    places.update(range(max(0, at - most), at - fewest + 1))
        match = self._regex.match
        return sorted({found.end() for at in places if (found := match(data, at)) is not None})

    def _everywhere(self, data: Any) -> Iterator[re.Match[bytes]]:
        at = 0
        while (found := self._regex.search(data, at)) is not None:
            yield found
            at = found.start() + 1


class _Vocabulary:
    """Words to be looked for together: by the four bytes that they begin with, by two if they are shorter, one by one if they have one byte only."""

    def __init__(self) -> None:
        self._single: list[bytes] = []
        self._by_group: dict[int, dict[int, list[bytes]]] = {4: {}, 2: {}}

    def add(self, word: bytes) -> None:
        """One more, which is not there yet."""
        size = 4 if len(word) >= 4 else 2
        if len(word) < size:
            self._single.append(word)
        else:
            group = int.from_bytes(word[:size], sys.byteorder)  # as `cast` reads it
            self._by_group[size].setdefault(group, []).append(word)

    def present(self, lowered: bytes) -> set[bytes]:
        """The words that occur in a text."""
        found = {word for word in self._single if word in lowered}
        view = memoryview(lowered)
        for size in (4, 2):
            by_group = self._by_group[size]
            groups: set[int] = set()
            for begin in range(min(size, len(view))):
                end = len(view) - (len(view) - begin) % size
                part = view[begin:end]
                groups |= by_group.keys() & (part.cast("I") if size == 4 else part.cast("H"))
            for group in groups:
                found.update(word for word in by_group[group] if len(word) == size or word in lowered)
        return found


class _Text:
    """A text in lower case: its words, and where each of them stands."""

    def __init__(self, lowered: bytes, vocabulary: _Vocabulary) -> None:
        self.words = vocabulary.present(lowered)
        self._lowered = lowered
        self._places: dict[bytes, list[int]] = {}

    def places(self, word: bytes) -> list[int]:
        """Where a word stands, ascending."""
        found = self._places.get(word)
        if found is None:
            found = self._places[word] = []
            at = self._lowered.find(word)
            while at >= 0:
                found.append(at)
                at = self._lowered.find(word, at + 1)
        return found
