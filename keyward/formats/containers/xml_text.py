"""The text of office documents (docx, xlsx, pptx, odt): one value is often split over several runs, with tags in between.

A view of an XML part of such a document: runs of a paragraph are joined, paragraphs end with a line feed, entities are what they stand for.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right

NAME = "xml-text"
_OFFICE = re.compile(rb"schemas\.openxmlformats\.org|purl\.oclc\.org/ooxml|urn:oasis:names:tc:opendocument")
_TOKEN = re.compile(rb"<[^<>]*>|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-z]{2,6});")
_ENDS_LINE = re.compile(
    rb"</(?:w:p|a:p|text:p|text:h|si|row|c|is|w:tc|table:table-cell|t:p)>|<(?:w:br|w:cr|a:br|text:line-break)\b"
)


def is_part(name: str, head: bytes) -> bool:
    """Whether a member is such a part."""
    return name.endswith((".xml", ".XML")) and _OFFICE.search(head) is not None


class XmlText:
    """The text of a part, and where it stands. `pieces`: ascending pairs (offset in `text`, offset in the part) where runs begin that
    stand one to one, but for what one entity stands for (`entities`: its length in the part, by where it begins)."""

    encoding = NAME
    cut_short = ""

    def __init__(self, text: bytes, pieces: list[tuple[int, int]], entities: dict[int, int], size: int) -> None:
        self.text = text
        self._entities = entities
        self._pieces = [*pieces, (len(text), size)]

    def source_start(self, offset: int) -> int:
        """Where in the part the byte at an offset of `text` begins."""
        text, source = self._pieces[max(0, bisect_right(self._pieces, (offset, 1 << 62)) - 1)]
        return source + offset - text

    def source_end(self, offset: int) -> int:
        """Where in the part the byte before an offset of `text` ends."""
        if offset <= 0:
            return self.source_start(0)
        at = max(0, bisect_right(self._pieces, (offset - 1, 1 << 62)) - 1)
        text, source = self._pieces[at]
        after = self._pieces[min(at + 1, len(self._pieces) - 1)]
        if offset == after[0] and source in self._entities:
            return source + self._entities[source]
        return source + offset - text


def make_view(data: bytes) -> XmlText | None:
    """The text of a part; None if it has none."""
    pieces: list[tuple[int, int]] = []
    entities: dict[int, int] = {}
    text = bytearray()
    last = 0

    def begin(source: int) -> None:
        if pieces and pieces[-1][0] == len(text):
            pieces.pop()
        pieces.append((len(text), source))

    for token in _TOKEN.finditer(data):
        start, end = token.span()
        if start > last:
            begin(last)
            text += data[last:start]
        last = end
        if data[start] == 0x26:
            begin(start)
            text += decode(token[0])
            entities[start] = end - start
        elif _ENDS_LINE.match(data, start):
            begin(start)
            text += b"\n"
    begin(last)
    text += data[last:]
    if not text.strip():
        return None
    return XmlText(bytes(text), pieces, entities, len(data))


def decode(data: bytes) -> bytes:
    """The text of a range of a part."""
    joined = re.sub(rb"<[^<>]*>", b"", data)
    return (
        html.unescape(joined.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        if b"&" in joined
        else joined
    )
