"""The tables of a database as a scrub sees them: which columns can be written, how a row is found again, which full-text tables there are,
and what is known of particular ones.
"""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

from keyward.formats.sqlite_names import KEY_COLUMNS, Value, role, row_name

OPENCLAW = {"secret_store_entries": 18, "transcript_events": 23}
"""A table by which each of OpenClaw's two databases is told (of the host's state, of an agent), and the newest `user_version` whose tables
are known (npm package, version 2026.9.6: `openclaw.schemaVersions`)."""

SIGNED_COLUMNS = frozenset(
    (
        ("session_transcript_cold_archives", "archive_blob"),
        ("session_transcript_archives", "archive_blob"),
        ("capture_blobs", "data"),
    )
)
"""OpenClaw's packed sessions and captures: their hashes, sizes and counts are kept beside them and checked when they are read."""

LIVE_TABLES = frozenset(
    (
        "device_identities",
        "device_pairing_paired",
        "audit_identity_keys",
        "native_hook_relay_bridges",
        "web_push_subscriptions",
        "apns_registrations",
        "exec_approvals_config",
    )
)
"""More of OpenClaw's tables that hold what it proves itself with, beside those by which a scan tells a live credential from an echo."""

_LIVE_COLUMN = re.compile(r"private_?key|secret_?key|api_?key|(?:access|refresh|auth|session)_?token|password|credential", re.I)
"""Columns that are named for what a program logs in with."""

GONE_COLUMNS = ("deleted_at_ms", "deleted_at")
"""Columns that say that a row is deleted, and only kept for a while: nothing reads it."""

SIZES = {("transcript_events", "event_zstd"): "event_utf8_bytes"}
"""Columns in which the unpacked length of another one is kept."""


class Table(NamedTuple):
    """`columns`: those that are stored and can be written. `keys`: those that say which row it is; the row's number where the table has one.
    `primary`: those that a person knows it by."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    primary: tuple[str, ...]


class FullText(NamedTuple):
    """A full-text table. `module`: `fts5`, `fts4` or `fts3`. `content`: the table of its texts: its own, another one, or empty where it keeps none."""

    name: str
    module: str
    content: str

    @property
    def own(self) -> bool:
        return self.content == f"{self.name}_content"


def text(name: object) -> str:
    """A name from the schema."""
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name)


def quoted(name: str) -> str:
    """A name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'


_AS_TABLE = re.compile(rb"\s*CREATE\s+TABLE\b", re.I).match
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\s.*?\sUSING\s+(\w+)\s*(?:\((.*)\))?\s*\Z", re.I | re.S)
_CONTENT = re.compile(r"""(?:\A|,)\s*content\s*=\s*(?:'([^']*)'|"([^"]*)"|\[([^\]]*)\]|`([^`]*)`|([^\s,]*))\s*(?=,|\Z)""", re.I)
_FULL_TEXT = ("fts5", "fts4", "fts3")
_INDEX_PARTS = re.compile(r"_(?:data|idx|docsize|config|segments|segdir|stat)\Z")


def tables(connection: sqlite3.Connection) -> list[Table]:
    """Those that are stored, without the parts of full-text indexes, which are made anew. Raises sqlite3.Error."""
    parts = {each.name for each in full_texts(connection)}
    found: list[Table] = []
    for name, statement in connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
    ).fetchall():
        table = text(name)
        if not _AS_TABLE(statement or b"") or _INDEX_PARTS.sub("", table) in parts - {table}:
            continue
        described = _described(connection, table)
        if described is not None:
            found.append(described)
    return found


def _described(connection: sqlite3.Connection, table: str) -> Table | None:
    rows = connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
    columns = tuple(text(row[1]) for row in rows if not row[6])
    primary = tuple(column for _, column in sorted((row[5], text(row[1])) for row in rows if row[5]))
    if not primary and KEY_COLUMNS.get(table) in columns:
        primary = (KEY_COLUMNS[table],)
    taken = {column.lower() for column in columns}
    for free in ("_rowid_", "rowid", "oid"):
        if free in taken:
            continue
        try:
            connection.execute(f"SELECT {free} FROM {quoted(table)} NOT INDEXED LIMIT 0").close()
        except sqlite3.OperationalError:
            break
        return Table(table, columns, (free,), primary)
    return Table(table, columns, tuple(map(quoted, primary)), primary) if primary else None


def full_texts(connection: sqlite3.Connection) -> list[FullText]:
    """The full-text tables. Raises sqlite3.Error."""
    found: list[FullText] = []
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND rootpage = 0 ORDER BY name"
    ).fetchall()
    for name, statement in rows:
        match = _VIRTUAL.match(text(statement or b""))
        if match is None or match[1].lower() not in _FULL_TEXT:
            continue
        content = _CONTENT.search(match[2] or "")
        named = next((each for each in content.groups() if each is not None), "") if content else f"{text(name)}_content"
        found.append(FullText(text(name), match[1].lower(), named))
    return found


def too_new(connection: sqlite3.Connection) -> str:
    """Why a database is left to its program: it is of a version whose tables are not known here. Empty for any other."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for table, known in OPENCLAW.items():
        if (
            connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
            and version > known
        ):
            return f"OpenClaw's database has version {version}, and its tables are known up to version {known}"
    return ""


def is_live(table: Table, row: dict[str, Value], column: str) -> bool:
    """Whether a program takes its credentials from this cell: it is for a rotation, not for a scrub."""
    if any(row.get(gone) is not None for gone in GONE_COLUMNS):
        return False
    if table.name in LIVE_TABLES or _LIVE_COLUMN.search(column):
        return True
    return role(table.name, [row.get(key) for key in table.primary]) == "live-config"


def shown_row(table: Table, row: dict[str, Value], number: object) -> str:
    """What a row is called in a report."""
    keys: list[Value] = [row.get(column) for column in table.primary]
    return row_name(table.name, keys if keys and None not in keys else [number if isinstance(number, int) else None])
