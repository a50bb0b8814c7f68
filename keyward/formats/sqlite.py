"""SQLite databases: the cells of every table, many in one buffer, as they were last committed.

Only tables are read, their rows as they are stored: no view, trigger, virtual table, index or generated column is asked for, so that
nothing that the file brought is run. The tables in which full-text search keeps its copies are tables like any other. Deleted rows are
in no table; they are found in the bytes of the file.

A cell that holds something to be opened in turn (zstd, gzip, a document, UTF-16 text) or that is large comes as a member.
"""

from __future__ import annotations

import re
import sqlite3
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import accumulate, chain
from typing import NamedTuple, cast

from keyward.formats.opened import SEPARATOR, Container, Member, Pack, Piece, Record, Unread
from keyward.formats.sqlite_names import (
    KEY_COLUMNS,
    MAIN_COLUMNS,
    TABLES_WITH_LIVE_KEYS,
    TIME_COLUMNS,
    Value,
    moment,
    role,
    row_name,
)
from keyward.formats.sqlite_snapshot import RESTLESS, USUAL_ROOM, Room, snapshot

SECONDS = 300.0
"""Time for one database."""

LARGE = 64 << 10
"""Bytes from which a cell is a member of its own."""

LONGEST = 1_000_000_000
"""Bytes of the longest cell that is read, as SQLite's own limit has it."""

BUFFER = 1 << 20
"""Bytes of cells that are gathered before they are handed over."""

FETCHED = 64 << 20
"""Bytes that one call to SQLite may bring at most, by the number of rows that it asks for."""

MOST_ROWS = 50_000
"""Rows of one buffer, however empty they are."""

_TO_BE_OPENED = re.compile(
    rb"(?=[\x28\x1fB\xfdP7%S\xff\xfe\0]|.\0)"  # nearly every cell ends here
    rb"(?:\x28\xb5\x2f\xfd|\x1f\x8b\x08|BZh[1-9]1AY|\xfd7zXZ\0|PK\x03\x04|7z\xbc\xaf\x27\x1c|%PDF-|SQLite format 3\0"
    rb"|\xff\xfe|\xfe\xff|(?:[^\0]\0){4}|(?:\0[^\0]){4})",
    re.S,
).match
"""The beginning of a cell that cannot be looked at as it stands: compressed, a document, a database, UTF-16."""


class _Table(NamedTuple):
    """`keys`: quoted columns that name a row. `rowid`: the name of the row's number, empty where the table has none. `cells`: the columns
    to be read. `suffixes`: what is put behind the row's name for each of them. `when`: the quoted column of a time, empty if none."""

    name: str
    keys: tuple[str, ...]
    rowid: str
    cells: tuple[str, ...]
    suffixes: tuple[str, ...]
    when: str


class SqliteOpener:
    """Opens SQLite databases. `seconds`: after which reading one is given up. `room`: for copies of databases in memory."""

    name = "SQLite database"
    replaces_raw = False

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic, room: Room = USUAL_ROOM) -> None:
        self._seconds = seconds
        self._clock = clock
        self._room = room

    def open(self, container: Container) -> Iterator[Piece]:
        """Packs of cells, and members. Raises ValueError if it is no database that SQLite can read, OSError if it cannot be read."""
        deadline = self._clock() + self._seconds
        try:
            taken = snapshot(container.file, container.on_disk, overdue=lambda: self._clock() > deadline, room=self._room)
        except sqlite3.Error as error:
            raise ValueError(_why(error)) from None
        connection = taken.connection
        try:
            if taken.unread:
                yield Unread("", taken.unread)
            try:
                tables = _tables(connection)
            except sqlite3.Error as error:
                raise ValueError(RESTLESS if taken.changed() else _why(error)) from None
            for table in tables:
                damage = None
                try:
                    yield from _cells(connection, _described(connection, table))
                except sqlite3.Error as error:
                    damage = error
                if damage is not None and not taken.changed():
                    yield Unread(table, _why(damage))
            if taken.changed() and taken.unread != RESTLESS:
                yield Unread("", RESTLESS)
        finally:
            connection.close()


def _why(error: sqlite3.Error) -> str:
    """SQLite's own words quote names from the file, so they are not repeated."""
    code = getattr(error, "sqlite_errorname", None) or ""
    if code.startswith("SQLITE_INTERRUPT"):
        return "it took too long to read"
    if code.startswith("SQLITE_NOTADB"):
        return "it is no SQLite database, or an encrypted one"
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_FORMAT")):
        return "it is damaged"
    if code.startswith("SQLITE_TOOBIG"):
        return "a value in it is too large"
    return f"SQLite cannot read it ({code or type(error).__name__})"


def _tables(connection: sqlite3.Connection) -> list[str]:
    """Names of the tables that are stored as such, and of the schema's own."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {name for name, statement in rows if isinstance(name, bytes) and _MADE_AS_TABLE(statement or b"")}
    return [*(_text(name) for name in sorted(found)), _SCHEMA]


_SCHEMA = "sqlite_master"
"""Statements hold default values, and views the texts that somebody put into them."""


_MADE_AS_TABLE = re.compile(rb"\s*CREATE\s+TABLE\b", re.I).match
"""The words count, not what the schema says of its type: a hostile one calls a view a table."""


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _described(connection: sqlite3.Connection, name: str) -> _Table:
    """How a table is to be read. Raises sqlite3.Error where its description is damaged."""
    if name == _SCHEMA:
        return _Table(name, ('"name"',), "rowid", ("sql",), ("",), "")
    columns = connection.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
    # a generated column is computed when it is read, by functions that the file names
    stored = [(_text(column), kind, place) for _, column, kind, _, _, place, hidden in columns if not hidden]
    names = [column for column, _, _ in stored]
    keys = [column for place, column in sorted((place, column) for column, _, place in stored if place)]
    if not keys and KEY_COLUMNS.get(name) in names:
        keys = [KEY_COLUMNS[name]]
    rowid = _row_number(connection, name, names)
    numbered = not keys or (bool(rowid) and [kind.upper() for _, kind, place in stored if place] == [b"INTEGER"])
    cells = [column for column in names if not (numbered and column in keys)]
    values = [column for column in cells if column not in keys]
    main = "" if numbered else MAIN_COLUMNS.get(name, values[0] if len(values) == 1 else "")
    by_name = {column.lower(): column for column in reversed(names)}
    when = next((by_name[each] for each in TIME_COLUMNS if each in by_name), "")
    return _Table(
        name,
        tuple(map(_quoted, keys)) or (rowid,),
        rowid,
        tuple(cells),
        tuple("" if column == main else f".{column}" for column in cells),
        _quoted(when) if when else "",
    )


def _row_number(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> str:
    """The name under which a row's number can be asked for; empty for a table without row numbers."""
    taken = {column.lower() for column in columns}
    free = next((name for name in ("_rowid_", "rowid", "oid") if name not in taken), "")
    if not free:
        return ""
    try:
        connection.execute(f"SELECT {free} FROM {_quoted(table)} NOT INDEXED LIMIT 0").close()
    except sqlite3.OperationalError:
        return ""
    return free


_META = 3
"""Columns of a query before the keys: the time, the row's number, how many cells are large."""


def _cells(connection: sqlite3.Connection, table: _Table) -> Iterator[Piece]:
    """All cells of a table. Raises sqlite3.Error where a page is damaged, after what could be read on either side of it."""
    if not table.cells or not table.keys[0]:
        return
    columns = [_quoted(column) for column in table.cells]
    at_once = max(1, min(4096, FETCHED // (LARGE * len(columns))))
    reading = _Reading(connection, table)
    query = _with_long_cells(table, columns)
    if not table.rowid:
        yield from reading.rows(query, at_once)
        return
    after = f"{query} WHERE {table.rowid} > {{}} ORDER BY {table.rowid}"
    try:
        try:
            # whether a cell is long costs more to ask than to read it, and few tables have one: SQLite says when it meets it
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGE)
            wanted = _wanted(table, "0", columns)
            fewer = list(dict.fromkeys(wanted))
            order = [fewer.index(each) for each in wanted]
            yield from reading.rows(f"SELECT {', '.join(fewer)} FROM {_quoted(table.name)} NOT INDEXED", at_once, order)
        except sqlite3.DataError:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
            yield from reading.rows(after.format(reading.last), at_once)
        finally:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    except sqlite3.DatabaseError:
        with suppress(sqlite3.DatabaseError):
            yield from reading.rows(after.format(reading.last), 1)
        with suppress(sqlite3.DatabaseError):
            yield from reading.rows(f"{after.format(reading.last)} DESC", 1)
        raise


def _wanted(table: _Table, large: str, cells: Sequence[str]) -> list[str]:
    """What a batch is made of."""
    return [table.when or "NULL", table.rowid or "NULL", large, *table.keys, *cells]


def _with_long_cells(table: _Table, columns: Sequence[str]) -> str:
    """The query that leaves long cells empty and says how many there are in a row."""
    large = " + ".join(f"({_is_long(column)})" for column in columns)
    small = [f"CASE WHEN {_is_long(column)} THEN '' ELSE {column} END" for column in columns]
    return f"SELECT {', '.join(_wanted(table, large, small))} FROM {_quoted(table.name)} NOT INDEXED"


class _Reading:
    """Reads rows. `last`: the number of the newest row that was read."""

    def __init__(self, connection: sqlite3.Connection, table: _Table) -> None:
        self._connection = connection
        self._table = table
        self.last = -(1 << 63)

    def rows(self, query: str, at_once: int, order: Sequence[int] = ()) -> Iterator[Piece]:
        """What a query answers. `order`: where what a batch is made of stands in it, if not just so."""
        cursor = self._connection.execute(query)
        gathered = _Gathered(self._table)
        while True:
            damage: sqlite3.Error | None = None
            rows: list[tuple[Value, ...]] = []
            try:
                rows = cursor.fetchmany(at_once)
            except sqlite3.Error as error:
                damage = error
            if rows:
                columns = list(zip(*rows, strict=True))
                batch = _Batch(self._table, [columns[place] for place in order] if order else columns)
                yield from _members(self._connection, batch)
                gathered.add(batch)
                number = batch.numbers[-1]
                self.last = number if isinstance(number, int) else self.last
            if gathered.cells and (gathered.is_full or not rows):
                yield gathered.pack()
                gathered = _Gathered(self._table)
            if damage is not None:
                raise damage
            if not rows:
                return


def _is_long(column: str) -> str:
    return f"typeof({column}) IN ('text', 'blob') AND length(CAST({column} AS BLOB)) >= {LARGE}"


class _Batch:
    """Some rows, as columns. `cells`: one sequence for each column that is read."""

    def __init__(self, table: _Table, columns: list[tuple[Value, ...]]) -> None:
        self.table = table
        self.whens, self.numbers, self.large = columns[:_META]
        self.keys = columns[_META : _META + len(table.keys)]
        self.cells: list[Sequence[bytes]] = [_texts(column) for column in columns[_META + len(table.keys) :]]
        self.rows = len(self.whens)

    def of_row(self, row: int) -> list[Value]:
        return [column[row] for column in self.keys]

    def name(self, cell: int, row: int) -> str:
        keys = self.of_row(row)
        if None in keys:  # SQLite lets several rows have no key
            keys.append(self.numbers[row])
        return row_name(self.table.name, keys) + self.table.suffixes[cell]

    def record(self, number: int) -> Record:
        """The record of a cell, counted row by row."""
        row, cell = divmod(number, len(self.table.cells))
        return Record(self.name(cell, row), moment(self.whens[row]))


def _texts(column: tuple[Value, ...]) -> Sequence[bytes]:
    """A column with nothing in place of what is neither text nor bytes."""
    if set(map(type, column)) == _ONLY_BYTES:
        return cast("tuple[bytes, ...]", column)
    return [value if type(value) is bytes else b"" for value in column]


_ONLY_BYTES = {bytes}


class _Gathered:
    """Cells of several batches, until they are worth a look."""

    def __init__(self, table: _Table) -> None:
        self.table = table
        self.cells: list[bytes] = []
        self._bytes = self._rows = 0
        self._firsts: list[int] = []
        self._batches: list[_Batch] = []

    def add(self, batch: _Batch) -> None:
        self._firsts.append(len(self.cells))
        self._batches.append(batch)
        before = len(self.cells)
        # row by row, so that what belongs together stands together (an id and its secret)
        self.cells.extend(chain.from_iterable(zip(*batch.cells, strict=True)))
        self._bytes += sum(map(len, self.cells[before:]))
        self._rows += batch.rows
        batch.cells = []  # only the names are still needed

    @property
    def is_full(self) -> bool:
        return self._bytes >= BUFFER or self._rows >= MOST_ROWS

    def pack(self) -> Pack:
        step = len(SEPARATOR)
        starts = list(accumulate(map(step.__add__, map(len, self.cells)), initial=0))[:-1]
        firsts, batches = self._firsts, self._batches

        def record(number: int) -> Record:
            which = bisect_right(firsts, number) - 1
            return batches[which].record(number - firsts[which])

        return Pack(SEPARATOR.join(self.cells), starts, record, role(self.table.name))


def _members(connection: sqlite3.Connection, batch: _Batch) -> Iterator[Member]:
    """The cells of a batch that are read one by one; those that came whole are taken out of it."""
    table = batch.table
    for cell, values in enumerate(batch.cells):
        if not any(values):
            continue
        found: list[object] = list(map(_TO_BE_OPENED, values))
        if table.name in TABLES_WITH_LIVE_KEYS:  # a pack has one role, so such rows come alone
            live = (role(table.name, batch.of_row(row)) == "live-config" for row in range(batch.rows))
            found = [match or (alone and value) for match, alone, value in zip(found, live, values, strict=True)]
        if not any(found):
            continue
        rest = list(values)
        for row in (row for row, match in enumerate(found) if match):
            rest[row] = b""
            yield _member(batch, cell, row, BytesIO(values[row]).read, len(values[row]))
        batch.cells[cell] = rest
    if not any(batch.large):
        return
    for row, large in enumerate(batch.large):
        for cell, column in enumerate(table.cells) if large else ():
            read, size = _long(connection, batch, row, column)
            if size:
                yield _member(batch, cell, row, read, size)


def _member(batch: _Batch, cell: int, row: int, read: Callable[[int], bytes], size: int) -> Member:
    return Member(batch.name(cell, row), read, moment(batch.whens[row]), role(batch.table.name, batch.of_row(row)), size)


def _long(connection: sqlite3.Connection, batch: _Batch, row: int, column: str) -> tuple[Callable[[int], bytes], int]:
    """A reader of one long cell, and its size; 0 if this cell of the row is none."""
    table, quoted = batch.table, _quoted(column)
    number = batch.numbers[row]
    plain = [number] if table.rowid else batch.of_row(row)
    # a text is not equal to the same bytes, and which of them a key is was not asked
    where = " AND ".join(f"({key} IS ? OR {key} IS ?)" for key in ([table.rowid] if table.rowid else table.keys))
    keys = [form for key in plain for form in (_as_text(key), key)]
    found = connection.execute(
        f"SELECT length(CAST({quoted} AS BLOB)) FROM {_quoted(table.name)} NOT INDEXED WHERE {where} AND {_is_long(quoted)}",
        keys,
    ).fetchone()
    if found is None:
        return _nothing, 0
    if isinstance(number, int):
        blob = connection.blobopen(table.name, column, number, readonly=True)
        return _reported(blob.read), len(blob)
    query = f"SELECT {quoted} FROM {_quoted(table.name)} NOT INDEXED WHERE {where}"
    (value,) = connection.execute(query, keys).fetchone()
    return BytesIO(value).read, len(value)


def _as_text(key: Value) -> str | Value:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else key


def _nothing(_size: int) -> bytes:
    return b""


def _reported(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """The same reader, which raises what a member's may."""

    def reading(size: int) -> bytes:
        try:
            return read(size)
        except sqlite3.Error as error:
            raise ValueError(_why(error)) from None

    return reading
