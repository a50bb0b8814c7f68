"""Databases: no value is left in a row, an index, the log or a free page, and the database is whole and is its program's as before."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import zstandard
from scrub.stores_support import PSEUDONYMS, holds, plan, redactor, scrub, store
from tests_support import token

from keyward.model.kind import Kind
from keyward.plugin.ports import Call
from keyward.scrub.plan import Name, Refusal, Treatment
from keyward.scrub.redactor import Style
from keyward.scrub.stores.sqlite import FINISHES, SqliteScrubber
from keyward.testing.planted_home import Home, agents, openclaw, shell_and_logs
from keyward.testing.planted_home.sqlite_file import Database

VALUE, OTHER = token(11), token(12)
KIND = Kind("github/pat-classic")


def named(value: bytes) -> Name:
    return Name(KIND, PSEUDONYMS.of(value))


def shown(value: bytes = VALUE) -> str:
    return f"[redacted:{KIND}:{PSEUDONYMS.of(value)}]"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def everything(path: Path) -> bytes:
    return b"".join(
        Path(f"{path}{ending}").read_bytes() for ending in ("", "-wal", "-journal") if os.path.exists(f"{path}{ending}")
    )


def make(path: Path, *statements: str, wal: bool = True) -> Path:
    with Database(path, wal=wal) as database:
        for statement in statements:
            database.run(statement.replace("@V", VALUE.decode()).replace("@O", OTHER.decode()))
    return path


def test_what_cursor_logs_in_with_stays(tmp_path: Path) -> None:
    """Its tables have no primary key, but a column that is one for everybody who reads them."""
    path = make(
        tmp_path / "state.vscdb",
        "CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)",
        "INSERT INTO ItemTable VALUES ('cursorAuth/accessToken', '@V'), ('aiService.prompts', 'use @V')",
    )
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert rows(path, "SELECT value FROM ItemTable ORDER BY key") == [(f"use {shown()}",), (VALUE.decode(),)]
    assert result.after == {named(VALUE): 1}
    assert result.left[0].startswith("ItemTable/cursorAuth/accessToken.value is what its program logs in with")


def test_rows_full_text_log_and_free_pages_are_clean(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Database(path) as database:
        database.run("PRAGMA user_version = 7")
        database.run("PRAGMA application_id = 99")
        database.table("messages", "id INTEGER PRIMARY KEY, text TEXT, data BLOB")
        database.run("CREATE VIRTUAL TABLE found USING fts5(text)")
        database.insert("messages", id=1, text=f"use {VALUE.decode()} now", data=b"\0\xff" + VALUE + b"\xfe")
        database.run("INSERT INTO found(rowid, text) VALUES (1, ?)", f"use {VALUE.decode()} now")
        for number in range(2, 400):
            database.insert("messages", id=number, text=f"{OTHER.decode()} {'x' * 300}", data=None)
        database.checkpoint()
        database.run("DELETE FROM messages WHERE id > 1")
        database.run("INSERT INTO messages VALUES (500, ?, NULL)", f"late {VALUE.decode()}")
        database.leave_log()
    assert VALUE.split(b"_")[1].lower() in path.read_bytes() and OTHER in path.read_bytes()
    result = scrub(path)
    assert set(result.before) == {named(VALUE), named(OTHER)} and result.before[named(VALUE)] >= 3
    assert holds(everything(path), [VALUE, OTHER]) == []
    assert rows(path, "SELECT * FROM messages") == [
        (1, f"use {shown()} now", b"\0\xff" + shown()[:-1].encode() + b"******]\xfe"),
        (500, f"late {shown()}", None),
    ]
    assert rows(path, "SELECT rowid FROM found WHERE found MATCH 'redacted'") == [(1,)]
    assert rows(path, "SELECT rowid FROM found WHERE found MATCH 'use'") == [(1,)]
    assert [rows(path, f"PRAGMA {each}")[0][0] for each in ("user_version", "application_id", "journal_mode")] == [7, 99, "wal"]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert "integrity_check ok" in result.verified


@pytest.mark.parametrize("style", Style)
def test_every_style(tmp_path: Path, style: Style) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('x @V y')", wal=False)
    scrub(path, style=style)
    ((text,),) = rows(path, "SELECT a FROM t")
    assert isinstance(text, str) and text.startswith("x ") and text.endswith(" y") and VALUE.decode() not in text
    assert not os.path.exists(f"{path}-journal") and rows(path, "PRAGMA journal_mode") == [("delete",)]


def test_triggers_do_not_run_and_are_there_again(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        "CREATE TABLE t (a TEXT, changed INTEGER DEFAULT 5)",
        "CREATE TABLE log (old TEXT)",
        "INSERT INTO t (a) VALUES ('@V')",
        "CREATE TRIGGER second AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (old.a); UPDATE t SET changed = only_mine(); END",
        "CREATE TRIGGER first AFTER UPDATE OF a ON t BEGIN UPDATE t SET changed = 9; END",
        "CREATE VIEW v AS SELECT a FROM t",
        "CREATE TRIGGER third INSTEAD OF INSERT ON v BEGIN SELECT 1; END",
    )
    before = rows(path, "SELECT type, name, sql FROM sqlite_master WHERE type <> 'table' ORDER BY type, rowid")
    scrub(path)
    assert rows(path, "SELECT type, name, sql FROM sqlite_master WHERE type <> 'table' ORDER BY type, rowid") == before
    assert rows(path, "SELECT * FROM t") == [(shown(), 5)] and rows(path, "SELECT * FROM log") == []


def test_tables_of_every_kind(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        "CREATE TABLE keyed (k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID",
        "CREATE TABLE pair (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID",
        "CREATE TABLE made (v TEXT, length INTEGER AS (length(v)) STORED, upper TEXT AS (upper(v)) VIRTUAL)",
        "CREATE INDEX made_by ON made (lower(v))",
        "CREATE TABLE taken (rowid TEXT, _rowid_ TEXT, oid TEXT PRIMARY KEY)",
        "CREATE TABLE parent (k TEXT PRIMARY KEY)",
        "CREATE TABLE child (k TEXT REFERENCES parent(k) ON UPDATE CASCADE ON DELETE CASCADE, n INTEGER)",
        "CREATE TABLE once (k TEXT UNIQUE ON CONFLICT REPLACE, v BLOB)",
        'CREATE TABLE "a ""b" ("c d" TEXT)',
        "INSERT INTO keyed VALUES ('k@V', '@V'), ('n', x'00')",
        "INSERT INTO pair VALUES ('a @V', 1, 'v @V'), ('b', 2, '')",
        "INSERT INTO made VALUES ('m @V')",
        "INSERT INTO taken VALUES ('1', '@V', 'key')",
        "INSERT INTO parent VALUES ('p @V')",
        "INSERT INTO child VALUES ('p @V', 1), ('p @V', 2)",
        "INSERT INTO once VALUES ('o @V', x'01'), ('o @O', x'02')",
        'INSERT INTO "a ""b" VALUES (\'@V\')',
    )
    scrub(path)
    assert holds(everything(path), [VALUE, OTHER]) == []
    assert rows(path, "SELECT k, v FROM keyed ORDER BY k") == [(f"k{shown()}", shown()), ("n", b"\0")]
    assert rows(path, "SELECT * FROM pair") == [(f"a {shown()}", 1, f"v {shown()}"), ("b", 2, "")]
    assert rows(path, "SELECT length FROM made") == [(len(f"m {shown()}"),)]
    assert rows(path, "SELECT child.n FROM child JOIN parent USING (k) ORDER BY n") == [(1,), (2,)]
    assert len(rows(path, "SELECT * FROM once")) == 2
    assert rows(path, "SELECT _rowid_ FROM taken") == [(shown(),)]


def test_text_that_is_no_utf_8_and_text_with_a_nul(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Database(path) as database:
        database.table("t", "a TEXT")
        database.run("INSERT INTO t VALUES (CAST(? AS TEXT))", b"\xff\xfe " + VALUE + b" \xed\xa0\xbd")
        database.run("INSERT INTO t VALUES (CAST(? AS TEXT))", b"\0json:" + json.dumps([{"text": VALUE.decode()}]).encode())
    scrub(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        found = connection.execute("SELECT a, typeof(a) FROM t").fetchall()
    assert found == [
        (b"\xff\xfe " + shown().encode() + b" \xed\xa0\xbd", b"text"),
        (b"\0json:" + json.dumps([{"text": shown()}]).encode(), b"text"),
    ]


def test_a_database_in_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA encoding = 'UTF-16le'")
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (f"ü {VALUE.decode()} 日本",))
        connection.commit()
    scrub(path)
    assert rows(path, "SELECT a FROM t") == [(f"ü {shown()} 日本",)]
    assert VALUE.decode().encode("utf-16-le") not in everything(path)


def test_a_row_that_a_check_protects_is_named_and_the_others_go(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT CHECK (length(a) = 40))",
        "CREATE TABLE u (a TEXT)",
        "INSERT INTO t VALUES (3, '@V')",
        "INSERT INTO u VALUES ('@V'), ('@O')",
    )
    assert plan(path).treatment is Treatment.REPLACE
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert dict(result.after) == {named(VALUE): 1}
    assert len(result.left) == 1 and result.left[0].startswith("t 3") and "check" in result.left[0]
    assert rows(path, "SELECT a FROM t") == [(VALUE.decode(),)]
    assert rows(path, "SELECT a FROM u") == [(shown(),), (shown(OTHER),)] and OTHER not in everything(path)
    scrub(path, style=Style.SAME_LENGTH)


def test_compressed_events_stay_what_their_table_asks_for(tmp_path: Path) -> None:
    home = Home(tmp_path)
    openclaw.plant(home)
    path = tmp_path / openclaw.AGENT_DATABASE
    live = {each.value.encode() for each in home.canaries if each.place.split("/")[1] == "auth_profile_store"}
    signed = {each.value.encode() for each in home.canaries if "archives" in each.place}
    gone = [each.value.encode() for each in home.canaries if each.path == openclaw.AGENT_DATABASE]
    gone = [value for value in gone if value not in live | signed]
    assert len(gone) > 12 and len(live) == 1 and len(signed) == 2
    planned = plan(path)
    assert planned.treatment is Treatment.REPLACE
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert holds(everything(path), gone) == []
    assert set(result.after) == {named(value) for value in live | signed}
    assert len(result.left) == 3
    events = rows(
        path, "SELECT event_zstd, event_utf8_bytes, navigation_json FROM transcript_events WHERE event_zstd IS NOT NULL"
    )
    assert len(events) == 2
    for frame, size, navigation in events:
        assert isinstance(frame, bytes) and zstandard.get_frame_parameters(frame).has_checksum
        text = zstandard.decompress(frame)
        assert len(text) == size and json.loads(text)["type"] == "message" and b"[redacted:" in text and navigation
    assert rows(path, "PRAGMA user_version") == [(23,)] and rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "SELECT count(*) FROM session_transcript_fts WHERE session_transcript_fts MATCH 'redacted'") == [(1,)]


def test_what_a_program_logs_in_with_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    openclaw.plant(home)
    path = tmp_path / openclaw.STATE_DATABASE
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    values = dict(rows(path, "SELECT name, value FROM secret_store_entries"))
    by_place = {each.place: each.value for each in home.canaries}
    assert values["GITHUB_TOKEN"] == by_place["openclaw/secret_store_entries GITHUB_TOKEN"]
    assert str(values["OLD_GITHUB_TOKEN"]).startswith("[redacted:")
    assert any("rotate it" in each for each in result.left)
    assert by_place["openclaw/secret_store_entries OLD_GITHUB_TOKEN"].encode() not in everything(path)


@pytest.mark.parametrize("which", [openclaw.AGENT_DATABASE, openclaw.STATE_DATABASE])
def test_a_database_newer_than_known_is_named_and_not_edited(tmp_path: Path, which: str) -> None:
    home = Home(tmp_path)
    openclaw.plant(home)
    path = tmp_path / which
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    before = path.read_bytes()
    planned = plan(path)
    assert planned.treatment is Treatment.REPORT and "version 99" in planned.reason and "openclaw doctor" in planned.command
    with pytest.raises(Refusal, match="version 99"):
        store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert path.read_bytes() == before


def test_every_database_of_every_agent(tmp_path: Path) -> None:
    home = Home(tmp_path)
    agents.plant(home)
    shell_and_logs.plant(home)
    paths = {each.path for each in home.canaries if (tmp_path / each.path).read_bytes().startswith(b"SQLite format 3\0")}
    assert len(paths) >= 18
    for relative in sorted(paths):
        path = tmp_path / relative
        places = [each for each in home.canaries if each.path == relative and not each.opaque]
        result = store(path).scrub(str(path), redactor(), Style.TOKEN)
        kept = set(result.after)
        assert bool(kept) == bool(result.left), relative
        gone = [each.value.encode() for each in places if named(each.value.encode()) not in kept]
        assert holds(everything(path), gone) == [], relative
        assert rows(path, "PRAGMA integrity_check") == [("ok",)], relative
        expected = [each.place for each in places if named(each.value.encode()) in kept]
        assert all("login" in each or "account" in each or "auth" in each or "blob" in each for each in expected), expected


def test_bytes_with_lengths_in_them_keep_theirs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    agents.plant(home)
    (path,) = (tmp_path / ".gemini/antigravity-cli/conversations").glob("*.db")
    ((before,),) = rows(path, "SELECT step_payload FROM steps")
    scrub(path)
    ((after,),) = rows(path, "SELECT step_payload FROM steps")
    assert isinstance(before, bytes) and isinstance(after, bytes)
    assert len(after) == len(before) and after[:4] == before[:4] and after.endswith(b"]\x18\x01")


def test_a_packed_cell_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(b"x" * 50 + VALUE)[:-2]
    with Database(path) as database:
        database.table("t", "a BLOB")
        database.insert("t", a=frame)
        database.insert("t", a=VALUE)
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert rows(path, "SELECT a FROM t")[0] == (frame,)
    assert named(VALUE) not in result.after or result.left


def test_content_addressed_blobs_stay(tmp_path: Path) -> None:
    home = Home(tmp_path)
    agents.plant(home)
    (path,) = (tmp_path / ".cursor/chats").glob("*/*/store.db")
    before = rows(path, "SELECT id, data FROM blobs ORDER BY id")
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert rows(path, "SELECT id, data FROM blobs ORDER BY id") == before
    assert len(result.after) == 2 and all("delete the session" in each for each in result.left)
    assert "[redacted:" in str(rows(path, "SELECT value FROM meta"))


def test_a_database_in_use_is_refused_by_name(tmp_path: Path) -> None:
    for wal in (True, False):
        path = make(tmp_path / f"{wal}.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('@V')", wal=wal)
        before = path.read_bytes()
        code = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM t').fetchall()\nprint('open', flush=True)\nsys.stdin.readline()"
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as owner:
            assert owner.stdin is not None and owner.stdout is not None
            assert owner.stdout.readline() == "open\n"
            planned = store(path).plan(str(path), redactor(), Style.TOKEN)
            assert planned.treatment is Treatment.REFUSE and f"process {owner.pid}" in planned.reason
            with pytest.raises(Refusal, match=f"process {owner.pid}"):
                store(path).scrub(str(path), redactor(), Style.TOKEN)
            owner.stdin.write("\n")
            owner.stdin.flush()
        assert path.read_bytes() == before
        scrub(path)


def test_an_index_that_only_its_program_can_make(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db", "CREATE TABLE t (a TEXT)", "CREATE VIRTUAL TABLE f USING fts5(a)", "INSERT INTO t VALUES ('@V')",
        "INSERT INTO f VALUES ('@V')",
    )  # fmt: skip
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE VIRTUAL TABLE f USING fts5(a, tokenize=''mine'')' WHERE name = 'f'"
        )
        connection.commit()
    with pytest.raises(Refusal, match="full-text index"):
        SqliteScrubber(journals=str(tmp_path / "journals")).scrub(str(path), redactor(), Style.TOKEN)
    assert list((tmp_path / "journals").iterdir()) == [], "nothing was begun that another run would have to finish"
    assert rows(path, "SELECT a FROM t") == [(VALUE.decode(),)] and rows(path, "SELECT c0 FROM f_content") == [
        (VALUE.decode(),)
    ]


def test_an_index_over_another_table(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
        "CREATE VIRTUAL TABLE f USING fts5(a, content='t', content_rowid='id')",
        "CREATE TRIGGER ai AFTER INSERT ON t BEGIN INSERT INTO f(rowid, a) VALUES (new.id, new.a); END",
        "CREATE VIRTUAL TABLE old USING fts4(a)",
        "INSERT INTO t VALUES (1, 'use @V'), (2, 'nothing')",
        "INSERT INTO old VALUES ('old @V')",
    )
    scrub(path)
    assert holds(everything(path), [VALUE]) == []
    assert rows(path, "SELECT rowid FROM f WHERE f MATCH 'redacted'") == [(1,)]
    assert rows(path, "SELECT rowid FROM f WHERE f MATCH 'nothing'") == [(2,)]
    assert rows(path, "SELECT docid FROM old WHERE old MATCH 'redacted'") == [(1,)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO f(f, rank) VALUES ('integrity-check', 1)")


def test_an_index_without_texts_is_named(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        "CREATE TABLE t (a TEXT)",
        "CREATE VIRTUAL TABLE f USING fts5(a, content='')",
        "INSERT INTO t VALUES ('@V')",
        "INSERT INTO f (rowid, a) VALUES (1, '@V')",
    )
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert named(VALUE) in result.after and any("full-text index f" in each for each in result.left)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db", "CREATE TABLE t (a TEXT)", "CREATE INDEX i ON t (a)", "INSERT INTO t VALUES ('@V')", wal=False
    )
    content = bytearray(path.read_bytes())
    page = struct.unpack(">H", content[16:18])[0]
    content[2 * page + 3 : 2 * page + 5] = b"\0\0"  # the index says that it has no entries
    path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(Refusal, match="damaged"):
        store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert path.read_bytes() == before
    path.write_bytes(b"SQLite format 3\0" + VALUE + b" and nothing else")
    with pytest.raises(Refusal):
        store(path).scrub(str(path), redactor(), Style.TOKEN)


def test_without_room_for_a_vacuum_nothing_is_begun(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('@V')")
    before = path.read_bytes()
    full = SqliteScrubber(room=lambda folder: 1 << 20)
    assert full.plan(str(path), redactor(), Style.TOKEN).treatment is Treatment.REFUSE
    with pytest.raises(Refusal, match="VACUUM"):
        full.scrub(str(path), redactor(), Style.TOKEN)
    assert path.read_bytes() == before


@pytest.mark.parametrize("small_disk", ["2m"], indirect=True)
def test_a_full_and_a_read_only_disk_leave_it_whole(small_disk: Path, tmp_path: Path) -> None:
    """What the check beforehand could not know: somebody else takes the room meanwhile."""
    filler = "x" * 3000
    path = make(small_disk / "a.db", "CREATE TABLE t (a TEXT)", *[f"INSERT INTO t VALUES ('@V {filler}')"] * 350, wal=False)
    before = rows(path, "SELECT a FROM t")
    scrubber = SqliteScrubber(room=lambda folder: 1 << 40, journals=str(tmp_path / "journals"))
    with pytest.raises(Refusal, match="no space left"):
        scrubber.scrub(str(path), redactor(), Style.TOKEN)
    after = rows(path, "SELECT a FROM t")
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert after == before or after == [(f"{shown()} {filler}",)] * 350
    # rows that were changed before VACUUM found no room: that is written down, and a later run finishes
    assert bool(os.listdir(tmp_path / "journals")) is (after != before)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    data = path.read_bytes()
    with pytest.raises((Refusal, OSError), match=r"(?i)read-only"):
        scrubber.scrub(str(path), redactor(), Style.TOKEN)
    assert path.read_bytes() == data


def test_a_link_that_is_put_in_its_place_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('@V')", wal=False)
    victim = make(tmp_path / "victim.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('@V')", wal=False)
    before = victim.read_bytes()
    path.unlink()
    path.symlink_to(victim)
    scrubber = SqliteScrubber(journals=str(tmp_path / "journals"))
    for act in (scrubber.plan, scrubber.scrub):
        with pytest.raises((Refusal, OSError)):
            act(str(path), redactor(), Style.TOKEN)
    assert victim.read_bytes() == before


def test_the_words_of_many_values_are_looked_for_in_one_pass(tmp_path: Path) -> None:
    """Three hundred values; one of them stands in lower case in a table that no index of this database owns."""
    values = [token(5000 + number) for number in range(300)]
    path = tmp_path / "a.db"
    with Database(path) as database:
        database.table("t", "a TEXT")
        database.table("words", "term TEXT")
        for value in values:
            database.insert("t", a=value.decode())
        database.insert("words", term=values[7].split(b"_")[1].lower().decode())
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert len(result.before) == 300
    assert list(result.after) == [named(values[7])] and "still stands in the bytes of the file" in result.left[0]


def test_rows_that_pointed_nowhere_before_may_go_on(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db", "CREATE TABLE p (k TEXT PRIMARY KEY)", "CREATE TABLE c (k TEXT REFERENCES p(k), a TEXT)",
        "INSERT INTO c VALUES ('nowhere', '@V')",
    )  # fmt: skip
    result = scrub(path)
    assert "foreign_key_check ok" not in result.verified


def kill_at(number: int, path: Path) -> int:
    """The process's end when it is killed at a call: its signal below zero."""
    child = os.fork()
    if not child:
        try:
            journals = str(path.parent / "journals")
            SqliteScrubber(fences=(_Killer(number),), journals=journals).scrub(str(path), redactor(), Style.TOKEN)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class _Killer:
    def __init__(self, number: int) -> None:
        self.left = number

    def before(self, call: Call) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, call: Call, outcome: str) -> None:
        self.before(call)


@pytest.mark.parametrize("wal", [True, False])
def test_killed_at_any_step_it_is_whole_and_a_second_run_finishes(tmp_path: Path, wal: bool) -> None:
    redactor()  # compiled before the forks
    number = 0
    while True:
        path = make(
            tmp_path / f"{number}.db", "CREATE TABLE t (a TEXT)", "CREATE VIRTUAL TABLE f USING fts5(a)", "INSERT INTO t VALUES ('@V'), ('@O')",
            "INSERT INTO f VALUES ('@V')", "CREATE TRIGGER g AFTER UPDATE ON t BEGIN SELECT 1; END", wal=wal,
        )  # fmt: skip
        end = kill_at(number, path)
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        values = {row[0] for row in rows(path, "SELECT a FROM t")}
        assert values in ({VALUE.decode(), OTHER.decode()}, {shown(), shown(OTHER)})
        assert rows(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'") == [("g",)]
        if end == 0:
            break
        assert end == -signal.SIGKILL
        store(path).scrub(str(path), redactor(), Style.TOKEN)
        assert holds(everything(path), [VALUE, OTHER]) == []
        number += 1
    assert number >= 10


@pytest.mark.parametrize("wal", [True, False])
def test_killed_after_the_commit_a_second_run_finishes_what_no_row_tells_any_more(tmp_path: Path, wal: bool) -> None:
    """A value that a name in one row gave away stands alone in another row, and after the commit in old pages only."""
    value = f"{0x3A7F19C2D4:x}{VALUE[4:].decode().swapcase()}"
    redactor()
    seen_in_pages = 0
    for number in range(100):
        folder = tmp_path / str(number)
        (folder / "journals").mkdir(parents=True)
        path = make(
            folder / "a.db", "PRAGMA secure_delete = OFF", "CREATE TABLE t (a TEXT)", f"INSERT INTO t VALUES ('API_KEY={value}'), ('{value} {'x ' * 3000}')",
            "DELETE FROM t WHERE rowid = 2", wal=wal,
        )  # fmt: skip
        end = kill_at(number, path)
        scrubber = SqliteScrubber(journals=str(folder / "journals"))
        planned = scrubber.plan(str(path), redactor(), Style.TOKEN)
        assert planned.treatment is Treatment.REPLACE
        if end and os.listdir(folder / "journals"):
            assert planned.found or planned.remarks == (FINISHES,)
            seen_in_pages += not planned.found and value.encode() in everything(path)
            result = scrubber.scrub(str(path), redactor(), Style.TOKEN)
            assert not result.after and "every page written anew" in result.verified
        else:
            assert not planned.found or number < 2, "the journal is there as long as something is to be done"
            scrubber.scrub(str(path), redactor(), Style.TOKEN)
        assert value.encode() not in everything(path), f"killed at {number}"
        assert os.listdir(folder / "journals") == []
        assert scrubber.plan(str(path), redactor(), Style.TOKEN).remarks == ()
        if not end:
            break
    assert number >= 10 and seen_in_pages, "it was killed while the value stood in old pages"


def test_collations_of_its_program(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_collation("mine", lambda a, b: (a > b) - (a < b))
        connection.execute("CREATE TABLE t (a TEXT COLLATE mine)")
        connection.execute("CREATE INDEX i ON t (a)")
        connection.execute("INSERT INTO t VALUES (?)", (VALUE.decode(),))
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(Refusal, match="only its program has"):
        store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert path.read_bytes() == before
