"""Credentials in one age-encrypted file, for a host that has neither a Vault nor a keyring.

`FILE` holds everything, encrypted; `FILE.identity` the sealed identity (see `age_identity`); `FILE.lock` nothing. A write is
whole or not at all: a new file is written beside, synced, renamed over the old one, and the folder synced. Writers wait for
each other; a reader needs no lock. Versions count over the whole file, so none comes twice. Modes are 0600.

Keep a copy of `FILE.identity`: without it nobody opens `FILE`. There are no older versions inside; copies that a backup or a
snapshot of the file system keeps are beyond keyward.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from keyward.errors import KeywardError, StoreUnavailable
from keyward.model.credential import SecretParts
from keyward.plugin.ports import Ports
from keyward.plugin.store import Health, Slot, Stored
from keyward.stores.age_identity import Identity, PlainSeal
from keyward.stores.encoding import check_path, conflict, stored, to_fields
from keyward.stores.file_lock import WAIT, FileLock

FORMAT = 1
HOST = "local"
"""How the fences see it."""

T = TypeVar("T")


class _Opened:
    """What was read or written last: the sealed identity, the encrypted file, and its content. Its repr shows nothing of it."""

    def __init__(self, sealed: bytes, data: bytes, content: Mapping[str, Any]) -> None:
        self.sealed, self.data, self.content = sealed, data, content


class AgeFileStore:
    """`file`: where it lies; made on the first write. `identity`: who can open it."""

    type = "agefile"

    def __init__(self, name: str, file: str, identity: Identity, ports: Ports, *, lock_wait: float = WAIT) -> None:
        self.name = name
        # a rename over a symbolic link would replace the link
        self.file = os.path.realpath(os.path.expanduser(file))
        self._identity, self._ports, self._wait = identity, ports, lock_wait
        self._opened = _Opened(b"", b"", {})

    def read(self, path: str, slot: Slot) -> Stored | None:
        check_path(path)
        held = self._load()["entries"].get(path, {}).get(slot.value)
        return stored(held["fields"], held["version"]) if held else None

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Mapping[str, str], *, expected: int) -> int:
        check_path(path)
        fields = to_fields(parts, labels)
        with self._locked():
            content = self._load()
            slots = content["entries"].get(path, {})
            self._check(slots, path, slot, expected)
            version = int(content["next"])
            slots = {**slots, slot.value: {"version": version, "fields": fields}}
            changed = {**content, "next": version + 1, "entries": {**content["entries"], path: slots}}
            self._save(changed, f"agefile:write {path} {slot.value}")
            return version

    def erase(self, path: str, slot: Slot, *, expected: int) -> None:
        check_path(path)
        if not os.path.lexists(self.file):
            return
        with self._locked():
            content = self._load()
            slots = content["entries"].get(path, {})
            if slot.value not in slots:
                return
            self._check(slots, path, slot, expected)
            left = {name: held for name, held in slots.items() if name != slot.value}
            entries = {**content["entries"], path: left} if left else {p: s for p, s in content["entries"].items() if p != path}
            self._save({**content, "entries": entries}, f"agefile:erase {path} {slot.value}")

    def destroy_old(self, path: str) -> int:
        check_path(path)
        return 0

    def paths(self) -> Iterator[str]:
        entries = self._load()["entries"]
        return iter(sorted(path for path, slots in entries.items() if Slot.CURRENT.value in slots))

    def health(self) -> Health:
        """Opens the file if there is one, which may ask for the passphrase."""
        try:
            self._load()
        except KeywardError as error:
            return Health(False, f"{error}. {error.hint}".strip())
        folder = os.path.dirname(self.file)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if not os.access(folder, os.W_OK):
            return Health(False, f"{folder} cannot be written; choose another place for the store.")
        if isinstance(self._identity.seal, PlainSeal):
            return Health(True, "Its identity lies in plain text beside it (insecure_identity).")
        return Health(True)

    def close(self) -> None:
        """Nothing is held open."""

    def _check(self, slots: Mapping[str, Any], path: str, slot: Slot, expected: int) -> None:
        found = slots[slot.value]["version"] if slot.value in slots else 0
        if found != expected:
            raise conflict(path, slot, expected, found)

    def _locked(self) -> FileLock:
        return FileLock(self.file + ".lock", self._ports.clock, self._wait)

    def _load(self) -> Mapping[str, Any]:
        """What the file holds, which the caller must not change. It is decrypted anew only when the file or its identity is another
        one: a rotation reads its slots some thirty times."""
        data = self._call("agefile:read", lambda: _read(self.file), changes=False)
        if data is None:
            return {"format": FORMAT, "next": 1, "entries": {}}
        sealed = self._sealed()
        held = self._opened  # one look: another thread may put its own there
        if data == held.data and sealed == held.sealed:
            return held.content
        plain = self._identity.decrypt(sealed, data)
        try:
            content = json.loads(plain)
            known = content["format"] == FORMAT and isinstance(content["entries"], dict)
        except (ValueError, KeyError, TypeError):
            known = False
        if not known:
            raise StoreUnavailable(
                f"{self.file} is not a store of this keyward", certain=True, hint="Use the one that wrote it."
            )
        opened = self._opened = _Opened(sealed, data, dict(content))
        return opened.content

    def _sealed(self) -> bytes:
        sealed = _read(self.file + ".identity", private=isinstance(self._identity.seal, PlainSeal))
        if sealed is None:
            raise StoreUnavailable(
                f"{self.file}.identity is missing, so the store cannot be opened",
                certain=True,
                hint="Restore it from a backup.",
            )
        return sealed

    def _save(self, content: Mapping[str, Any], what: str) -> None:
        if not os.path.lexists(self.file) and not os.path.lexists(self.file + ".identity"):
            sealed = self._identity.make()
            self._call("agefile:write identity", lambda: replace(self.file + ".identity", sealed), changes=True)
        else:
            sealed = self._sealed()
        data = self._identity.encrypt(sealed, json.dumps(content).encode())
        self._call(what, lambda: replace(self.file, data), changes=True)
        self._opened = _Opened(sealed, data, content)

    def _call(self, what: str, action: Callable[[], T], *, changes: bool) -> T:
        return self._ports.call(what, HOST, action, changes=changes)


def _read(path: str, *, private: bool = False) -> bytes | None:
    try:
        with open(path, "rb") as file:
            if private and os.name != "nt" and os.fstat(file.fileno()).st_mode & 0o077:
                raise StoreUnavailable(f"{path} can be read by others", certain=True, hint=f"chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be read: {error.strerror}", certain=True) from None


def replace(path: str, data: bytes) -> None:
    """Puts a file in place whole: after a crash at any point the old one or the new one is there. The caller holds the lock.

    Raises StoreUnavailable; `certain` unless the rename was done and only syncing the folder failed.
    """
    folder, draft = os.path.dirname(path), f"{path}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _remove(draft)  # left by a crash: we hold the lock, so nobody is writing it
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        _remove(draft)
        raise StoreUnavailable(
            f"{path} cannot be written: {error.strerror}",
            certain=True,
            hint="The old content is unchanged; make room and run again.",
        ) from None
    except BaseException:
        _remove(draft)
        raise
    try:
        _sync_folder(folder)
    except OSError as error:
        raise StoreUnavailable(f"{folder} cannot be synced: {error.strerror}", certain=False) from None


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _sync_folder(folder: str) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
