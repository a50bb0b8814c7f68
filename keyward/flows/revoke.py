"""`keyward revoke`: kills leaked credentials that nothing needs any more, and proves them dead. Nothing new is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from keyward.errors import KeywardError, Refused, UsageError
from keyward.flows.holders import Held, Holders, Reason, holders, reason_against
from keyward.flows.leaked_parts import leaked_parts
from keyward.flows.project import find_root
from keyward.flows.workplace import Workplace
from keyward.match.fingerprint import is_fingerprint
from keyward.model.credential import Credential, SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.verdict import Dead, Live, Restricted, Verdict
from keyward.plugin.rotator import Job
from keyward.plugin.store import Slot, Stored
from keyward.rotate.audit import CallRecorder
from keyward.rotate.found import Report
from keyward.rotate.known_salts import known_salts, names_of
from keyward.rotate.lock import entry_lock
from keyward.rotate.replaced import Replaced, replaced
from keyward.scan.baseline import NAME, load

POLL = 1.0
"""Seconds between two questions whether it is dead."""


class Doomed(NamedTuple):
    """A credential that shall die: its parts, and the entry whose admin credential and target are used for it (`name` is the
    fingerprint where it was found). `held`: the slots of lane entries that hold it. `against`: why it must not be killed just so,
    if anything is."""

    name: str
    entry: Entry
    parts: SecretParts
    held: tuple[Held, ...] = ()
    against: Reason | None = None

    @property
    def in_use(self) -> str:
        """The lane entry that holds it now, empty if none does."""
        return next((each.entry.ref for each in self.held if each.slot is Slot.CURRENT), "")

    @property
    def where(self) -> str:
        """For a person: which slots hold it, empty if none does."""
        return ", ".join(f"{each.entry.ref} ({each.slot.value})" for each in self.held)

    def refusal(self, *, anyway: bool) -> Refused | None:
        """Why it is left alone, if it is."""
        if self.against is None or (anyway and not self.against.final):
            return None
        return Refused(self.against.why, hint=self.against.hint)


class Killed(NamedTuple):
    """What came of one. `dead`: whether the provider itself refuses it now. `detail`: one sentence."""

    name: str
    kind: str
    dead: bool
    detail: str


class Looked(NamedTuple):
    """What fingerprints name. `past`: those whose value is stored no more, because a rotation replaced it for good."""

    doomed: tuple[Doomed, ...]
    past: tuple[Replaced, ...] = ()


def from_stores(place: Workplace, wanted: Sequence[str], by: str = "") -> Looked:
    """Fingerprints, looked up in the slots of the operator's lanes and in the journals of rotations.

    Raises UsageError for one that is nowhere, naming the stores that were read, and those that could not be; Refused for one whose
    rotation is not finished.
    """
    for name in wanted:
        if not is_fingerprint(name):
            raise UsageError(f"{name!r} is no fingerprint", hint="Copy it whole from a report: kw1_ and 26 characters.")
    salts = _salts(place)
    asked = set(wanted)
    there = holders(
        place,
        lambda entry, slot, held: tuple(asked.intersection(names_of(place.registry.known(entry.kind), held.parts, salts))),
    )
    gone = replaced(place.state, place.clock) if asked - there.held.keys() else {}
    doomed: list[Doomed] = []
    past: list[Replaced] = []
    for name in dict.fromkeys(wanted):
        held = there.held.get(name, ())
        if held:
            doomed.append(_doomed(place, name, held[0].entry.kind, held[0].stored.parts, there, by))
        elif name not in gone:
            raise _nowhere(name, wanted, there)
        elif not gone[name].over:
            rotation = gone[name].rotation
            raise Refused(
                f"{name}: rotation {rotation} of {gone[name].ref} replaces it, and is not finished",
                hint=f"Run: keyward resume {rotation}, or keyward abort {rotation}.",
            )
        else:
            past.append(gone[name])
    return Looked(tuple(doomed), tuple(past))


def _salts(place: Workplace) -> tuple[bytes, ...]:
    """Those that are known, and that of the project around the current folder, if it has one of its own."""
    try:
        baseline = load(os.path.join(find_root("."), NAME))
    except KeywardError:
        baseline = None
    return tuple(dict.fromkeys((*known_salts(place.state), *((baseline.salt,) if baseline and baseline.salt else ()))))


def _nowhere(name: str, wanted: Sequence[str], there: Holders) -> KeywardError:
    read = ", ".join(f"{store} ({count} credential{'s' * (count != 1)})" for store, count in there.read.items())
    unread = "; ".join(f"{entry.ref} could not be read: {reason}" for entry, reason in there.unread)
    text = f"no lane holds {name}, and no rotation replaced it: read {read or 'no store'}"
    hint = (
        f"Name the report that found it: keyward revoke {' '.join(wanted)} --leaked report.jsonl; or hand in the value: "
        "keyward revoke - --kind KIND"
    )
    # a store that is down is no mistake of the person who asks
    return Refused(f"{text}; {unread}", hint=hint) if unread else UsageError(text, hint=hint)


def from_report(place: Workplace, report: Report, wanted: Sequence[str], by: str = "") -> list[Doomed]:
    """Those of a report, or the named ones of it. `by`: `lane/name` whose admin credential and target are used; else the entry
    that holds it, else the first one of the same kind. Raises UsageError, Refused."""
    names = list(wanted) or list(report.fingerprints())
    known = set(report.fingerprints())
    for name in names:
        if name not in known:
            raise UsageError(f"the report has no finding {name}", hint="Copy a fingerprint from the report.")
    salts = (report.salt,)
    there = holders(place, lambda entry, slot, held: names_of(place.registry.known(entry.kind), held.parts, salts))
    doomed = []
    for name in names:
        kind = report.places(name)[0].kind
        parts = leaked_parts(report, name, place.registry.known(kind))
        doomed.append(_doomed(place, name, kind, parts, there, by))
    return doomed


def from_value(place: Workplace, kind: Kind, parts: SecretParts, by: str = "") -> Doomed:
    """A value that a person handed in."""
    name = "(standard input)"

    def names(entry: Entry, slot: Slot, held: Stored) -> tuple[str, ...]:
        # of the current one a part is enough: two passwords of one account are two values, and to kill the account stops both
        fits = any if slot is Slot.CURRENT else all
        same = entry.kind == kind and fits(held.parts.get(part) == value for part, value in parts.items())
        return (name,) if same else ()

    return _doomed(place, name, kind, parts, holders(place, names), by)


def _doomed(place: Workplace, name: str, kind: Kind, parts: SecretParts, there: Holders, by: str) -> Doomed:
    held = there.held.get(name, ())
    entry = held[0].entry if held and not by else _entry_for(place, kind, by)
    against = reason_against(place, held)
    if against is None and there.doubt:
        against = Reason(there.doubt, "Make its store readable; or revoke it with --anyway.")
    return Doomed(name, entry, parts, held, against)


def parts_of(place: Workplace, kind: Kind) -> list[str]:
    """The parts that a person must hand in to name a credential of a kind exactly. Raises UsageError for an unknown kind."""
    declared = place.registry.declared(kind)
    if declared is None:
        raise UsageError(f"there is no kind {kind!r}", hint="See them with: keyward rules list")
    return [*declared.public[:1], declared.identity[0]] if declared.public else [declared.identity[0]]


def _entry_for(place: Workplace, kind: Kind, by: str) -> Entry:
    if by:
        return place.operator.entry(by)._replace(kind=kind)
    for _, entry in place.operator.entries():
        if entry.kind == kind:
            return entry
    bare = Entry("", str(kind), kind, "", "")
    if place.rotator(bare).admin.parts and place.rotator(bare).manual is None:
        raise UsageError(
            f"nobody is known who may revoke a {kind}",
            hint="Name a credential of a lane whose admin may: --by LANE/NAME",
        )
    return bare


def revoke(
    place: Workplace, doomed: Sequence[Doomed], *, anyway: bool = False, tell: Callable[[str], None] = lambda text: None
) -> list[Killed]:
    """Kills each and asks the provider whether it is dead. One that a lane still uses is refused unless `anyway`.

    Never raises for one of them: what went wrong is its detail.
    """
    results = []
    for each in doomed:
        tell(each.name)
        try:
            refusal = each.refusal(anyway=anyway)
            if refusal is not None:
                raise refusal
            ref = each.held[0].entry.ref if each.held else f"revoke {each.name}"
            with entry_lock(place.state, ref, clock=place.clock):
                _still_so(place, each)
                results.append(_freed(place, each, _kill(place, each)))
        except KeywardError as error:
            results.append(Killed(each.name, str(each.entry.kind), False, error.told))
    return results


def _still_so(place: Workplace, each: Doomed) -> None:
    """Raises Refused where a slot was written since it was looked at, or a rotation of its entry was begun."""
    for held in each.held:
        entry = held.entry
        now = place.store(entry.store).read(entry.path, held.slot)
        if now is None or now.version != held.stored.version or place.begun.unfinished(entry.ref):
            raise Refused(f"{entry.ref}: somebody changes it at the same time", hint="Look again: keyward status")


def _freed(place: Workplace, each: Doomed, killed: Killed) -> Killed:
    """Empties the slots that held what is proved dead, but for a lane's current one: else no new rotation could begin over them."""
    said = killed.detail
    for held in each.held if killed.dead else ():
        if held.slot is not Slot.CURRENT:
            entry, slot = held.entry, held.slot.value
            try:
                place.store(entry.store).erase(entry.path, held.slot, expected=held.stored.version)
                place.audit.append("slots: done", ref=entry.ref, detail=f"{slot}: freed, its value is dead")
                said += f"; the {slot} slot of {entry.ref} was freed"
            except KeywardError as error:
                said += f"; the {slot} slot of {entry.ref} still holds it: {error}"
    return killed._replace(detail=said)


def _kill(place: Workplace, each: Doomed) -> Killed:
    entry, kind = each.entry, str(each.entry.kind)
    rotator, recorder = place.rotator(entry), CallRecorder()
    ports = place.ports(rotator.hosts(entry), place.gate(entry, rotator), recorder)
    job = Job(entry, ports, place.admin(entry))
    verify = place.verify(entry, (recorder,))
    before = verify(Credential(entry.kind, each.parts)) if verify else None
    if isinstance(before, Dead):
        return Killed(each.name, kind, True, f"it was dead already: {before.evidence.host} refuses it")
    if not rotator.revokes:
        steps, url = ("; ".join(rotator.manual.steps), rotator.manual.url) if rotator.manual else ("", "")
        return Killed(each.name, kind, False, f"a person must do it: {steps} {url}".strip())
    id = rotator.identify(job, each.parts)
    place.audit.append("revoke: begun", ref=each.in_use, detail=f"{kind} {each.name}", calls=recorder.take())
    if rotator.capabilities_for(entry).reversible_disable:
        rotator.disable(job, id, each.parts)
    rotator.revoke(job, id, each.parts)
    rotator.end_sessions(job, id, each.parts)
    verdict = _until_dead(place, each, rotator.capabilities_for(entry).propagation) if verify else None
    dead = isinstance(verdict, Dead)
    evidence = [verdict.evidence._asdict()] if isinstance(verdict, (Dead, Live, Restricted)) else []
    place.audit.append(
        "revoke: proved" if dead else "revoke: not proved",
        ref=each.in_use,
        detail=f"{kind} {each.name}",
        calls=recorder.take(),
        evidence=evidence,
        never=(*each.parts.values(), *job.admin.values()),
    )
    return Killed(each.name, kind, dead, _said(verdict))


def _until_dead(place: Workplace, each: Doomed, deadline: float) -> Verdict | None:
    verify = place.verify(each.entry, ())
    end = place.clock.monotonic() + deadline
    while verify is not None:
        verdict = verify(Credential(each.entry.kind, each.parts))
        if isinstance(verdict, Dead) or place.clock.monotonic() >= end:
            return verdict
        place.clock.sleep(POLL)
    return None


def _said(verdict: Verdict | None) -> str:
    if isinstance(verdict, Dead):
        return f"proved dead: {verdict.evidence.host} refuses it"
    if isinstance(verdict, Live):
        return "the provider says that it was revoked, and still accepts it"
    if isinstance(verdict, Restricted):
        return f"it was revoked, and the provider still knows it ({verdict.reason})"
    return "it was revoked; nobody can be asked whether it is dead" if verdict is None else f"not proved: {verdict.reason}"
