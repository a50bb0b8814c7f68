"""A value that must not leak by accident."""

from __future__ import annotations

from typing import Any, NoReturn


class Secret:
    """Bytes of a credential. Printing, formatting, pickling, copying or JSON-encoding it never shows the value.

    `reveal()` is the only way out, so that `grep -rn 'reveal()'` lists every place that handles a plain value.
    Two secrets compare equal when their bytes do; the hash is that of the bytes, salted by the process.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        object.__setattr__(self, "_value", bytes(value))

    def reveal(self) -> bytes:
        """The plain bytes."""
        value: bytes = self._value  # type: ignore[attr-defined]  # set through object.__setattr__
        return value

    def __len__(self) -> int:
        return len(self.reveal())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "Secret(…)"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret is frozen")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")

    def __iter__(self) -> NoReturn:
        raise TypeError("a Secret cannot be iterated")

    def __bytes__(self) -> NoReturn:
        raise TypeError("use reveal()")
