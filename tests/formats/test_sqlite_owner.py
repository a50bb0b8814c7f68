"""A database that its owner has open is read as last committed; the owner is neither held up nor finds anything changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyward.formats.opened import Container, Member, Pack, Piece, Unread
from keyward.formats.sqlite import SqliteOpener
from keyward.formats.sqlite_journals import before_transaction, committed, overlaid
from keyward.formats.sqlite_snapshot import LOG_NOT_READ, MOST_BESIDE, RESTLESS, Room

OWNER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
print("ready", flush=True)
for line in sys.stdin:
    for statement in line.strip().split(";"):
        connection.execute(statement).fetchall()
    print("done", flush=True)
"""


class Owner:
    """Another process with the database open. Raises what SQLite raises there, as an empty answer."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", OWNER, str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def run(self, statements: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(statements + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def owner(path: Path) -> Iterator[Owner]:
    process = Owner(path)
    try:
        yield process
    finally:
        process.end()


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    return {name: (os.stat(folder / name).st_mtime_ns, (folder / name).read_bytes()) for name in sorted(os.listdir(folder))}


def read(path: Path, room: Room | None = None) -> list[Piece]:
    opener = SqliteOpener(room=room) if room is not None else SqliteOpener()
    with path.open("rb") as file:
        return list(opener.open(Container(str(path), file, str(path))))


def text(found: list[Piece]) -> bytes:
    return b"\n".join(piece.data for piece in found if isinstance(piece, Pack))


def test_what_stands_in_the_log_alone_is_read_and_nothing_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('committed')"
        )
        process.run("BEGIN IMMEDIATE; INSERT INTO t VALUES ('pending')")
        before = state(tmp_path)
        assert set(before) == {"a.db", "a.db-shm", "a.db-wal"}
        found = text(read(path))
        assert state(tmp_path) == before
        assert b"committed" in found
        assert b"pending" not in found
        process.run("INSERT INTO t VALUES ('more'); COMMIT; PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES ('after')")
        found = text(read(path))
        assert all(value in found for value in (b"committed", b"pending", b"more", b"after"))


def test_a_transaction_that_has_reached_the_log_is_not_taken_for_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; PRAGMA cache_size=2; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('committed')")
        size = os.path.getsize(f"{path}-wal")
        process.run("BEGIN; INSERT INTO t SELECT 'pending' || hex(randomblob(500)) FROM (WITH RECURSIVE n(i) AS "
                    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i FROM n)")  # fmt: skip
        assert os.path.getsize(f"{path}-wal") > size  # the cache was too small for it
        found = text(read(path))
    assert b"committed" in found
    assert b"pending" not in found


def test_an_old_log_that_is_being_written_anew_gives_only_what_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
        process.run(
            "INSERT INTO t VALUES (1, 'old'); UPDATE t SET a = 'older'; UPDATE t SET a = 'oldest'; PRAGMA wal_checkpoint(RESTART)"
        )
        process.run("UPDATE t SET a = 'newest'")
        assert os.path.getsize(f"{path}-wal") > 3 * 4096  # frames of before stand behind the new one
        found = text(read(path))
    assert b"newest" in found
    assert b"oldest" not in found


def test_a_lock_that_keeps_everybody_out_does_not_keep_the_scan_out(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run(
            "PRAGMA journal_mode=DELETE; PRAGMA cache_size=2; PRAGMA synchronous=OFF; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)"
        )
        process.run("INSERT INTO t SELECT NULL, 'committed' || hex(randomblob(500)) FROM (WITH RECURSIVE n(i) AS "
                    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n)")  # fmt: skip
        process.run("BEGIN EXCLUSIVE; UPDATE t SET a = 'pending' || hex(randomblob(500))")
        assert b"pending" in path.read_bytes()  # the cache was too small for it
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(path, timeout=0).execute("SELECT * FROM t").fetchall()
        before = state(tmp_path)
        found = read(path)
        assert state(tmp_path) == before
        assert text(found).count(b"committed") == 100
        assert b"pending" not in text(found)
        process.run("COMMIT")
        assert text(read(path)).count(b"pending") == 100


def test_a_crash_leaves_what_was_committed(tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run(
            "PRAGMA journal_mode=DELETE; PRAGMA cache_size=2; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('committed')"
        )
        process.run("BEGIN; UPDATE t SET a = 'pending'; INSERT INTO t SELECT hex(randomblob(2000)) FROM sqlite_master, "
                    "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i FROM n)")  # fmt: skip
        for name in ("a.db", "a.db-journal"):
            shutil.copy(tmp_path / name, crashed / name)
    assert b"pending" in (crashed / "a.db").read_bytes()
    before = state(crashed)
    found = text(read(crashed / "a.db"))
    assert state(crashed) == before
    assert b"committed" in found
    assert b"pending" not in found


@pytest.fixture
def logged(tmp_path: Path) -> tuple[Path, bytes]:
    """A database without its log, and the log: two transactions of a frame each after the one that makes the table."""
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
        process.run("INSERT INTO t VALUES (1, 'first'); INSERT INTO t VALUES (2, 'second')")
        shutil.copy(path, tmp_path / "b.db")
        log = Path(f"{path}-wal").read_bytes()
    return tmp_path / "b.db", log


def with_log(path: Path, log: bytes) -> bytes:
    Path(f"{path}-wal").write_bytes(log)
    return text(read(path))


def test_a_torn_frame_ends_the_log(logged: tuple[Path, bytes]) -> None:
    path, log = logged
    assert b"second" in with_log(path, log)
    for torn in (log[:-1], log[:-4000], log[:-10] + b"\1" + log[-9:]):
        found = with_log(path, torn)
        assert b"first" in found
        assert b"second" not in found


def test_a_log_that_is_none_is_left_alone(logged: tuple[Path, bytes]) -> None:
    path, log = logged
    for strange in (b"", b"x" * 5000, log[:31], log[:32], log[:12] + b"\xff" + log[13:], log[:8] + b"\0\0\0\3" + log[12:]):
        assert b"first" not in with_log(path, strange)


def test_a_log_in_the_other_byte_order_is_read(logged: tuple[Path, bytes]) -> None:
    _, log = logged
    turned = bytearray(log)
    turned[:4] = struct.pack(">I", 0x377F0683)
    sums = _sums(bytes(turned[:24]), (0, 0))
    turned[24:32] = struct.pack(">2I", *sums)
    for at in range(32, len(turned), 24 + 4096):
        sums = _sums(bytes(turned[at : at + 8] + turned[at + 24 : at + 24 + 4096]), sums)
        turned[at + 16 : at + 24] = struct.pack(">2I", *sums)
    one, other = committed(log), committed(bytes(turned))
    assert one is not None
    assert other is not None
    assert (one.pages, one.size) == (other.pages, other.size)


def _sums(data: bytes, sums: tuple[int, int]) -> tuple[int, int]:
    first, second = sums
    for even, odd in struct.iter_unpack(">2I", data):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def test_a_hostile_log_costs_no_memory() -> None:
    header = struct.pack(">6I", 0x377F0682, 3007000, 65536, 0, 1, 2)
    little = struct.unpack("<6I", header)
    first = second = 0
    for even, odd in zip(little[::2], little[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    log = header + struct.pack(">2I", first, second)
    assert committed(log + bytes(70_000)) is None
    overlay = committed(log)
    assert overlay is None
    from keyward.formats.sqlite_journals import Overlay

    far = Overlay(65536, {0xFFFFFFFF: 0}, 0xFFFFFFFF, bytes(65536))
    assert len(overlaid(bytearray(100), far)) <= 70_000
    assert before_transaction(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\xff" * 600) is None


def test_a_large_database_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a TEXT)")
    connection.execute("INSERT INTO t VALUES ('text')")
    connection.commit()
    connection.close()
    before = state(tmp_path)
    assert b"text" in text(read(path, Room(always=0)))
    assert state(tmp_path) == before


IN_PLACE = Room(always=0, at_most=1)
"""Reads every database where it lies."""


def many(connection: str, rows: int) -> str:
    return (f"INSERT INTO t (a) SELECT '{connection} ' || i || ' ' || hex(randomblob(300)) FROM (WITH RECURSIVE n(i) AS "
            f"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n)")  # fmt: skip


def test_a_database_too_large_to_be_put_together_is_read_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
        process.run(many("early", 500) + "; PRAGMA wal_checkpoint(TRUNCATE)")
        process.run(many("late", 500) + "; UPDATE t SET a = 'changed' WHERE id = 7; DELETE FROM t WHERE id = 8")
        process.run("CREATE TABLE later (b BLOB); INSERT INTO later VALUES (zeroblob(70000) || 'far')")
        process.run("BEGIN IMMEDIATE; INSERT INTO t (a) VALUES ('pending')")
        before = state(tmp_path)
        found = read(path, IN_PLACE)
        assert state(tmp_path) == before
        process.run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")  # nobody was in its way
    assert [piece for piece in found if isinstance(piece, Unread)] == []
    there = text(found)
    assert all(b"early %d " % n in there for n in range(1, 501) if n not in (7, 8)) and b"early 8 " not in there
    assert all(b"late %d " % n in there for n in range(1, 501)) and b"changed" in there and b"pending" not in there
    assert [piece.name for piece in found if isinstance(piece, Member)] == ["later 1.b"]
    assert text(read(path)) == text(read(path, IN_PLACE)), "as the copy has it"


def test_what_was_before_an_unfinished_transaction_is_read_in_place(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA cache_size=2; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); " + many("early", 300))
        process.run("BEGIN; UPDATE t SET a = 'pending' || a; " + many("pending", 300))
        assert os.path.getsize(f"{path}-journal") > 4096
        before = state(tmp_path)
        found = text(read(path, IN_PLACE))
        assert state(tmp_path) == before
    assert all(b"early %d " % n in found for n in range(1, 301)) and b"pending" not in found


def test_an_owner_that_begins_its_log_anew_meanwhile_is_named(tmp_path: Path) -> None:
    """The log's old pages are gone then; they stand in the main file, which is read in their place."""
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
        process.run(many("early", 4000))
        with path.open("rb") as file:
            pieces = SqliteOpener(room=IN_PLACE).open(Container(str(path), file, str(path)))
            found = [next(pieces)]
            process.run("PRAGMA wal_checkpoint(RESTART); UPDATE t SET a = 'anew' || a")
            found += pieces
    assert [piece.reason for piece in found if isinstance(piece, Unread)] == [RESTLESS]
    there = text(found)
    assert all(b"early %d " % n in there for n in range(1, 4001))


def test_a_log_too_long_to_be_listed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('early')")
        process.run("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES ('late')")
        os.truncate(f"{path}-wal", MOST_BESIDE + 1)  # sparse
        found = read(path, IN_PLACE)
        os.truncate(f"{path}-wal", 0)
    assert b"early" in text(found)
    assert [piece.reason for piece in found if isinstance(piece, Unread)] == [LOG_NOT_READ]


LIMITED = """
import resource, sys
from keyward.formats.opened import Container, Pack, Unread
from keyward.formats.sqlite import SqliteOpener
from keyward.formats.sqlite_snapshot import Room
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = unread = 0
with open(sys.argv[1], "rb") as file:
    for piece in SqliteOpener(room=Room(always=0, at_most=1)).open(Container(sys.argv[1], file, sys.argv[1])):
        unread += isinstance(piece, Unread)
        found += piece.data.count(b"row ") if isinstance(piece, Pack) else 0
print(found, unread, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
def test_reading_in_place_takes_no_memory_for_the_database(tmp_path: Path) -> None:
    """60 MB in the main file and 60 MB in the log, read in far less."""
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
        process.run("INSERT INTO t (a) SELECT 'row ' || hex(zeroblob(500)) FROM (WITH RECURSIVE n(i) AS "
                    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64000) SELECT i FROM n); PRAGMA wal_checkpoint(TRUNCATE)")  # fmt: skip
        process.run("UPDATE t SET a = 'new ' || a")
        assert min(os.path.getsize(path), os.path.getsize(f"{path}-wal")) > 60 << 20
        run = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True)
    found, unread, more = map(int, run.stdout.split())
    assert (found, unread) == (64_000, 0)
    assert more < 40 << 10, "KB"


def test_no_descriptor_stays_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('text')")
        read(path, IN_PLACE)
        before = os.listdir("/dev/fd")
        for _ in range(5):
            read(path, IN_PLACE)
        log = bytearray(Path(f"{path}-wal").read_bytes())
        (tmp_path / "no.db").write_bytes(b"no database" * 1000)
        (tmp_path / "no.db-wal").write_bytes(log)
        assert b"text" in text(read(tmp_path / "no.db", IN_PLACE)), "every page stands in the log"
        log[32 + 24 : 32 + 24 + 16] = b"something else.."
        (tmp_path / "no.db-wal").write_bytes(log)
        with pytest.raises(ValueError, match="no SQLite database"):
            read(tmp_path / "no.db", IN_PLACE)
        assert len(os.listdir("/dev/fd")) == len(before)


def test_a_page_far_beyond_the_end_is_not_believed(tmp_path: Path) -> None:
    from keyward.formats.sqlite_journals import Index
    from keyward.formats.sqlite_layers import Layers

    (tmp_path / "main").write_bytes(b"m" * 8192)
    (tmp_path / "log").write_bytes(b"l" * 5000)
    with (tmp_path / "main").open("rb") as main, (tmp_path / "log").open("rb") as log:
        layers = Layers(main.fileno(), log.fileno(), Index(4096, {2: 4, 0xFFFFFFFF: 0}, 0xFFFFFFFF), is_log=False)
        assert layers.size == 8192
        assert layers.read(4090, 12) == b"m" * 6 + b"l" * 6 and layers.read(8192, 10) == b""
        assert not layers.restless
        layers.close()


def test_a_link_leads_to_the_log_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path = tmp_path / "real" / "a.db"
    with owner(path) as process:
        process.run("PRAGMA journal_mode=WAL; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('committed')")
        link = tmp_path / "link.db"
        link.symlink_to(path)
        assert b"committed" in text(read(link))


RESTLESS_OWNER = """
import sqlite3, sys, threading
connection = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
connection.execute("PRAGMA journal_mode=" + sys.argv[2]).fetchall()
connection.execute("PRAGMA synchronous=OFF")
connection.execute("PRAGMA wal_autocheckpoint=20")
connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
connection.execute("INSERT INTO t (a) VALUES ('row 1 ')")
print("ready", flush=True)
asked = threading.Thread(target=sys.stdin.read)
asked.start()
number = 0
while asked.is_alive():
    number += 1
    connection.execute("INSERT INTO t (a) VALUES (?)", ("row %d " % number * 20,))
    if number % 200 == 0:
        connection.execute("DELETE FROM t WHERE id % 3 = 0")
"""


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_an_owner_that_never_rests_is_not_taken_for_damage(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.db"
    command = [sys.executable, "-c", RESTLESS_OWNER, str(path), mode]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        found = [piece for _ in range(5) for piece in read(path)]
    except ValueError as error:
        found = [Unread("", str(error))]
    finally:
        process.communicate("")
    assert process.returncode == 0  # it was never told that the database is locked
    assert {piece.reason for piece in found if isinstance(piece, Unread)} <= {RESTLESS}
    assert b"row 1 " in text(read(path))
