"""Where a value stands in a file, how a place is named, and the error of every format.

A path names a value: `a.b.0.c`; a key that holds a dot, a quote or a space is quoted (`a."b.c"`), list items are counted from 0.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_DEPTH = 200
"""Levels of nesting that a document may have."""

BOM = b"\xef\xbb\xbf"

Path = tuple[str, ...]


class FormatError(ValueError):
    """The file is not of the format, the place cannot be changed, or the value cannot be written there. The message names
    the place and never holds a value."""


class Place(NamedTuple):
    """The bytes of one value as it is written, quotes included. `quoting`: the format's own word for how."""

    start: int
    end: int
    quoting: str


class Leaf(NamedTuple):
    """One value of a document: where it is, and what it says. A null is an empty value."""

    path: Path
    value: bytes
    place: Place


def parse_path(text: str) -> Path:
    """`a."b.c".0` as its parts. Raises FormatError."""
    parts: list[str] = []
    at = 0
    while True:
        if text[at : at + 1] in ('"', "'"):
            end, part = _quoted(text, at)
        else:
            end = text.find(".", at)
            end = len(text) if end < 0 else end
            part = text[at:end]
            if not part:
                raise FormatError(f"the path {text!r} has an empty part")
        parts.append(part)
        if end == len(text):
            return tuple(parts)
        if text[end] != ".":
            raise FormatError(f"the path {text!r} goes on after a closing quote")
        at = end + 1


def _quoted(text: str, at: int) -> tuple[int, str]:
    quote, part = text[at], ""
    at += 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        part += text[at]
        at += 1
    if at >= len(text):
        raise FormatError(f"the path {text!r} has an open quote")
    return at + 1, part


def format_path(path: Path) -> str:
    """The path as `parse_path` reads it."""
    return ".".join(part if part and not set(part) & set("\"'. \\\t") else _quote(part) for part in path)


def _quote(part: str) -> str:
    return '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'


def line_end(data: bytes) -> bytes:
    """The line end that a file uses: that of its first line, a newline if it has none."""
    first = data.find(b"\n")
    return b"\r\n" if first > 0 and data[first - 1 : first] == b"\r" else b"\n"


def text_of(value: bytes, what: str) -> str:
    """A value as text, for formats that are text. Raises FormatError."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{what} cannot hold a value that is not UTF-8") from None
