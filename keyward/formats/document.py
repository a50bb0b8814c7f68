"""What every format can do: list the values of a file, and change the bytes of one of them.

After each change the file is read again: all other values must be what they were, in the same order, or the change is refused.
"""

from __future__ import annotations

from keyward.formats.place import FormatError, Leaf, Path, Place, format_path


class Format:
    """Base of the formats. Subclasses give `leaves` and `spell`; they hold no state.

    All methods raise FormatError for a file that is not of the format.
    """

    name = ""

    def leaves(self, data: bytes) -> list[Leaf]:
        """Every value, in the order of the file."""
        raise NotImplementedError

    def spell(self, data: bytes, leaf: Leaf, value: bytes) -> tuple[bytes, ...]:
        """How a value may be written at a leaf's place, the most like the old one first. Raises FormatError if in no way."""
        raise NotImplementedError

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        """The file with a value that it did not have. Raises FormatError where that cannot be done in place."""
        raise FormatError(f"{format_path(path)} is not there; add it to the file with an empty value")

    def build(self, values: dict[Path, bytes]) -> bytes:
        """A new file with these values. Raises FormatError where a format cannot begin with nothing."""
        data = b""
        for path, value in values.items():
            data = self.insert(data, path, value)
        return data

    def find(self, data: bytes, path: Path) -> Leaf | None:
        """The value that is in force at a path. Raises FormatError if the path names something that is no single value."""
        leaves = self.leaves(data)
        found = [leaf for leaf in leaves if self.same(leaf.path, path)]
        if len(found) > 1:
            raise FormatError(f"{format_path(path)} stands there {len(found)} times")
        if not found and any(self.same(leaf.path[: len(path)], path) for leaf in leaves):
            raise FormatError(f"{format_path(path)} is not a single value")
        return found[0] if found else None

    def same(self, one: Path, other: Path) -> bool:
        """Whether two paths name the same place."""
        return one == other

    def locate(self, data: bytes, path: Path) -> Place:
        """Where the value at a path is written. Raises FormatError if it is not there."""
        leaf = self.find(data, path)
        if leaf is None:
            raise FormatError(f"{format_path(path)} is not there")
        return leaf.place

    def read(self, data: bytes, path: Path) -> bytes | None:
        """The value at a path; None if it is not there."""
        leaf = self.find(data, path)
        return None if leaf is None else leaf.value

    def readings(self, data: bytes, path: Path) -> frozenset[bytes]:
        """What those who read the file may take the value at a path for: one, or several where readers differ, or none."""
        value = self.read(data, path)
        return frozenset() if value is None else frozenset((value,))

    def replace(self, data: bytes, path: Path, value: bytes, old: bytes | None = None) -> bytes:
        """The file with another value at a path, every other byte as it was. `old`: what stands there, where readers differ."""
        leaf = self.find(data, path)
        if leaf is None:
            raise FormatError(f"{format_path(path)} is not there")
        return self.replace_leaf(data, leaf, value)

    def replace_leaf(self, data: bytes, leaf: Leaf, value: bytes) -> bytes:
        """The same for one leaf that `leaves` gave."""
        if value == leaf.value:
            return data
        before = self.leaves(data)
        at = next((n for n, each in enumerate(before) if each == leaf), -1)
        for raw in self.spell(data, leaf, value):
            changed = data[: leaf.place.start] + raw + data[leaf.place.end :]
            if self._is_only_change(before, changed, at, value):
                return changed
        raise FormatError(f"{format_path(leaf.path)} cannot hold this value in any way that {self.name} has")

    def _is_only_change(self, before: list[Leaf], changed: bytes, at: int, value: bytes) -> bool:
        try:
            after = self.leaves(changed)
        except FormatError:
            return False
        if len(after) != len(before) or at < 0:
            return False
        return all(
            new.path == old.path and new.value == (value if number == at else old.value)
            for number, (old, new) in enumerate(zip(before, after))
        )
