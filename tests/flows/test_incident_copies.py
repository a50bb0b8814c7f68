"""Evidence: copies are whole, hashed, and readable for nobody but the recipients."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from tests_support import token as token_bytes

from keyward.errors import ConfigError
from keyward.incident.copies import MANIFEST, CopyFailed, copy
from keyward.incident.volatile import volatile


def token(seed: int) -> str:
    return token_bytes(seed).decode()


pyrage = pytest.importorskip("pyrage", reason="pyrage is not installed")


@pytest.fixture
def identity() -> Any:
    return pyrage.x25519.Identity.generate()


def opened(archive: str, identity: Any) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(Path(archive).read_bytes(), [identity]))) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isreg()}  # type: ignore[union-attr]


def test_copies_are_whole_and_hashed_and_encrypted(tmp_path: Path, identity: Any) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(f"key={token(1)}\n".encode() * 5000)
    history = tmp_path / "käse \x1b[2K.history"
    history.write_text("ls\n")
    archive = str(tmp_path / "copies.age")
    made = copy([str(log), str(history)], archive, [str(identity.to_public())], {"who.txt": b"ana"}, room=1 << 30)
    data = Path(archive).read_bytes()
    assert token_bytes(1) not in data and b"app.log" not in data
    assert made.sha256 == hashlib.sha256(data).hexdigest() and made.size == len(data) and made.files == 2
    assert os.stat(archive).st_mode & 0o777 == 0o600
    held = opened(archive, identity)
    assert held["volatile/who.txt"] == b"ana"
    assert held[str(log).lstrip("/")] == log.read_bytes()
    assert made.manifest_sha256 == hashlib.sha256(held[MANIFEST]).hexdigest()
    rows = [json.loads(line) for line in held[MANIFEST].splitlines()]
    assert {row["path"]: row["sha256"] for row in rows}[str(log)] == hashlib.sha256(log.read_bytes()).hexdigest()
    assert sorted(os.listdir(tmp_path)) == sorted([log.name, history.name, "copies.age"]), "nothing plain is left"


def test_a_log_that_grows_is_copied_as_it_was(tmp_path: Path, identity: Any) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"x" * (8 << 20))
    stop = threading.Event()

    def grow() -> None:
        with log.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"more\n" * 100)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        archive = str(tmp_path / "copies.age")
        made = copy([str(log)], archive, [str(identity.to_public())], room=1 << 30)
    finally:
        stop.set()
        writer.join()
    held = opened(archive, identity)[str(log).lstrip("/")]
    assert len(held) == made.bytes >= 8 << 20 and log.read_bytes().startswith(held)


def test_what_is_no_file_and_what_has_no_room_is_named(tmp_path: Path, identity: Any) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_bytes(b"x" * 1000)
    (tmp_path / "small").write_bytes(b"x")
    os.symlink("/etc/passwd", tmp_path / "link")
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(100 << 30)
    names = ["pipe", "big", "small", "link", "sparse", "gone", "."]
    made = copy([str(tmp_path / name) for name in names], str(tmp_path / "a.age"), [str(identity.to_public())], room=500)
    left = {os.path.basename(path): reason for path, reason in made.left_out}
    assert left["big"] == left["sparse"] == "no room for it"
    assert left["pipe"] == "not a regular file" and left["gone"] == "no such file or directory"
    assert made.files == 1
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt((tmp_path / "a.age").read_bytes(), [identity]))) as tar:
        assert tar.getmember(str(tmp_path / "link").lstrip("/")).issym(), "what a link leads to is not copied"


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, identity: Any) -> None:
    with pytest.raises(CopyFailed):
        copy(["/etc/passwd"], str(tmp_path / "no" / "a.age"), [str(identity.to_public())], room=1 << 30)
    assert os.listdir(tmp_path) == []
    full = "/dev/full"
    if os.path.exists(full):  # a device on which every write fails for want of room, reached through the draft's name
        os.symlink(full, tmp_path / "a.age.part")
        copy(["/etc/passwd"], str(tmp_path / "a.age"), [str(identity.to_public())], room=1 << 30)
        assert os.path.isfile(tmp_path / "a.age") and not os.path.islink(tmp_path / "a.age"), "a planted link is not followed"


def test_a_disk_that_is_full_is_said_and_nothing_is_left(tmp_path: Path, identity: Any) -> None:
    import resource

    data = tmp_path / "data"
    data.write_bytes(os.urandom(2 << 20))
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(CopyFailed) as caught:
            copy([str(data)], str(tmp_path / "a.age"), [str(identity.to_public())], room=1 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "--folder" in caught.value.hint
    assert os.listdir(tmp_path) == ["data"]


@pytest.mark.parametrize("text", ["age1nonsense", "ssh-ed25519 nonsense", "", "AGE-SECRET-KEY"])
def test_a_wrong_recipient_is_said_before_anything_is_written(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        copy([], str(tmp_path / "a.age"), [text], room=1)
    assert os.listdir(tmp_path) == []


def test_what_a_restart_would_lose_is_kept() -> None:
    held = volatile(lambda argv: b"here" if argv[0] == "who" else None)
    assert held["who.txt"] == b"here"
    assert str(os.getpid()).encode() in held["processes.txt"]
