"""Whether a database is whole: `integrity_check` and `foreign_key_check`, compared before and after.

Rows that break a rule of their table were there before and are no damage of pages; they must not become more.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from typing import NamedTuple

from keyward.scrub.stores.sqlite_tables import text

_OF_ROWS = re.compile(r"(?:NULL value in |CHECK constraint failed in |non-\w+ value in |NUMERIC value in |TEXT value in )")


class Health(NamedTuple):
    """`damage`: the first sentence of a damage, empty if there is none. `remarks`: about single rows. `orphans`: rows that point nowhere, by
    table, or why that cannot be told."""

    damage: str
    remarks: tuple[str, ...]
    orphans: tuple[tuple[str, int], ...]
    marks: tuple[tuple[str, str], ...]

    def is_no_worse_than(self, before: Health) -> bool:
        """Whether nothing is damaged that was not, and what belongs to the file as a whole is as it was."""
        return (
            not self.damage
            and not Counter(self.remarks) - Counter(before.remarks)
            and not Counter(dict(self.orphans)) - Counter(dict(before.orphans))
            and self.marks == before.marks
        )


def health_of(connection: sqlite3.Connection) -> Health:
    """Raises sqlite3.Error where the check itself needs something that is not at hand."""
    lines = [text(row[0]) for row in connection.execute("PRAGMA integrity_check").fetchall()]
    remarks = sorted(line for line in lines if _OF_ROWS.match(line))
    damage = next((line for line in lines if line != "ok" and not _OF_ROWS.match(line)), "")
    return Health("a page or an index" if damage else "", tuple(remarks), _orphans(connection), _marks(connection))


def with_newer_functions(connection: sqlite3.Connection) -> None:
    """Adds the functions that checks of newer programs call and that an older SQLite does not have: `octet_length` (3.43)."""
    try:
        connection.execute("SELECT octet_length('')").close()
    except sqlite3.OperationalError:
        encoding = text(connection.execute("PRAGMA encoding").fetchone()[0]).lower()
        connection.create_function("octet_length", 1, lambda value: _octets(value, encoding), deterministic=True)


def _octets(value: bytes | str | int | float | None, encoding: str) -> int | None:
    if value is None:
        return None
    return len(value) if isinstance(value, bytes) else len(str(value).encode(encoding, "surrogatepass"))


def _orphans(connection: sqlite3.Connection) -> tuple[tuple[str, int], ...]:
    try:
        rows = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.OperationalError:  # a key that points to no unique column: as it is, before and after
        return (("mismatch", 1),)
    return tuple(sorted(Counter(text(row[0]) for row in rows).items()))


def _marks(connection: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
    """What a program tells its database by, and how it is kept."""
    return tuple(
        (name, text(connection.execute(f"PRAGMA {name}").fetchone()[0]))
        for name in ("user_version", "application_id", "journal_mode", "encoding", "page_size", "auto_vacuum")
    )
