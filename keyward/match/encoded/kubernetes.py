"""Manifests of Kubernetes Secrets: the `data` of one is base64, and the key beside a value is its name.

https://kubernetes.io/docs/concepts/configuration/secret/ : `data` holds base64 strings under keys of letters, digits, `-`, `_` and `.`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from keyward.match.encoded.characters import decode_base64
from keyward.match.encoded.layer import Pieces

AROUND = 1 << 16
"""Bytes of a document on either side of its `kind` that are looked at."""

_DATA = re.compile(rb"^([ \t]*(?:- )?)data:[ \t]*\r?\n((?:\1[ \t]+[^\n]*\n?|[ \t]*\r?\n)+)", re.MULTILINE)
_ENTRY = re.compile(
    rb"^[ \t]+[\"']?([A-Za-z0-9_.-]{1,253})[\"']?:[ \t]*[\"']?([A-Za-z0-9+/]{2,}={0,2})[\"']?[ \t]*\r?$", re.MULTILINE
)
_OBJECT = re.compile(rb"\"data\"\s*:\s*\{([^{}]*)\}")
_MEMBER = re.compile(rb"\"([A-Za-z0-9_.-]{1,253})\"\s*:\s*\"([A-Za-z0-9+/]{2,}={0,2})\"")
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
NAME = "base64"


def document(data: bytes, at: int) -> tuple[int, int]:
    """The document that a place stands in, as far as it is looked at."""
    low, high = max(0, at - AROUND), min(len(data), at + AROUND)
    start = data.rfind(b"\n---", low, at)
    end = data.find(b"\n---", at, high)
    return (start + 1 if start >= 0 else low, end + 1 if end >= 0 else high)


class Manifest(Pieces):
    """The entries of a Secret as `key: "value"`, decoded. `values`: where their base64 stands in the source."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        pieces: list[tuple[bytes, int, int]] = []
        self.values: list[tuple[int, int]] = []
        self.start, self.end = start, end
        for key, value in _entries(data, start, end):
            text = decode_base64(data[value[0] : value[1]])
            if not is_text(text):
                continue
            self.values.append(value)
            quote = b'"' if b'"' not in text and b"\n" not in text.strip() else b""
            pieces += [(data[slice(*key)] + b": " + quote, *key), (text, *value), (quote + b"\n", *key)]
        super().__init__(NAME, pieces)


def is_text(text: bytes) -> bool:
    """Whether bytes are clean text: UTF-8 without control characters."""
    if not text or _UNPRINTABLE.search(text):
        return False
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _entries(data: bytes, start: int, end: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for section in _DATA.finditer(data, start, end):
        for entry in _ENTRY.finditer(data, section.start(2), section.end(2)):
            yield entry.span(1), entry.span(2)
    for member in _OBJECT.finditer(data, start, end):
        for entry in _MEMBER.finditer(data, member.start(1), member.end(1)):
            yield entry.span(1), entry.span(2)
