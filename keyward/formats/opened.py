"""What every container gives when it is opened: its members, and what in it could not be read.

An opener is one module that knows one format (zip, SQLite, gzip, …). It reads, and never writes, unpacks to the disk or runs
anything. Whoever opens it holds the budget and opens the members in turn, so an opener knows nothing of what its members are.

Records of a database, messages of a log and the like are too many to be looked at one by one: they come as a `Pack`, many of them in
one buffer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, Protocol, Union

SEPARATOR = b"\n\0\n"
"""Stands between the records of a pack, so that no value seems to go on in the next one."""


class Limits(NamedTuple):
    """How far containers are opened. Beyond, what was not read is named.

    `depth`: containers in containers. `members`: in one file of the tree, over all depths. `bytes`: unpacked, the same. `ratio`:
    unpacked to packed bytes, once `bytes_free_of_ratio` are exceeded (a small file of zeros is no bomb). `seconds`: for one file.
    """

    depth: int = 8
    members: int = 100_000
    bytes: int = 4 << 30
    ratio: int = 200
    bytes_free_of_ratio: int = 64 << 20
    seconds: float = 300.0


class Container(NamedTuple):
    """What an opener is given. `name`: the path, or the member's name. `file`: seekable, at its beginning; nobody else reads it.
    `on_disk`: the path where it is a file of the tree, for formats with files beside it (SQLite's WAL); else empty."""

    name: str
    file: BinaryIO
    on_disk: str = ""


class Member(NamedTuple):
    """One thing in a container, to be read before the next one is asked for.

    `name`: unique in the container, the same each time it is opened, and what a person calls it (`app/.env`). `read`: up to so
    many bytes, none at the end; raises OSError or ValueError where it is damaged. `since`: when it was last changed, in seconds since
    1970, 0 if unknown. `role`: `live-config` or `echo`, empty: as the name says. `packed`: its bytes in the container, -1 if unknown.
    """

    name: str
    read: Callable[[int], bytes]
    since: float = 0.0
    role: str = ""
    packed: int = -1


class Record(NamedTuple):
    """A record of a pack: its name, and when it was written (seconds since 1970, 0 if unknown)."""

    name: str
    since: float = 0.0


class Pack(NamedTuple):
    """Many records in one buffer, with `SEPARATOR` between them. `starts`: where each begins in `data`, ascending. `record`: says
    which one number `n` is, asked only where something was found. The rules of `Member.name` hold for its names."""

    data: bytes
    starts: list[int]
    record: Callable[[int], Record]
    role: str = ""

    def at(self, offset: int) -> int:
        """The number of the record that an offset in `data` belongs to."""
        return bisect_right(self.starts, offset) - 1


class Unread(NamedTuple):
    """What an opener could not read. `name`: the member, empty for the container as a whole. `opaque`: encrypted by its owner."""

    name: str
    reason: str
    opaque: bool = False


Piece = Union[Member, Pack, Unread]


class Opener(Protocol):
    """One format. `name`: for messages (`zip archive`). `replaces_raw`: whether the bytes as they stand need not be looked
    at as well; false where deleted or uncompressed text lies between what the format knows of (SQLite, tar)."""

    name: str
    replaces_raw: bool

    def open(self, container: Container) -> Iterator[Piece]:
        """Its pieces, in an order that is the same each time. Raises OSError or ValueError if it is not, or no longer, of the format;
        MissingExtra where a library is wanted that is not installed."""
        ...
