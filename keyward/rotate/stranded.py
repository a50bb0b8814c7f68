"""Values in an entry's pending and previous slots that no rotation can be resumed for: its journal was lost or damaged.

Nothing is thrown away on a guess. A value is let go of when it is no value (the sentinel of a rotation), a copy of the current one, or
refused by the provider; one that the provider takes, beside the current one, is revoked there first, and only if no consumer uses it;
and where it is the only one that still works, it becomes the current one. What nobody can tell stays where it is.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from keyward.errors import Halted, KeywardError, Refused
from keyward.model.credential import NO_PARTS, SecretParts
from keyward.model.verdict import Dead, Live
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.store import Slot, Stored
from keyward.rotate.asking import Asking, said
from keyward.rotate.parties import Parties
from keyward.rotate.slots import RESERVED

SLOTS = (Slot.PENDING, Slot.PREVIOUS)


class Way(enum.Enum):
    """What is to be done with a slot."""

    FREE = "free it"
    REVOKE = "revoke it at the provider, then free the slot"
    PROMOTE = "make it the current one: it is the only one that works"
    KEEP = "keep it"


class Stranded(NamedTuple):
    """One slot. `id`: at the provider, empty where nobody can tell. `written`: Unix seconds, 0 where nothing says. `why`: a sentence."""

    slot: Slot
    rotation: str
    state: str
    id: str
    written: float
    version: int
    way: Way
    why: str


def look(parties: Parties) -> list[Stranded]:
    """What stands in the slots, and what is to be done with each. Reads only. Raises StoreError."""
    store, path = parties.store, parties.entry.path
    current = store.read(path, Slot.CURRENT)
    found = []
    for slot in SLOTS:
        held = store.read(path, slot)
        if held is not None:
            way, why, id = _judge(parties, held, current)
            labels = held.labels
            written = labels.get("written", "")
            found.append(
                Stranded(
                    slot=slot,
                    rotation=labels.get("rotation", ""),
                    state=labels.get("state", ""),
                    id=id or labels.get("public_id", ""),
                    written=float(written) if written.isdigit() else 0.0,
                    version=held.version,
                    way=way,
                    why=why,
                )
            )
    return found


def _judge(parties: Parties, held: Stored, current: Stored | None) -> tuple[Way, str, str]:
    """The way, why, and the id where it matters."""
    if held.labels.get("state") == RESERVED:
        return Way.FREE, "no value came: the slot was only held free", ""
    if current is not None and dict(held.parts) == dict(current.parts):
        return Way.FREE, "it is a copy of the current one", ""
    if parties.verify is None:
        return Way.KEEP, "nobody can be asked what it is; look who uses it, then delete it in the store by hand", ""
    verdict = parties.verify(parties.credential(held.parts))
    if isinstance(verdict, Dead):
        return Way.FREE, "the provider refuses it", ""
    if not isinstance(verdict, Live):
        return Way.KEEP, f"what it is cannot be told: {said(verdict)}", ""
    of_current = parties.verify(parties.credential(current.parts)) if current is not None else None
    if of_current is None or isinstance(of_current, Dead):
        return Way.PROMOTE, "the provider takes it, and not the current one", ""
    if not isinstance(of_current, Live):
        return Way.KEEP, f"the provider takes it, and of the current one nobody can tell: {said(of_current)}", ""
    assert current is not None
    return _beside_current(parties, held, current)


def _beside_current(parties: Parties, held: Stored, current: Stored) -> tuple[Way, str, str]:
    """Of one that works, as the current one does."""
    users = [placed.spec.name for placed in parties.consumers if _holds(parties, placed.consumer, held.parts, current.parts)]
    if users:
        return Way.KEEP, f"the provider takes it, and {', '.join(users)} may use it: give the current one there first", ""
    try:
        id = _exact_id(parties, held, current)
    except KeywardError as error:
        return Way.KEEP, f"the provider takes it, and its id cannot be told for sure: {error}", ""
    return Way.REVOKE, "the provider takes it, beside the current one, which the consumers have", id


def _holds(parties: Parties, consumer: Consumer, held: SecretParts, current: SecretParts) -> bool:
    """Whether a consumer may hold a value: it does, or it cannot be asked."""
    entry = parties.entry
    values = Values(entry.lane, entry.name, f"{entry.store}:{entry.path}", held, current)
    try:
        return consumer.holds(values) is not Holds.NEW
    except KeywardError:
        return True


def _exact_id(parties: Parties, held: Stored, current: Stored) -> str:
    """Its id at the provider. Raises Refused where it might be another one's."""
    rotator, job = parties.rotator, parties.job("")
    if rotator.manual is not None or not rotator.revokes:
        raise Refused("only a person can revoke it; once it is dead, the slot can be freed")
    id = rotator.identify(job, held.parts)
    if id == rotator.identify(job, current.parts):
        raise Refused(f"it has the id of the current one ({id})")
    return id


def settle(parties: Parties, each: Stranded) -> str:
    """Does what `look` said of a slot, if that still holds, and answers with what was done. Raises Halted where it does not."""
    store, path = parties.store, parties.entry.path
    held = store.read(path, each.slot)
    if held is None or held.version != each.version:
        raise Halted(f"{parties.entry.ref}: somebody wrote the {each.slot.value} slot meanwhile", hint="Look at it again.")
    done = "freed"
    if each.way is Way.REVOKE:
        rotator, job = parties.rotator, parties.job("")
        rotator.revoke(job, each.id, held.parts)
        rotator.end_sessions(job, each.id, held.parts)
        if not isinstance(Asking(parties, each.rotation).poll(held.parts, Dead), Dead):
            raise Halted(f"{parties.entry.ref}: {each.id} was revoked, and is not refused yet", hint="Try again in a minute.")
        done = f"{each.id} was revoked, and the slot freed"
    elif each.way is Way.PROMOTE:
        done = _promote(parties, held)
    store.erase(path, each.slot, expected=each.version)
    return done


def _promote(parties: Parties, held: Stored) -> str:
    """Makes it the current one, and gives it to the consumers."""
    store, entry = parties.store, parties.entry
    current = store.read(entry.path, Slot.CURRENT)
    store.write(entry.path, Slot.CURRENT, held.parts, held.labels, expected=current.version if current else 0)
    former = current.parts if current else NO_PARTS
    values = Values(entry.lane, entry.name, f"{entry.store}:{entry.path}", former, held.parts)
    done = []
    for placed in parties.consumers:
        try:
            if placed.consumer.holds(values) is not Holds.NEW:
                placed.consumer.apply(values)
                placed.consumer.verify(values)
            done.append(f"{placed.spec.name} has it")
        except KeywardError as error:  # the next one must still be given it
            done.append(f"{placed.spec.name} could not be given it ({error})")
    return "; ".join(["it is the current one now", *done])
