"""Full-text indexes: they keep each word of a text in lower case, in blocks of their own that outlive a change of the text.

An index over texts of its own, or over all rows of another table, is made anew. One over some rows of another table is told of each row that
changed: to make it anew would put rows into it that its program left out.

Facts: https://www.sqlite.org/fts5.html sections 4.4 (external content), 6.3 (`delete`), 6.10 (`rebuild`), 6.9 (`optimize`); fts3.html section 6.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from keyward.scrub.plan import Name
from keyward.scrub.stores.finding import Finder
from keyward.scrub.stores.sqlite_tables import FullText, quoted, text


class CannotRebuild(Exception):
    """An index that only its program can make. `args[0]`: its name."""


def rebuild(connection: sqlite3.Connection, indexes: list[FullText]) -> int:
    """Makes every index anew; how many. Raises CannotRebuild, before which nothing may be kept of the transaction; sqlite3.Error."""
    done = 0
    for index in indexes:
        if not index.content:
            continue
        try:
            if not index.own and _is_partial(connection, index):
                raise CannotRebuild(index.name)
            name = quoted(index.name)
            connection.execute(f"INSERT INTO {name}({name}) VALUES ('rebuild')")
            connection.execute(f"INSERT INTO {name}({name}) VALUES ('optimize')")
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorname", None) or ""
            if code != "SQLITE_ERROR":
                raise
            raise CannotRebuild(index.name) from None
        done += 1
    return done


def _is_partial(connection: sqlite3.Connection, index: FullText) -> bool:
    """Whether an index over another table leaves out some of its rows."""
    try:
        (indexed,) = connection.execute(f"SELECT count(*) FROM {quoted(index.name + '_docsize')}").fetchone()
        (there,) = connection.execute(f"SELECT count(*) FROM {quoted(index.content)}").fetchone()
    except sqlite3.OperationalError:  # no sizes are kept: it cannot be told
        return True
    return bool(indexed != there)


def words_left(connection: sqlite3.Connection, indexes: list[FullText], finder: Finder) -> dict[str, set[Name]]:
    """By index, the values of which a word still stands in it, as the index itself lists its words."""
    left: dict[str, set[Name]] = {}
    tokens = finder.tokens()
    for index in indexes:
        if index.module != "fts5" or not tokens:
            continue
        with suppress(sqlite3.Error):
            connection.execute("DROP TABLE IF EXISTS temp.keyward_words")
            connection.execute(f"CREATE VIRTUAL TABLE temp.keyward_words USING fts5vocab(main, {quoted(index.name)}, 'row')")
            for token, name in tokens:
                if connection.execute("SELECT 1 FROM temp.keyward_words WHERE term = ?", (token,)).fetchone():
                    left.setdefault(text(index.name), set()).add(name)
        with suppress(sqlite3.Error):
            connection.execute("DROP TABLE IF EXISTS temp.keyward_words")
    return left
