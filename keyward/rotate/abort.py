"""Takes a rotation back to a safe state: the old one in use as before, the new one gone. Not possible once the old one died."""

from __future__ import annotations

from keyward.errors import Halted, KeywardError
from keyward.model.credential import SecretParts
from keyward.model.rotation import ABORT, DISTRIBUTE, DONE, ISSUE, PLAN, QUARANTINE, REVOKE, Aborted, Outcome, Stopped
from keyward.model.verdict import Live
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.rotator import Origin, Overlap
from keyward.plugin.store import Slot
from keyward.rotate import orphans
from keyward.rotate.engine import Rotation
from keyward.rotate.journal import INTENT, SEEN
from keyward.rotate.slots import ISSUED, KEPT

NO_WAY_BACK = "the old one may be dead already: the only way is forward"


def abort(rotation: Rotation) -> Outcome:
    """Takes back what a rotation did, in reverse. Idempotent: an interrupted abort is aborted again."""
    journal, ref = rotation.journal, rotation.entry.ref
    try:
        if journal.last(DONE, SEEN) is not None:
            raise Halted(f"{ref}: this rotation is done", hint="Rotate again to replace the new one.")
        if journal.last(ABORT, SEEN) is None:
            if journal.last(ABORT, INTENT) is None:
                _check_way_back(rotation)
                journal.intent(ABORT)
            detail = _take_back(rotation)
            journal.seen(ABORT, detail=detail)
        return Aborted(journal.rotation, ref, "the old one is in use as before")
    except KeywardError as error:
        return Stopped(journal.rotation, ref, ABORT, str(error), error.hint, rotation.changed)


def _check_way_back(rotation: Rotation) -> None:
    journal = rotation.journal
    died_at_issue = rotation.parties.capabilities.overlap is Overlap.NONE or rotation.parties.capabilities.applied_by_consumers
    if journal.last(REVOKE, INTENT) is not None or (died_at_issue and journal.last(ISSUE, INTENT) is not None):
        raise Halted(f"{rotation.entry.ref}: {NO_WAY_BACK}", hint=f"Run: keyward resume {journal.rotation}")
    verify = rotation.parties.verify
    old = rotation.slots.ours(Slot.PREVIOUS, KEPT)
    if verify is None or old is None or journal.last(QUARANTINE, INTENT) is not None:
        return
    if journal.last(DISTRIBUTE, INTENT) is not None:
        verdict = verify(rotation.parties.credential(old.parts))
        if not isinstance(verdict, Live):
            raise Halted(
                f"{rotation.entry.ref}: the old one is not accepted any more, and consumers have the new one",
                hint=f"Run: keyward resume {journal.rotation}",
            )


def _take_back(rotation: Rotation) -> str:
    journal, slots, parties = rotation.journal, rotation.slots, rotation.parties
    if journal.last(PLAN, SEEN) is None:
        slots.erase(Slot.PREVIOUS)
        return "nothing had been changed"
    planned = journal.last(PLAN, SEEN)
    assert planned is not None
    previous = slots.ours(Slot.PREVIOUS, KEPT)
    current, pending = slots.ours(Slot.CURRENT, ISSUED), slots.ours(Slot.PENDING, ISSUED)
    new = current or pending
    if journal.last(QUARANTINE, INTENT) is not None and previous is not None:
        parties.rotator.enable(rotation.job, planned.ids["old"], previous.parts)
    if current is not None and previous is not None:
        _return_consumers(rotation, previous.parts, current.parts)
        slots.put(Slot.CURRENT, previous.parts, KEPT, planned.ids["old"], expected=current.version)
    if new is not None:
        _kill_new(rotation, new.labels.get("public_id", ""), new.parts, planned.ids["old"])
    elif parties.rotator.manual is None and parties.rotator.origin is Origin.MINTED:
        orphans.clear(parties, rotation.job, journal)
    slots.erase(Slot.PENDING)
    slots.erase(Slot.PREVIOUS)
    return "the new one was revoked" if new is not None else "no new one had been made"


def _return_consumers(rotation: Rotation, old: SecretParts, new: SecretParts) -> None:
    entry = rotation.entry
    values = Values(entry.lane, entry.name, f"{entry.store}:{entry.path}", old, new, rotation.journal.rotation)
    for placed in reversed(rotation.parties.consumers):
        if placed.consumer.holds(values) is Holds.NEW:
            placed.consumer.rollback(values)


def _kill_new(rotation: Rotation, id: str, parts: SecretParts, old_id: str) -> None:
    """Revokes the new one, unless it is the old one's own place (a password changed under the same user)."""
    rotator = rotation.parties.rotator
    if rotator.manual is None and (rotator.origin is Origin.CHOSEN or id != old_id):
        rotator.revoke(rotation.job, id, parts)
