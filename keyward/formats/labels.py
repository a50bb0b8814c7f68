"""What a person calls the place of a finding inside its file (`under "Deploy"`, `message 12 (user)`, `mcpServers.github.env.TOKEN`), and
when it was written there, if the format says so.

Asked only for files in which something was found. Labels come from outside and are never longer than `LONGEST` characters; whatever stands
in one and looks like a value, or begins like one that was found, is cut out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from keyward.formats.labelling.shown import Shown

LONGEST = 200
"""Characters in a label."""

BLOCK = 128 << 20
"""Bytes that are held at once. A document is labelled as far as its first block, a file of lines to its end."""


_AFTER = 1 << 20
"""Bytes behind the last finding that may belong to its line."""


class Label(NamedTuple):
    """`where`: what a person calls the place, empty if nothing is known. `since`: seconds since 1970 (UTC), 0 if unknown."""

    where: str = ""
    since: float = 0.0


UNKNOWN = Label()


class Text(NamedTuple):
    """What is labelled: a file, or a block of a file of lines. `name`: the path or the member's name, in lower case. `data`: the bytes,
    `lines`: newlines that stood before them."""

    name: str
    data: bytes
    lines: int = 0


Labeller = Callable[[Text, Sequence[int]], "list[Label]"]
"""Labels for ascending offsets in `Text.data`. May raise whatever hostile bytes make it raise."""


def locate(name: str, file: BinaryIO, offsets: Sequence[int], *, block: int = BLOCK) -> list[Label]:
    """A label for each of the ascending byte offsets in a file, which is at its beginning. `block`: bytes that are
    held at once. Never raises."""
    from keyward.formats.labelling.shown import Shown

    labels = [UNKNOWN] * len(offsets)
    shown = Shown()
    try:
        _label(name.replace("\\", "/").lower(), file, offsets, labels, shown, block)
    except Exception:  # bytes from anywhere: a label is a courtesy, the finding stands without
        pass
    return [Label(shown.clean(label.where), label.since) for label in labels]


def _label(name: str, file: BinaryIO, offsets: Sequence[int], labels: list[Label], shown: Shown, size: int) -> None:
    from keyward.formats.labelling.choice import labeller_for

    head = file.read(4096)
    labeller, by_line = labeller_for(name, head)
    if labeller is None:
        return
    for first, last, base, text in _blocks(name, head, file, offsets, by_line, size):
        places = [offset - base for offset in offsets[first:last]]
        shown.hide(text.data, places)
        found = labeller(text, places)
        labels[first : first + len(found)] = found


def _blocks(
    name: str, head: bytes, file: BinaryIO, offsets: Sequence[int], by_line: bool, size: int
) -> Iterator[tuple[int, int, int, Text]]:
    """Which of the offsets lie in a block, where it begins, and the block."""
    data, base, lines, first = head, 0, 0, 0
    while first < len(offsets):
        wanted = min(size, offsets[-1] - base + _AFTER) if by_line else size
        data = _filled(data, file, wanted)
        ended = len(data) < size
        cut = len(data) if ended else data.rfind(b"\n") + 1 or len(data)
        block = data[:cut]
        last = bisect_left(offsets, base + cut, first)
        if last > first:
            yield first, last, base, Text(name, block, lines)
        if ended or not by_line:
            return
        data, base, lines, first = data[cut:], base + cut, lines + block.count(b"\n"), last


def _filled(data: bytes, file: BinaryIO, wanted: int) -> bytes:
    pieces, size = [data], len(data)
    while size < wanted and (piece := file.read(min(wanted - size, 8 << 20))):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)
