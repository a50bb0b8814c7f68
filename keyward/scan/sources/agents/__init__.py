"""Where AI agents and their tools keep text: one small module a tool, each with its `TOOLS`.

Here are the words in which they say how a scrub would treat their files, and one function that saves writing them out.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyward.scan.roles import ECHO
from keyward.scan.sources.host import Spot

LINES = "the value alone, in place; lines and their number stay"
TEXT = "the value alone, in place"
WHOLE = "the value alone, in place, while the program is closed: it writes the whole file anew"
ROWS = "rows and their full-text copies, then VACUUM and a checkpoint; the program must be closed"
SETTINGS = "not scrubbed: it is read from here; rotate it, and write the new value or a reference here"
LOGIN = "not scrubbed: the program writes it; log out and in again"
COPY = "a copy that nothing reads: delete it"
SIGNED = "not edited: named and linked by its content's hash; delete the session"
SEALED = "not scrubbed: nobody but the program can read it; delete the session in the program"

SQLITE, JSON, JSONL, TOML, YAML = "SQLite", "JSON", "JSON lines", "TOML", "YAML"
MARKDOWN, LOG, ANY, DOTENV = "Markdown", "log", "any", "dotenv"


def files(folder: str, format: str, scrub: str, *patterns: str, role: str = ECHO) -> Iterator[Spot]:
    """Spots of one format in one folder."""
    for pattern in patterns:
        yield Spot(folder, pattern, format, scrub, role)


def databases(folder: str, *patterns: str, role: str = ECHO) -> Iterator[Spot]:
    """SQLite databases, and the files beside them that hold pages of theirs."""
    for pattern in patterns:
        yield Spot(folder, pattern, SQLITE, ROWS, role)
        yield Spot(folder, f"{pattern}-wal", "SQLite write-ahead log", "with its database", role)
        yield Spot(folder, f"{pattern}-journal", "SQLite rollback journal", "with its database", role)


def sealed(folder: str, why: str, *patterns: str) -> Iterator[Spot]:
    """Files that nobody can read but the program."""
    for pattern in patterns:
        yield Spot(folder, pattern, "not readable", SEALED, ECHO, opaque=why)
