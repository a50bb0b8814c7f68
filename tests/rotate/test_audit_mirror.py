"""The audit log's head in a second place: a real socket listens as the system's log does, and stores are real ones."""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keyward.cli import audit
from keyward.errors import ConfigError, Halted, StoreError, StoreUnavailable
from keyward.flows.audit import mirror, open_log
from keyward.flows.workplace import open_workplace
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.store import Slot, Stored
from keyward.rotate.audit import AuditLog, Event
from keyward.rotate.audit_mirror import HEAD_PATH, Head, Mirrors, StoreMirror, SyslogMirror
from keyward.rotate.audit_verify import retain, verify
from keyward.rotate.lanes import load_lanes
from keyward.stores.memory import MemoryStore

KEY = Secret(b"k" * 32)
CONFIG = """
[stores.main]
type = "agefile"
file = "{folder}/main.age"
insecure_identity = true

[stores.second]
type = "agefile"
file = "{folder}/second.age"
insecure_identity = true

[lanes.defaults]
store = "main"
"""


class Syslog:
    """Listens at a socket, as a datagram or as a stream of records that end in NUL."""

    def __init__(self, folder: str, kind: socket.SocketKind = socket.SOCK_DGRAM) -> None:
        self.path, self.kind = f"{folder}/log", kind
        self.door = socket.socket(socket.AF_UNIX, kind)
        self.door.bind(self.path)
        self.door.settimeout(10)
        if kind == socket.SOCK_STREAM:
            self.door.listen()

    def line(self) -> str:
        if self.kind == socket.SOCK_DGRAM:
            return self.door.recv(4096).decode()
        with self.door.accept()[0] as caller:
            return caller.makefile("rb").read().decode()

    def heads(self, count: int) -> list[Head]:
        return [Head.parse(self.line().partition("audit head ")[2]) for _ in range(count)]


@pytest.fixture
def folder() -> Iterator[str]:
    """A short one: the path of a socket has at most 107 bytes."""
    made = tempfile.mkdtemp(prefix="kw-")
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_systems_log_gets_the_head(folder: str, kind: socket.SocketKind, tmp_path: Path) -> None:
    listening = Syslog(folder, kind)
    with listening.door, AuditLog(str(tmp_path / "a"), KEY, clock=ManualClock(), mirror=SyslogMirror(listening.path)) as log:
        head = log.append("one")
        assert not log.mirror_problem
        assert re.fullmatch(
            rf"<85>\w{{3}} [ \d]\d \d\d:\d\d:\d\d keyward\[\d+\]: keyward audit head {head}\0?", listening.line()
        )


def test_a_log_that_does_not_listen_is_told_and_stops_nothing(folder: str, tmp_path: Path) -> None:
    with AuditLog(str(tmp_path / "a"), KEY, clock=ManualClock(), mirror=SyslogMirror(f"{folder}/none")) as log:
        log.append("one")
    assert "nobody listens" in log.mirror_problem


class Gone(MemoryStore):
    def read(self, path: str, slot: Slot) -> Stored | None:
        raise StoreUnavailable("sealed", certain=True)


def test_of_several_mirrors_each_is_tried(folder: str) -> None:
    listening, good = Syslog(folder), MemoryStore()
    all_of_them = Mirrors([StoreMirror(Gone()), StoreMirror(good), SyslogMirror(listening.path)])
    head = Head(3, "a" * 64)
    with listening.door:
        with pytest.raises(StoreError, match="sealed"):
            all_of_them.put(head)
        assert listening.heads(1) == [head] and all_of_them.get() == head
    with pytest.raises(StoreError, match="sealed"):
        Mirrors([StoreMirror(Gone())]).get()


def test_a_store_with_something_else_in_the_heads_place_is_told() -> None:
    store = MemoryStore()
    store.write(HEAD_PATH, Slot.CURRENT, {"head": Secret(b"no head")}, {}, expected=0)
    with pytest.raises(StoreError, match="holds no head"):
        StoreMirror(store).get()


class Place:
    """An operator's configuration with an `[audit]` table."""

    def __init__(self, folder: Path, table: str) -> None:
        self.folder, self.config, self.log = folder, folder / "config.toml", folder / "state" / "audit.jsonl"
        self.config.write_text(CONFIG.format(folder=folder) + table)
        self.config.chmod(0o600)

    def write(self, *what: str) -> None:
        with open_workplace(str(self.config)) as place, open_log(place) as log:
            for each in what:
                log.append(each)

    def verify(self, *words: str) -> tuple[int, str]:
        args = ["verify", "--config", str(self.config), *words]
        done = CliRunner().invoke(audit.app, args, standalone_mode=False, catch_exceptions=False)
        return done.return_value or 0, done.output


def log_at(path: Path, store: MemoryStore, host: str = "one") -> AuditLog:
    return AuditLog(str(path), KEY, clock=ManualClock(), mirror=StoreMirror(store, host=host))


@pytest.mark.parametrize("kept", [0, 2, 4])
def test_work_goes_on_after_a_cut_and_the_cut_stays_known(tmp_path: Path, kept: int) -> None:
    """Whoever writes next writes over the head in the mirror, too: it would fit to the log as it was left."""
    path, store = tmp_path / "a", MemoryStore()
    with log_at(path, store) as log:
        last = [log.append(f"step {number}") for number in range(4)][-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]))
    for number in range(3):
        with log_at(path, store) as log:
            log.append_all([Event(f"later {number}")] * 9)
    mirror = StoreMirror(store, host="one")
    result = verify(str(path), KEY, mirror.get())
    assert mirror.get() == result.head and not result.ok
    assert [problem for problem in result.problems if f"an entry {last.seq} that the log did not have" in problem]
    assert len(result.problems) == 1, "it is told once"
    with pytest.raises(Halted, match="not whole"):
        retain(log_at(path, store), before=ManualClock().now() + 1)


def test_a_log_written_anew_is_known_after_more_work(tmp_path: Path) -> None:
    path, store = tmp_path / "a", MemoryStore()
    with log_at(path, store) as log:
        log.append("one")
    path.unlink()
    AuditLog(str(path), KEY, clock=ManualClock()).append_all([Event("forged")] * 5)
    with log_at(path, store) as log:
        log.append("two")
    assert not verify(str(path), KEY).ok


def test_what_nobody_touched_is_not_called_lost(tmp_path: Path) -> None:
    path, store, clock = tmp_path / "a", MemoryStore(), ManualClock()
    for number in range(300):  # more than is read of the end at first
        with AuditLog(str(path), KEY, clock=clock, mirror=StoreMirror(store, host="one")) as log:
            log.append("x" * 400)
            if number % 100 == 99:
                clock.sleep(86_400)
    assert path.stat().st_size > 1 << 16
    late = AuditLog(str(path), KEY, clock=clock)  # a mirror that is out of reach for a while
    late.append_all([Event("y" * 400)] * 200)
    assert retain(late, before=clock.now() + 1) > 0
    with log_at(path, store) as log:
        log.append("z")
    assert verify(str(path), KEY, StoreMirror(store, host="one").get()).problems == ()


def test_hosts_that_share_a_store_do_not_miss_each_others_entries(tmp_path: Path) -> None:
    """The clean machine after an incident has the old one's store, and a log of its own."""
    store = MemoryStore()
    for number in range(3):
        for host in ("old", "new"):
            with log_at(tmp_path / host, store, host) as log:
                log.append_all([Event(f"{host} {number}")] * (5 if host == "old" else 1))
    for host in ("old", "new"):
        head = StoreMirror(store, host=host).get()
        result = verify(str(tmp_path / host), KEY, head)
        assert head == result.head and result.ok and result.notes == ()
    assert StoreMirror(store, host="third").get() is None
    held = store.read(HEAD_PATH, Slot.CURRENT)
    assert held is not None and Head.parse(held.parts["head"].reveal().decode()) == StoreMirror(store, host="new").get()


def test_a_head_that_an_earlier_keyward_left_counts(tmp_path: Path) -> None:
    store, head = MemoryStore(), Head(7, "b" * 64)
    store.write(HEAD_PATH, Slot.CURRENT, {"head": Secret(str(head).encode())}, {}, expected=0)
    assert StoreMirror(store).get() == head


@pytest.mark.usefixtures("environment")
def test_verify_takes_the_head_that_the_systems_log_has(folder: str, tmp_path: Path) -> None:
    listening = Syslog(folder)
    place = Place(tmp_path, f'[audit]\nmirror = "syslog"\nsocket = "{listening.path}"\n')
    with listening.door:
        place.write("one", "two", "three")
        first, last = listening.heads(2)
    code, out = place.verify()
    assert code == 0 and "without a mirrored head" in out and "--head SEQ:MAC" in out
    code, out = place.verify("--head", str(last))
    assert code == 0 and "note" not in out
    lines = place.log.read_bytes().splitlines(keepends=True)
    place.log.write_bytes(b"".join(lines[:-1]))
    assert "cut off at the end" in place.verify("--head", str(last))[1]
    place.log.unlink()
    with listening_again(listening):
        place.write("another", "past")
    code, out = place.verify("--head", str(first))
    assert code == 1 and "rewritten" in out


def listening_again(before: Syslog) -> socket.socket:
    Path(before.path).unlink()
    return Syslog(before.path.removesuffix("/log")).door


@pytest.mark.usefixtures("environment")
def test_another_store_than_that_of_the_key_can_be_the_mirror(tmp_path: Path) -> None:
    place = Place(tmp_path, '[audit]\nmirror = ["store:second", "store:main"]\n')
    place.write("one", "two")
    with open_workplace(str(place.config)) as opened:
        held = opened.store("second").read(HEAD_PATH, Slot.CURRENT)
        assert held is not None and str(mirror(opened).get()).encode() == held.parts["head"].reveal()
    assert place.verify()[0] == 0
    lines = place.log.read_bytes().splitlines(keepends=True)
    place.log.write_bytes(b"".join(lines[:-1]))
    assert place.verify()[0] == 1


@pytest.mark.usefixtures("environment")
def test_a_mirror_that_fails_is_told_when_the_work_is_over(folder: str, tmp_path: Path) -> None:
    place, said = Place(tmp_path, f'[audit]\nmirror = "syslog"\nsocket = "{folder}/none"\n'), list[str]()
    with open_workplace(str(place.config), warn=said.append) as opened:
        opened.audit.append("one")
    assert len(said) == 1 and "nobody listens" in said[0]


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ('[audit]\nmirror = "sysloog"\n', "syslog"),
        ('[audit]\nmirror = "store:mian"\n', "main"),
        ('[audit]\nmiror = "syslog"\n', "mirror"),
        ("[audit]\nmirror = []\n", "store:NAME"),
        ('[audit]\nmirror = "syslog"\nsocket = "log"\n', "/dev/log"),
    ],
)
def test_what_is_wrong_in_the_table_is_named(tmp_path: Path, table: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_lanes(str(Place(tmp_path, table).config))
    assert hint in caught.value.hint and caught.value.line > 10
