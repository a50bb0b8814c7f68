"""The system's keyring, through a backend in memory: the contract, and which backends are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest
from keyring.backend import KeyringBackend
from stores.store_parts import Watch, local_ports

from keyward.errors import ConfigError, StoreError, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.store import Slot
from keyward.stores.keyring import KeyringStore, usable
from keyward.testing.store_contract import Opener, StoreContract, shown, value

PATH = "lanes/a/key"


class Backend(KeyringBackend):
    """A keyring in memory. `broken`: an error that each call raises. `fails_at`: entry that cannot be written."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.broken: Exception | None = None
        self.fails_at = ""

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise self.broken
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.broken or username == self.fails_at:
            raise self.broken or keyring.errors.PasswordSetError(f"cannot write {password}")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise keyring.errors.PasswordDeleteError("no such entry")
        del self.entries[service, username]


class PlaintextKeyring(Backend):
    """Called like the one of keyrings.alt."""


class Chain(Backend):
    """Several backends in one."""

    backends = (PlaintextKeyring(),)


def new_store(folder: Path, backend: Backend, *fences: Watch, max_bytes: int = 0) -> KeyringStore:
    return KeyringStore("desk", local_ports(*fences), backend=backend, lock_folder=str(folder), max_bytes=max_bytes)


class TestKeyring(StoreContract):
    counts_versions = False

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Iterator[Opener]:
        backend = Backend()
        yield lambda: new_store(tmp_path, backend)


@pytest.mark.parametrize(
    "backend", [keyring.backends.fail.Keyring(), keyring.backends.null.Keyring(), PlaintextKeyring(), Chain()]
)
def test_a_backend_that_keeps_nothing_or_in_plain_text_is_refused(backend: KeyringBackend) -> None:
    with pytest.raises(ConfigError) as caught:
        usable(backend)
    assert "agefile" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "certain"),
    [(keyring.errors.KeyringLocked("…"), True), (keyring.errors.InitError("…"), True), (OSError("bus is gone"), False)],
)
def test_a_keyring_that_fails_is_unavailable(tmp_path: Path, error: Exception, certain: bool) -> None:
    backend = Backend()
    store = new_store(tmp_path, backend)
    backend.broken = error
    with pytest.raises(StoreUnavailable) as caught:
        store.read(PATH, Slot.CURRENT)
    assert caught.value.certain
    assert not store.health().usable
    backend.broken, backend.fails_at = None, f"current:{PATH}"
    with pytest.raises(StoreUnavailable) as caught:
        store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert not caught.value.certain


def test_what_a_backend_says_is_not_repeated(tmp_path: Path) -> None:
    backend, secret = Backend(), value()
    backend.fails_at = f"current:{PATH}"
    with pytest.raises(StoreUnavailable) as caught:
        new_store(tmp_path, backend).write(PATH, Slot.CURRENT, {"secret": secret}, {}, expected=0)
    assert secret.reveal().decode() not in shown(caught.value)


def test_a_write_that_failed_leaves_no_path_behind(tmp_path: Path) -> None:
    backend = Backend()
    store = new_store(tmp_path, backend)
    backend.fails_at = f"current:{PATH}"
    with pytest.raises(StoreUnavailable):
        store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert list(store.paths()) == []
    backend.fails_at = ""
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert list(store.paths()) == [PATH]


def test_a_value_that_is_too_large_is_refused_before_it_is_written(tmp_path: Path) -> None:
    backend = Backend()
    store = new_store(tmp_path, backend, max_bytes=1000)
    with pytest.raises(StoreError, match="1000"):
        store.write(PATH, Slot.CURRENT, {"secret": Secret(b"x" * 1000)}, {}, expected=0)
    assert backend.entries == {}


def test_an_entry_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    backend = Backend()
    backend.entries["keyward", f"current:{PATH}"] = "not JSON"
    with pytest.raises(StoreError, match="not written by keyward") as caught:
        new_store(tmp_path, backend).write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert "not JSON" not in shown(caught.value)
    assert backend.entries == {("keyward", f"current:{PATH}"): "not JSON"}


def test_versions_do_not_begin_again_after_an_erase(tmp_path: Path) -> None:
    store = new_store(tmp_path, Backend())
    first = store.write(PATH, Slot.PENDING, {"secret": value()}, {}, expected=0)
    second = store.write(PATH, Slot.PENDING, {"secret": value()}, {}, expected=first)
    assert second == first + 1 and first > 1_000_000


def test_every_effect_passes_the_fence(tmp_path: Path) -> None:
    backend, watch = Backend(), Watch()
    store = new_store(tmp_path, backend, watch)
    version = store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert json.loads(backend.entries["keyward", f"current:{PATH}"]).keys() == {"secret", "_keyward"}
    store.erase(PATH, Slot.CURRENT, expected=version)
    assert [call.what for call in watch.calls if call.changes] == [
        "keyring:set index", f"keyring:set current:{PATH}", f"keyring:delete current:{PATH}", "keyring:set index",
    ]  # fmt: skip
