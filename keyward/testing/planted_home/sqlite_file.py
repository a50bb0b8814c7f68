"""SQLite databases as programs leave them: closed, or with a write-ahead log that nobody has checkpointed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import TracebackType

_EMPTY = {"TEXT": "", "INTEGER": 0, "REAL": 0.0, "BLOB": b""}


class Database:
    """A database under construction. `wal`: whether it is in that mode. Closed at the end of a `with` block."""

    def __init__(self, path: Path, *, wal: bool = True) -> None:
        self._path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        # what is deleted stays, as in the builds of SQLite that most programs bring along
        self.connection.execute("PRAGMA secure_delete=OFF").fetchall()
        self.connection.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}").fetchall()
        self.connection.execute("PRAGMA wal_autocheckpoint=0").fetchall()
        self.connection.execute("PRAGMA synchronous=OFF")
        self.connection.execute("BEGIN")

    def __enter__(self) -> Database:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.connection.in_transaction:
            self.connection.execute("COMMIT")
        self.connection.close()

    def table(self, name: str, columns: str, ending: str = "") -> None:
        self.connection.execute(f"CREATE TABLE {name} ({columns}) {ending}")

    def run(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, values)

    def insert(self, table: str, **values: object) -> None:
        """A row. What must not be null and is not given gets the emptiest value of its type."""
        for _, column, kind, must, default, _ in self.connection.execute(f"PRAGMA table_info({table})").fetchall():
            if must and default is None and column not in values:
                values[column] = _EMPTY.get(kind.upper(), "")
        names = ", ".join(f'"{name}"' for name in values)
        self.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", *values.values())

    def checkpoint(self) -> None:
        """Moves all that was written so far into the main file."""
        self.connection.execute("COMMIT")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.connection.execute("BEGIN")

    def leave_log(self) -> None:
        """Ends as a program does that is killed: what was written since the last checkpoint stands in the log alone."""
        self.connection.execute("COMMIT")
        log = Path(f"{self._path}-wal")
        main, rest = self._path.read_bytes(), log.read_bytes()
        self.connection.close()
        self._path.write_bytes(main)
        log.write_bytes(rest)
        for ending in ("-shm",):
            if os.path.exists(f"{self._path}{ending}"):
                os.unlink(f"{self._path}{ending}")
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
