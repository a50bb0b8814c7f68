"""Credentials in this process's memory: for tests and dry runs. Nothing is written anywhere; several threads may use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from keyward.model.credential import SecretParts
from keyward.plugin.store import Health, Slot, Stored
from keyward.stores.encoding import check_path, conflict, to_fields


class MemoryStore:
    """A store that is gone with the process. Versions count over the whole store, so none comes twice."""

    type = "memory"

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, Slot], Stored] = {}
        self._last = 0

    def read(self, path: str, slot: Slot) -> Stored | None:
        check_path(path)
        with self._lock:
            return self._slots.get((path, slot))

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Mapping[str, str], *, expected: int) -> int:
        check_path(path)
        to_fields(parts, labels)  # refuses what no other store would take
        with self._lock:
            self._check(path, slot, expected)
            self._last += 1
            self._slots[path, slot] = Stored(dict(parts), self._last, dict(labels))
            return self._last

    def erase(self, path: str, slot: Slot, *, expected: int) -> None:
        check_path(path)
        with self._lock:
            if (path, slot) in self._slots:
                self._check(path, slot, expected)
                del self._slots[path, slot]

    def destroy_old(self, path: str) -> int:
        check_path(path)
        return 0

    def paths(self) -> Iterator[str]:
        with self._lock:
            found = sorted(path for path, slot in self._slots if slot is Slot.CURRENT)
        return iter(found)

    def health(self) -> Health:
        return Health(True)

    def close(self) -> None:
        """Keeps what it has: it may be opened by another hand."""

    def _check(self, path: str, slot: Slot, expected: int) -> None:
        held = self._slots.get((path, slot))
        found = held.version if held else 0
        if found != expected:
            raise conflict(path, slot, expected, found)
