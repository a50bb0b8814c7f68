"""Where the stores of the operator's lanes hold a value: in which entry, and in which of its three slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from keyward.errors import KeywardError
from keyward.flows.selecting import CurrentValues
from keyward.flows.workplace import Workplace
from keyward.model.lane import Entry
from keyward.plugin.store import Slot, Stored
from keyward.rotate.slots import RESERVED
from keyward.rotate.stranded import Stranded, Way, look

FREE_SLOTS = "keyward abort --free-slots"


class Held(NamedTuple):
    """One slot of one entry, and what stands in it."""

    entry: Entry
    slot: Slot
    stored: Stored


class Holders(NamedTuple):
    """`held`: by the name under which somebody asked. `read`: how many credentials of each store were looked at. `unread`: entries
    whose store could not be read, with the reason: they may hold it all the same."""

    held: Mapping[str, tuple[Held, ...]]
    read: Mapping[str, int]
    unread: tuple[tuple[Entry, str], ...]

    @property
    def doubt(self) -> str:
        """Why nobody can tell that no other entry uses a value; empty where that can be told."""
        return next((f"{entry.ref} may use it: {reason}" for entry, reason in self.unread), "")


def holders(place: Workplace, names: Callable[[Entry, Slot, Stored], tuple[str, ...]]) -> Holders:
    """Looks into every slot of every entry. `names`: under which names somebody asked for what stands there. Reads only."""
    reader = CurrentValues(place)
    held: dict[str, list[Held]] = {}
    read: dict[str, int] = {}
    unread: list[tuple[Entry, str]] = []
    for _, entry in place.operator.entries():
        place.registry.declared(entry.kind)  # its pack, and no other: to import them all takes a second
        try:
            for slot in (Slot.CURRENT, Slot.PREVIOUS, Slot.PENDING):
                stored = reader.of(entry, slot)
                if stored is not None and stored.parts and stored.labels.get("state") != RESERVED:
                    for name in names(entry, slot, stored):
                        held.setdefault(name, []).append(Held(entry, slot, stored))
            read[entry.store] = read.get(entry.store, 0) + 1
        except KeywardError as error:
            unread.append((entry, str(error)))
    return Holders({name: tuple(each) for name, each in held.items()}, read, tuple(unread))


class Reason(NamedTuple):
    """Why a value is not to be killed just so. `final`: nor with `--anyway`."""

    why: str
    hint: str
    final: bool = False


def reason_against(place: Workplace, held: tuple[Held, ...]) -> Reason | None:
    """Why what these slots hold must not be killed; None where nothing stands against it.

    What an unfinished rotation works with is that rotation's to keep or to kill. What is left in a slot without one is asked about as
    `keyward abort --free-slots` asks: the provider whether the current one works, and the consumers whether they have it.
    """
    for each in held:
        open_ones = place.begun.unfinished(each.entry.ref)
        if open_ones:
            rotation, ref = open_ones[-1].rotation, each.entry.ref
            return Reason(
                f"it is the {each.slot.value} value of {ref}, and rotation {rotation} is not finished",
                f"Run: keyward resume {rotation}, or keyward abort {rotation}.",
                final=True,
            )
    for each in held:
        if each.slot is Slot.CURRENT:
            ref = each.entry.ref
            return Reason(f"{ref} uses it now", f"Replace it: keyward rotate {ref}; or revoke it with --anyway.")
    return next((found for found in (_left_over(place, each) for each in held) if found is not None), None)


def _left_over(place: Workplace, each: Held) -> Reason | None:
    ref = each.entry.ref
    try:
        with place.visit():
            found = look(place.parties(place.operator.lane(each.entry.lane), each.entry))
    except KeywardError as error:
        return Reason(f"nobody can tell whether {ref} needs it: {error}", error.hint or "Or revoke it with --anyway.")
    way: Stranded | None = next((one for one in found if one.slot is each.slot), None)
    if way is None or way.way in (Way.FREE, Way.REVOKE):
        return None
    if way.way is Way.PROMOTE:
        return Reason(f"it is the only one of {ref} that works", f"Make it the current one: {FREE_SLOTS} {ref}")
    return Reason(
        f"it is the {each.slot.value} value of {ref}: {way.why}",
        f"See: {FREE_SLOTS} {ref} --dry-run; or revoke it with --anyway.",
    )
