"""Credentials in the system's keyring (Secret Service, macOS Keychain, Windows Credential Locker), through `keyring`.

Each slot is one entry: service `keyward`, user name `SLOT:PATH`, value a JSON object of the fields (see `encoding`) with the
version in the marker. A keyring cannot list what it has, so the entry `index` keeps the paths. It has no check-and-set
either: keyward compares under a lock of its own, which holds against every other keyward of this user on this machine, not
against somebody who writes the entry by hand.

Backends that keep nothing, or keep it in plain text, are refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from keyward.errors import ConfigError, KeywardError, MissingExtra, StoreError, StoreUnavailable
from keyward.match.paths import state_folder
from keyward.model.credential import SecretParts
from keyward.plugin.ports import Ports
from keyward.plugin.store import Health, Slot, Stored
from keyward.stores.encoding import check_path, conflict, next_version, stored, to_fields
from keyward.stores.file_lock import FileLock

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

INDEX = "index"

WINDOWS_BYTES = 2560
"""Most bytes of one entry in Windows' Credential Locker (CRED_MAX_CREDENTIAL_BLOB_SIZE, wincred.h); `keyring` writes UTF-16."""

T = TypeVar("T")


class KeyringStore:
    """`backend`: the keyring (the system's own if not given). `max_bytes`: of one entry; 0 for what the backend is known to
    take. Raises ConfigError for a backend that must not be used, MissingExtra without the library."""

    type = "keyring"

    def __init__(
        self,
        name: str,
        ports: Ports,
        *,
        backend: KeyringBackend | None = None,
        service: str = "keyward",
        lock_folder: str = "",
        max_bytes: int = 0,
    ) -> None:
        self.name = name
        self._backend = usable(backend or system_backend())
        self._ports, self._service = ports, service
        self._most = max_bytes or (WINDOWS_BYTES // 2 if ".Windows" in _title(self._backend) else 0)
        safe = "".join(c if c.isalnum() else "-" for c in service)
        self._lock = os.path.join(lock_folder or state_folder(), f"keyring-{safe}.lock")

    def read(self, path: str, slot: Slot) -> Stored | None:
        check_path(path)
        fields = self._get(_user(path, slot))
        return stored(fields) if isinstance(fields, dict) else None

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Mapping[str, str], *, expected: int) -> int:
        check_path(path)
        with self._locked():
            held = self.read(path, slot)
            found = held.version if held else 0
            if found != expected:
                raise conflict(path, slot, expected, found)
            version = next_version(expected, self._ports.clock.now())
            text = self._fitting(json.dumps(to_fields(parts, labels, version)))
            if slot is Slot.CURRENT:
                # before the value: a path that the index names in vain is skipped, one that it lacks would be lost
                self._set_index(path, present=True)
            self._put(_user(path, slot), text)
            return version

    def erase(self, path: str, slot: Slot, *, expected: int) -> None:
        check_path(path)
        with self._locked():
            held = self.read(path, slot)
            if held is not None:
                if held.version != expected:
                    raise conflict(path, slot, expected, held.version)
                self._delete(_user(path, slot))
            if slot is Slot.CURRENT:
                self._set_index(path, present=False)

    def destroy_old(self, path: str) -> int:
        check_path(path)
        return 0

    def paths(self) -> Iterator[str]:
        for path in self._index():
            if self._get(_user(path, Slot.CURRENT)) is not None:
                yield path

    def health(self) -> Health:
        try:
            self._index()
        except KeywardError as error:
            return Health(False, f"{error}. {error.hint}".strip())
        return Health(True)

    def close(self) -> None:
        """Nothing is held open."""

    def _locked(self) -> FileLock:
        return FileLock(self._lock, self._ports.clock)

    def _fitting(self, text: str) -> str:
        if self._most and len(text) > self._most:
            raise StoreError(
                f"the credential takes {len(text)} bytes, and this keyring holds {self._most} in one entry",
                hint="Keep this credential in a vault or agefile store.",
            )
        return text

    def _index(self) -> list[str]:
        found = self._get(INDEX)
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []

    def _set_index(self, path: str, *, present: bool) -> None:
        known = self._index()
        if (path in known) == present:
            return
        changed = sorted({*known, path}) if present else [each for each in known if each != path]
        self._put(INDEX, self._fitting(json.dumps(changed)))

    def _get(self, user: str) -> Any:
        text = self._call(f"keyring:get {user}", lambda: self._backend.get_password(self._service, user), changes=False)
        if text is None:
            return None
        try:
            return json.loads(text)
        except ValueError:
            pass
        raise StoreError(f"the keyring's entry {user} was not written by keyward", hint="Remove or rename it.")

    def _put(self, user: str, text: str) -> None:
        self._call(f"keyring:set {user}", lambda: self._backend.set_password(self._service, user, text), changes=True)

    def _delete(self, user: str) -> None:
        self._call(f"keyring:delete {user}", lambda: self._backend.delete_password(self._service, user), changes=True)

    def _call(self, what: str, action: Callable[[], T], *, changes: bool) -> T:
        """One call of the backend. Its exceptions may quote what they were given, so only their class is told."""
        from keyring import errors

        try:
            return self._ports.call(what, "local", action, changes=changes)
        except KeywardError:
            raise
        except (errors.KeyringLocked, errors.NoKeyringError, errors.InitError) as error:
            problem, certain = type(error).__name__, True
        except Exception as error:
            problem, certain = type(error).__name__, not changes
        raise StoreUnavailable(f"the keyring failed: {problem}", certain=certain, hint="Unlock it, then run the command again.")


def _user(path: str, slot: Slot) -> str:
    return f"{slot.value}:{path}"


def system_backend() -> KeyringBackend:
    """The system's keyring. Raises MissingExtra."""
    try:
        import keyring
    except ImportError:
        raise MissingExtra("keyring", "local") from None
    return keyring.get_keyring()


def _title(backend: object) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def usable(backend: KeyringBackend) -> KeyringBackend:
    """The backend, if it keeps what it gets, and not in plain text. Raises ConfigError."""
    for each in (backend, *getattr(backend, "backends", ())):
        title = _title(each)
        if title.startswith(("keyring.backends.fail.", "keyring.backends.null.")):
            raise ConfigError(
                "there is no keyring on this system",
                hint="Install and unlock one (Secret Service, Keychain), or use a store of type agefile.",
            )
        if "plaintext" in title.lower():
            raise ConfigError(
                f"the keyring {title} keeps values in plain text", hint="Remove it, or use a store of type agefile."
            )
    return backend
