"""The `dotenv` consumer, and with it everything that all consumers of files share."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

import keyward.rotate.consumers.files
from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.testing.consumer_contract import ConsumerContract

FILES = keyward.rotate.consumers.files.__name__
BEFORE = b"# settings\nOTHER='x y'  # keep\n"


def spec(path: Path, **more: object) -> ConsumerSpec:
    return ConsumerSpec("dotenv", {"path": str(path), "set": {"KEY_ID": "{id}", "KEY_SECRET": ""}, **more})


def values(old: bytes = b"old-" + b"o" * 20, new: bytes = b"new-" + b"n" * 20) -> Values:
    def parts(secret: bytes) -> dict[str, Secret]:
        return {"id": Secret(b"id-" + secret[:4] + b"x" * 8), "secret": Secret(secret)}

    return Values("lane", "entry", "memory:lane/entry", parts(old) if old else {}, parts(new), "r1")


def content(parts: object) -> bytes:
    assert isinstance(parts, dict)
    lines = b"KEY_ID=" + parts["id"].reveal() + b'\nexport KEY_SECRET="' + parts["secret"].reveal() + b'"\r\n'
    return BEFORE + lines + b"LAST=1"


@pytest.fixture
def ports() -> Ports:
    return Ports(Hosts())


class TestContract(ConsumerContract):
    crash_modules = (FILES,)

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        other = {"id": Secret(b"who"), "secret": Secret(b"knows")}
        empty = {"id": Secret(b""), "secret": Secret(b"")}
        by = {Holds.OLD: values.old, Holds.NEW: values.new, Holds.OTHER: other, Holds.NOTHING: empty}
        (folder / ".env").write_bytes(content(by[held]))

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make_consumer(spec(folder / ".env"), ports)


def test_both_parts_change_in_one_rename_and_nothing_else(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    inode = file.stat().st_ino
    make_consumer(spec(file), ports).apply(v)
    assert file.read_bytes() == content(v.new)
    assert file.stat().st_ino != inode
    assert os.listdir(tmp_path) == [".env"]


def test_a_file_that_holds_one_part_old_and_one_new_is_finished(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content({"id": v.new["id"], "secret": v.old["secret"]}))
    consumer = make_consumer(spec(file), ports)
    assert consumer.holds(v) is Holds.OLD
    consumer.apply(v)
    assert file.read_bytes() == content(v.new)


def test_missing_keys_are_added_and_a_missing_file_is_made_only_if_that_is_wanted(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values(old=b"")
    assert make_consumer(spec(file), ports).holds(v) is Holds.NOTHING
    with pytest.raises(ConsumerError, match="does not exist"):
        make_consumer(spec(file), ports).apply(v)
    make_consumer(spec(file, create=True), ports).apply(v)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"KEY_SECRET=" + v.new["secret"].reveal() in file.read_bytes()
    file.write_bytes(BEFORE)
    make_consumer(spec(file), ports).apply(v)
    assert file.read_bytes().startswith(BEFORE)
    assert make_consumer(spec(file), ports).holds(v) is Holds.NEW
    with pytest.raises(ConsumerError, match="folder"):
        make_consumer(spec(tmp_path / "no" / ".env", create=True), ports).apply(v)


@pytest.mark.parametrize("line", [b"KEY=  # fill in", b'KEY=""', b"KEY=", b"KEY=''  # x"])
def test_an_empty_place_is_filled(line: bytes, tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(line + b"\nB=1\n")
    consumer = make_consumer(ConsumerSpec("dotenv", {"path": str(file), "set": {"KEY": ""}}), ports)
    assert consumer.holds(v) is Holds.NOTHING
    consumer.apply(v)
    assert consumer.holds(v) is Holds.NEW
    assert file.read_bytes().endswith(line[-3:] + b"\nB=1\n") or b"#" not in line


def test_a_value_is_unknown_where_there_was_none(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values(old=b"")
    file.write_bytes(content(values().old))
    with pytest.raises(ConsumerChanged):
        make_consumer(spec(file), ports).apply(v)
    assert file.read_bytes() == content(values().old)


def test_mode_can_be_set(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    make_consumer(spec(file, mode="0600"), ports).apply(v)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_extended_attributes_stay(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    try:
        os.setxattr(file, "user.note", b"kept")
    except (OSError, AttributeError):
        pytest.skip("this file system has no extended attributes")
    make_consumer(spec(file), ports).apply(v)
    assert os.getxattr(file, "user.note") == b"kept"


def test_an_access_list_stays(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    # user::rw-, user:12345:r--, group::r--, mask::r--, other::---
    entries = ((1, 6, 0xFFFFFFFF), (2, 4, 12345), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF))
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(file, "system.posix_acl_access", acl)
    except (OSError, AttributeError):
        pytest.skip("this file system has no access lists")
    make_consumer(spec(file), ports).apply(v)
    assert file.read_bytes() == content(v.new)
    assert os.getxattr(file, "system.posix_acl_access") == acl


def test_an_immutable_file_is_a_clear_error(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", file], capture_output=True, check=False).returncode:
        pytest.skip("files cannot be made immutable here")
    try:
        with pytest.raises(ConsumerError, match="cannot be changed") as caught:
            make_consumer(spec(file), ports).apply(v)
        assert "immutable" in caught.value.hint
        assert os.listdir(tmp_path) == [".env"]
    finally:
        subprocess.run(["chattr", "-i", file], check=True)
    assert file.read_bytes() == content(v.old)


def test_a_lock_that_is_never_given_back_is_an_error_at_last(tmp_path: Path) -> None:
    import fcntl

    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(ConsumerError, match="writing beside"):
        make_consumer(spec(file), Ports(Hosts(), clock=ManualClock())).apply(v)
    os.close(folder)
    make_consumer(spec(file), Ports(Hosts(), clock=ManualClock())).apply(v)
    assert file.read_bytes() == content(v.new)


def test_a_link_stays_and_its_target_changes(tmp_path: Path, ports: Ports) -> None:
    (tmp_path / "real").mkdir()
    file, link, v = tmp_path / "real" / "env", tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    link.symlink_to("real/env")
    make_consumer(spec(link), ports).apply(v)
    assert link.is_symlink()
    assert file.read_bytes() == content(v.new)


def test_links_that_lead_nowhere_or_in_circles_are_refused(tmp_path: Path, ports: Ports) -> None:
    link = tmp_path / ".env"
    link.symlink_to("nothing")
    with pytest.raises(ConsumerError, match="leads nowhere"):
        make_consumer(spec(link, create=True), ports).apply(values())
    link.unlink()
    link.symlink_to(".env")
    with pytest.raises(ConsumerError, match="chain"):
        make_consumer(spec(link), ports).apply(values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_link_of_another_user_is_refused(tmp_path: Path, ports: Ports) -> None:
    file, link, v = tmp_path / "real", tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    link.symlink_to(file)
    os.lchown(link, 12345, 12345)
    with pytest.raises(ConsumerError, match="another user"):
        make_consumer(spec(link), ports).apply(v)
    assert file.read_bytes() == content(v.old)


def test_further_hard_links_are_named_and_refused_unless_wanted(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    (tmp_path / "twin").hardlink_to(file)
    with pytest.raises(ConsumerError, match=r"1 more hard link \(twin"):
        make_consumer(spec(file), ports).apply(v)
    assert file.read_bytes() == content(v.old)
    assert "twin" in make_consumer(spec(file, break_links=True), ports).apply(v)
    assert file.read_bytes() == content(v.new)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(make: object, tmp_path: Path, ports: Ports) -> None:
    assert callable(make)
    make(tmp_path / ".env")
    with pytest.raises(ConsumerError):
        make_consumer(spec(tmp_path / ".env"), ports).apply(values())


def test_a_folder_where_anybody_may_exchange_files_is_refused(tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content(values().old))
    tmp_path.chmod(0o777)
    with pytest.raises(ConsumerError, match="anybody"):
        make_consumer(spec(file), ports).apply(values())


def as_nobody(action: object) -> bytes:
    """What `action` answers in a child without rights."""
    assert callable(action)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgid(12345)
                os.setuid(12345)
            os.write(writing, action())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as file:
        return file.read()


def test_a_read_only_folder_is_a_clear_error(tmp_path_factory: pytest.TempPathFactory, ports: Ports) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, v = folder / ".env", values()
        file.write_bytes(content(v.old))
        file.chmod(0o644)
        if os.geteuid() == 0:
            os.chown(file, 12345, 12345)
        folder.chmod(0o555)

        def attempt() -> bytes:
            try:
                return make_consumer(spec(file), ports).apply(v).encode()
            except ConsumerError as error:
                return f"{error} | {error.hint}".encode()

        told = as_nobody(attempt)
        folder.chmod(0o755)
        assert b"cannot be changed: Permission denied | Run keyward as the user" in told
        assert file.read_bytes() == content(v.old)
        assert os.listdir(folder) == [".env"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_file_of_another_user_is_refused() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        file, v = Path(name) / ".env", values()
        os.chown(name, 12345, 12345)
        os.chmod(name, 0o755)
        file.write_bytes(content(v.old))
        file.chmod(0o644)

        def attempt() -> bytes:
            try:
                return make_consumer(spec(file), Ports(Hosts())).apply(v).encode()
            except ConsumerError as error:
                return str(error).encode()

        assert b"belongs to another user" in as_nobody(attempt)
        assert file.read_bytes() == content(v.old)


class Meddler:
    """Somebody else writes the file just before it is replaced."""

    def __init__(self, file: Path, data: bytes) -> None:
        self.file, self.data = file, data

    def before(self, call: Call) -> None:
        self.file.write_bytes(self.data)

    def after(self, call: Call, outcome: str) -> None:
        pass


def test_what_somebody_else_writes_meanwhile_is_not_lost(tmp_path: Path) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))
    theirs = content(v.old) + b"\nTHEIRS=1\n"
    with pytest.raises(ConsumerChanged, match="meanwhile"):
        make_consumer(spec(file), Ports(Hosts(), fences=(Meddler(file, theirs),))).apply(v)
    assert file.read_bytes() == theirs
    assert os.listdir(tmp_path) == [".env"]


class Blocker:
    """Keeps a writer inside its lock."""

    def __init__(self) -> None:
        self.inside, self.go = threading.Event(), threading.Event()

    def before(self, call: Call) -> None:
        self.inside.set()
        assert self.go.wait(10)

    def after(self, call: Call, outcome: str) -> None:
        pass


def test_two_writers_wait_for_each_other(tmp_path: Path, ports: Ports) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old) + b"\nSECOND=" + v.old["secret"].reveal() + b"\n")
    blocker = Blocker()
    one = make_consumer(spec(file), Ports(Hosts(), fences=(blocker,)))
    two = make_consumer(ConsumerSpec("dotenv", {"path": str(file), "set": {"SECOND": "{secret}"}}), ports)
    first = threading.Thread(target=one.apply, args=(v,))
    first.start()
    assert blocker.inside.wait(10)
    second = threading.Thread(target=two.apply, args=(v,))
    second.start()
    assert second.is_alive()
    blocker.go.set()
    first.join(10)
    second.join(10)
    assert file.read_bytes() == content(v.new) + b"\nSECOND=" + v.new["secret"].reveal() + b"\n"


def test_a_leftover_of_a_killed_writer_is_removed_by_the_next_one(tmp_path: Path) -> None:
    file, v = tmp_path / ".env", values()
    file.write_bytes(content(v.old))

    class Kill:
        def before(self, call: Call) -> None:
            (tmp_path / ".keyward-0123456789abcdef.tmp").write_bytes(content(v.new))
            os.kill(os.getpid(), signal.SIGKILL)

        def after(self, call: Call, outcome: str) -> None:
            pass

    child = os.fork()
    if not child:
        try:
            make_consumer(spec(file), Ports(Hosts(), fences=(Kill(),))).apply(v)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert len(os.listdir(tmp_path)) == 2
    make_consumer(spec(file), Ports(Hosts())).apply(v)
    assert os.listdir(tmp_path) == [".env"]


def test_a_refusal_of_the_format_names_the_key_and_no_value(tmp_path: Path, ports: Ports) -> None:
    file, new = tmp_path / ".env", b'it\'s $both and "more" `here`'
    v = values(new=new)
    file.write_bytes(content(v.old))
    with pytest.raises(ConsumerError, match="KEY_SECRET") as caught:
        make_consumer(spec(file), ports).apply(v)
    assert new.decode() not in str(caught.value)
    assert caught.value.__suppress_context__
    assert file.read_bytes() == content(v.old)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "path"),
        ({"path": "x"}, "set"),
        ({"path": "x", "set": {"A": "{secret"}}, "brace"),
        ({"path": "x", "set": {"A": "nothing"}}, "no part"),
        ({"path": "x", "set": {"A": "{secret|upper}"}}, "filter"),
        ({"path": "x", "set": {"A": "{secret}"}, "dialect": "perl"}, "dialect"),
        ({"path": "x", "set": {"A": "{secret}"}, "mode": "rw"}, "mode"),
        ({"path": "x", "set": {"A": "{secret}"}, "pth": "y"}, "pth"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str, ports: Ports) -> None:
    with pytest.raises(ConfigError, match=said):
        make_consumer(ConsumerSpec("dotenv", options), ports)


def test_a_template_joins_parts(tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"URL=db://u:" + b"old%2Fpass" + b"@h/d\n")
    old, new = ({"user": Secret(b"u"), "password": Secret(p)} for p in (b"old/pass", b"n:w@ p"))
    v = Values("l", "n", "r", old, new)
    url = ConsumerSpec("dotenv", {"path": str(file), "set": {"URL": "db://{user|url}:{password|url}@h/d"}})
    make_consumer(url, ports).apply(v)
    assert file.read_bytes() == b"URL=db://u:" + b"n%3Aw%40%20p" + b"@h/d\n"
    with pytest.raises(ConsumerError, match="no part `secret`"):
        make_consumer(ConsumerSpec("dotenv", {"path": str(file), "set": {"URL": ""}}), ports).holds(v)


def test_check_and_reload_run_after_each_write(tmp_path: Path, ports: Ports) -> None:
    file, log, v = tmp_path / ".env", tmp_path / "log", values()
    file.write_bytes(content(v.old))
    reload = ["sh", "-c", f"echo $KEYWARD_LANE/$KEYWARD_NAME >> {log}"]
    good = spec(file, reload=reload)._replace(check=("grep", "-q", "new-nnn", str(file)))
    consumer = make_consumer(good, ports)
    consumer.apply(v)
    assert consumer.verify(v).endswith("reloaded; its check passed")
    consumer.rollback(v)
    assert log.read_text() == "lane/entry\n" * 2
    consumer.apply(v)
    with pytest.raises(ConsumerError, match="check command false ended with exit code 1"):
        make_consumer(good._replace(check=("false",)), ports).verify(v)
    with pytest.raises(ConsumerError, match="cannot be run"):
        make_consumer(good._replace(check=("no-such-program",)), ports).verify(v)


def test_a_command_that_hangs_is_stopped_with_its_children() -> None:
    from keyward.rotate.consumers.commands import run_command

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        run_command(["sh", "-c", "sleep 30 & sleep 30"], stdin=b"", environment={}, timeout=0.2)
    assert time.monotonic() - began < 5
