"""The whole case as values, from its notes, its assessments, and the journals of the rotations since it was opened; and `close`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from keyward.flows.incident_assessed import ASSESSED, RESCANNED, Assessed, first, newest
from keyward.flows.incident_case import PARTLY, STARTED, WHOLE, Case, Told, told
from keyward.flows.incident_eradicate import caught_up, credential_state, since_opened
from keyward.flows.incident_recover import to_open
from keyward.flows.workplace import Workplace
from keyward.incident.settings import IncidentSettings
from keyward.model.incident import (
    BURNT,
    CLOSE,
    CONTAIN,
    DEAD,
    DONE,
    ERADICATE,
    LIVE,
    OPEN,
    RECOVER,
    REPLACED,
    RESTRICTED,
    SAFE,
    STUCK,
    Event,
    Incident,
    LaneState,
    Leak,
    Proof,
    Step,
    Todo,
    Where,
)
from keyward.model.kind import Kind, Manual
from keyward.model.lane import Lane
from keyward.report.incident import INCIDENT_FORMATS, SUFFIXES, IncidentOptions, render_incident
from keyward.rotate.ledger import Standing, State

MOST_DATED = 200
"""Places on the timeline; of more, only the first of each leak."""


def build(place: Workplace, settings: IncidentSettings, case: Case, *, check_chain: bool = True) -> Incident:
    """The case as it stands now. Raises what reading its notes raises."""
    said = told(case)
    before, last, again = first(case), newest(case, ASSESSED), newest(case, RESCANNED)
    latest = again or last
    found = tuple(_leaks(before, last, again))
    since = since_opened(place, case)
    leaks = tuple(_proved_dead(leak, since) for leak in found)
    lanes = tuple(_lane(lane, leaks, since) for lane in sorted(place.operator.lanes.values(), key=lambda lane: lane.tier))
    steps = {step.name: step for step in said.steps}
    verified = case.verify() if check_chain else None
    todo = tuple(_todo(place, settings, case, said, leaks, lanes, last))
    dated = [leak.since for leak in leaks if leak.since]
    return Incident(
        name=case.info.name,
        folder=case.folder,
        host=case.info.host,
        actor=case.info.actor,
        opened=case.info.opened,
        contained=steps[CONTAIN].ended,
        assessed=last.time if last else 0.0,
        rotated=steps[ERADICATE].ended,
        recovered=steps[RECOVER].ended,
        closed=case.info.closed,
        prepared=last.prepared if last else case.info.prepared,
        begun=min(dated, default=0.0),
        retention=case.info.retain_until,
        reason=case.info.reason,
        steps=said.steps,
        leaks=leaks,
        lanes=lanes,
        actions=said.actions,
        notes=said.notes,
        events=tuple(_events(case, said, leaks, last)),
        drift=(last.drift or ()) if last else (),
        holders=last.holders if last else (),
        todo=todo,
        evidence=tuple(proof for action in said.actions for proof in action.proofs if proof.path),
        not_looked_at=latest.not_looked_at if latest else (),
        left=tuple(_left(said.steps, leaks, lanes, todo)),
        chain=None if verified is None else verified.ok,
        chain_problems=() if verified is None else verified.problems,
    )


def _leaks(before: Assessed | None, last: Assessed | None, again: Assessed | None) -> Iterator[Leak]:
    """Every leak of any look: places as first seen, verdicts as last heard, and what the look after the clean-up still finds."""
    known: dict[str, Leak] = {}
    for look in filter(None, (before, last)):
        for leak in look.leaks:
            old = known.get(leak.fingerprint)
            known[leak.fingerprint] = leak if old is None else old._replace(
                ref=leak.ref or old.ref, tier=leak.tier or old.tier, verdict_after=leak.verdict or old.verdict_after, detail=leak.detail
            )  # fmt: skip
    later = {leak.fingerprint: leak for leak in again.leaks} if again else {}
    for name, leak in known.items():
        still = later.get(name)
        if again is None:
            yield leak
            continue
        left = {(where.path, where.line) for where in still.places} if still else set()
        places = tuple(where._replace(gone=(where.path, where.line) not in left) for where in leak.places)
        verdict = still.verdict if still and still.verdict else leak.verdict_after
        yield leak._replace(places=places, after=still.total if still else 0, verdict_after=verdict)


def _proved_dead(leak: Leak, since: Mapping[str, Standing]) -> Leak:
    """A leak whose rotations all ended with the provider's own word that the old one is dead needs no further question."""
    refs = leak.ref.split(", ") if leak.ref else []
    proofs = [since[ref].proof if ref in since and since[ref].state is State.DONE else "" for ref in refs]
    if not proofs or any(proof != "dead" for proof in proofs):
        return leak
    return leak._replace(verdict_after=DEAD, detail="its rotation proved the old one dead")


def _lane(lane: Lane, leaks: Iterable[Leak], since: Mapping[str, Standing]) -> LaneState:
    leaked = {ref: leak for leak in leaks for ref in filter(None, leak.ref.split(", "))}
    states = tuple(
        credential_state(str(entry.kind), entry.ref, entry.ref in leaked, since.get(entry.ref)) for entry in lane.entries
    )
    burnt = [each for each in states if each.leaked]
    done = ("proved", "proved by consumer", "attested")
    state = SAFE
    if any(each.state in ("waits for a person", "stopped", "unfinished") for each in states):
        state = STUCK
    elif any(each.state not in done for each in burnt):
        state = BURNT
    elif burnt:
        state = REPLACED
    hosts = tuple(dict.fromkeys(spec.host or "this host" for spec in lane.consumers))
    consumers = tuple(dict.fromkeys(spec.name for spec in lane.consumers))
    return LaneState(lane.name, lane.tier, lane.environment, state, states, consumers, hosts)


def _events(case: Case, said: Told, leaks: tuple[Leak, ...], last: Assessed | None) -> Iterator[Event]:
    events: list[Event] = []
    many = sum(len(leak.places) for leak in leaks) > MOST_DATED
    for leak in leaks:
        dated = sorted((where for where in leak.places if where.since), key=lambda where: where.since)
        for where in dated[:1] if many else dated:
            events.append(Event(where.since, "leak", f"{leak.ref or leak.kind} {leak.masked}", _place(where)))
    for each in (last.drift or ()) if last else ():
        if each.time:
            events.append(Event(each.time, "change", f"{each.area} {each.change}: {each.name}", each.detail))
    for action in said.actions:
        events.append(Event(action.time, "action", f"{action.phase}: {action.what} {action.target}".strip(), action.outcome))
    for step in said.steps:
        if step.ended:
            events.append(Event(step.ended, "phase", step.name, "whole"))
    events += [Event(note.time, "note", note.text, note.actor) for note in said.notes]
    events.append(Event(case.info.opened, "phase", "opened", case.info.reason))
    yield from sorted(events, key=lambda event: event.time)


def _place(where: Where) -> str:
    return " · ".join(filter(None, (f"{where.path}:{where.line}" if where.line else where.path, where.where, where.since_from)))


def _todo(
    place: Workplace,
    settings: IncidentSettings,
    case: Case,
    said: Told,
    leaks: Iterable[Leak],
    lanes: Iterable[LaneState],
    last: Assessed | None,
) -> Iterator[Todo]:
    """What a person must still do, the most urgent first."""
    report = os.path.join(case.folder, last.report) if last else "report.jsonl"
    for leak in sorted(leaks, key=lambda leak: (leak.verdict_after != LIVE, leak.severity != "critical")):
        if not leak.ref and leak.verdict_after not in (DEAD,):
            why = "it leaked, it lives, and no lane owns it" if leak.verdict_after == LIVE else "it leaked, and no lane owns it"
            command = f"keyward revoke {leak.fingerprint} --leaked {report}"
            yield Todo(f"{leak.kind} {leak.masked}", why, _manual(place, leak.kind), command)
    for lane in lanes:
        for each in lane.credentials:
            if each.state == "waits for a person":
                yield Todo(
                    each.ref, f"its rotation waits at {each.at}", _manual(place, each.kind), f"keyward provide {each.ref}"
                )
            elif each.state in ("stopped", "unfinished"):
                yield Todo(each.ref, f"its rotation stopped at {each.at}", command=f"keyward resume {each.ref}")
            elif each.leaked and not each.state:
                yield Todo(each.ref, "it leaked, and is not replaced", command=f"keyward rotate {each.ref} --incident")
            elif each.state == "attested":
                yield Todo(each.ref, "nobody could prove that the old one is dead", _manual(place, each.kind))
            if each.detail:
                yield Todo(each.ref, each.detail, command=f"keyward distribute {each.ref}")
    for action_id in said.unfinished:
        yield Todo(action_id, "it was begun, and nobody saw its end", command="keyward incident contain")
    suspicious = [each for each in (last.drift or ()) if each.suspicious] if last else []
    for change in suspicious:
        steps = ("Find out who made this change, and when.", "If nobody did: rebuild the machine; do not just take it out.")
        yield Todo(change.name, f"{change.area}: {change.change} since the host's record", Manual(steps, ""))
    for instance in to_open(settings, case):
        yield Todo(instance, "its firewall is shut", command="keyward incident recover --open-firewall")
    for holder in last.holders[:20] if last else ():
        yield Todo(holder.name, f"{holder.what}: may hold old keys", Manual((holder.action,), ""))


def _manual(place: Workplace, kind: str) -> Manual:
    """What a person does by hand for a kind; nothing where nobody has written it down."""
    rotator = place.registry.rotator(Kind(kind))
    if rotator is not None and rotator.manual is not None:
        return rotator.manual
    declared = place.registry.declared(Kind(kind))
    return declared.manual if declared is not None and declared.manual is not None else Manual((), "")


def _left(steps: Iterable[Step], leaks: Iterable[Leak], lanes: Iterable[LaneState], todo: Iterable[Todo]) -> Iterator[str]:
    """Why the incident is not over."""
    for step in steps:
        if step.name in (OPEN, CLOSE):
            continue
        if not step.started:
            yield f"{step.name}: not begun"
        elif not step.ended:
            yield f"{step.name}: {'; '.join(step.left[:3]) or 'not whole'}"
    alive = [leak for leak in leaks if leak.verdict_after in (LIVE, RESTRICTED)]
    if alive:
        yield f"{len(alive)} leaked credentials live, as last heard"
    for lane in lanes:
        if lane.state in (BURNT, STUCK):
            yield f"lane {lane.name} is {lane.state}"


def write_report(place: Workplace, incident: Incident, case: Case, version: str, formats: Iterable[str] = ()) -> list[Proof]:
    """The report, in all formats unless some are named, into the case."""

    def title_of(kind: str) -> str:
        declared = place.registry.declared(Kind(kind))
        return declared.title if declared is not None else kind

    options = IncidentOptions(place.clock.now(), title_of, version)
    wanted = tuple(formats) or tuple(INCIDENT_FORMATS)
    return [case.save_text(f"report{SUFFIXES[each]}", render_incident(each, incident, options)) for each in wanted]


def close(place: Workplace, settings: IncidentSettings, case: Case, version: str) -> tuple[Incident, list[Proof]]:
    """Ends the incident, with its report. What is left stands in it."""
    caught_up(place, case)
    case.phase(CLOSE, STARTED)
    left = build(place, settings, case).left
    case.end(CLOSE, "close", "close the incident", DONE, detail=f"{len(left)} left" if left else "nothing is left")
    case.phase(CLOSE, PARTLY if left else WHOLE, left)
    case.close()
    case.info = case.info._replace(closed=place.clock.now())
    incident = build(place, settings, case)
    proofs = write_report(place, incident, case, version)
    return incident, proofs
