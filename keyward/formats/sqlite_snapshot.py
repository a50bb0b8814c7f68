"""A connection to a database as it stood at one moment, which its owner never notices.

SQLite itself never opens anything beside the main file: with `immutable=1` it takes no lock and ignores the `-wal`, `-journal` and
`-shm` files. So where one of them holds something, or the file is small, the last committed state is put together in memory
(`sqlite_journals`) and SQLite gets the copy. A database that is too large for that is read page by page where it lies, the log's newer pages
in place of its own (`sqlite_layers`).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, NamedTuple

from keyward.formats.sqlite_journals import (
    WAL_HEADER,
    before_transaction,
    committed,
    committed_pages,
    overlaid,
    pages_before,
)
from keyward.formats.sqlite_layers import Layers, connect

MAGIC = b"SQLite format 3\0"

COPIED = 64 << 20
"""Bytes up to which a database is always copied: a copy cannot change while it is read."""

MOST_COPIED = 512 << 20
"""Bytes up to which a database is copied where it must be (a log holds pages of it, or it is no file of the disk)."""

MOST_BESIDE = 4 << 30
"""Bytes of a log up to which it is listed which pages stand in it: 100 MB of memory for pages of 4 KB."""

READ_ANEW = 256 << 20
"""Bytes up to which a database is read again and again because its owner writes to it all the while."""

RESTLESS = "its owner wrote to it all the while it was read; scan again"

LOG_NOT_READ = "its write-ahead log was looked at as bytes only: the database is too large to be copied"

STEPS_BETWEEN_LOOKS = 200_000
"""Steps of SQLite's machine between two looks at the clock."""


_REGULAR = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Opens no symbolic link, and does not wait for somebody to write into a pipe."""


class Snapshot(NamedTuple):
    """`connection`: to be closed by who asked. `unread`: a sentence on what is not in it, empty if nothing is missing. `changed`: whether its
    owner has written to what is read from the disk since: then some of it may be of before and some of after."""

    connection: sqlite3.Connection
    unread: str
    changed: Callable[[], bool]


class Room(NamedTuple):
    """Bytes up to which a database is copied in any case, and up to which where it must be."""

    always: int = COPIED
    at_most: int = MOST_COPIED


USUAL_ROOM = Room()


def snapshot(file: BinaryIO, on_disk: str, *, overdue: Callable[[], bool], room: Room) -> Snapshot:
    """Opens a database. `overdue`: whether it is time to give up. Raises ValueError or sqlite3.DatabaseError if it is none, OSError if it cannot be read."""
    path = os.path.realpath(on_disk) if on_disk else ""
    fresh = _fresh(path, file)
    if fresh is None:
        return _taken(file, "", overdue, room)
    with fresh:
        return _taken(fresh, path, overdue, room)


def _fresh(path: str, file: BinaryIO) -> BinaryIO | None:
    """The file of that path, opened again, since what the caller holds may be a copy of some moments ago. None where it is not to be had,
    or is by now another file than the one that the caller opened."""
    if not path:
        return None
    try:
        again = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _REGULAR))  # noqa: SIM115  # the caller closes it
    except OSError:
        return None
    status = os.fstat(again.fileno())
    try:
        held = os.fstat(file.fileno())
    except (OSError, ValueError):  # it is held in memory
        held = status
    if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) == (held.st_dev, held.st_ino):
        return again
    again.close()
    return None


def _taken(file: BinaryIO, path: str, overdue: Callable[[], bool], room: Room) -> Snapshot:
    """`path`: the real one of the file, empty where it has none."""
    size = file.seek(0, os.SEEK_END)
    side = _side_size(path)
    if path and size > room.always and (not side or size + side > room.at_most):
        return _large(file, path, side, overdue)
    if size + side > room.at_most:
        raise ValueError(f"a database of more than {room.at_most >> 20} MB that is no file of its own cannot be opened")
    content, settled = _copy(file, path)
    try:
        return Snapshot(_guarded(_in_memory(content), overdue), "" if settled else RESTLESS, lambda: not settled)
    except (sqlite3.DatabaseError, ValueError):
        if settled:
            raise
        raise ValueError(RESTLESS) from None


def _large(file: BinaryIO, path: str, side: int, overdue: Callable[[], bool]) -> Snapshot:
    """A database that is read where it lies, with its log if it has one."""
    before = _state(path)

    def changed() -> bool:
        return _state(path) != before

    try:
        layers = _layers(file, path) if side else None
        connection = connect(layers) if layers is not None else _on_disk(path)
    except _NotListed:
        layers = connection = None
    if connection is None:
        return Snapshot(_guarded(_on_disk(path), overdue), LOG_NOT_READ, changed)
    return Snapshot(_guarded(connection, overdue), "", lambda: changed() or (layers is not None and layers.restless))


class _NotListed(Exception):
    """A log has too many pages, or this platform cannot read one here and there."""


def _layers(main: BinaryIO, path: str) -> Layers | None:
    """The database with what stands beside it; None where nothing that counts does. Raises _NotListed."""
    for ending, pages_of in (("-wal", committed_pages), ("-journal", pages_before)):
        beside = _opened(path + ending)
        if beside is None:
            continue
        with beside:
            descriptor = beside.fileno()
            length = os.fstat(descriptor).st_size
            if not hasattr(os, "pread") or length > MOST_BESIDE:
                raise _NotListed
            index = pages_of(partial(_read_at, descriptor), length)
            if index is not None:
                return Layers(main.fileno(), descriptor, index, is_log=ending == "-wal")
    return None


def _read_at(descriptor: int, at: int, size: int) -> bytes:
    return os.pread(descriptor, size, at)


def _on_disk(path: str) -> sqlite3.Connection:
    from urllib.parse import quote

    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _in_memory(content: bytearray) -> sqlite3.Connection:
    if not content.startswith(MAGIC):
        raise ValueError("this is no SQLite database")
    content[18:20] = b"\1\1"  # a copy has no write-ahead log, whatever its owner uses
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.deserialize(content)
    except BaseException:
        connection.close()
        raise
    return connection


def _guarded(connection: sqlite3.Connection, overdue: Callable[[], bool]) -> sqlite3.Connection:
    """Takes away whatever a hostile database could make SQLite do. Reading a table then runs nothing that the file brought."""
    connection.text_factory = bytes
    connection.set_progress_handler(overdue, STEPS_BETWEEN_LOOKS)
    try:
        # reading the schema runs nothing; but read with the schema distrusted, a check that calls json_valid() makes it malformed
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "mmap_size=0", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        connection.close()
        raise
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
    connection.set_authorizer(_authorize)
    return connection


_FUNCTIONS = ("length", "typeof")
_PRAGMAS = ("table_xinfo",)


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, view: str | None) -> int:
    if view is not None:  # what a view or a trigger asks for
        return sqlite3.SQLITE_DENY
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second in _FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _copy(file: BinaryIO, path: str) -> tuple[bytearray, bool]:
    """The last committed content, and whether its owner let it be read in one go. The log is read first; then it fits the main file
    if that was not written to meanwhile, and the log not begun anew."""
    attempts = max(3, min(100, READ_ANEW // max(1, _size(path))))
    settled = False
    while not settled and attempts:
        attempts -= 1
        before = _state(path)
        wal = _side(path + "-wal") if path else b""
        journal = _side(path + "-journal") if path and len(wal) <= WAL_HEADER else b""
        content = _whole(file)
        settled = not path or (before == _state(path) and (not wal or _side(path + "-wal", WAL_HEADER) == wal[:WAL_HEADER]))
    overlay = committed(wal) if len(wal) > WAL_HEADER else before_transaction(journal)
    return (content if overlay is None else overlaid(content, overlay)), settled


def _whole(file: BinaryIO) -> bytearray:
    content = bytearray()
    file.seek(0)
    while piece := file.read(8 << 20):
        content += piece
    return content


def _side(path: str, size: int = -1) -> bytes:
    """The content of a file beside the database, or its first bytes; empty if there is none."""
    file = _opened(path)
    if file is None:
        return b""
    with file:
        return file.read(size)


def _opened(path: str) -> BinaryIO | None:
    """A regular file beside the database, None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _REGULAR)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    return None


def _side_size(path: str) -> int:
    """Bytes of the files beside the database that may hold pages of it."""
    return sum(_size(path + ending) for ending in ("-wal", "-journal")) if path else 0


def _size(path: str) -> int:
    try:
        status = os.lstat(path)
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _state(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
