"""JSON as bytes: whether two lines are the same but for their strings, and which stretches a signature covers.

Nothing is ever written from a parsed value: a parser drops duplicate keys, lone surrogates, the digits of long numbers and the spaces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

SIGNATURES = frozenset((b"signature", b"thinkingSignature", b"thought_signature", b"thoughtSignature"))
"""Members that sign the text beside them: Anthropic's API, and OpenClaw's and Gemini's names for the same. A changed text is refused
by the provider when the session goes on."""

SIGNED_TEXTS = frozenset((b"thinking", b"text", b"data", b"thought"))
"""Members that are signed."""

_THOUGHTS = (b'"thinking"', b'"redacted_thinking"', b'"reasoning"')
_THOUGHT_MEMBERS = frozenset((b"thinking", b"thought"))

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.S)


def same_shape(before: bytes, after: bytes) -> bool:
    """Whether two documents parse to the same but for the text of strings and the digits of numbers. True where the first does not parse: there is nothing to keep."""
    try:
        old = _parsed(before)
    except (ValueError, RecursionError):
        return True
    try:
        return _alike(old, _parsed(after))
    except (ValueError, RecursionError):
        return False


def _parsed(data: bytes) -> Any:
    # pairs and not an object: duplicate keys count; numbers as they are written, however long
    return json.loads(
        data.decode("utf-8", "surrogateescape"),
        object_pairs_hook=_Members,
        parse_int=_Number,
        parse_float=_Number,
    )


class _Members(list[Any]):
    """The members of an object in their order."""


class _Number(str):
    """A number as it is written."""


def _alike(old: Any, new: Any) -> bool:
    if isinstance(old, _Number) or isinstance(new, _Number):
        return type(old) is type(new)
    if isinstance(old, str):
        return isinstance(new, str)
    if isinstance(old, _Members):
        return (
            isinstance(new, _Members)
            and len(old) == len(new)
            and all(_alike(mine[1], yours[1]) for mine, yours in zip(old, new, strict=True))
        )
    if isinstance(old, list):
        return isinstance(new, list) and not isinstance(new, _Members) and len(old) == len(new) and all(map(_alike, old, new))
    return bool(old == new)


def signed_stretches(line: bytes) -> list[tuple[int, int]]:
    """The strings of a line of JSON, or of a document, that a signature beside them covers: `thinking` blocks. Ascending."""
    if b"ignature" not in line and b"redacted_thinking" not in line:
        return []
    return sorted(_signed(line))


def _signed(line: bytes) -> Iterator[tuple[int, int]]:
    stack: list[_Object] = []
    for match in _TOKEN.finditer(line):
        token = match[0]
        top = stack[-1] if stack else None
        if token in (b"{", b"["):
            stack.append(_Object(token == b"{"))
        elif token in (b"}", b"]"):
            if stack:
                yield from stack.pop().signed()
            if stack:
                stack[-1].key = b""
        elif top is not None and top.is_object:
            top.take(token, match.start(), match.end())


class _Object:
    """An object, or a list, whose end has not come yet."""

    def __init__(self, is_object: bool) -> None:
        self.is_object = is_object
        self.key = b""
        self._last = b""
        self._after_colon = False
        self._members: dict[bytes, tuple[bytes, int, int]] = {}

    def take(self, token: bytes, start: int, end: int) -> None:
        if token == b":":
            self.key, self._after_colon = self._last[1:-1], True
        elif token == b",":
            self.key, self._after_colon = b"", False
        elif self._after_colon:
            self._members[self.key] = (token, start, end)
        else:
            self._last = token

    def signed(self) -> Iterator[tuple[int, int]]:
        if not self.is_object:
            return
        kind = self._members.get(b"type", (b"", 0, 0))[0]
        if kind not in _THOUGHTS and not self._members.keys() & _THOUGHT_MEMBERS:
            return
        has = any(len(self._members[name][0]) > 2 for name in SIGNATURES if name in self._members)
        if has or kind == b'"redacted_thinking"':
            for name in SIGNED_TEXTS & self._members.keys():
                yield self._members[name][1:]
