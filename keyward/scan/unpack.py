"""How far one file is unpacked: what its containers may cost together, and what is said where that ends.

Nothing here knows a format. The budget is one for a file of the tree and everything in it, so that many small steps are no way around
a limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from types import FrameType
from typing import BinaryIO, cast

from keyward.formats.opened import Container, Limits, Member, Opener, Pack, Piece

HELD = 256 << 20
"""Bytes of containers within containers that are held at once; what is larger is read from front to back, if its format allows it."""

LIBRARY_SECONDS = 60.0
"""For one step of a library that is known to loop for ever on hostile input."""

Read = Callable[[int], bytes]


class CutOff(Exception):
    """A limit is reached; the sentence says which. Whoever unpacks ends, and names the file."""


class _Late(BaseException):
    """The alarm; not an Exception, because a library may take those for damage of its own."""


class Budget:
    """What is left of the limits for one file. `packed`: its bytes as it stands."""

    def __init__(self, limits: Limits, packed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._bytes = min(limits.bytes, max(limits.bytes_free_of_ratio, limits.ratio * packed))
        self._by_ratio = self._bytes < limits.bytes
        self._members = limits.members
        self._end = clock() + limits.seconds
        self._held = HELD

    def seconds(self) -> float:
        """What is left of the time. Raises CutOff if nothing is."""
        left = self._end - self._clock()
        if left <= 0:
            raise CutOff(f"it takes longer than {self.limits.seconds:g} seconds to unpack")
        return left

    def member(self) -> None:
        """Counts a member. Raises CutOff if it is one too many."""
        self._members -= 1
        if self._members < 0:
            raise CutOff(f"more than {self.limits.members:,} members")
        self.seconds()

    def spend(self, size: int) -> None:
        """Counts unpacked bytes. Raises CutOff if there are too many."""
        self._bytes -= size
        if self._bytes < 0:
            raise CutOff(
                f"it unpacks to more than {self.limits.ratio} times its size"
                if self._by_ratio
                else f"it unpacks to more than {_size(self.limits.bytes)}"
            )
        self.seconds()

    def reader(self, read: Read) -> Read:
        """The same reader, counted."""

        def counted(size: int) -> bytes:
            piece = read(size)
            self.spend(len(piece))
            return piece

        return counted

    def hold(self, size: int) -> bool:
        """Whether that many bytes may be held; they are until they are released."""
        if size > self._held:
            return False
        self._held -= size
        return True

    @property
    def holdable(self) -> int:
        """Bytes that may be held on top of those that are."""
        return self._held

    def release(self, size: int) -> None:
        self._held += size


def _size(count: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 10_000:
            return f"{count:,} {unit}"
        count //= 1024
    return f"{count:,} GB"


def pieces(opener: Opener, container: Container, budget: Budget) -> Iterator[Piece]:
    """The pieces of a container, counted, with names that are unique (`x`, `x#2`). Raises what the opener raises, and CutOff."""
    seen: dict[str, int] = {}
    hangs = getattr(opener, "hangs", False)
    opened = iter(opener.open(container))
    try:
        while True:
            if hangs:
                with _alarm(min(budget.seconds(), LIBRARY_SECONDS)):
                    piece = next(opened, None)
            else:
                piece = next(opened, None)
            if piece is None:
                return
            if isinstance(piece, Member):
                budget.member()
                name = _unique(piece.name, seen)
                yield piece._replace(name=name, read=budget.reader(piece.read))
            elif isinstance(piece, Pack):
                budget.spend(len(piece.data))
                yield piece
            else:
                budget.member()
                yield piece
    finally:
        close = getattr(opened, "close", None)
        if close is not None:
            close()


def _unique(name: str, seen: dict[str, int]) -> str:
    """The name, with a number behind it where it was given before."""
    count = seen[name] = seen.get(name, 0) + 1
    result = name
    while count > 1:
        result = f"{name}#{count}"
        if result not in seen:
            seen[result] = 1
            break
        count = seen[name] = count + 1
    return result


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Ends what is going on after so many seconds with CutOff, where the system has alarms and this is the main thread."""
    import signal
    import threading

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Late:
        raise CutOff("its format's library came to no end on it") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Joined:
    """What was read of a stream and the rest of it, as a file that is read from front to back."""

    def __init__(self, held: bytes, read: Read) -> None:
        self._held = BytesIO(held)
        self._read = read
        self._in_held = True

    def read(self, size: int = -1) -> bytes:
        """Exactly so many bytes, fewer only at the end."""
        wanted = size if size >= 0 else 1 << 62
        parts: list[bytes] = []
        while wanted > 0:
            piece = self._held.read(wanted) if self._in_held else self._read(min(wanted, 1 << 20))
            if not piece:
                if not self._in_held:
                    break
                self._in_held = False
                self._held = BytesIO()
                continue
            parts.append(piece)
            wanted -= len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def seekable(self) -> bool:
        return False

    def as_file(self) -> BinaryIO:
        """Itself, by the type that openers are given."""
        return cast(BinaryIO, self)


def take(read: Read, held: bytes, wanted: int) -> bytes:
    """What is held and more of the stream, up to so many bytes in all."""
    parts = [held] if held else []
    size = len(held)
    while size < wanted:
        piece = read(min(wanted - size, 1 << 20))
        if not piece:
            break
        parts.append(piece)
        size += len(piece)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Stop:
    """A reader that ends where the other one fails, so that what was read by then is looked at. `error`: what it failed of."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.error: Exception | None = None

    def read(self, size: int) -> bytes:
        if self.error is None:
            try:
                return self._read(size)
            except Exception as error:  # a format's library may raise anything; it is raised again by `check`
                self.error = error
        return b""

    def check(self) -> None:
        if self.error is not None:
            raise self.error


_PACKED_ENDINGS = {
    ".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tzst": ".tar", ".svgz": ".svg",
    ".gz": "", ".bz2": "", ".xz": "", ".lzma": "", ".zst": "", ".zstd": "", ".zlib": "", ".zz": "",
}  # fmt: skip


def unpacked_name(name: str) -> str:
    """What a packed file would be called unpacked: `app.log.3` for `app.log.3.gz`."""
    stem, dot, ending = name.rpartition(".")
    return stem + _PACKED_ENDINGS[f".{ending.lower()}"] if dot and f".{ending.lower()}" in _PACKED_ENDINGS else name
