"""A file that is one value from its first byte to its last, as systemd and Docker hand over credentials."""

from __future__ import annotations

from keyward.formats.document import Format
from keyward.formats.place import FormatError, Leaf, Path, Place


class Whole(Format):
    """The path is empty. A newline at the end belongs to the file, not to the value, unless the value has one itself."""

    name = "a file of one value"

    def leaves(self, data: bytes) -> list[Leaf]:
        value = data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data
        return [Leaf((), value, Place(0, len(value), "bare"))] if data else []

    def readings(self, data: bytes, path: Path) -> frozenset[bytes]:
        """With the newline at the end, and without it."""
        return frozenset((data, *(leaf.value for leaf in self.leaves(data)))) if data else frozenset()

    def replace(self, data: bytes, path: Path, value: bytes, old: bytes | None = None) -> bytes:
        if value in self.readings(data, path):
            return data
        if old == data or not data:
            return value
        leaf = self.leaves(data)[0]
        return value + (b"" if value.endswith(b"\n") else data[leaf.place.end :])

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        if data:
            raise FormatError("the file holds a value already")
        return value


WHOLE = Whole()
