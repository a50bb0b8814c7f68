"""Takes a rotation back to a safe state: the old one in use as before, the new one gone. Not possible once the old one died."""

from __future__ import annotations

from keyward.errors import Halted, KeywardError
from keyward.model.credential import NO_PARTS, SecretParts
from keyward.model.rotation import ABORT, DISTRIBUTE, DONE, ISSUE, PLAN, PROMOTE, QUARANTINE, REVOKE, Aborted, Outcome, Stopped
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
        check(rotation)
        if journal.last(ABORT, SEEN) is None:
            if journal.last(ABORT, INTENT) is None:
                journal.intent(ABORT)
            journal.seen(ABORT, detail=_take_back(rotation))
        done = journal.last(ABORT, SEEN)
        planned = journal.last(PLAN, SEEN)
        before = "the old one is in use as before" if planned is None or planned.ids["has_old"] else "there is none, as before"
        return Aborted(journal.rotation, ref, f"{before}; {done.ids['detail'] if done else ''}")
    except KeywardError as error:
        reason, hint = rotation.inert(str(error)), rotation.inert(error.hint)
    except Exception as error:  # a rotator, store or consumer is somebody's code; its text may quote a value
        reason, hint = f"{type(error).__name__} while it was taken back", f"Run: keyward abort {journal.rotation}"
    return Stopped(journal.rotation, ref, ABORT, reason, hint, rotation.changed)


def check(rotation: Rotation) -> None:
    """Whether a rotation can be taken back; reads only. Raises Halted, with the next step, where it cannot."""
    journal = rotation.journal
    rotation.check_configuration()
    if journal.last(DONE, SEEN) is not None:
        raise Halted(f"{rotation.entry.ref}: this rotation is done", hint="Rotate again to replace the new one.")
    if journal.last(ABORT, INTENT) is None and journal.last(ABORT, SEEN) is None:
        _check_way_back(rotation)


def _check_way_back(rotation: Rotation) -> None:
    """Raises Halted where giving the old one back would leave nobody with a working credential."""
    journal, slots, capabilities = rotation.journal, rotation.slots, rotation.parties.capabilities
    planned = journal.last(PLAN, SEEN)
    if planned is None:
        return
    forward = f"Run: keyward resume {journal.rotation}"
    issued, given = journal.last(ISSUE, INTENT) is not None, journal.last(DISTRIBUTE, INTENT) is not None
    # where the service reads the value from its own configuration, giving that back brings the old one back to life
    dies_at_issue = capabilities.overlap is Overlap.NONE and not capabilities.applied_by_consumers
    if journal.last(REVOKE, INTENT) is not None or (dies_at_issue and issued and not _never_applied(rotation)):
        raise Halted(f"{rotation.entry.ref}: {NO_WAY_BACK}", hint=forward)
    old = slots.ours(Slot.PREVIOUS, KEPT)
    if planned.ids["has_old"] and old is None:
        raise Halted(f"{rotation.entry.ref}: the store no longer has the value that is being replaced", hint=forward)
    if given and not planned.ids["has_old"]:
        raise Halted(f"{rotation.entry.ref}: there is no old one, and consumers have the new one", hint=forward)
    if journal.last(PROMOTE, SEEN) is not None and slots.ours(Slot.CURRENT, ISSUED) is None:
        hint = "Restore the version that this rotation wrote, then resume or abort."
        raise Halted(f"{rotation.entry.ref}: somebody replaced the new value in the store; consumers may have it", hint=hint)
    if not given or journal.last(QUARANTINE, INTENT) is not None or capabilities.applied_by_consumers:
        return
    if rotation.parties.verify is not None and old is not None and not _lives(rotation, old.parts):
        reason = "the old one is not accepted any more, and consumers have the new one"
        raise Halted(f"{rotation.entry.ref}: {reason}", hint=forward)


def _never_applied(rotation: Rotation) -> bool:
    """Whether the provider still takes the old one, and not the new one: what was asked of it was not done."""
    old, new = rotation.slots.ours(Slot.PREVIOUS, KEPT), rotation.slots.ours(Slot.PENDING, ISSUED)
    return old is not None and _lives(rotation, old.parts) and (new is None or not _lives(rotation, new.parts))


def _lives(rotation: Rotation, parts: SecretParts) -> bool:
    verify = rotation.parties.verify
    return verify is not None and isinstance(verify(rotation.parties.credential(parts)), Live)


def _take_back(rotation: Rotation) -> str:
    journal, slots, parties = rotation.journal, rotation.slots, rotation.parties
    planned = journal.last(PLAN, SEEN)
    if planned is None:
        slots.erase(Slot.PREVIOUS)
        return "nothing had been changed"
    previous = slots.ours(Slot.PREVIOUS, KEPT)
    current, pending = slots.ours(Slot.CURRENT, ISSUED), slots.ours(Slot.PENDING, ISSUED)
    new = current or pending
    for held in (previous, new):
        rotation.inert.learn(held.parts if held else NO_PARTS)
    if journal.last(QUARANTINE, INTENT) is not None and previous is not None:
        parties.rotator.enable(rotation.job, planned.ids["old"], previous.parts)
        parties.forget(previous.parts)
    if current is not None and planned.ids["has_old"]:
        if previous is None:
            raise Halted(f"{rotation.entry.ref}: the store no longer has the value that is being replaced")
        _return_consumers(rotation, previous.parts, current.parts)
        # it must be found again to be killed, whatever is interrupted
        slots.pend(current.parts, current.labels.get("public_id", ""))
        slots.put(Slot.CURRENT, previous.parts, KEPT, planned.ids["old"], expected=current.version)
    if new is not None:
        _kill_new(rotation, new.labels.get("public_id", ""), new.parts, planned.ids["old"])
    elif parties.rotator.manual is None and parties.rotator.origin is Origin.MINTED:
        orphans.clear(parties, rotation.job, journal)
    if not planned.ids["has_old"]:
        slots.erase(Slot.CURRENT)
    slots.erase(Slot.PENDING)
    slots.erase(Slot.PREVIOUS)
    if new is not None and parties.rotator.manual is not None:
        return "the new one was made by a person, who must delete it at the provider"
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
    if rotator.origin is Origin.CHOSEN and rotation.parties.capabilities.overlap is Overlap.NONE:
        return  # it was never applied, or its consumers have been given the old one again
    if rotator.manual is None and (rotator.origin is Origin.CHOSEN or id != old_id):
        rotator.revoke(rotation.job, id, parts)
