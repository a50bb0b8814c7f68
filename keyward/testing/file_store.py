"""A store in one plain JSON file, for crash tests only: it survives the killed child and shows what it was left with.

It is NOT for use: values lie in it as they are. It refuses to be made outside of a temporary folder.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from keyward.errors import StoreConflict, StoreError
from keyward.model.credential import SecretParts
from keyward.model.secret import Secret
from keyward.plugin.ports import Ports
from keyward.plugin.store import Health, Slot, Stored


class FileStore:
    """Every read and write is one call through the ports, so that the fences see it."""

    type = "test-file"

    def __init__(self, path: str, ports: Ports, name: str = "test") -> None:
        if not os.path.realpath(path).startswith(os.path.realpath(tempfile.gettempdir())):
            raise StoreError("the test store keeps values in plain text: only below a temporary folder")
        self.name, self._path, self._ports = name, path, ports

    def read(self, path: str, slot: Slot) -> Stored | None:
        data = self._ports.call("store read", "store", self._load, changes=False)
        held = data.get(f"{path}#{slot.value}")
        if held is None or held["parts"] is None:
            return None
        parts = {name: Secret(base64.b64decode(value)) for name, value in held["parts"].items()}
        return Stored(parts, held["version"], held["labels"])

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Mapping[str, str], *, expected: int) -> int:
        plain = {name: base64.b64encode(value.reveal()).decode() for name, value in parts.items()}
        return self._ports.call(
            f"store write {slot.value}", "store", lambda: self._put(path, slot, plain, dict(labels), expected), changes=True
        )

    def erase(self, path: str, slot: Slot, *, expected: int) -> None:
        if self.read(path, slot) is not None:
            self._ports.call(
                f"store erase {slot.value}", "store", lambda: self._put(path, slot, None, {}, expected), changes=True
            )

    def destroy_old(self, path: str) -> int:
        return 0

    def paths(self) -> Iterator[str]:
        for key, held in self._load().items():
            path, _, slot = key.rpartition("#")
            if slot == Slot.CURRENT.value and held["parts"] is not None:
                yield path

    def health(self) -> Health:
        return Health(True)

    def close(self) -> None:
        """Nothing is open."""

    def _load(self) -> dict[str, Any]:
        try:
            with open(self._path, "rb") as file:
                loaded: dict[str, Any] = json.loads(file.read() or b"{}")
                return loaded
        except FileNotFoundError:
            return {}

    def _put(self, path: str, slot: Slot, parts: dict[str, str] | None, labels: dict[str, str], expected: int) -> int:
        with open(self._path + ".lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            data = self._load()
            key = f"{path}#{slot.value}"
            held = data.get(key) or {"version": 0, "parts": None}
            present = held["version"] if held["parts"] is not None else 0
            if present != expected:
                raise StoreConflict(f"{path}: version {present} is there, {expected} was expected")
            data[key] = {"version": held["version"] + 1, "parts": parts, "labels": labels}
            with open(self._path + ".new", "w") as file:
                json.dump(data, file)
            os.replace(self._path + ".new", self._path)
            return int(held["version"]) + 1
