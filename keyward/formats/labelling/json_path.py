"""The way from the root of a JSON document to an offset, however large the document is: the standard library's scanner, written in C, jumps
over what holds no finding, so Python looks only at the values on the way and beside it."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, Union

MOST_PARSED = 1 << 30
"""Bytes that are parsed for one document, counting those again that are parsed for each level."""

MOST_DEPTH = 60


class Node(NamedTuple):
    """One step of the way: the key or the number, and the value there, in Python."""

    key: Union[str, int]
    value: object


Way = tuple[Node, ...]
"""From the root, which has no node, to the value that holds the offset, or as near to it as could be read."""

_BLANK = re.compile(r"[\s,]*")
_KEY = re.compile(r'\s*("(?:[^"\\]|\\.)*")\s*:\s*')
_decode = json.JSONDecoder(strict=False).raw_decode


def ways(data: bytes, offsets: Sequence[int]) -> list[Way]:
    """A way for each of the ascending offsets; an empty one where none was found."""
    walk = _Walk(data, offsets)
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    at = start + len(data[start : start + 4096]) - len(data[start : start + 4096].lstrip())
    walk.descend(at, 0, len(offsets), (), 0)
    return walk.found


class _Walk:
    def __init__(self, data: bytes, offsets: Sequence[int]) -> None:
        self._text = data.decode("latin-1")  # a character a byte: offsets stay what they are
        self._offsets = offsets
        self._left = MOST_PARSED
        self.found: list[Way] = [()] * len(offsets)

    def descend(self, at: int, first: int, last: int, way: Way, depth: int) -> None:
        """Finds the ways to the offsets from `first` to `last`, which lie in the object or list that begins at `at`."""
        text = self._text
        self.found[first:last] = [way] * (last - first)
        opening = text[at : at + 1]
        if opening not in ("{", "[") or depth >= MOST_DEPTH:
            return
        at += 1
        number = 0
        while first < last:
            at = _BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            key: str | int = number
            number += 1
            if opening == "{":
                match = _KEY.match(text, at)
                if match is None:
                    return
                key = str(_readable(json.loads(match[1], strict=False)))
                named = bisect_left(self._offsets, match.end(), first, last)
                self.found[first:named] = [(*way, Node(key, None))] * (named - first)
                first, at = named, match.end()
            try:
                value, end = _decode(text, at)
            except (ValueError, RecursionError):
                return
            self._left -= end - at
            inside = bisect_left(self._offsets, end, first, last)
            if inside > first and self._left > 0:
                self.descend(at, first, inside, (*way, Node(key, value)), depth + 1)
            first, at = inside, end


def _readable(text: str) -> str:
    """Text that was read a byte a character, as what it says."""
    try:
        return text.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text


def member(value: object, *keys: str) -> object:
    """What stands under the keys, one in the other; None where there is nothing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def words(value: object, *keys: str) -> str:
    """The text that stands there, readable; empty where there is none."""
    found = member(value, *keys)
    return _readable(found) if isinstance(found, str) else ""
