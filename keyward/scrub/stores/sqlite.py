"""SQLite databases: rows, full-text copies and indexes, the write-ahead log, free pages.

Rows are changed in one transaction, full-text indexes made anew in the same; then VACUUM writes every page anew and a checkpoint empties
the log, for a row that was changed or deleted stays in the bytes of the file until then. At the end the files are searched for every value,
in every encoding and in the lower case of an index. A database that somebody has open is refused.

Once the rows are changed nothing in them tells any more what stands in old pages and in the log. So before that is written down (in the state
folder, without any value) that pages are still to be written anew, and a run that finds it there does so, whatever else it finds.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import quote

from keyward.formats.opened import Container, Member, Pack, Unread
from keyward.formats.sqlite import SqliteOpener
from keyward.formats.sqlite_snapshot import MAGIC
from keyward.plugin.ports import Fence
from keyward.scrub.fences import act
from keyward.scrub.holders import who_holds
from keyward.scrub.journal import Journal
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Name, Place, Refusal, Result, Treatment
from keyward.scrub.redactor import Redactor, Style
from keyward.scrub.stores.content import Budget, add, learn, whole
from keyward.scrub.stores.finding import Finder
from keyward.scrub.stores.sqlite_fulltext import CannotRebuild, rebuild, words_left
from keyward.scrub.stores.sqlite_health import Health, health_of, with_newer_functions
from keyward.scrub.stores.sqlite_rows import Rows, is_of_the_database, look_at_rows, scrub_rows
from keyward.scrub.stores.sqlite_tables import FullText, full_texts, tables, too_new

BESIDE = ("-wal", "-journal", "-shm")
"""What SQLite keeps beside a database."""

PAGES = "pages"
"""The name of the journal that says that a database's pages are still to be written anew."""

FINISHES = "an earlier scrub of it was interrupted: its pages are written anew"

PATIENCE = 1000
"""Milliseconds that a lock is waited for."""

SPARE = 1 << 20
"""Bytes that must be left beside what VACUUM takes: the database once in the log, and once in a temporary file."""

RESTORE = "Restore it from a backup, or let its program repair it."
NEWER_HINT = "Update keyward, or delete the session in OpenClaw and let it compact its databases."
NEWER = "openclaw doctor --state-sqlite compact; openclaw doctor --session-sqlite compact --session-sqlite-all-agents"
"""What removes the bytes of deleted rows (docs/cli/doctor/sqlite-maintenance.md of the npm package)."""


class SqliteScrubber:
    """Scrubs SQLite databases. `room`: how many bytes are free in a folder. `journals`: the folder of journals, None for the usual one."""

    name = "SQLite"

    def __init__(
        self,
        room: Callable[[str], int] = lambda folder: shutil.disk_usage(folder).free,
        fences: tuple[Fence, ...] = (),
        journals: str | None = None,
    ) -> None:
        self._room, self._fences, self._journals = room, fences, journals

    def recognises(self, path: str, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def plan(self, path: str, redactor: Redactor, style: Style) -> Place:
        """What would be done; read from a copy in memory, so that nothing appears beside the database. Raises OSError."""
        finder = Finder(redactor)
        with OpenFile(path) as file:
            holders = _holders(path, file)
            is_begun = self._journal(file.status).is_begun
        found, unread = _learn(path, finder)
        place = Place(path, self.name, found, Treatment.REPLACE)
        if not found and is_begun:
            return place._replace(remarks=(FINISHES,))
        if not found:
            return place
        if unread:
            place = place._replace(remarks=unread)
        try:
            with _copy(path) as connection:
                newer = too_new(connection)
                if newer:
                    return place._replace(treatment=Treatment.REPORT, reason=f"{newer}. {NEWER_HINT}", command=NEWER)
                damage = health_of(connection).damage
                if damage:
                    return place._replace(treatment=Treatment.REFUSE, reason=f"it is damaged already: {damage}. {RESTORE}")
                rows = look_at_rows(connection, tables(connection), finder, style)
        except sqlite3.Error as error:
            return place._replace(treatment=Treatment.REFUSE, reason=f"{_why(error)}. {_hint(error)}")
        except ValueError as error:  # too large to be looked at beforehand
            return place._replace(treatment=Treatment.REFUSE, reason=str(error))
        place = place._replace(found=_joined(rows.before, found), remarks=(*place.remarks, *rows.left))
        if rows.before and not rows.changed and rows.kept == rows.before and not _more(found, rows.before):
            return place._replace(treatment=Treatment.REPORT, reason="; ".join(rows.left))
        if holders:
            return place._replace(
                treatment=Treatment.REFUSE, reason=f"it is in use: {holders}. Stop the program and run it again."
            )
        short = self._short(path)
        return place._replace(treatment=Treatment.REFUSE, reason=short) if short else place

    def scrub(self, path: str, redactor: Redactor, style: Style) -> Result:
        """Does it. Raises Refusal where it must not be touched: the rows are then as they were."""
        with OpenFile(path) as file:
            holders = _holders(path, file)
            status = file.status
        if holders:
            raise Refusal(f"it is in use: {holders}", "Stop the program and run it again.")
        finder = Finder(redactor)
        found, unread = _learn(path, finder)
        journal = self._journal(status)
        if not found and not journal.is_begun:
            return Result({}, {}, "nothing was there to scrub", unread)
        short = self._short(path)
        if short:
            raise Refusal(short, "Make room, and run it again.")
        try:
            done = _scrubbed(path, status, finder, style, self._fences, journal)
        except sqlite3.Error as error:
            raise Refusal(_why(error), _hint(error)) from None
        finally:
            journal.close()
        journal.end()  # not before SQLite has let go: until then its own journal holds the pages as they were
        after, left = _proof(path, finder, done)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
        return Result(_joined(done.rows.before, found), after, done.verified, (*done.rows.left, *unread, *left))

    def _journal(self, status: os.stat_result) -> Journal:
        return Journal(status, folder=self._journals, fences=self._fences, of=PAGES)

    def _short(self, path: str) -> str:
        """Why there is no room for VACUUM; empty if there is."""
        size = sum(_size(path + ending) for ending in ("", *BESIDE))
        for folder, needed in ((os.path.dirname(os.path.abspath(path)), 2 * size), (_temporary_folder(), size)):
            if self._room(folder) < needed + SPARE:
                return f"VACUUM needs {(needed + SPARE) >> 20:,} MB of free space in {folder}"
        return ""


class _Done(NamedTuple):
    """What was done. `indexes`: full-text tables that were made anew. `words`: values of which an index still holds a word."""

    rows: Rows
    verified: str
    words: dict[str, set[Name]]


def _scrubbed(
    path: str, status: os.stat_result, finder: Finder, style: Style, fences: tuple[Fence, ...], journal: Journal
) -> _Done:
    """All that is written. Raises Refusal after everything was rolled back, sqlite3.Error."""
    with _writable(path) as connection:
        now = os.stat(path, follow_symlinks=False)
        if (now.st_dev, now.st_ino) != (status.st_dev, status.st_ino):
            raise Refusal("another file was put in its place", "Scan again.")
        newer = too_new(connection)
        if newer:
            raise Refusal(newer, NEWER_HINT)
        health = health_of(connection)
        if health.damage:
            raise Refusal(f"it is damaged already: {health.damage}", RESTORE)
        indexes = full_texts(connection)
        was_begun = journal.is_begun
        journal.begin(path, ())
        try:
            rows, made = _rows_and_indexes(connection, indexes, finder, style, health, fences)
        except BaseException:
            if not was_begun:
                journal.end()  # everything was rolled back
            raise
        with act(fences, "vacuum"):
            connection.execute("VACUUM")
        with act(fences, "checkpoint"):
            _checkpoint(connection)
        words = words_left(connection, indexes, finder)
        if not health_of(connection).is_no_worse_than(health):
            raise Refusal("after it was written anew it is not whole", "Look at the disk, and restore it from a backup.")
        return _Done(rows, _verified(health, len(rows.changed), made), words)


def _rows_and_indexes(
    connection: sqlite3.Connection,
    indexes: list[FullText],
    finder: Finder,
    style: Style,
    health: Health,
    fences: tuple[Fence, ...],
) -> tuple[Rows, int]:
    """The transaction. Raises Refusal, sqlite3.Error."""
    connection.execute("BEGIN EXCLUSIVE")
    try:
        with act(fences, "rows"):
            rows = scrub_rows(connection, tables(connection), finder, style)
        with act(fences, "indexes"):
            made = rebuild(connection, indexes)
        if not health_of(connection).is_no_worse_than(health):
            raise Refusal("it would not be whole afterwards, so that nothing was changed", "Delete the text in the program.")
        with act(fences, "commit"):
            connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, CannotRebuild):
            reason = "one of its full-text indexes can only be made by its program, and would keep the words of the value"
            raise Refusal(reason, "Delete the text in the program.") from None
        raise
    return rows, made


def _verified(health: Health, changed: int, made: int) -> str:
    parts = [f"{changed:,} rows changed"]
    if made:
        parts.append(f"{made} full-text indexes made anew")
    parts.append(
        "integrity_check and foreign_key_check as before"
        if health.remarks or health.orphans
        else "integrity_check ok, foreign_key_check ok"
    )
    parts.append("every page written anew, its files searched for every value in every encoding")
    return ", ".join(parts)


def _proof(path: str, finder: Finder, done: _Done) -> tuple[dict[Name, int], tuple[str, ...]]:
    """What stands in the rows and in the bytes of the files now, and why."""
    with _copy(path) as connection:
        rows = look_at_rows(connection, tables(connection), finder, Style.SAME_LENGTH)
    after = dict(rows.before)
    left = [f"{name.kind} {name.pseudonym} still stands in a row" for name in after if not done.rows.kept.get(name)]
    for ending in ("", *BESIDE):
        try:
            file = open(path + ending, "rb")  # noqa: SIM115  # it need not be there
        except FileNotFoundError:
            continue
        with file:
            for name, count in finder.search(file).items():
                if name not in after:
                    after[name] = count
                    left.append(f"{name.kind} {name.pseudonym} still stands in the bytes of {ending[1:] or 'the file'}")
            for name, count in finder.learn_leftovers(file).items():
                after[name] = after.get(name, 0) + count
                left.append(f"{name.kind} {name.pseudonym} stands in the bytes of {ending[1:] or 'the file'} and in no row")
    for index, names in done.words.items():
        for name in names:
            if not done.rows.kept.get(name):
                after.setdefault(name, 1)
                left.append(f"the full-text index {index} keeps words without their text: make it anew in the program")
    if finder.unseen:
        left.append(f"{finder.unseen:,} bytes could only be searched for what is known")
    return after, tuple(dict.fromkeys(left))


def _learn(path: str, finder: Finder) -> tuple[dict[Name, int], tuple[str, ...]]:
    """Learns the values of a database from its rows and from its bytes; what stands in it, and what could not be read."""
    counts: dict[Name, int] = {}
    unread: list[str] = []
    budget = Budget()
    with open(path, "rb") as file:
        try:
            for piece in SqliteOpener().open(Container(path, file, os.path.abspath(path))):
                if isinstance(piece, Unread):
                    unread.append(f"{piece.name}: {piece.reason}" if piece.name else piece.reason)
                    continue
                data = piece.data if isinstance(piece, Pack) else _whole(piece, budget)
                learn(data, "cell.json" if isinstance(piece, Pack) else f"{piece.name}.json", finder, 4)
        except ValueError as error:
            unread.append(str(error))
    for ending in ("", *BESIDE[:2]):
        try:
            with open(path + ending, "rb") as raw:
                add(counts, finder.learn_leftovers(raw))
        except FileNotFoundError:
            continue
    with open(path, "rb") as raw:
        for name, count in finder.search(raw).items():
            counts.setdefault(name, count)
    for name in finder.names:
        counts.setdefault(name, 1)
    return counts, tuple(unread)


def _whole(member: Member, budget: Budget) -> bytes:
    budget.left = max(budget.left, 1 << 28)  # one cell at a time is held
    return whole(member, budget)


def _more(found: dict[Name, int], rows: dict[Name, int]) -> bool:
    return any(name not in rows for name in found)


def _joined(rows: dict[Name, int], found: dict[Name, int]) -> dict[Name, int]:
    """What the rows hold, and what only the bytes do."""
    return {**{name: count for name, count in found.items() if name not in rows}, **rows}


@contextmanager
def _copy(path: str) -> Iterator[sqlite3.Connection]:
    """The last committed state, in memory."""
    from keyward.formats.sqlite_snapshot import Room, snapshot

    with open(path, "rb") as file:
        taken = snapshot(file, os.path.abspath(path), overdue=lambda: False, room=Room())
    taken.connection.set_authorizer(None)
    try:
        taken.connection.execute("PRAGMA trusted_schema=ON")  # checks call functions, as when it is written
        with_newer_functions(taken.connection)
        yield taken.connection
    finally:
        taken.connection.close()


@contextmanager
def _writable(path: str) -> Iterator[sqlite3.Connection]:
    """The database, locked against everybody else, in the journal mode that it has."""
    connection = sqlite3.connect(f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode=rw", uri=True, isolation_level=None)
    try:
        connection.text_factory = bytes
        for pragma in (
            f"busy_timeout={PATIENCE}",
            "locking_mode=EXCLUSIVE",  # in a write-ahead log's mode readers would be let in by any other lock
            "foreign_keys=OFF",  # a key that goes is the same text in the rows that point to it; nothing cascades
            "secure_delete=ON",
            "cell_size_check=ON",
            "mmap_size=0",
            "recursive_triggers=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        with_newer_functions(connection)
        yield connection
    finally:
        connection.close()


def _checkpoint(connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode in (b"wal", "wal"):
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("busy")


def _holders(path: str, file: OpenFile) -> str:
    """Who has the database or a file beside it open, as words; empty if nobody."""
    names = [str(each) for each in who_holds(file.descriptor).holders]
    for ending in BESIDE:
        try:
            with OpenFile(path + ending) as beside:
                names += [str(each) for each in who_holds(beside.descriptor).holders]
        except (FileNotFoundError, Refusal):
            continue
    return ", ".join(dict.fromkeys(names))


def _why(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorname", None) or str(error)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "busy")):
        return "it is locked by another process"
    if code.startswith("SQLITE_NOTADB"):
        return "it is no SQLite database, or an encrypted one"
    if code.startswith("SQLITE_CORRUPT"):
        return "it is damaged"
    if code.startswith("SQLITE_FULL"):
        return "there is no space left"
    if code.startswith("SQLITE_READONLY"):
        return "it is read-only"
    if is_of_the_database(error):
        return f"SQLite cannot write it ({code})"
    return "it needs functions, collations or modules that only its program has"


def _hint(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorname", None) or str(error)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "busy")):
        return "Stop the program and run it again."
    return "Delete the text in the program that owns it."


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _temporary_folder() -> str:
    """Where SQLite puts its temporary files (https://www.sqlite.org/tempfiles.html section 5)."""
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        folder = os.environ.get(name, "")
        if folder and os.path.isdir(folder):
            return folder
    return "/var/tmp" if os.path.isdir("/var/tmp") else tempfile.gettempdir()
