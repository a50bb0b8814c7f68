"""What every store must keep, as a class for pytest.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def opened(self, tmp_path):
            def open_it() -> Store:            # another handle on the same data, as a second process would have
                return MyStore(tmp_path / "data")
            yield open_it

`counts_versions`: set it to False where a store keeps no older versions, `races`: to False where two writers in the same instant can
overwrite each other (KV version 1), and say so in the store's documentation.
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest

from keyward.errors import StoreConflict, StoreError
from keyward.model.credential import SecretParts
from keyward.model.secret import Secret
from keyward.plugin.store import Slot, Store

Opener = Callable[[], Store]

PATH, NEIGHBOUR = "lanes/prod/aws", "lanes/prod/aws-2"
LABELS = {"rotation": "r-1", "lane": "prod", "kind": "aws/access-key", "public_id": "somebody", "written": "1800000000"}

ODD_VALUES = {
    "nul": b"before\0after",
    "not_utf8": bytes(range(256)),
    "large": b"x" * 65536,
    "unicode": "pässwörd ключ 🔑".encode(),
    "quotes": b"\"'\\ $(x) `y` %s {{z}}",
    "lines": b"-----one\r\ntwo\n\n",
    "empty": b"",
    "looks_like_base64": b"AAAA",
    "looks_like_json": b'{"a": 1}',
    "spaces": b"  around  ",
    "half_a_character": "é".encode()[:1],
}


def value() -> Secret:
    """A value that occurs nowhere else, so that it can be looked for."""
    return Secret(secrets.token_hex(20).encode())


def shown(error: BaseException) -> str:
    """Everything that a traceback with causes and contexts would print of an error."""
    return "".join(traceback.format_exception(error)) + repr(error.__context__) + repr(error.__cause__) + repr(vars(error))


class StoreContract:
    """Subclass it with a fixture `opened`."""

    counts_versions: ClassVar[bool] = True
    races: ClassVar[bool] = True

    @pytest.fixture
    def opened(self) -> Iterator[Opener]:
        """A callable that opens another handle on the same, at first empty, data."""
        raise NotImplementedError("the subclass gives this fixture")

    @pytest.fixture
    def store(self, opened: Opener) -> Iterator[Store]:
        """One handle."""
        store = opened()
        yield store
        store.close()

    def test_it_says_what_it_is(self, store: Store) -> None:
        assert store.name and store.type
        assert store.health().usable, store.health().detail

    def test_an_empty_slot_holds_nothing(self, store: Store) -> None:
        assert [store.read(PATH, slot) for slot in Slot] == [None, None, None]
        assert list(store.paths()) == []

    @pytest.mark.parametrize("slot", list(Slot))
    def test_what_was_written_is_read(self, store: Store, slot: Slot) -> None:
        parts = {"id": Secret(b"public"), "secret": value()}
        version = store.write(PATH, slot, parts, LABELS, expected=0)
        held = store.read(PATH, slot)
        assert held is not None
        assert (dict(held.parts), held.version, dict(held.labels)) == (parts, version, LABELS)
        assert version != 0

    def test_slots_are_apart(self, store: Store) -> None:
        values = {slot: value() for slot in Slot}
        for slot, each in values.items():
            store.write(PATH, slot, {"secret": each}, {"slot": slot.value}, expected=0)
        for slot, each in values.items():
            held = store.read(PATH, slot)
            assert held is not None and held.parts == {"secret": each} and held.labels == {"slot": slot.value}

    def test_paths_are_apart(self, store: Store) -> None:
        one, two = value(), value()
        store.write(PATH, Slot.CURRENT, {"secret": one}, {}, expected=0)
        version = store.write(NEIGHBOUR, Slot.CURRENT, {"secret": two}, {}, expected=0)
        store.erase(NEIGHBOUR, Slot.CURRENT, expected=version)
        held = store.read(PATH, Slot.CURRENT)
        assert held is not None and held.parts == {"secret": one}
        assert store.read(NEIGHBOUR, Slot.CURRENT) is None

    def test_only_paths_with_a_current_value_are_listed(self, store: Store) -> None:
        store.write("lanes/b", Slot.CURRENT, {"secret": value()}, {}, expected=0)
        store.write("lanes/b/below", Slot.CURRENT, {"secret": value()}, {}, expected=0)
        store.write("a", Slot.CURRENT, {"secret": value()}, {}, expected=0)
        store.write("lanes/pending-only", Slot.PENDING, {"secret": value()}, {}, expected=0)
        store.write("lanes/previous-only", Slot.PREVIOUS, {"secret": value()}, {}, expected=0)
        assert sorted(store.paths()) == ["a", "lanes/b", "lanes/b/below"]

    @pytest.mark.parametrize("name", ODD_VALUES)
    def test_any_bytes_come_back_as_they_were(self, store: Store, name: str) -> None:
        parts = {"secret": Secret(ODD_VALUES[name]), "other": Secret(b"plain")}
        store.write(PATH, Slot.CURRENT, parts, LABELS, expected=0)
        held = store.read(PATH, Slot.CURRENT)
        assert held is not None and held.parts == parts and held.labels == LABELS

    def test_a_slot_without_parts(self, store: Store) -> None:
        version = store.write(PATH, Slot.PENDING, {}, LABELS, expected=0)
        held = store.read(PATH, Slot.PENDING)
        assert held is not None and (dict(held.parts), held.version) == ({}, version)

    def test_a_write_names_the_version_that_it_replaces(self, store: Store) -> None:
        first = store.write(PATH, Slot.CURRENT, {"secret": value(), "dropped": value()}, {"n": "1"}, expected=0)
        new = value()
        second = store.write(PATH, Slot.CURRENT, {"secret": new}, {"n": "2"}, expected=first)
        assert second not in (0, first)
        held = store.read(PATH, Slot.CURRENT)
        assert held is not None
        assert (dict(held.parts), held.version, dict(held.labels)) == ({"secret": new}, second, {"n": "2"})

    def test_a_write_at_another_version_changes_nothing(self, store: Store) -> None:
        kept, lost = value(), value()
        first = store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
        second = store.write(PATH, Slot.CURRENT, {"secret": kept}, {}, expected=first)
        for expected in (0, first, second + 1):
            with pytest.raises(StoreConflict):
                store.write(PATH, Slot.CURRENT, {"secret": lost}, {}, expected=expected)
        with pytest.raises(StoreConflict):
            store.write(NEIGHBOUR, Slot.CURRENT, {"secret": lost}, {}, expected=first)
        held = store.read(PATH, Slot.CURRENT)
        assert held is not None and (held.parts, held.version) == ({"secret": kept}, second)
        assert store.read(NEIGHBOUR, Slot.CURRENT) is None

    @pytest.mark.parametrize("slot", list(Slot))
    def test_an_erased_slot_is_empty(self, store: Store, opened: Opener, slot: Slot) -> None:
        version = store.write(PATH, slot, {"secret": value()}, LABELS, expected=0)
        version = store.write(PATH, slot, {"secret": value()}, LABELS, expected=version)
        store.erase(PATH, slot, expected=version)
        for each in (store, opened()):
            assert each.read(PATH, slot) is None
            assert list(each.paths()) == []
        store.erase(PATH, slot, expected=version)
        store.erase(PATH, slot, expected=0)
        again = value()
        store.write(PATH, slot, {"secret": again}, {}, expected=0)
        held = store.read(PATH, slot)
        assert held is not None and (held.parts, dict(held.labels)) == ({"secret": again}, {})

    def test_erasing_at_another_version_changes_nothing(self, store: Store) -> None:
        version = store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
        for expected in (0, version + 1):
            with pytest.raises(StoreConflict):
                store.erase(PATH, Slot.CURRENT, expected=expected)
        assert store.read(PATH, Slot.CURRENT) is not None

    def test_old_versions_are_destroyed(self, store: Store) -> None:
        assert store.destroy_old(PATH) == 0
        version, new = 0, value()
        for each in (value(), value(), new):
            version = store.write(PATH, Slot.CURRENT, {"secret": each}, LABELS, expected=version)
        assert store.destroy_old(PATH) == (2 if self.counts_versions else 0)
        assert store.destroy_old(PATH) == 0
        held = store.read(PATH, Slot.CURRENT)
        assert held is not None and (held.parts, held.version) == ({"secret": new}, version)

    def test_another_handle_sees_it(self, store: Store, opened: Opener) -> None:
        parts = {"secret": value()}
        version = store.write(PATH, Slot.PENDING, parts, LABELS, expected=0)
        held = opened().read(PATH, Slot.PENDING)
        assert held is not None and (held.parts, held.version, held.labels) == (parts, version, LABELS)

    def test_of_two_writers_one_wins(self, opened: Opener) -> None:
        handles = [opened() for _ in range(2 if not self.races else 6)]
        tries: list[SecretParts] = [{"secret": value()} for _ in handles]

        def attempt(number: int) -> int:
            try:
                return handles[number].write(PATH, Slot.PENDING, tries[number], {}, expected=0)
            except StoreConflict:
                return 0

        if self.races:
            with ThreadPoolExecutor(len(handles)) as pool:
                versions = list(pool.map(attempt, range(len(handles))))
        else:
            versions = [attempt(number) for number in range(len(handles))]
        winners = [number for number, version in enumerate(versions) if version]
        held = handles[0].read(PATH, Slot.PENDING)
        assert len(winners) == 1 and held is not None
        assert (held.parts, held.version) == (tries[winners[0]], versions[winners[0]])

    def test_threads_share_a_handle(self, store: Store) -> None:
        def work(number: int) -> bool:
            path, parts = f"lanes/thread/{number}", {"secret": value()}
            first = store.write(path, Slot.CURRENT, {"secret": value()}, {}, expected=0)
            version = store.write(path, Slot.CURRENT, parts, {}, expected=first)
            held = store.read(path, Slot.CURRENT)
            return held is not None and (held.parts, held.version) == (parts, version)

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(8)))
        assert len(list(store.paths())) == 8

    @pytest.mark.parametrize(
        "path", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\nb", "a\0b", "a#b", "keyward/pending/a", "x" * 401]
    )
    def test_a_path_that_means_something_else_is_refused(self, store: Store, path: str) -> None:
        for act in (
            lambda: store.read(path, Slot.CURRENT),
            lambda: store.write(path, Slot.CURRENT, {"secret": value()}, {}, expected=0),
            lambda: store.erase(path, Slot.CURRENT, expected=0),
            lambda: store.destroy_old(path),
        ):
            with pytest.raises(StoreError):
                act()

    @pytest.mark.parametrize("path", ["a", "Lanes/Prod/x.y-z_1", "größe/ключ", "with space/a b", "a+b/c*d", "a%2Fb/c?d&e=f"])
    def test_other_paths_are_kept_as_they_are(self, store: Store, path: str) -> None:
        parts = {"secret": value()}
        for slot in Slot:
            store.write(path, slot, parts, {}, expected=0)
        held = store.read(path, Slot.CURRENT)
        assert held is not None and held.parts == parts
        assert list(store.paths()) == [path]

    def test_a_part_cannot_pose_as_the_marker(self, store: Store) -> None:
        for name in ("", "_keyward"):
            with pytest.raises(StoreError):
                store.write(PATH, Slot.CURRENT, {name: value()}, {}, expected=0)

    def test_no_value_is_shown(self, store: Store) -> None:
        secret, other = value(), value()
        version = store.write(PATH, Slot.CURRENT, {"secret": secret}, LABELS, expected=0)
        texts = [repr(store), str(store), repr(vars(store)), repr(store.read(PATH, Slot.CURRENT)), repr(store.health())]
        for act in (
            lambda: store.write(PATH, Slot.CURRENT, {"secret": other}, {}, expected=version + 7),
            lambda: store.erase(PATH, Slot.CURRENT, expected=version + 7),
            lambda: store.write(PATH + "/", Slot.CURRENT, {"secret": other}, {}, expected=0),
        ):
            with pytest.raises(StoreError) as caught:
                act()
            texts.append(shown(caught.value))
        for text in texts:
            assert secret.reveal().decode() not in text and other.reveal().decode() not in text
