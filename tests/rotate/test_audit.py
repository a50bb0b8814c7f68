"""The audit log: what is written, and that nothing can be changed unseen."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests_support import token

from keyward.errors import ConfigError, Halted, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.audit import AuditLog, CallRecorder, audit_key
from keyward.rotate.audit_mirror import Head, StoreMirror, SyslogMirror
from keyward.rotate.audit_verify import NO_MIRROR, export, read, retain, verify
from keyward.rotate.who import Who, current
from keyward.stores.memory import MemoryStore

KEY = Secret(bytes(range(32)))
ME = Who("alice", 1000, "", "host.example", "/dev/pts/1", "CI=1")


def write(path: Path, entries: int = 5, *, clock: ManualClock | None = None, mirror=None) -> AuditLog:
    log = AuditLog(str(path), KEY, clock=clock or ManualClock(), mirror=mirror, who=ME)
    for number in range(entries):
        log.append(f"step {number}", ref="shop/aws", rotation="r1", detail=f"detail {number}")
    return log


@pytest.fixture(scope="module")
def whole() -> list[bytes]:
    """The lines of a log: a start and six entries."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        write(path, 6)
        return path.read_bytes().splitlines(keepends=True)


def judged(lines: list[bytes] | bytes, mirrored: Head | None = None):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        path.write_bytes(lines if isinstance(lines, bytes) else b"".join(lines))
        path.chmod(0o600)
        return verify(str(path), KEY, mirrored)


def test_an_entry_says_who_did_what_and_where(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "audit.jsonl"
    calls = CallRecorder()
    ports = Ports(Hosts(), clock=ManualClock(), fences=(calls,))
    ports.call("iam:CreateAccessKey", "iam.example", lambda: None, changes=True)
    with pytest.raises(ZeroDivisionError):
        ports.call("iam:ListAccessKeys", "iam.example", lambda: 1 / 0, changes=False)
    log = AuditLog(str(path), KEY, clock=ManualClock(), who=ME)
    head = log.append(
        "rotate.issue", ref="shop/aws", rotation="r1", calls=calls.take(), files=["/srv/.env"], evidence=[{"probe": "sts", "status": "200"}]
    )  # fmt: skip
    begin, entry = [json.loads(line) for line in path.read_text().splitlines()]
    assert (begin["type"], begin["seq"], begin["prev"]) == ("begin", 1, "")
    assert entry["who"] == ME._asdict() and entry["what"] == "rotate.issue" and entry["files"] == ["/srv/.env"]
    assert [(call["what"], call["outcome"]) for call in entry["calls"]] == [
        ("iam:CreateAccessKey", "ok"),
        ("iam:ListAccessKeys", "ZeroDivisionError"),
    ]
    assert entry["evidence"] == [{"probe": "sts", "status": "200"}]
    assert (entry["seq"], entry["prev"]) == (2, begin["mac"]) and head == Head(2, entry["mac"])
    assert calls.take() == ()
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_a_whole_log_is_whole_and_says_what_it_cannot_know(whole: list[bytes]) -> None:
    result = judged(whole)
    assert result.ok and result.entries == 6 and result.notes == (NO_MIRROR,)
    assert judged(whole, result.head).notes == () and judged(whole, result.head).ok
    assert judged(b"").ok and judged(b"").head is None


def test_another_key_sees_nothing_genuine(whole: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(whole))
    other = Secret(bytes(32))
    assert not verify(str(path), other).ok
    with pytest.raises(Halted, match="with this key"):
        AuditLog(str(path), other, clock=ManualClock()).append("x")
    assert path.read_bytes() == b"".join(whole)
    with pytest.raises(ConfigError):
        AuditLog(str(path), Secret(b"short"))


SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(data=st.data())
def test_any_changed_byte_is_noticed(whole: list[bytes], data: st.DataObject) -> None:
    content = b"".join(whole)
    place = data.draw(st.integers(0, len(content) - 1))
    new = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    result = judged(content[:place] + bytes([new]) + content[place + 1 :])
    # without the last newline, the last line looks like one that was cut off: that is said, and a mirror proves it
    assert not result.ok or (place == len(content) - 1 and "torn" in result.notes[0])
    assert not judged(content[:place] + bytes([new]) + content[place + 1 :], judged(whole).head).ok


@SETTINGS
@given(data=st.data())
def test_bytes_put_in_or_taken_out_are_noticed(whole: list[bytes], data: st.DataObject) -> None:
    content = b"".join(whole)
    place = data.draw(st.integers(0, len(content) - 2))
    length = data.draw(st.integers(1, len(content) - 1 - place))
    added = data.draw(st.binary(min_size=1, max_size=40))
    assert not judged(content[:place] + content[place + length :]).ok
    assert not judged(content[:place] + added + content[place:]).ok


@SETTINGS
@given(first=st.integers(0, 6), second=st.integers(0, 6))
def test_any_swap_is_noticed(whole: list[bytes], first: int, second: int) -> None:
    lines = list(whole)
    lines[first], lines[second] = lines[second], lines[first]
    assert judged(lines).ok == (first == second)


@SETTINGS
@given(low=st.integers(0, 6), length=st.integers(1, 6))
def test_any_deletion_is_noticed_and_at_the_end_by_a_mirror(whole: list[bytes], low: int, length: int) -> None:
    high = min(7, low + length)
    lines = whole[:low] + whole[high:]
    result, against = judged(lines), judged(lines, judged(whole).head)
    assert not against.ok
    if high == 7:
        assert "cut off at the end" in against.problems[0] and (result.ok or low == 0)
    else:
        assert not result.ok


@SETTINGS
@given(copied=st.integers(0, 6), to=st.integers(0, 7))
def test_a_repeated_entry_is_noticed(whole: list[bytes], copied: int, to: int) -> None:
    assert not judged([*whole[:to], whole[copied], *whole[to:]]).ok


def test_problems_name_the_line(whole: list[bytes]) -> None:
    changed = list(whole)
    changed[3] = changed[3].replace(b"step 2", b"step 9")
    assert "line 4 was changed" in judged(changed).problems[0]
    assert "entries are missing: 3-4" in judged(whole[:2] + whole[4:]).problems[0]
    assert "beginning is missing" in judged(whole[2:]).problems[0]


def test_a_log_written_anew_with_the_key_is_noticed_by_a_mirror_alone(tmp_path: Path) -> None:
    store = MemoryStore()
    mirror = StoreMirror(store)
    path = tmp_path / "audit.jsonl"
    with write(path, 3, mirror=mirror):
        pass
    path.unlink()
    write(path, 9)
    assert verify(str(path), KEY).ok
    assert "rewritten" in verify(str(path), KEY, mirror.get()).problems[0]
    path.unlink()
    assert "cut off" in verify(str(path), KEY, mirror.get()).problems[0]


def test_the_mirror_is_written_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    clock, mirror = ManualClock(), StoreMirror(MemoryStore())
    log = AuditLog(str(tmp_path / "a"), KEY, clock=clock, mirror=mirror, who=ME)
    first = log.append("one")
    assert mirror.get() == first
    log.append("two")
    assert mirror.get() == first
    clock.sleep(6)
    assert log.append("three") == mirror.get()
    last = log.append("four")
    log.close()
    assert mirror.get() == last and verify(log.path, KEY, mirror.get()).notes == ()
    assert verify(log.path, KEY, first).notes == ("entries 3 to 5 are newer than the mirrored head",)
    assert Head.parse(str(last)) == last and SyslogMirror().get() is None
    for text in ("", "3", "x:" + "a" * 64, "3:" + "g" * 64):
        with pytest.raises(ValueError):
            Head.parse(text)


class SealedStore(MemoryStore):
    def read(self, path, slot):
        raise StoreUnavailable("sealed", certain=True)


def test_a_mirror_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    log = AuditLog(str(tmp_path / "a"), KEY, clock=ManualClock(), mirror=StoreMirror(SealedStore()), who=ME)
    log.append("one")
    assert "sealed" in log.mirror_problem and verify(log.path, KEY).entries == 1


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
def test_a_torn_last_line_is_told_from_a_change(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "audit.jsonl"
    log = write(path, 3)
    path.write_bytes(path.read_bytes()[:-cut])
    torn = verify(str(path), KEY)
    assert torn.ok and len(torn.notes) == 2
    log.append("after the crash")
    result = verify(str(path), KEY)
    assert result.ok and result.entries == (4 if cut == 1 else 3)
    if cut > 1:
        assert "the next entry says so" in result.notes[0]
        lines = path.read_bytes().splitlines(keepends=True)
        assert not judged(lines[:3] + lines[4:]).ok  # the torn line taken out
        assert not judged([*lines[:3], b"x" + lines[3], *lines[4:]]).ok


def test_a_torn_first_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write(path, 1)
    path.write_bytes(path.read_bytes()[:30])
    write(path, 2)
    assert verify(str(path), KEY).ok and verify(str(path), KEY).entries == 2


def test_a_damaged_log_keeps_being_written_and_keeps_saying_so(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = write(path, 3)
    path.write_bytes(path.read_bytes().replace(b"step 2", b"step 7"))
    log.append("later")
    result = verify(str(path), KEY)
    assert result.entries == 3 and result.problems == ("line 4 was damaged before entry 4 was written",)


def test_retention_keeps_the_chain(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "audit.jsonl"
    log = AuditLog(str(path), KEY, clock=clock, who=ME)
    for _ in range(6):
        head = log.append("day")
        clock.sleep(86_400)
    assert retain(log, before=0) == 0
    assert retain(log, before=clock.now() - 3.5 * 86_400) == 3
    result = verify(str(path), KEY, head)
    assert result.ok and result.entries == 4
    assert json.loads(path.read_text().splitlines()[0])["dropped"] == 3
    assert retain(log, before=clock.now() - 1.5 * 86_400) == 2
    assert json.loads(path.read_text().splitlines()[0])["dropped"] == 5 and verify(str(path), KEY, head).ok
    log.append("later")
    lines = path.read_bytes().splitlines(keepends=True)
    assert judged(lines).ok
    assert not judged(lines[1:]).ok and not judged(lines[:1] + lines[2:]).ok
    assert "says nothing" in judged(lines, Head(2, "a" * 64)).notes[0]
    assert path.stat().st_mode & 0o777 == 0o600
    # all but the newest entry may go
    assert retain(log, before=clock.now() + 1) > 0 and verify(str(path), KEY).ok


def test_what_is_not_whole_is_not_shortened(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "audit.jsonl"
    log = write(path, 4, clock=clock)
    path.write_bytes(path.read_bytes().replace(b"step 1", b"step 8"))
    before = path.read_bytes()
    with pytest.raises(Halted, match="not whole"):
        retain(log, before=clock.now() + 1)
    assert path.read_bytes() == before


def test_reading_and_exporting(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "audit.jsonl"
    log = AuditLog(str(path), KEY, clock=clock, who=ME)
    for name in ("one", "two", "three"):
        log.append(name)
        clock.sleep(100)
    start = ManualClock().now()
    assert [record["what"] for record in read(str(path), KEY, since=start + 50, until=start + 150)] == ["two"]
    exported = list(export(str(path), KEY))
    assert "".join(exported).encode() == b"".join(path.read_bytes().splitlines(keepends=True)[1:])


def test_no_value_gets_in(tmp_path: Path) -> None:
    canary = token(7)
    log = AuditLog(str(tmp_path / "a"), KEY, clock=ManualClock(), who=ME)
    text = canary.decode()
    log.append(
        f"what {text}", ref=text, detail=f"x{text}y", files=[f"/srv/{text}"], evidence=[{text: {"deep": [text]}, "bytes": canary}, {"s": Secret(canary)}],
        never=(Secret(canary), Secret(b"a")),
    )  # fmt: skip
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert canary not in content and content.count(b"(withheld)") == 6
    assert b'"what":"what (withheld)"' in content and b"(Secret)" in content and b"(bytes)" in content
    assert KEY.reveal().hex().encode() not in content


def test_long_and_hostile_texts_are_bounded_and_stay_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a"
    log = AuditLog(str(path), KEY, clock=ManualClock(), who=ME)
    log.append(
        "x" * 10_000, detail="a\nb\x1b[2K\ud800\u2028", files=["f"] * 1000, evidence=[{"n": float("nan"), "o": 1.5, "b": True}]
    )
    assert len(path.read_bytes()) < 6_000 and path.read_bytes().count(b"\n") == 2 and b"\x1b" not in path.read_bytes()
    assert verify(str(path), KEY).ok


def _many(path: str, name: str) -> None:
    log = AuditLog(path, KEY, who=ME)
    for number in range(25):
        log.append(f"{name} {number}")


def test_several_processes_share_one_chain(tmp_path: Path) -> None:
    path = str(tmp_path / "audit.jsonl")
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_many, args=(path, f"p{number}")) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    result = verify(path, KEY)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert result.ok and result.entries == 100


def _without_room(path: str, answer) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(path) + 10, resource.RLIM_INFINITY))
    try:
        AuditLog(path, KEY, clock=ManualClock(), who=ME).append("x")
    except Halted as error:
        answer.put((str(error), error.hint))


def test_a_full_disk_is_an_error_and_leaves_nothing_torn(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write(path, 2)
    before = path.read_bytes()
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    worker = context.Process(target=_without_room, args=(str(path), answer))
    worker.start()
    worker.join(30)
    message, hint = answer.get()
    assert "cannot write the audit log" in message and hint
    assert path.read_bytes() == before


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(Halted):
            AuditLog(str(tmp_path / name), KEY, clock=ManualClock(), who=ME).append("x")
        with pytest.raises(Halted):
            verify(str(tmp_path / name), KEY)


def test_a_key_is_made_once_and_kept_in_the_store() -> None:
    store = MemoryStore()
    key = audit_key(store)
    assert len(key) == 32 and audit_key(store) == key and audit_key(MemoryStore()) != key


def test_who() -> None:
    me = current({"GITHUB_RUN_ID": "17", "SUDO_USER": "bob", "USER": "somebody-else"})
    assert me.uid == os.getuid() and me.ci == "GITHUB_RUN_ID=17" and me.via == "bob" and me.user != "somebody-else"
    assert me.host and current({}).ci == ""
