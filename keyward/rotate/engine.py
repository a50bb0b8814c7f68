"""Replaces one credential, step by step, so that it can be killed anywhere and go on.

PLAN ▸ (QUARANTINE) ▸ RESERVE ▸ ISSUE ▸ PROVE ▸ PROMOTE ▸ DISTRIBUTE ▸ DRAIN ▸ REVOKE ▸ CONFIRM ▸ DONE

Each step asks "is it already so?", journals the intent, acts, and journals what it saw. A minted value goes into the store's
pending slot the moment it arrives; a chosen one before it is applied. The old one dies only when the new one has been proved,
stored and distributed. Which steps there are, and in which order, is data in the journal's first line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar

from keyward.errors import (
    ConsumerChanged,
    Halted,
    KeywardError,
    ProviderError,
    Refused,
    SlotsFull,
    StoreError,
    Throttled,
    Uncertain,
)
from keyward.model.credential import NO_PARTS, SecretParts
from keyward.model.rotation import (
    ABORT,
    CONFIRM,
    DISTRIBUTE,
    DONE,
    DRAIN,
    INCIDENT,
    ISSUE,
    NARROW,
    PLAN,
    PROMOTE,
    PROVE,
    QUARANTINE,
    RESERVE,
    REVOKE,
    STORE,
    Outcome,
    Stopped,
    WaitingHuman,
)
from keyward.model.verdict import Live
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.rotator import Issued, Origin, Overlap
from keyward.plugin.store import Slot
from keyward.rotate import orphans
from keyward.rotate.asking import MOST_ATTEMPTS, Asking, said
from keyward.rotate.ending import ending
from keyward.rotate.journal import INTENT, SEEN, Journal
from keyward.rotate.ledger import owed
from keyward.rotate.parties import Options, Parties, Placed, Tell, silent
from keyward.rotate.preflight import Preflight, preflight
from keyward.rotate.proving import BY_HAND, Proving
from keyward.rotate.redaction import Redaction
from keyward.rotate.rescue import Rescue, was_handed_over, way_out
from keyward.rotate.slots import ISSUED, KEPT, Slots


def steps_for(parties: Parties, options: Options, checked: Preflight) -> list[str]:
    """The steps in their order, for what the provider can do and what was asked for."""
    capabilities = parties.capabilities
    incident = options.mode == INCIDENT
    steps = []
    if incident and options.quarantine and checked.old_id and capabilities.reversible_disable:
        steps.append(QUARANTINE)
    steps += [RESERVE, ISSUE]
    if capabilities.applied_by_consumers:
        steps += [PROMOTE, DISTRIBUTE, PROVE]
    else:
        steps += [PROVE, PROMOTE, DISTRIBUTE]
    if checked.old:
        if not incident and capabilities.overlap is not Overlap.NONE and not checked.dead:
            steps.append(DRAIN)
        if capabilities.fallbacks:
            steps.append(NARROW)
        steps += [CONFIRM] if checked.dead else [REVOKE, CONFIRM]
    return [*steps, DONE]


class Rotation:
    """One rotation of one entry. The caller holds the entry's lock."""

    def __init__(self, parties: Parties, journal: Journal, options: Options | None = None, tell: Tell = silent) -> None:
        self.parties, self.journal, self.options = parties, journal, options or Options()
        self.entry, self.rotator, self.clock = parties.entry, parties.rotator, parties.clock
        self.slots = Slots(parties.store, parties.entry, journal.rotation, parties.clock)
        self.job = parties.job(journal.rotation)
        self.inert = Redaction(parties.admin)
        self.asks = Asking(parties, journal.rotation)
        self.proofs = Proving(parties, journal, self.asks)
        self._tell = tell
        self._step = PLAN

    def run(self) -> Outcome:
        """Goes on from where the journal stands until it is done, waits for a person, or cannot go on."""
        try:
            self.check_configuration()
            if self.journal.last(ABORT, INTENT) is not None:
                hint = f"Run: keyward abort {self.journal.rotation}"
                raise Halted(f"{self.entry.ref}: this rotation is being taken back", hint=hint)
            self._plan()
            for step in self._planned()["steps"]:
                self._step = step
                self._tell(self.entry.ref, step, "")
                outcome = self._actions[step](self)
                if outcome is not None:
                    return outcome
            raise AssertionError("the last step ends a rotation")
        except KeywardError as error:
            return self._stopped(self.inert(str(error)), self.inert(error.hint))
        except Exception as error:  # a rotator, store or consumer is somebody's code; its text may quote a value
            return self._stopped(f"{type(error).__name__} in {_module_of(error)}", self._resume_hint)

    def quarantine(self) -> None:
        """Plans, and stops the old one at once; `run` goes on from there. Raises what went wrong.

        Does nothing where that cannot be undone, where the old one is being revoked already, or where there is none.
        """
        self.check_configuration()
        self._plan()
        over = self.journal.last(ABORT, INTENT) or self.journal.last(REVOKE, INTENT) or self.journal.last(DONE, SEEN)
        if self._planned()["old"] and self.parties.capabilities.reversible_disable and not over:
            self._tell(self.entry.ref, QUARANTINE, "")
            self._quarantine()

    def _stopped(self, reason: str, hint: str) -> Stopped:
        try:
            self._tell(self.entry.ref, self._step, reason)
        except Exception:  # a listener that fails (a full disk, a closed terminal) must not hide why and where it stopped
            pass
        return Stopped(self.journal.rotation, self.entry.ref, self._step, reason, hint, self.changed)

    def check_configuration(self) -> None:
        """Raises Halted where the entry is not the one that this rotation began with: its ids mean something else elsewhere."""
        planned = self.journal.last(PLAN, SEEN)
        for what, now in self._identity().items():
            if planned is not None and planned.ids.get(what, now) != now:
                raise Halted(
                    f"{self.entry.ref}: its {what} was changed in the configuration after this rotation had begun",
                    hint=f"Put it back, and end the rotation: keyward resume {self.journal.rotation}, or keyward abort.",
                )

    def _identity(self) -> dict[str, Any]:
        entry = self.entry
        where = json.dumps(entry.target, sort_keys=True, default=dict)
        target = hashlib.sha256(where.encode()).hexdigest()[:16]
        return {"kind": str(entry.kind), "path": entry.path, "store": entry.store, "target": target}

    @property
    def changed(self) -> bool:
        """Whether anything outside may have been changed yet."""
        return any(line.phase == INTENT and line.step not in (PLAN, PROVE) for line in self.journal.lines)

    def _planned(self) -> dict[str, Any]:
        line = self.journal.last(PLAN, SEEN)
        assert line is not None
        return dict(line.ids)

    def _plan(self) -> None:
        if self.journal.last(PLAN, SEEN) is None:
            self._as_begun()
            checked = preflight(self.parties, self.options, self.journal.rotation)
            steps = steps_for(self.parties, self.options, checked)
            if self.options.agreed and tuple(steps) != self.options.agreed:
                raise Halted(f"{self.entry.ref}: it is not as it was when the plan was made", hint="Look at a new plan.")
            if self.journal.last(PLAN, INTENT) is None:
                self.journal.intent(
                    PLAN,
                    ref=self.entry.ref,
                    mode=self.options.mode,
                    leaked=self.options.leaked is not None,
                    withheld=sorted(self.options.withheld_hosts),
                    delete_first=self.options.delete_first,
                    quarantine=self.options.quarantine,
                    found=[spec._asdict() for spec in self.parties.found],
                )
            if checked.old:
                self.slots.keep(checked.old, checked.old_id)
            self.journal.seen(
                PLAN,
                ref=self.entry.ref,
                **self._identity(),
                mode=self.options.mode,
                steps=steps,
                old=checked.old_id,
                has_old=bool(checked.old),
                version=checked.version,
                known_as=list(self.parties.known_as(checked.old)),
                withheld=sorted(self.options.withheld_hosts),
                delete_first=self.options.delete_first,
            )

    def _as_begun(self) -> None:
        """What was asked for when it was begun holds after an interruption too: a compromised host stays one."""
        begun = self.journal.last(PLAN, INTENT)
        if begun is not None:
            self.options = self.options._replace(
                mode=begun.ids["mode"],
                withheld_hosts=self.options.withheld_hosts | frozenset(begun.ids.get("withheld", ())),
                delete_first=begun.ids.get("delete_first", False),
                quarantine=begun.ids.get("quarantine", False),
                agreed=(),
            )

    # the values, as the store holds them

    def _old(self) -> SecretParts:
        if not self._planned()["has_old"]:
            return NO_PARTS
        held = self.slots.ours(Slot.PREVIOUS, KEPT)
        if held is None:
            raise Halted(f"{self.entry.ref}: the store no longer has the value that is being replaced")
        return self.inert.learn(held.parts)

    def _new(self) -> Issued:
        held = self.slots.ours(Slot.CURRENT, ISSUED) or self.slots.ours(Slot.PENDING, ISSUED)
        if held is None:
            raise Halted(f"{self.entry.ref}: the store has no new value of this rotation", hint="Run: keyward abort")
        return Issued(held.labels.get("public_id", ""), self.inert.learn(held.parts))

    def _values(self) -> Values:
        new = self.slots.ours(Slot.CURRENT, ISSUED)
        if new is None:
            raise Halted(f"{self.entry.ref}: the new value is not current in the store")
        reference = f"{self.entry.store}:{self.entry.path}"
        self.inert.learn(new.parts)
        return Values(self.entry.lane, self.entry.name, reference, self._old(), new.parts, self.journal.rotation)

    # the steps

    def _quarantine(self) -> None:
        if self.journal.last(QUARANTINE, SEEN) is None:
            old = self._planned()["old"]
            self.journal.intent(QUARANTINE, id=old)
            parts = self._old()
            try:
                self.asks.patiently(lambda: self.rotator.disable(self.job, old, parts), again_if_uncertain=True)
            finally:
                self.parties.forget(parts)  # also where the reply was lost
            self.journal.seen(QUARANTINE, id=old)

    def _reserve(self) -> None:
        if self._is_stored():
            return
        if self.journal.last(PROVE, SEEN) or self.journal.last(PROMOTE, INTENT):
            # never a second one: consumers may have the first
            hint = "Restore the version that this rotation wrote, then resume."
            raise Halted(f"{self.entry.ref}: somebody replaced or removed the new value in the store", hint=hint)
        self.slots.reserve()
        if self.rotator.manual is None and self.rotator.origin is Origin.MINTED:
            self.asks.patiently(lambda: orphans.take_stock(self.parties, self.job, self.journal))

    def _is_stored(self) -> bool:
        """Whether the new one is safe. One that was revoked because its writing failed may stand there all the same."""
        held = self.slots.ours(Slot.PENDING, ISSUED) or self.slots.ours(Slot.CURRENT, ISSUED)
        revoked = {line.ids["id"] for line in self.journal.all(orphans.ORPHAN, INTENT)}
        return held is not None and (held.labels.get("public_id") or None) not in revoked

    def _issue(self) -> Outcome | None:
        if self.rotator.manual is not None:
            return self._wait_for_person()
        if self.rotator.origin is Origin.CHOSEN:
            self._apply_chosen()
        elif not self._is_stored():
            return self._handed() if was_handed_over(self.journal) else self._mint()
        return None

    def _handed(self) -> Outcome:
        return WaitingHuman(self.journal.rotation, self.entry.ref, ISSUE, way_out(self.journal, self.entry.store))

    def _wait_for_person(self) -> Outcome | None:
        if self._is_stored():
            if self.journal.last(ISSUE, SEEN) is None:  # it was killed between the store and the journal
                self.journal.seen(ISSUE, outcome="provided")
            return None
        assert self.rotator.manual is not None
        if self.journal.last(ISSUE, INTENT) is None:
            self.journal.intent(ISSUE, waiting="human")
        return WaitingHuman(self.journal.rotation, self.entry.ref, ISSUE, self.rotator.manual)

    def provide(self, parts: SecretParts) -> None:
        """The human's half of a manual reissue. Raises Refused for a value that is the old one, or does not live."""
        if self.journal.last(PROVE, SEEN) or self.journal.last(PROMOTE, INTENT):
            raise Refused(f"{self.entry.ref} was given its new value already", hint=self._resume_hint)
        self.inert.learn(parts)
        if dict(parts) == dict(self._old()):
            raise Refused("that is the old value", hint="Make a new one at the provider, then provide that.")
        verdict = self.asks.poll(parts, Live)
        if self.parties.verify is not None and not isinstance(verdict, Live):
            raise Refused(f"the provider does not accept this value: {said(verdict)}", hint="Check that it was copied whole.")
        self.slots.pend(parts, self._id_of_handed(parts))
        self.journal.seen(ISSUE, outcome="provided")

    def _id_of_handed(self, parts: SecretParts) -> str:
        """The id of the value that consumers were given when the store was gone; empty where a person made it. Raises Refused."""
        handed = self.journal.last(ISSUE, SEEN)
        if handed is None or not was_handed_over(self.journal):
            return ""
        if self.rotator.identify(self.job, parts) != handed.ids["new"]:
            raise Refused(
                f"{self.entry.ref}: this is another one than its consumers were given", hint="Read it at its consumer."
            )
        return str(handed.ids["new"])

    def _apply_chosen(self) -> None:
        applied = self.journal.last(ISSUE, SEEN)
        if applied is not None or self.slots.ours(Slot.CURRENT, ISSUED):
            return
        held = self.slots.ours(Slot.PENDING, ISSUED)
        if held is None:
            chosen = self.inert.learn(self.rotator.choose(self.job, self._old()))
            self.journal.intent(STORE)
            self.slots.pend(chosen, "")
            self.journal.seen(STORE)
        else:
            chosen = held.parts
        self.journal.intent(ISSUE)
        issued = self.asks.patiently(lambda: self.rotator.issue(self.job, chosen, self._old()), again_if_uncertain=True)
        self.slots.pend(issued.parts, issued.id)
        self.journal.seen(ISSUE, new=issued.id)

    def _mint(self) -> Outcome | None:
        for _ in range(MOST_ATTEMPTS):
            self.asks.patiently(lambda: orphans.clear(self.parties, self.job, self.journal))
            attempt = len(self.journal.all(ISSUE, INTENT)) + 1
            self.journal.intent(ISSUE, attempt)
            old = self._old()
            try:
                issued = self.inert.issued(self.rotator.issue(self.job, NO_PARTS, old))
            except Throttled as error:
                self.journal.seen(ISSUE, attempt, outcome="throttled")
                self.asks.pause(error)
                continue
            except SlotsFull:
                self.journal.seen(ISSUE, attempt, outcome="full")
                planned = self._planned()
                if not planned["delete_first"] or not planned["old"] or self.journal.last(REVOKE, SEEN):
                    raise
                self._revoke(proved=False)
                continue
            except ProviderError as error:
                self.journal.seen(ISSUE, attempt, outcome="refused" if error.certain else "lost")
                if error.certain:
                    raise
                continue
            return self._store_minted(issued, attempt, old)
        raise Uncertain(f"{self.entry.ref}: the provider did not answer {MOST_ATTEMPTS} times", hint=self._resume_hint)

    def _store_minted(self, issued: Issued, attempt: int, old: SecretParts) -> Outcome | None:
        """Stores first, journals then: the value exists nowhere else. What cannot be stored is revoked at once, unless the old one is
        dead: see `rescue`."""
        rolled = self.parties.capabilities.overlap is Overlap.NONE
        if issued.id == self._planned()["old"] and not rolled:
            raise Halted(f"{self.entry.ref}: the provider answered with the id of the old one", hint="Nothing was revoked.")
        try:
            if not rolled:
                self.slots.pend(issued.parts, issued.id)
            else:
                rescue = Rescue(self.parties, self.journal, self.slots, self.inert, self._tell, old, issued)
                lost = rescue.into_store()
                if lost is not None:
                    if not rescue.into_consumers(self.options.withheld_hosts.union(self._planned()["withheld"]), attempt):
                        raise lost
                    return self._handed()
        except StoreError:
            self.journal.intent(orphans.ORPHAN, id=issued.id)
            self.asks.patiently(lambda: self.rotator.revoke(self.job, issued.id, issued.parts))
            self.journal.seen(orphans.ORPHAN, id=issued.id)
            self.journal.seen(ISSUE, attempt, outcome="refused")
            raise
        self.journal.seen(ISSUE, attempt, outcome="made", new=issued.id)
        return None

    def _prove(self) -> None:
        self.proofs.prove(lambda: self._new().parts)

    def _promote(self) -> None:
        if self.journal.last(PROMOTE, SEEN) is not None:
            return
        self.journal.intent(PROMOTE)
        version = self.slots.promote(int(self._planned()["version"]))
        self.slots.erase(Slot.PENDING)
        self.journal.seen(PROMOTE, version=version)

    def _distribute(self) -> None:
        withheld = self.options.withheld_hosts.union(self._planned()["withheld"])
        for placed in self.parties.consumers:
            done = {line.ids["consumer"] for line in self.journal.all(DISTRIBUTE, SEEN)}
            if self.parties.name(placed) in done:
                continue
            if placed.spec.host and placed.spec.host in withheld:
                self.journal.seen(DISTRIBUTE, consumer=self.parties.name(placed), withheld=placed.spec.host)
                continue
            self._tell(self.entry.ref, DISTRIBUTE, placed.spec.name)
            self._give(placed)

    def _give(self, placed: Placed) -> None:
        values = self._values()
        holds = placed.consumer.holds(values)
        if holds is Holds.OTHER:
            raise ConsumerChanged(
                f"{placed.spec.name} holds neither the old nor the new value",
                hint=f"Nothing was revoked. Put the place right, then run: keyward resume {self.journal.rotation}",
            )
        name = self.parties.name(placed)
        self.journal.intent(DISTRIBUTE, consumer=name, holds=holds.value)
        what = placed.consumer.apply(values) if holds is not Holds.NEW else "has it already"
        proof = placed.consumer.verify(values)
        self.journal.seen(DISTRIBUTE, consumer=name, done=self.inert(what), verified=self.inert(proof))

    def _drain(self) -> None:
        if self.journal.last(DRAIN, SEEN) is not None:
            return
        begun = self.journal.last(DRAIN, INTENT)
        until = float(begun.ids["until"]) if begun else self.clock.now() + self.entry.drain
        if begun is None:
            self.journal.intent(DRAIN, until=until)
        left = min(until - self.clock.now(), self.entry.drain)  # a clock that was put back does not make it longer
        if left > 0:
            self._tell(self.entry.ref, DRAIN, f"{left:.0f} s")
            self.clock.sleep(left)
        self.journal.seen(DRAIN)

    def _narrow(self) -> None:
        """Consumers that hold [new, old] are told to hold the new one alone: with no old value, `apply` writes just that."""
        values = self._values()._replace(old=NO_PARTS) if self.journal.last(REVOKE, SEEN) is None else None
        done = {line.ids["consumer"] for line in self.journal.all(NARROW, SEEN)}
        withheld = owed(self.journal)
        for placed in self.parties.consumers:
            name = self.parties.name(placed)
            if values is None or name in done or name in withheld:
                continue
            self.journal.intent(NARROW, consumer=name)
            what = self.inert(placed.consumer.apply(values))
            self.journal.seen(NARROW, consumer=name, done=what, verified=self.inert(placed.consumer.verify(values)))

    def _revoke(self, *, proved: bool = True) -> None:
        if self.journal.last(REVOKE, SEEN) is not None:
            return
        old_id, old = self._planned()["old"], self._old()
        if proved:
            self._still_safe(old_id, old)
        if not self.rotator.revokes or (self.rotator.manual is not None and not old_id):
            self.journal.seen(REVOKE, outcome=BY_HAND)
            return
        self.journal.intent(REVOKE, id=old_id)
        if self.rotator.origin is Origin.CHOSEN or not self._is_new(old_id):
            if self.parties.capabilities.reversible_disable:
                self.asks.patiently(lambda: self.rotator.disable(self.job, old_id, old), again_if_uncertain=True)
            self.asks.patiently(lambda: self.rotator.revoke(self.job, old_id, old), again_if_uncertain=True)
        self.asks.patiently(lambda: self.rotator.end_sessions(self.job, old_id, old), again_if_uncertain=True)
        self.journal.seen(REVOKE, id=old_id)

    def _still_safe(self, old_id: str, old: SecretParts) -> None:
        """The last look before something dies: the new one must be another one, current, and alive."""
        new = self._new()
        rolled = self.rotator.origin is Origin.CHOSEN or self.parties.capabilities.overlap is Overlap.NONE
        if dict(new.parts) == dict(old) or (not rolled and self._is_new(old_id)):
            raise Halted(f"{self.entry.ref}: the new one is the old one", hint="Nothing was revoked.")
        if self.slots.ours(Slot.CURRENT, ISSUED) is None:
            raise Halted(f"{self.entry.ref}: the new one is not current in the store", hint="Nothing was revoked.")
        self.proofs.still_lives(new.parts)

    def _is_new(self, id: str) -> bool:
        """Whether an id is the new one's: a credential that is rolled in place keeps its id."""
        held = self.slots.ours(Slot.CURRENT, ISSUED) or self.slots.ours(Slot.PENDING, ISSUED)
        return bool(id) and held is not None and held.labels.get("public_id") == id

    def _confirm(self) -> Outcome | None:
        return self.proofs.confirm(self._old, self._values, self.options.attested_by)

    def _done(self) -> Outcome:
        if self.journal.last(DONE, SEEN) is None:
            if self.rotator.manual is None and self.rotator.origin is Origin.MINTED:
                self.asks.patiently(lambda: orphans.sweep(self.parties, self.job, self.journal, (self._new().id,)))
            self.slots.erase(Slot.PENDING)
            self.slots.erase(Slot.PREVIOUS)
            self.parties.store.destroy_old(self.entry.path)
            self.journal.seen(DONE)
        hosts = {self.parties.name(placed): placed.spec.host for placed in self.parties.consumers}
        return ending(self.journal, self.entry.ref, hosts, provider_asked=self.parties.verify is not None)

    _actions: ClassVar[dict[str, Callable[[Rotation], Outcome | None]]] = {
        QUARANTINE: _quarantine,
        RESERVE: _reserve,
        ISSUE: _issue,
        PROVE: _prove,
        PROMOTE: _promote,
        DISTRIBUTE: _distribute,
        DRAIN: _drain,
        NARROW: _narrow,
        REVOKE: _revoke,
        CONFIRM: _confirm,
        DONE: _done,
    }

    @property
    def _resume_hint(self) -> str:
        return f"Run: keyward resume {self.journal.rotation}"


def _module_of(error: BaseException) -> str:
    """The module that raised, for a bug report; never the text, which may quote a value."""
    trace = error.__traceback__
    name = ""
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        trace = trace.tb_next
    return name
