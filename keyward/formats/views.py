"""Other readings of a text: where a format writes a value otherwise than it is (`\\040` for a space, a value split over two
records), a view gives the text as it is meant, and leads back to the bytes in the file.

A view is asked for by the file's name or first bytes, costs nothing for any other file, and is looked through in addition to the bytes
as they stand. What both find is reported once, as it stands.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple


class View(NamedTuple):
    """A reading of a whole source. `encoding`: the view's name, which `decode` knows. `pieces`: ascending pairs (offset in `text`, offset
    in the source) where runs of bytes begin that stand one to one, or of which the whole run stands for the source's up to the next."""

    encoding: str
    text: bytes
    pieces: list[tuple[int, int]]

    def source_start(self, offset: int) -> int:
        """Where in the source the byte at an offset of `text` begins."""
        at = bisect_right(self.pieces, (offset, 1 << 62)) - 1
        if at < 0:
            return offset
        text, source = self.pieces[at]
        return source + offset - text

    def source_end(self, offset: int) -> int:
        """Where in the source the byte before an offset of `text` ends: a value is `source_start(a)` to `source_end(b)`."""
        return self.source_start(offset - 1) + self.width(offset - 1) if offset else self.source_start(0)

    def width(self, offset: int) -> int:
        """Bytes that the byte at an offset of `text` takes in the source: one, but for a run of one byte that stands for several."""
        at = bisect_right(self.pieces, (offset, 1 << 62)) - 1
        if 0 <= at < len(self.pieces) - 1:
            (text, source), (next_text, next_source) = self.pieces[at], self.pieces[at + 1]
            if next_text - text == 1:
                return next_source - source
        return 1


MakeView = Callable[[bytes], "View | None"]
"""From the whole source to its view; None where it has nothing to read otherwise."""

Decode = Callable[[bytes], bytes]
"""From the bytes of a value as they stand in the source to the value."""
