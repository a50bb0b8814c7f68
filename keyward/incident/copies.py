"""Copies as evidence: files into one tar archive, hashed one by one, encrypted with age before a byte of it is written.

The manifest (path, size, time, owner, SHA-256 of each file) lies in the archive. What stands outside is the SHA-256 of the archive
and of the manifest: a plain hash of a small file outside would let anybody try guesses at its content.

A log grows while it is copied: what it held when it was opened is what is copied. Links are kept as links, and nothing but regular
files is opened.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from keyward.errors import ConfigError, KeywardError, MissingExtra

MANIFEST = "MANIFEST.jsonl"
ROOM_LEFT = 512 << 20
"""Bytes that must stay free where the archive is written."""


class Copied(NamedTuple):
    """What was written. `size`, `sha256`: of the archive; `bytes`: of the files in it. `left_out`: path and reason."""

    path: str
    sha256: str
    size: int
    files: int
    bytes: int
    manifest_sha256: str
    left_out: tuple[tuple[str, str], ...]


class CopyFailed(KeywardError):
    """The archive could not be written; nothing of it is left."""

    exit_code = 4


def recipients_of(texts: Sequence[str]) -> list[Any]:
    """age recipients: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`. Raises ConfigError, MissingExtra."""
    age = _age()
    found = []
    for text in texts:
        try:
            maker = age.ssh.Recipient if text.startswith("ssh-") else age.x25519.Recipient
            found.append(maker.from_str(text))
        except (age.RecipientError, ValueError):
            hint = 'Write the public half: "age1…" (age-keygen -y), or an ssh-ed25519 or ssh-rsa public key.'
            raise ConfigError(f"{text[:20]!r} is no age recipient", hint=hint) from None
    return found


def copy(
    paths: Iterable[str], archive: str, recipients: Sequence[str], extra: Mapping[str, bytes] | None = None, *, room: int
) -> Copied:
    """Copies files into an encrypted archive, whole or not at all. `extra`: texts by name. `room`: bytes that may be read at most.

    Raises CopyFailed, ConfigError, MissingExtra.
    """
    keys = recipients_of(recipients)
    draft = f"{archive}.part"
    try:
        if os.path.lexists(draft):  # what a crash left: it is encrypted, and of no use
            os.unlink(draft)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            target = _Hashed(file)
            made = _Archive(room)
            _encrypted(target, keys, lambda plain: made.write(plain, paths, extra or {}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, archive)
    except OSError as error:
        if os.path.lexists(draft):
            os.unlink(draft)
        hint = "Make room, or put the case elsewhere: --folder FOLDER."
        raise CopyFailed(f"the copies cannot be written: {(error.strerror or 'error').lower()}", hint=hint) from None
    return Copied(
        archive, target.sha256, target.size, made.files, made.bytes, made.manifest_sha256, tuple(made.left_out.items())
    )


def _encrypted(target: _Hashed, keys: list[Any], write: Any) -> None:
    """Runs `write` with a stream whose bytes age encrypts into `target`. Nothing plain touches the disk. Raises OSError."""
    age = _age()
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def encrypt() -> None:
        with os.fdopen(reading, "rb") as plain:
            try:
                age.encrypt_io(plain, target, keys)
            except Exception as error:  # it is told to whoever waits; closing the pipe ends the writer
                failed.append(error)

    worker = threading.Thread(target=encrypt, daemon=True)
    worker.start()
    try:
        with os.fdopen(writing, "wb") as plain:
            write(plain)
    except BrokenPipeError:
        pass  # the reason is the reader's
    finally:
        worker.join()
    if failed:
        raise OSError(getattr(failed[0], "errno", 0) or 5, getattr(failed[0], "strerror", "") or "encryption failed")


class _Hashed:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class _Archive:
    """A gzipped tar, written to a stream."""

    def __init__(self, room: int) -> None:
        self.files = self.bytes = 0
        self.left_out: dict[str, str] = {}
        self.manifest_sha256 = ""
        self._room = room
        self._lines: list[bytes] = []

    def write(self, plain: BinaryIO, paths: Iterable[str], extra: Mapping[str, bytes]) -> None:
        with tarfile.open(fileobj=plain, mode="w|gz", format=tarfile.PAX_FORMAT) as tar:
            for name, data in extra.items():
                self._text(tar, f"volatile/{name}", data)
            for path in dict.fromkeys(os.path.abspath(path) for path in paths):
                self._one(tar, path)
            manifest = b"".join(self._lines)
            self.manifest_sha256 = hashlib.sha256(manifest).hexdigest()
            self._text(tar, MANIFEST, manifest)

    def _text(self, tar: tarfile.TarFile, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        tar.addfile(member, io.BytesIO(data))

    def _one(self, tar: tarfile.TarFile, path: str) -> None:
        if os.path.islink(path):
            member = tarfile.TarInfo(path.lstrip("/"))
            member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)
            tar.addfile(member)
            return
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            self.left_out[path] = (error.strerror or "cannot be read").lower()
            return
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):  # a folder cannot even be made a file object
            os.close(descriptor)
            self.left_out[path] = "not a regular file"
            return
        with os.fdopen(descriptor, "rb") as file:
            if status.st_size > self._room - self.bytes:
                self.left_out[path] = "no room for it"
            else:
                self._add(tar, path, file, status)

    def _add(self, tar: tarfile.TarFile, path: str, file: BinaryIO, status: os.stat_result) -> None:
        member = tarfile.TarInfo(path.lstrip("/"))
        member.size, member.mtime, member.mode = status.st_size, status.st_mtime, stat.S_IMODE(status.st_mode)
        member.uid, member.gid = status.st_uid, status.st_gid
        content = _Exactly(file, status.st_size)
        tar.addfile(member, content)  # type: ignore[arg-type]
        self.files += 1
        self.bytes += status.st_size
        record = {
            "path": path,
            "size": status.st_size,
            "mtime": status.st_mtime,
            "mode": oct(member.mode),
            "uid": status.st_uid,
            "gid": status.st_gid,
            "sha256": content.sha256,
        }
        if content.short:
            record["cut_off_at"] = content.short
        self._lines.append(json.dumps(record).encode() + b"\n")


class _Exactly:
    """As many bytes of a file as it had when it was opened: one that shrinks meanwhile is filled up with zeros, which is noted."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left, self._size, self._hash = file, size, size, hashlib.sha256()
        self.short = 0

    def read(self, size: int) -> bytes:
        wanted = min(size, self._left)
        try:
            data = self._file.read(wanted) if not self.short else b""
        except OSError:
            data = b""
        if len(data) < wanted:
            self.short = self.short or (self._size - self._left + len(data)) or -1
            data += bytes(wanted - len(data))
        self._left -= wanted
        self._hash.update(data)
        return data

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def room_at(folder: str) -> int:
    """Bytes that copies may take where they are written."""
    import shutil

    return max(0, shutil.disk_usage(folder).free - ROOM_LEFT)


def _age() -> Any:
    try:
        import pyrage  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("pyrage", "local") from None
    return pyrage
