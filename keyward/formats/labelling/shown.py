"""Keeps labels short, on one line, and free of values."""

from __future__ import annotations

import re
from collections.abc import Iterable

from keyward.formats.labels import LONGEST

_GRAM = 6
"""So many first bytes of a value are enough to know it again in a label."""

_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_WORD = re.compile(r"[A-Za-z0-9_+/=~-]{20,}")
_KNOWN_SHORT = 4


class Shown:
    """Cleans the labels of one file."""

    def __init__(self) -> None:
        self._starts: set[bytes] = set()

    def hide(self, data: bytes, places: Iterable[int]) -> None:
        """What begins at these places must stand in no label."""
        self._starts.update(start for place in places if len(start := data[place : place + _GRAM]) == _GRAM)

    def clean(self, label: str) -> str:
        """The label as it may be shown; what stands for something hidden is `…`."""
        if not label:
            return ""
        text = _BLANKS.sub(" ", label[: 4 * LONGEST]).strip()
        text = _WORD.sub(_shortened, self._without_values(text))
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    def _without_values(self, text: str) -> str:
        data = text.encode("utf-8", "replace")
        at, kept, pieces = 0, 0, []
        while at <= len(data) - _GRAM:
            if data[at : at + _GRAM] in self._starts:
                pieces += [data[kept:at], "…".encode()]
                rest = re.compile(rb"[\s\"').]").search(data, at + _GRAM)
                at = kept = rest.start() if rest else len(data)
            else:
                at += 1
        pieces.append(data[kept:])
        return b"".join(pieces).decode("utf-8", "replace")


def _shortened(match: re.Match[str]) -> str:
    """A long word with letters and digits may be a value that no rule knows; a variable's name is none."""
    word = match[0]
    digits = sum(character.isdigit() for character in word)
    if digits < 2 or word.replace("_", "").replace("-", "").isdigit():
        return word
    return word[:_KNOWN_SHORT] + "…"
