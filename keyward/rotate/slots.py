"""The three slots of one entry in its store, as one rotation sees them."""

from __future__ import annotations

from typing import NamedTuple

from keyward.errors import Halted, StoreConflict, StoreUnavailable
from keyward.model.credential import SecretParts
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.clock import Clock
from keyward.plugin.store import Slot, Store, Stored

RESERVED, ISSUED, KEPT = "reserved", "issued", "kept"
"""What a slot's `state` label says: held free for a value that comes, a new value, an old value."""

PATIENCE = 30.0
"""Seconds that a store which does not answer is waited for."""

_SENTINEL = {"reserved": Secret(b"1")}


class Slots(NamedTuple):
    """One entry's slots. `rotation`: whose writes are ours."""

    store: Store
    entry: Entry
    rotation: str
    clock: Clock

    def ours(self, slot: Slot, state: str = "") -> Stored | None:
        """What a slot holds, if this rotation wrote it (and with this state)."""
        held = self.store.read(self.entry.path, slot)
        if held is None or held.labels.get("rotation") != self.rotation:
            return None
        return held if not state or held.labels.get("state") == state else None

    def reserve(self) -> None:
        """Proves that the pending slot can be written, before anything is made that would have to go there."""
        held = self.store.read(self.entry.path, Slot.PENDING)
        if held is None:
            self.put(Slot.PENDING, _SENTINEL, RESERVED, "", expected=0)
        elif held.labels.get("rotation") != self.rotation:
            self._others(held, "pending")

    def pend(self, parts: SecretParts, public_id: str) -> None:
        """Puts the new value into the pending slot, over this rotation's own sentinel or earlier value."""
        held = self.store.read(self.entry.path, Slot.PENDING)
        if held is not None and held.labels.get("rotation") != self.rotation:
            self._others(held, "pending")
        self.put(Slot.PENDING, parts, ISSUED, public_id, expected=held.version if held else 0)

    def keep(self, old: SecretParts, public_id: str) -> None:
        """Puts the value that is being replaced into the previous slot."""
        held = self.store.read(self.entry.path, Slot.PREVIOUS)
        if held is not None and held.labels.get("rotation") == self.rotation:
            return
        if held is not None:
            self._others(held, "previous")
        self.put(Slot.PREVIOUS, old, KEPT, public_id, expected=0)

    def promote(self, expected: int) -> int:
        """Makes the pending value current, over version `expected`; answers with the new version."""
        done = self.ours(Slot.CURRENT, ISSUED)
        if done is not None:
            return done.version
        pending = self.ours(Slot.PENDING, ISSUED)
        if pending is None:
            raise Halted(f"{self.entry.ref}: the store's pending slot is empty", hint="Somebody removed it. Run: keyward abort")
        return self.put(Slot.CURRENT, pending.parts, ISSUED, pending.labels.get("public_id", ""), expected=expected)

    def erase(self, slot: Slot) -> None:
        """Empties a slot that this rotation wrote."""
        held = self.ours(slot)
        if held is not None:
            self.store.erase(self.entry.path, slot, expected=held.version)

    def put(self, slot: Slot, parts: SecretParts, state: str, public_id: str, *, expected: int) -> int:
        """Writes with check-and-set, and waits for a store that does not answer. A conflict with our own earlier write, whose
        answer was lost, is that write's success."""
        labels = {
            "rotation": self.rotation,
            "lane": self.entry.lane,
            "name": self.entry.name,
            "kind": str(self.entry.kind),
            "public_id": public_id,
            "state": state,
            "written": str(int(self.clock.now())),
        }
        deadline = self.clock.monotonic() + PATIENCE
        while True:
            try:
                return self.store.write(self.entry.path, slot, parts, labels, expected=expected)
            except StoreConflict:
                held = self.ours(slot, state)
                if held is not None and dict(held.parts) == dict(parts):
                    return held.version
                raise
            except StoreUnavailable:
                if self.clock.monotonic() >= deadline:
                    raise
                self.clock.sleep(1.0)

    def _others(self, held: Stored, slot: str) -> None:
        other = held.labels.get("rotation", "")
        hint = (
            f"Finish it first: keyward resume {other}, or keyward abort {other}" if other else "Look at it in the store first."
        )
        raise Halted(f"{self.entry.ref}: the store's {slot} slot belongs to {other or 'something else'}", hint=hint)
