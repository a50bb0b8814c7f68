"""SQLite databases are read as they were last committed, row by row with names, and nothing in them is run."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from tests_support import token

from keyward.formats.opened import SEPARATOR, Container, Member, Pack, Piece, Unread
from keyward.formats.sqlite import LARGE, SqliteOpener
from keyward.formats.sqlite_names import moment, role, row_name, shown_key
from keyward.formats.sqlite_snapshot import Room


def pieces(path: Path, **options: object) -> list[Piece]:
    with path.open("rb") as file:
        return list(held(SqliteOpener(**options).open(Container(str(path), file, str(path)))))  # type: ignore[arg-type]


def held(opened: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces, with what a member reads taken at once, as its contract wants."""
    for piece in opened:
        if isinstance(piece, Member):
            parts = []
            while part := piece.read(100_000):
                parts.append(part)
            piece = piece._replace(read=BytesIO(b"".join(parts)).read)
        yield piece


def cells(found: list[Piece]) -> dict[str, bytes]:
    """Every cell that holds something, by its name; members as well."""
    result: dict[str, bytes] = {}
    for piece in found:
        if isinstance(piece, Pack):
            ends = [start - len(SEPARATOR) for start in piece.starts[1:]] + [len(piece.data)]
            for number, (start, end) in enumerate(zip(piece.starts, ends, strict=True)):
                if end > start:
                    name = piece.record(number).name
                    assert name not in result
                    assert piece.at(start) == piece.at(end - 1) == number
                    result[name] = piece.data[start:end]
        elif isinstance(piece, Member):
            assert piece.name not in result
            result[piece.name] = piece.read(1 << 30)
    return {name: value for name, value in result.items() if not name.startswith("sqlite_master")}


def made(path: Path, script: str, *rows: tuple[str, tuple[object, ...]]) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    for statement, values in rows:
        connection.execute(statement, values)
    connection.commit()
    connection.close()
    return path


def test_rows_are_named_by_their_keys(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.db",
        """CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, note TEXT, PRIMARY KEY (session_id, seq));
        INSERT INTO transcript_events VALUES ('s1', 2, 'event', 'beside');
        CREATE TABLE cursorDiskKV (key TEXT UNIQUE, value BLOB);
        INSERT INTO cursorDiskKV VALUES ('bubbleId:1', 'bubble');
        CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID; INSERT INTO settings VALUES ('theme', 'dark');
        CREATE TABLE messages (id INTEGER PRIMARY KEY, content TEXT, role TEXT); INSERT INTO messages VALUES (17, 'hello', 'user');
        CREATE TABLE loose (a, b); INSERT INTO loose VALUES ('x', 5), (NULL, x'00ff');
        CREATE TABLE "we""ird; --" (rowid TEXT, _rowid_ TEXT, oid TEXT PRIMARY KEY); INSERT INTO "we""ird; --" VALUES ('1', '2', '3');
        CREATE TABLE nokey (k TEXT PRIMARY KEY, v TEXT); INSERT INTO nokey VALUES (NULL, 'first'), (NULL, 'second');""",
    )
    assert cells(pieces(path)) == {
        "transcript_events s1#2.session_id": b"s1",
        "transcript_events s1#2": b"event",
        "transcript_events s1#2.note": b"beside",
        "cursorDiskKV/bubbleId:1.key": b"bubbleId:1",
        "cursorDiskKV/bubbleId:1": b"bubble",
        "settings/theme.key": b"theme",
        "settings/theme": b"dark",
        "messages 17.content": b"hello",
        "messages 17.role": b"user",
        "loose 1.a": b"x",
        "loose 2.b": b"\0\xff",
        'we"ird; --/3.rowid': b"1",
        'we"ird; --/3._rowid_': b"2",
        'we"ird; --/3.oid': b"3",
        "nokey NULL#1": b"first",
        "nokey NULL#2": b"second",
    }


def test_a_name_never_shows_a_key_that_may_be_a_secret() -> None:
    value = token(7)
    shown = shown_key(value)
    assert value.decode() not in shown
    assert value.decode()[6:] not in shown
    assert shown == shown_key(value) != shown_key(token(8))
    assert value.decode()[10:20] not in row_name("cache", [b"https://x/?token=" + value, 3])
    assert value.decode()[10:20] not in row_name("prompts", [b"push with " + value])
    assert shown_key(b"bubbleId:0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a") == "bubbleId:0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a"


def test_nothing_that_the_file_brought_is_run(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.db",
        """CREATE TABLE t (a TEXT, b TEXT GENERATED ALWAYS AS (upper(a)) VIRTUAL, c TEXT GENERATED ALWAYS AS (a || '!') STORED);
        INSERT INTO t (a) VALUES ('text');
        CREATE VIEW v AS SELECT 'from a view' AS x;
        CREATE VIRTUAL TABLE f USING fts5(body); INSERT INTO f VALUES ('full text');
        CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT raise(abort, 'no'); END;""",
    )
    found = pieces(path)
    assert cells(found)["t 1.a"] == b"text"
    assert cells(found)["f_content 1.c0"] == b"full text"
    assert not [name for name in cells(found) if name.startswith(("v ", "f ", "t 1.b", "t 1.c"))]
    assert not [piece for piece in found if isinstance(piece, Unread)]


def test_a_view_under_the_name_of_a_table_is_refused(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.db",
        """CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('text'); CREATE VIEW v AS SELECT a FROM t;
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET name = 'other', tbl_name = 'other' WHERE name = 't';
        UPDATE sqlite_master SET sql = 'CREATE VIEW t AS SELECT randomblob(9)' WHERE name = 'v';""",
    )
    with pytest.raises(ValueError, match=r"damaged|cannot read"):  # SQLite itself finds that the names do not agree
        pieces(path)


@pytest.mark.parametrize("room", [Room(), Room(always=0)])
def test_checks_and_defaults_of_newer_versions_do_not_matter(tmp_path: Path, room: Room) -> None:
    path = made(
        tmp_path / "a.db",
        """CREATE TABLE t (a TEXT CHECK (json_valid(a)), b TEXT DEFAULT 'x'); INSERT INTO t (a) VALUES ('[1]');
        CREATE INDEX i ON t (json_extract(a, '$[0]')); CREATE INDEX p ON t (a) WHERE json_valid(a);
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = replace(sql, 'json_valid(a)), b', 'function_of_tomorrow(a)), b') WHERE name = 't';""",
    )
    assert cells(pieces(path, room=room)) == {"t 1.a": b"[1]", "t 1.b": b"x"}


def test_schema_texts_are_looked_at(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t (a TEXT DEFAULT '{token(3).decode()}')")
    (pack,) = [piece for piece in pieces(path) if isinstance(piece, Pack)]
    assert token(3) in pack.data
    assert pack.record(pack.at(pack.data.index(token(3)))).name == "sqlite_master/t"


def test_what_must_be_opened_in_turn_is_a_member(tmp_path: Path) -> None:
    packed = gzip.compress(b"inside", mtime=0)
    path = made(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, z BLOB, created_at INTEGER)",
        ("INSERT INTO t VALUES (1, 'text', ?, 1760000000123)", (packed,)),
        ("INSERT INTO t VALUES (2, 'text', ?, NULL)", ("wide text".encode("utf-16-le"),)),
    )
    found = pieces(path)
    members = [piece for piece in found if isinstance(piece, Member)]
    assert [(each.name, each.since, each.packed) for each in members] == [
        ("t 1.z", 1760000000.123, len(packed)), ("t 2.z", 0.0, 18),
    ]  # fmt: skip
    assert cells(found)["t 1.z"] == packed
    assert cells(found)["t 1.a"] == b"text"


@pytest.mark.parametrize("ending", ["", "WITHOUT ROWID"])
def test_long_cells_are_members(tmp_path: Path, ending: str) -> None:
    sizes = [10, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE, 20]
    path = made(
        tmp_path / "a.db",
        f"CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT, b BLOB) {ending}",
        *(("INSERT INTO t VALUES (?, ?, ?)", (f"k{size}", "x" * size, b"y" * (size // 2))) for size in sizes),
    )
    found = pieces(path)
    values = cells(found)
    for size in sizes:
        assert values[f"t/k{size}.v"] == b"x" * size
        assert values[f"t/k{size}.b"] == b"y" * (size // 2)
    assert {each.name for each in found if isinstance(each, Member)} >= {f"t/k{LARGE + 1}.v", f"t/k{3 * LARGE}.b"}
    assert max(len(each.data) for each in found if isinstance(each, Pack)) < 8 * LARGE


def test_values_are_as_they_were_written(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.db",
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
        ("INSERT INTO t VALUES (1, ?)", ("\0json:[1]",)),
        ("INSERT INTO t VALUES (2, ?)", ("ü\u2028",)),
        ("INSERT INTO t VALUES (3, ?)", (b"\xff\x00\n\0\n",)),
    )
    assert cells(pieces(path)) == {"t 1.a": b"\0json:[1]", "t 2.a": "ü\u2028".encode(), "t 3.a": b"\xff\x00\n\0\n"}


def test_a_database_without_a_file_of_its_own_is_read(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('text')")
    data = path.read_bytes()
    assert data[18:20] == b"\2\2"
    found = list(SqliteOpener().open(Container("x.zip/a.db", BytesIO(data))))
    assert cells(found) == {"t 1.a": b"text"}


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(ValueError, match="no SQLite database"):
        pieces(path)
    path.write_bytes(b"SQLite for")
    with pytest.raises(ValueError, match="no SQLite database"):
        pieces(path)


@pytest.mark.parametrize("room", [Room(), Room(always=0)])
def test_what_a_damaged_page_leaves_is_read(tmp_path: Path, room: Room) -> None:
    path = made(
        tmp_path / "a.db",
        "PRAGMA page_size=4096; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE u (a TEXT); INSERT INTO u VALUES ('whole')",
        *(("INSERT INTO t VALUES (?, ?)", (number, f"row {number} " + "x" * 1000)) for number in range(100)),
    )
    data = bytearray(path.read_bytes())
    at = data.index(b"row 50 ") // 4096 * 4096
    data[at : at + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    found = pieces(path, room=room)
    values = cells(found)
    assert values["u 1.a"] == b"whole"
    assert values["t 1.a"].startswith(b"row 1 ")
    assert values["t 99.a"].startswith(b"row 99 ")
    assert 90 <= len([name for name in values if name.startswith("t ")]) < 100
    assert [piece for piece in found if isinstance(piece, Unread)] == [Unread("t", "it is damaged")]


def test_it_ends_in_time(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    connection = sqlite3.connect(path)
    connection.executemany("INSERT INTO t (a) VALUES (?)", (("x",) for _ in range(200_000)))
    connection.commit()
    connection.close()
    ticks = iter(range(1_000_000))
    found = pieces(path, seconds=0.5, clock=lambda: float(next(ticks)))
    assert Unread("t", "it took too long to read") in found


def test_many_rows_come_in_few_packs(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, at INTEGER)")
    connection = sqlite3.connect(path)
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", ((n, f"row {n}", n, 1_760_000_000 + n) for n in range(30_000)))
    connection.commit()
    connection.close()
    packs = [piece for piece in pieces(path) if isinstance(piece, Pack)]
    assert len(packs) <= 4
    first = packs[0]
    number = first.at(first.data.index(b"row 12345"))
    assert first.record(number) == ("t 12345.a", 1_760_012_345.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1_760_000_000, 1.76e9), (1_760_000_000_500, 1_760_000_000.5), (1_760_000_000_000_000, 1.76e9), (1.76e18, 1.76e9),
        (b"2025-10-09T08:53:20Z", 1.76e9), (b"2025-10-09 08:53:20", 1.76e9), (b"2025-10-09T10:53:20+02:00", 1.76e9),
        (b"1760000000", 1.76e9), (None, 0.0), (7, 0.0), (b"yesterday", 0.0), (b"", 0.0), (float("inf"), 0.0), (b"nan", 0.0),
    ],
)  # fmt: skip
def test_times_are_read_in_every_unit(value: bytes | float | None, seconds: float) -> None:
    assert moment(value) == seconds


def test_credentials_in_use_are_told_from_echoes(tmp_path: Path) -> None:
    assert role("secret_store_entries") == "live-config"
    assert role("transcript_events") == "echo"
    path = made(
        tmp_path / "a.db",
        """CREATE TABLE ItemTable (key TEXT PRIMARY KEY, value BLOB);
        INSERT INTO ItemTable VALUES ('aiService.prompts', 'said'), ('cursorAuth/accessToken', 'login');""",
    )
    found = pieces(path)
    roles = {piece.name: piece.role for piece in found if isinstance(piece, Member)}
    assert roles == {"ItemTable/cursorAuth/accessToken": "live-config", "ItemTable/cursorAuth/accessToken.key": "live-config"}
    assert {piece.role for piece in found if isinstance(piece, Pack)} == {"echo"}
