"""What a store keeps for each credential: three slots, each written with check-and-set.

`current` is what consumers read, at the path that the lane names. `pending` holds a new value between its making and its
promotion, `previous` the one that is being replaced, until it is proved dead; both lie where the lane's own policy cannot read.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from keyward.model.credential import SecretParts


class Slot(enum.Enum):
    PENDING = "pending"
    CURRENT = "current"
    PREVIOUS = "previous"


class Stored(NamedTuple):
    """What a slot holds. `version`: what a write must name to replace it (never 0). `labels`: public facts written with the
    value: `rotation`, `lane`, `kind`, `public_id`, `written` (Unix seconds)."""

    parts: SecretParts
    version: int
    labels: Mapping[str, str] = {}


class Health(NamedTuple):
    """Whether a store can be used now. `detail`: one sentence, what to do where it cannot."""

    usable: bool
    detail: str = ""


class Store(Protocol):
    """All methods raise StoreDenied (not allowed), StoreUnavailable (sealed, gone, locked; `certain` says whether nothing was
    written) and StoreConflict (another version is there)."""

    name: str
    type: str

    def read(self, path: str, slot: Slot) -> Stored | None:
        """What a slot holds; None if it holds nothing."""
        ...

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Mapping[str, str], *, expected: int) -> int:
        """Replaces a slot that is at version `expected` (0: must be empty), and answers with the new version."""
        ...

    def erase(self, path: str, slot: Slot, *, expected: int) -> None:
        """Empties a slot, so that no older version of it can be read either. An empty one is no error."""
        ...

    def destroy_old(self, path: str) -> int:
        """Destroys every version of `current` but the newest, and answers with how many. 0 where a store keeps none."""
        ...

    def paths(self) -> Iterator[str]:
        """Every path that has a current value."""
        ...

    def health(self) -> Health:
        """Whether it can be used now; reads only."""
        ...

    def close(self) -> None: ...
