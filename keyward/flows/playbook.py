"""`keyward playbook`: the page for the night, made from what is really configured. Offline: nobody is asked, and nothing is resolved."""

from __future__ import annotations

from collections.abc import Iterator

from keyward.flows.rotate import guards_of
from keyward.flows.workplace import Workplace
from keyward.incident.settings import IncidentSettings
from keyward.model.kind import Kind, Manual
from keyward.model.lane import Entry, Lane
from keyward.model.rotation import Stopped
from keyward.plugin.rotator import Overlap, Rotator
from keyward.report.playbook import Person, Playbook, ProviderPage, Task, Turn
from keyward.rotate.by_hand import ByHand
from keyward.rotate.schedule import Task as Scheduled
from keyward.rotate.schedule import order
from keyward.rotate.who import current

TRIGGERS = (
    "a key is seen where it should not be: a repository, a gist, a log, a chat, an agent's transcript",
    "a provider writes that a key leaked, or a bill grows for no reason",
    "a machine with keys on it is lost, stolen, or does what nobody told it to",
    "somebody who knows keys leaves, or is deceived (a prompt that made an agent print its environment)",
)


def make_playbook(place: Workplace, settings: IncidentSettings) -> Playbook:
    """The page. Raises ConfigError for a kind that no pack knows."""
    entries = [(lane, entry, place.rotator(entry)) for lane, entry in place.operator.entries()]
    guards = guards_of(place)
    scheduled = {entry.ref: (lane, entry, rotator) for lane, entry, rotator in entries}
    ordered = order(
        Scheduled(
            entry.ref, lambda: Stopped("", "", "", ""), rotator.account(entry), lane.tier, lane.canary, last=entry.ref in guards
        )
        for lane, entry, rotator in entries
    )
    now = place.clock.now()
    return Playbook(
        made=now,
        host=current().host,
        config=place.operator.path,
        triggers=(*TRIGGERS, *settings.triggers),
        people=tuple(Person(*each) for each in settings.contacts),
        tasks=tuple(_tasks(place, settings, bool(entries))),
        turns=tuple(_turn(*scheduled[task.ref], last=task.last) for task in ordered),
        providers=tuple(_pages(place, entries)),
        last_drill=settings.last_drill,
        next_drill=settings.last_drill + settings.drill_every if settings.last_drill else 0.0,
        gaps=tuple(_gaps(place, settings, entries)),
    )


def _tasks(place: Workplace, settings: IncidentSettings, any_entries: bool) -> Iterator[Task]:
    first = settings.contacts[0].name if settings.contacts else "Whoever sees it"
    yield Task(f"{first} acts, and does not wait for anybody; the others are called from step 3 on.")
    yield Task("Work on a machine that is not compromised, with the configuration and the store's credential.")
    yield Task("Open the case.", 'keyward incident open NAME --reason "what was seen"', "From now on every action is noted.")
    does = [f"pauses {hook.name}" for hook in settings.hooks]
    does += [f"takes a snapshot of {machine.instance}" for machine in settings.machines if machine.snapshot]
    does += [f"shuts the firewall of {machine.instance}" for machine in settings.machines if machine.firewall]
    does += ["copies logs and histories as evidence"]
    does += [f"stops {name}" for name in settings.stop_containers]
    yield Task("Contain: read the plan, then approve it.", "keyward incident contain", f"It {', '.join(does)}.")
    if any_entries:
        why = "Stops what can be stopped within seconds. Faster than finding out what leaked."
        yield Task("Replace everything.", "keyward incident eradicate", why)
        yield Task(
            "A host that the thief was on gets none of the new keys.", "keyward incident eradicate --compromised-host HOST"
        )
    yield Task("Do what the three lists say, “Needs you” first.", "keyward status")
    yield Task("Find out what leaked, since when, and what was changed.", "keyward incident assess")
    yield Task("Clean up, look again, and ask the consumers.", "keyward incident recover")
    yield Task(
        "If the host was entered, build a new one; do not just start the old one again.", "keyward distribute --host NEW"
    )
    yield Task("End it, and read the report together.", "keyward incident close")


def _turn(lane: Lane, entry: Entry, rotator: Rotator, *, last: bool) -> Turn:
    can = rotator.capabilities_for(entry)
    stop = "at once, and can be undone" if can.reversible_disable else "not before it is replaced"
    consumers = tuple(f"{spec.name} on {spec.host}" if spec.host else spec.name for spec in lane.consumers_of(entry.name))
    return Turn(
        entry.ref, lane.tier, rotator.title or str(entry.kind), stop, _replaced(rotator, entry), consumers, lane.approvals, last
    )


def _replaced(rotator: Rotator, entry: Entry) -> str:
    if rotator.manual is not None:
        return "by hand: a person makes the new one"
    can = rotator.capabilities_for(entry)
    if can.applied_by_consumers:
        return "by itself; the service reads it from its own configuration"
    if can.overlap is Overlap.NONE:
        return "by itself; the old one dies when the new one is made"
    return "by itself"


def _pages(place: Workplace, entries: list[tuple[Lane, Entry, Rotator]]) -> Iterator[ProviderPage]:
    by_kind: dict[str, list[tuple[Entry, Rotator]]] = {}
    for _, entry, rotator in entries:
        by_kind.setdefault(str(entry.kind), []).append((entry, rotator))
    for kind, held in sorted(by_kind.items()):
        rotator = held[0][1]
        declared = place.registry.declared(Kind(kind))
        manual = rotator.manual or (declared.manual if declared is not None and isinstance(rotator, ByHand) else None)
        references = rotator.references or (declared.references if declared is not None else ())
        yield ProviderPage(
            title=(declared.title if declared is not None else "") or rotator.title or kind,
            kind=kind,
            refs=tuple(entry.ref for entry, _ in held),
            automatic=_automatic(rotator, held[0][0]),
            rights=rotator.admin.rights,
            admin=tuple(dict.fromkeys(f"{part} = {ref}" for entry, _ in held for part, ref in entry.admin.items())),
            manual=manual or Manual((), ""),
            references=references,
        )


def _automatic(rotator: Rotator, entry: Entry) -> str:
    can = rotator.capabilities_for(entry)
    if rotator.manual is not None:
        return "the new one is checked, stored and given to its consumers; making it, and killing the old one, is yours"
    said = ["made, proved, stored, given to its consumers, the old one killed and proved dead"]
    said += ["stopped at once first"] if can.reversible_disable else []
    said += [f"at most {can.slots} at a time"] if can.slots else []
    said += [f"dead everywhere within {can.propagation:.0f} s"] if can.propagation else []
    return "; ".join(said)


def _gaps(place: Workplace, settings: IncidentSettings, entries: list[tuple[Lane, Entry, Rotator]]) -> Iterator[str]:
    """What would fail on the night."""
    if not settings.contacts:
        yield "nobody is named: add [[incident.contacts]] with name, role and reach"
    if not entries:
        yield "no lane is configured: nothing would be replaced. Begin with: keyward init --from REPORT"
    for _, entry, rotator in entries:
        lacking = [part for part in rotator.admin.parts if part not in entry.admin]
        if lacking and rotator.manual is None:
            yield f"{entry.ref}: no admin credential is named ({', '.join(lacking)})"
    for lane in place.operator.lanes.values():
        for entry in lane.entries:
            if not lane.consumers_of(entry.name):
                yield f"{entry.ref}: no consumer is configured; who uses it would stand still"
    if any(machine.firewall for machine in settings.machines) and not settings.ssh_from:
        yield "ssh_from is not set: the firewall is shut only from an SSH session whose address is seen"
    if not settings.hooks and not settings.stop_containers:
        yield "nothing is paused: no [[incident.pause]] and no stop_containers"
    if place.operator.audit is None:
        yield "the audit log's head is mirrored in the default store only: see [audit]"
    if not settings.last_drill:
        yield "nobody has tried this page: run keyward drill, then set last_drill below [incident]"
