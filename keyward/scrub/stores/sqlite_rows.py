"""Takes values out of the rows of a database, in one transaction, row by row.

Triggers are taken out for the time of the transaction and put back as they were: they would write times, counters and old texts, and may
call functions that only their program has. A row that its table's own checks do not let change stays as it is, and is named.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from keyward.formats.opened import SEPARATOR
from keyward.formats.sqlite_names import Value
from keyward.scrub.plan import Name
from keyward.scrub.redactor import Style
from keyward.scrub.stores.content import add
from keyward.scrub.stores.edits import text_edits
from keyward.scrub.stores.finding import Finder
from keyward.scrub.stores.packed import packing_of
from keyward.scrub.stores.sqlite_cells import is_addressed_by_content, scrubbed_cell
from keyward.scrub.stores.sqlite_tables import SIGNED_COLUMNS, SIZES, Table, is_live, quoted, shown_row, text

AT_ONCE = 256
"""Rows that are read together."""

LIVE = "is what its program logs in with, which is not scrubbed: rotate it"
SIGNED = "is named or linked by the hash of its content, and is not edited: delete the session in the program"


class Change(NamedTuple):
    """A row that changes. `keys`: as the query gave them. `values`: by column. `texts`: which columns of the row are text and not
    bytes. `found`: what goes with it."""

    table: Table
    keys: tuple[Value, ...]
    values: dict[str, Value]
    texts: frozenset[str]
    shown: str
    found: dict[Name, int]


class Rows(NamedTuple):
    """What stands in the rows of a database. `before`: counts. `kept`: those that stay. `left`: why, by row. `changed`: rows, or those that would be."""

    before: dict[Name, int]
    kept: dict[Name, int]
    left: tuple[str, ...]
    changed: tuple[tuple[str, tuple[Value, ...]], ...]


class _Report:
    def __init__(self) -> None:
        self.before: dict[Name, int] = {}
        self.kept: dict[Name, int] = {}
        self.left: dict[str, None] = {}
        self.changed: list[tuple[str, tuple[Value, ...]]] = []

    def keep(self, counts: dict[Name, int], why: str) -> None:
        add(self.kept, counts)
        self.left[why] = None

    def rows(self) -> Rows:
        return Rows(self.before, self.kept, tuple(self.left), tuple(self.changed))


def look_at_rows(connection: sqlite3.Connection, tables: list[Table], finder: Finder, style: Style) -> Rows:
    """What would be done. Raises sqlite3.Error."""
    report = _Report()
    for table in tables:
        for change in _changes(connection, table, finder, style, report):
            report.changed.append((table.name, change.keys))
    return report.rows()


def scrub_rows(connection: sqlite3.Connection, tables: list[Table], finder: Finder, style: Style) -> Rows:
    """Does it, in the transaction that is under way. Raises sqlite3.Error where the database as a whole cannot be written."""
    report = _Report()
    triggers = _without_triggers(connection)
    for table in tables:
        for change in list(_changes(connection, table, finder, style, report)):
            _write(connection, change, report)
    for statement in triggers:
        connection.execute(statement)
    return report.rows()


def _without_triggers(connection: sqlite3.Connection) -> list[str]:
    """Takes all triggers out; answers the statements that put them back, in their order."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid").fetchall()
    for name, _ in rows:
        connection.execute(f"DROP TRIGGER {quoted(text(name))}")
    return [text(statement) for _, statement in rows]


def _changes(connection: sqlite3.Connection, table: Table, finder: Finder, style: Style, report: _Report) -> Iterator[Change]:
    names = [*table.keys, *map(quoted, table.columns), *(f"typeof({quoted(column)})" for column in table.columns)]
    cursor = connection.execute(f"SELECT {', '.join(names)} FROM {quoted(table.name)} NOT INDEXED")
    width = len(table.keys)
    while rows := cursor.fetchmany(AT_ONCE):
        if _is_clean(rows, width, len(table.columns), finder):
            continue
        for row in rows:
            keys, values = row[:width], row[width : width + len(table.columns)]
            if any(isinstance(value, bytes) and len(value) > 5 for value in values):
                kinds = dict(zip(table.columns, row[width + len(table.columns) :], strict=True))
                change = _change(table, keys, dict(zip(table.columns, values, strict=True)), kinds, finder, style, report)
                if change is not None:
                    yield change


def _is_clean(rows: list[tuple[Value, ...]], first: int, count: int, finder: Finder) -> bool:
    """Whether one look at many rows together shows that there is nothing in any of them."""
    cells = [value for row in rows for value in row[first : first + count] if isinstance(value, bytes) and len(value) > 5]
    if any(packing_of(cell[:16]) is not None for cell in cells):
        return False
    return not text_edits(SEPARATOR.join(cells), "cells.json", finder, Style.SAME_LENGTH)


def _change(
    table: Table,
    keys: tuple[Value, ...],
    row: dict[str, Value],
    kinds: dict[str, bytes],
    finder: Finder,
    style: Style,
    report: _Report,
) -> Change | None:
    new: dict[str, Value] = {}
    found: dict[Name, int] = {}
    shown = ""
    for column, value in row.items():
        if not isinstance(value, bytes) or len(value) < 6:
            continue
        cell = scrubbed_cell(value, finder, style, is_text=kinds.get(column) == b"text")
        if not cell.before:
            continue
        shown = shown or shown_row(table, row, keys[0])
        add(report.before, cell.before)
        reason = _reason_to_keep(table, row, column, value)
        if reason:
            report.keep(cell.before, f"{shown}.{column} {reason}")
            continue
        if cell.left:
            report.keep(cell.kept, f"{shown}.{column} {'; '.join(cell.left)}")
        if cell.value is None:
            continue
        new[column] = cell.value
        add(found, {name: count - cell.kept.get(name, 0) for name, count in cell.before.items()})
        size = SIZES.get((table.name, column))
        if size in row:
            new[size] = cell.length
    if not new:
        return None
    return Change(table, keys, new, frozenset(column for column, kind in kinds.items() if kind == b"text"), shown, found)


def _reason_to_keep(table: Table, row: dict[str, Value], column: str, value: bytes) -> str:
    if is_live(table, row, column):
        return LIVE
    if (table.name, column) in SIGNED_COLUMNS:
        return SIGNED
    others = [other for name, other in row.items() if name != column]
    return SIGNED if is_addressed_by_content(value, others) else ""


def _write(connection: sqlite3.Connection, change: Change, report: _Report) -> None:
    """Writes one row. What its table refuses is undone by SQLite, for this row alone."""
    names = {quoted(column): column for column in change.table.primary}
    columns = [f"{quoted(column)} = {_place(change, column, value)}" for column, value in change.values.items()]
    where = [
        f"{key} IS {_place(change, names.get(key, ''), value)}"
        for key, value in zip(change.table.keys, change.keys, strict=True)
    ]
    parameters = [_parameter(change, column, value) for column, value in change.values.items()]
    parameters += [
        _parameter(change, names.get(key, ""), value) for key, value in zip(change.table.keys, change.keys, strict=True)
    ]
    # OR ABORT: a table may itself say that a conflict deletes the other row
    statement = f"UPDATE OR ABORT {quoted(change.table.name)} SET {', '.join(columns)} WHERE {' AND '.join(where)}"
    try:
        written = connection.execute(statement, parameters).rowcount
    except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.OperationalError) as error:
        if not connection.in_transaction or is_of_the_database(error):
            raise
        report.keep(change.found, f"{change.shown} {_why(error)}")
        return
    if written != 1:
        report.keep(change.found, f"{change.shown} was not found again by its key")
        return
    report.changed.append((change.table.name, change.keys))


def _why(error: sqlite3.Error) -> str:
    """SQLite's own words quote names from the file, and are not repeated."""
    code = getattr(error, "sqlite_errorname", None) or type(error).__name__
    rules = {
        "SQLITE_CONSTRAINT_CHECK": "cannot be changed: a check of its table does not allow it",
        "SQLITE_CONSTRAINT_UNIQUE": "cannot be changed: another row would be the same then",
        "SQLITE_CONSTRAINT_PRIMARYKEY": "cannot be changed: another row would have the same key then",
        "SQLITE_CONSTRAINT_DATATYPE": "cannot be changed: its column takes another type only",
    }
    return (
        rules.get(code, f"cannot be changed: its table needs something that only its program has ({code})")
        + "; change or delete it in the program"
    )


def is_of_the_database(error: sqlite3.Error) -> bool:
    """Whether it is no matter of one row: no space, a lock, damage."""
    code = getattr(error, "sqlite_errorname", None) or ""
    return code.startswith(
        (
            "SQLITE_BUSY",
            "SQLITE_LOCKED",
            "SQLITE_FULL",
            "SQLITE_IOERR",
            "SQLITE_READONLY",
            "SQLITE_CORRUPT",
            "SQLITE_NOMEM",
            "SQLITE_INTERRUPT",
        )
    )


def _place(change: Change, column: str, value: Value) -> str:
    """How a value stands in the statement. Text that is no UTF-8 goes as bytes, which SQLite takes for text without a look at them."""
    is_other = column in change.texts and isinstance(value, bytes) and not _is_utf_8(value)
    return "CAST(? AS TEXT)" if is_other else "?"


def _parameter(change: Change, column: str, value: Value) -> Value | str:
    if isinstance(value, bytes) and column in change.texts and _is_utf_8(value):
        return value.decode("utf-8")
    return value


def _is_utf_8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
