"""`keyward revoke`: kills leaked credentials that nothing needs any more, and proves them dead. Nothing new is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from keyward.errors import KeywardError, Refused, UsageError
from keyward.flows.leaked_parts import leaked_parts
from keyward.flows.selecting import CurrentValues
from keyward.flows.workplace import Workplace
from keyward.match.fingerprint import Fingerprinter
from keyward.model.credential import Credential, SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.verdict import Dead, Live, Restricted, Verdict
from keyward.plugin.rotator import Job
from keyward.plugin.store import Stored
from keyward.rotate.audit import CallRecorder
from keyward.rotate.found import Report
from keyward.rotate.identity import fingerprint
from keyward.rotate.lock import entry_lock

POLL = 1.0
"""Seconds between two questions whether it is dead."""


class Doomed(NamedTuple):
    """A credential that shall die: its parts, and the entry whose admin credential and target are used for it (`name` is the
    fingerprint where it was found). `in_use`: the lane entry that holds it now, empty if none does. `doubt`: why that cannot be
    told, where a store could not be read."""

    name: str
    entry: Entry
    parts: SecretParts
    in_use: str = ""
    doubt: str = ""


class Killed(NamedTuple):
    """What came of one. `dead`: whether the provider itself refuses it now. `detail`: one sentence."""

    name: str
    kind: str
    dead: bool
    detail: str


def from_report(place: Workplace, report: Report, wanted: Sequence[str], by: str = "") -> list[Doomed]:
    """Those of a report, or the named ones of it. `by`: `lane/name` whose admin credential and target are used; else the first
    entry of the same kind. Raises UsageError, Refused."""
    names = list(wanted) or list(report.fingerprints())
    known = set(report.fingerprints())
    for name in names:
        if name not in known:
            raise UsageError(f"the report has no finding {name}", hint="Copy a fingerprint from the report.")
    place.registry.packs()
    doomed = []
    for name in names:
        kind = report.places(name)[0].kind
        parts = leaked_parts(report, name, place.registry.kind(kind))
        doomed.append(Doomed(name, _entry_for(place, kind, by), parts, *_user_of(place, report, name)))
    return doomed


def from_value(place: Workplace, kind: Kind, parts: SecretParts, by: str = "") -> Doomed:
    """A value that a person handed in."""
    place.registry.packs()
    return Doomed("(standard input)", _entry_for(place, kind, by), parts, *_holder(place, kind, parts))


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


def _user_of(place: Workplace, report: Report, name: str) -> tuple[str, str]:
    made = Fingerprinter(report.salt)
    return _user(place, lambda entry, held: fingerprint(place.registry.kind(entry.kind), held.parts, made) == name)


def _holder(place: Workplace, kind: Kind, parts: SecretParts) -> tuple[str, str]:
    def is_it(entry: Entry, held: Stored) -> bool:
        return entry.kind == kind and any(held.parts.get(part) == value for part, value in parts.items())

    return _user(place, is_it)


def _user(place: Workplace, is_it: Callable[[Entry, Stored], bool]) -> tuple[str, str]:
    """The entry that holds it, and else why nobody can tell: a store that cannot be read may hold it."""
    reader, doubt = CurrentValues(place), ""
    for _, entry in place.operator.entries():
        try:
            held = reader.of(entry)
        except KeywardError as error:
            doubt = doubt or f"{entry.ref} may use it: {error}"
            continue
        if held is not None and is_it(entry, held):
            return entry.ref, ""
    return "", doubt


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
            if each.in_use and not anyway:
                raise Refused(
                    f"{each.in_use} uses it now", hint=f"Replace it: keyward rotate {each.in_use}; or revoke it with --anyway."
                )
            if each.doubt and not anyway:
                raise Refused(each.doubt, hint="Make its store readable; or revoke it with --anyway.")
            with entry_lock(place.state, each.in_use or f"revoke {each.name}", clock=place.clock):
                results.append(_kill(place, each))
        except KeywardError as error:
            results.append(Killed(each.name, str(each.entry.kind), False, error.told))
    return results


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
