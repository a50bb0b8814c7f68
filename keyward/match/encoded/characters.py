"""Base64 and hexadecimal: runs of characters that stand for bytes by arithmetic, and bytes that are text in UTF-16."""

from __future__ import annotations

import binascii
from bisect import bisect_right
from itertools import accumulate

from keyward.match.encoded.images import TO_STANDARD
from keyward.match.encoded.layer import Unit
from keyward.match.encoded.runs import BASE64, FORWARD, HEX, Compact, compact, run_around

BREAKS = b" \t\r\n"


class Groups:
    """A layer of equal groups: so many characters for so many bytes, the last group maybe shorter. `start`, `end`: of the run in the source."""

    partial = False

    def __init__(self, name: str, run: Compact, text: bytes, characters: int, size: int, padded_to: int) -> None:
        self.name = name
        self.text = text
        self._run = run
        self._characters = characters
        self._size = size
        self.start = run.starts[0]
        self.end = max(padded_to, run.end)

    def holds(self, at: int, phase: int) -> bool:
        """Whether a place within the run stands so many characters behind the border of one of these groups."""
        return self.start <= at <= self.end and (self._run.ordinal(at) - phase) % self._characters == 0

    def text_at(self, at: int, phase: int) -> int:
        """Where in the text the group begins that ends so many characters before a place of the source."""
        return max(0, self._run.ordinal(at) - phase) // self._characters * self._size

    def unit(self, offset: int) -> Unit:
        number = offset // self._size
        first = number * self._characters
        last = min(first + self._characters, len(self._run.text)) - 1
        start = number * self._size
        end = min(start + self._size, len(self.text))
        whole = last - first == self._characters - 1
        return Unit(start, end, self._run.source(first), self._run.source(last) + 1 if whole else self.end)


def base64_layer(data: bytes, at: int, phase: int, forward: int = FORWARD) -> Groups | None:
    """The base64 around a place that stands so many characters behind the border of a group."""
    run = compact(data, run_around(data, at, BASE64, forward))
    run = run.cut((run.ordinal(at) - phase) % 4)
    text = decode_base64(run.text)
    if not text:
        return None
    if len(run.text) % 4 == 1:  # one character alone stands for nothing
        run = run._replace(text=run.text[:-1])
    end = run.end
    padding = len(data[end : end + 2]) - len(data[end : end + 2].lstrip(b"=")) if len(run.text) % 4 > 1 else 0
    return Groups("base64", run, text, 4, 3, end + padding)


def hex_layer(data: bytes, at: int) -> Groups | None:
    """The hexadecimal digits around a place where a pair of them ends."""
    run = compact(data, run_around(data, at, HEX))
    run = run.cut(run.ordinal(at) % 2)
    run = run._replace(text=run.text[: len(run.text) // 2 * 2])
    return Groups("hex", run, binascii.unhexlify(run.text), 2, 1, 0) if run.text else None


def decode_base64(text: bytes) -> bytes:
    """The bytes of base64 in either alphabet, padded or not, broken into lines or not; what no group can be made of is left out."""
    clean = text.translate(TO_STANDARD, BREAKS).replace(b"\\n", b"").replace(b"\\r", b"").rstrip(b"=")
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
    except (binascii.Error, ValueError):
        return b""


def decode_hex(text: bytes) -> bytes:
    """The bytes of hexadecimal digits; nothing if they are none."""
    clean = text.translate(None, BREAKS).replace(b"\\n", b"").replace(b"\\r", b"")
    try:
        return binascii.unhexlify(clean[: len(clean) // 2 * 2])
    except (binascii.Error, ValueError):
        return b""


def wide_encoding(text: bytes) -> str:
    """`utf-16-le` or `utf-16-be` if half of the bytes are NULs, all in the places of one byte of two; else nothing."""
    if len(text) < 8 or text.count(0) * 3 < len(text):
        return ""
    even = text[0::2].count(0)
    odd = text[1::2].count(0)
    if odd > 9 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 9 * odd else ""


class Wide:
    """A layer of text that is in UTF-16 below."""

    partial = False

    def __init__(self, text: bytes, encoding: str) -> None:
        self.name = encoding
        self._characters = text.decode(encoding, "replace")
        self.text = self._characters.encode("utf-8", "replace")
        self._starts: list[int] | None = None
        self._sources: list[int] = []
        self._size = len(text)

    def unit(self, offset: int) -> Unit:
        if self._starts is None:
            self._starts = [0, *accumulate(len(c.encode("utf-8", "replace")) for c in self._characters)]
            self._sources = [0, *accumulate(4 if c > "\uffff" else 2 for c in self._characters)]
        at = bisect_right(self._starts, offset) - 1
        return Unit(self._starts[at], self._starts[at + 1], self._sources[at], min(self._sources[at + 1], self._size))
