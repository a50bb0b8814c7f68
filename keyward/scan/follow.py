"""From a locator through the containers that it names to the bytes that it means."""

from __future__ import annotations

from io import SEEK_END, BytesIO
from typing import BinaryIO

from keyward.errors import MissingExtra
from keyward.formats.opened import SEPARATOR, Container, Limits, Member, Pack
from keyward.formats.openers import HEAD, opener_for
from keyward.model.finding import Locator
from keyward.scan.reader import CHUNK
from keyward.scan.unpack import Budget, CutOff, Joined, Stop, pieces, take, unpacked_name


def follow(locator: Locator, file: BinaryIO, length: int, limits: Limits | None) -> bytes:
    """The bytes of a locator that leads through containers; none if it leads nowhere any more."""
    file.seek(0, SEEK_END)
    budget = Budget(limits or Limits(), file.tell())
    file.seek(0)
    on_disk = locator.path if locator.source == "tree" else ""
    try:
        return _follow(Container(locator.path, file, on_disk), locator.container, locator.start, length, budget)
    except (CutOff, MissingExtra):
        return b""
    except Exception:  # the format's library, on a file that is no longer what it was
        return b""


def _follow(container: Container, names: tuple[str, ...], start: int, length: int, budget: Budget) -> bytes:
    head = container.file.read(HEAD)
    opener = opener_for(container.name, head)
    if opener is None:
        return b""
    file = container.file if container.file.seekable() else Joined(head, container.file.read).as_file()
    if file.seekable():
        file.seek(0)
    wanted, *rest = names
    for piece in pieces(opener, container._replace(file=file), budget):
        if isinstance(piece, Pack):
            at = -1 if rest else next((n for n in range(len(piece.starts)) if piece.record(n).name == wanted), -1)
            if at >= 0:
                end = piece.starts[at + 1] - len(SEPARATOR) if at + 1 < len(piece.starts) else len(piece.data)
                begin = piece.starts[at] + start
                return piece.data[begin : min(begin + length, end)]
        elif isinstance(piece, Member) and piece.name == wanted:
            stop = Stop(piece.read)
            called = piece.name or unpacked_name(container.name)
            if rest:
                held = take(stop.read, b"", budget.holdable)
                inner = BytesIO(held) if len(held) < budget.holdable else Joined(held, stop.read).as_file()
                return _follow(Container(called, inner), tuple(rest), start, length, budget)
            skipped = 0
            while skipped < start and (passed := stop.read(min(start - skipped, CHUNK))):
                skipped += len(passed)
            return take(stop.read, b"", length) if skipped == start else b""
    return b""
