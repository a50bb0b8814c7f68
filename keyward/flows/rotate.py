"""`plan`, `rotate`, `resume`, `provide`, `abort`: many rotations from what a person asked for, to what came of each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from keyward.errors import Halted, KeywardError, UsageError
from keyward.flows.auditing import Audited
from keyward.flows.selecting import Chosen as Chosen
from keyward.flows.selecting import Selection as Selection
from keyward.flows.selecting import Unread
from keyward.flows.workplace import Workplace
from keyward.match.paths import write_private
from keyward.model.credential import SecretParts
from keyward.model.lane import ConsumerSpec, Entry
from keyward.model.rotation import (
    ABORT,
    DONE,
    INCIDENT,
    ISSUE,
    PLAN,
    PLANNED,
    QUARANTINE,
    Outcome,
    Stopped,
    WaitingHuman,
)
from keyward.plugin.store import Slot
from keyward.rotate import abort as aborting
from keyward.rotate.audit import CallRecorder
from keyward.rotate.engine import Rotation, steps_for
from keyward.rotate.found import Found
from keyward.rotate.gates import StopSwitch
from keyward.rotate.journal import Journal, new_rotation_id
from keyward.rotate.ledger import Standing, standing, unfinished
from keyward.rotate.lock import entry_lock
from keyward.rotate.parties import Options, Tell, found_consumers, silent
from keyward.rotate.preflight import preflight
from keyward.rotate.schedule import GOOD, Task, order, quarantine_all, run_all

GUARDS = ("vault", "openbao", "hashicorp")
"""Providers whose credentials guard the store itself: they are treated last."""


class Planned(NamedTuple):
    """What would happen with one entry. `refusal`: why nothing would (empty: it would go), `hint`: what to do then. `resumes`: the
    unfinished rotation that would be gone on with. `calls`: (step, name of a call at the provider), in the steps' order."""

    ref: str
    kind: str
    account: str
    steps: tuple[str, ...]
    consumers: tuple[str, ...]
    notes: tuple[str, ...] = ()
    refusal: str = ""
    hint: str = ""
    resumes: str = ""
    calls: tuple[tuple[str, str], ...] = ()


class Plan(NamedTuple):
    """All of it, in order. `digest` names it: what an approval is given for. `approvals`: how many each lane demands."""

    mode: str
    rotations: tuple[Planned, ...]
    unowned: tuple[Found, ...]
    approvals: tuple[tuple[str, int], ...]
    digest: str


class Result(NamedTuple):
    """What came of a run. `quarantine_failed`: what could not be stopped at once, by ref."""

    outcomes: tuple[Outcome, ...]
    unowned: tuple[Found, ...] = ()
    quarantine_failed: tuple[tuple[str, str], ...] = ()

    @property
    def done(self) -> tuple[Outcome, ...]:
        return tuple(each for each in self.outcomes if isinstance(each, GOOD))

    @property
    def waiting(self) -> tuple[WaitingHuman, ...]:
        return tuple(each for each in self.outcomes if isinstance(each, WaitingHuman))

    @property
    def failed(self) -> tuple[Outcome, ...]:
        return tuple(each for each in self.outcomes if not isinstance(each, (*GOOD, WaitingHuman)))


def make_plan(place: Workplace, selection: Selection, options: Options, exempt: Sequence[str] = ()) -> Plan:
    """What would be done, in order. Reads only; saved below the state folder under its digest, which stands for all that decides
    what will be done: also for the options, and for what the configuration says of each entry and its consumers."""
    tasks = {chosen.entry.ref: chosen for chosen in selection.chosen}
    guards = guards_of(place)
    ordered = [tasks[t.ref] for t in order(_task(place, c, options, silent, None, guards) for c in selection.chosen)]
    planned = tuple(_planned(place, chosen, _options_for(chosen, options, exempt)) for chosen in ordered)
    planned += tuple(
        Planned(u.entry.ref, str(u.entry.kind), "", (), (), refusal=_cannot_tell(u), hint=u.hint) for u in selection.unread
    )
    approvals = tuple(sorted({(c.lane.name, c.lane.approvals) for c in selection.chosen if c.lane.approvals}))
    content = [options.mode, [p._asdict() for p in planned], [f.fingerprint for f in selection.unowned]]
    asked = [sorted(options.withheld_hosts), options.delete_first, options.quarantine, sorted(exempt)]
    configured = [[c.entry, c.lane.consumers_of(c.entry.name), c.extra] for c in ordered]
    whole = json.dumps([content, asked, configured], sort_keys=True, default=_plain)
    digest = hashlib.sha256(whole.encode()).hexdigest()[:24]
    plan = Plan(options.mode, planned, selection.unowned, approvals, digest)
    saved = json.dumps({"v": 1, "digest": digest, "mode": plan.mode, "rotations": content[1]}, indent=1)
    write_private(os.path.join(place.state, "plans", f"{digest}.json"), saved.encode() + b"\n")
    return plan


def _cannot_tell(unread: Unread) -> str:
    return f"nobody can tell whether it leaked: {unread.reason}"


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _options_for(chosen: Chosen, options: Options, exempt: Sequence[str], plan: Plan | None = None) -> Options:
    """What holds for one entry. `exempt`: lanes that are not stopped at once; `plan`: what was agreed to."""
    agreed = next((each.steps for each in plan.rotations if each.ref == chosen.entry.ref), ()) if plan else ()
    return options._replace(quarantine=options.quarantine and chosen.lane.name not in exempt, agreed=agreed)


def _planned(place: Workplace, chosen: Chosen, options: Options) -> Planned:
    entry = chosen.entry
    rotator = place.rotator(entry)
    names = tuple(spec.name for spec in (*chosen.lane.consumers_of(entry.name), *chosen.extra))
    open_ones = place.begun.unfinished(entry.ref)
    bare = Planned(entry.ref, str(entry.kind), rotator.account(entry), (), names, chosen.notes)
    if open_ones:
        return bare._replace(resumes=open_ones[-1].rotation, notes=(f"goes on at {open_ones[-1].step}",))
    try:
        parties = place.parties(chosen.lane, entry, extra=chosen.extra)
        checked = preflight(parties, options, "")
    except KeywardError as error:
        error = _busy(place, entry) or error
        return bare._replace(refusal=str(error), hint=error.hint)
    steps = tuple(steps_for(parties, options, checked))
    notes = [*checked.notes, *chosen.notes]
    if rotator.manual is not None:
        notes.append("a person makes the new one: keyward will say where, and wait")
    if parties.verify is None:
        notes.append("nobody can be asked whether it lives: the end will be attested, not proved")
    named = rotator.calls_for(entry)
    calls = tuple((step, call) for step in steps for call in named.get(step, ()))
    return bare._replace(steps=steps, notes=tuple(notes), calls=calls)


def _busy(place: Workplace, entry: Entry) -> KeywardError | None:
    """That another process rotates it at this moment, which explains whatever does not fit together now."""
    try:
        with entry_lock(place.state, entry.ref, clock=place.clock):
            return None
    except KeywardError as error:
        return error


def rotate(
    place: Workplace,
    selection: Selection,
    options: Options,
    *,
    tell: Tell = silent,
    switch: StopSwitch | None = None,
    exempt: Sequence[str] = (),
    plan: Plan | None = None,
) -> Result:
    """Rotates what was selected, all at once as far as accounts allow. `exempt`: lanes that are not quarantined. `plan`: what was
    agreed to: what it refused stays refused, and other steps than its are not taken.

    What was begun before and not finished is gone on with. Never raises for one rotation's failure.
    """
    for chosen in selection.chosen:
        with suppress(KeywardError):  # said again, of the entries that need it, when they are rotated
            place.store(chosen.entry.store)
    switch = switch or StopSwitch(place.clock)
    refused = {each.ref: each for each in plan.rotations if each.refusal} if plan else {}
    own = [_options_for(chosen, options, exempt, plan) for chosen in selection.chosen]
    guards = guards_of(place)
    tasks = [
        _task(place, chosen, its, tell, switch, guards, refused.get(chosen.entry.ref))
        for chosen, its in zip(selection.chosen, own)
    ]
    failed: dict[str, str] = {}
    if options.mode == INCIDENT and options.quarantine:
        at_once = [
            task._replace(quarantine=_quarantine(place, chosen, its, tell, switch))
            for task, chosen, its in zip(tasks, selection.chosen, own)
            if its.quarantine and not task.last and task.ref not in refused and _can_quarantine(place, chosen)
        ]
        failed = quarantine_all(at_once, lambda ref, text: tell(ref, QUARANTINE, text))
    outcomes = run_all(tasks, stopped=lambda: switch.stopped, canary_holds=options.mode == PLANNED)
    unread = [Stopped("", u.entry.ref, PLAN, _cannot_tell(u), u.hint, changed=False) for u in selection.unread]
    ended = (*(outcomes[task.ref] for task in order(tasks)), *unread)
    return Result(ended, selection.unowned, tuple(sorted(failed.items())))


def _task(
    place: Workplace,
    chosen: Chosen,
    options: Options,
    tell: Tell,
    switch: StopSwitch | None,
    guards: frozenset[str],
    refused: Planned | None = None,
) -> Task:
    entry, lane = chosen.entry, chosen.lane
    rotator = place.rotator(entry)

    def run() -> Outcome:
        if refused is not None:
            return Stopped("", entry.ref, PLAN, refused.refusal, refused.hint, changed=False)
        try:
            with place.visit(), entry_lock(place.state, entry.ref, wait=2.0, clock=place.clock):
                rotation, audited = _rotation(place, chosen, options, tell, switch)
                return _recorded(rotation, audited, rotation.run())
        except KeywardError as error:
            return Stopped("", entry.ref, PLAN, str(error), error.hint, changed=False)

    return Task(
        ref=entry.ref,
        run=run,
        account=rotator.account(entry),
        tier=lane.tier,
        canary=lane.canary,
        group=f"{lane.tier} {entry.kind}",
        last=entry.ref in guards,
        depends_on=entry.depends_on,
    )


def _can_quarantine(place: Workplace, chosen: Chosen) -> bool:
    return place.rotator(chosen.entry).capabilities_for(chosen.entry).reversible_disable


def guards_of(place: Workplace) -> frozenset[str]:
    """The refs without which others cannot be rotated: they open a store, or are the admin credential of another entry."""
    entries = [entry for _, entry in place.operator.entries()]
    users: dict[str, set[str]] = {}
    for entry in entries:
        for reference in entry.admin.values():
            users.setdefault(reference.partition("#")[0], set()).add(entry.ref)

    def guards(entry: Entry) -> bool:
        if str(entry.kind).partition("/")[0] in GUARDS:
            return True
        names = (f"vault:{entry.store}/{entry.path}", f"vault:{entry.path}")
        return any(users.get(name, set()) - {entry.ref} for name in names)

    return frozenset(entry.ref for entry in entries if guards(entry))


def _recorded(rotation: Rotation, audited: Audited, outcome: Outcome) -> Outcome:
    """The outcome, once the audit log has it. What happened and is not recorded is no success."""
    try:
        audited.ended(outcome)
    except KeywardError as error:
        reason = f"{_short(outcome)}, but {error}"
        return Stopped(rotation.journal.rotation, outcome.ref, DONE, reason, error.hint, rotation.changed)
    return outcome


def _short(outcome: Outcome) -> str:
    return f"it stopped at {outcome.step} ({outcome.reason})" if isinstance(outcome, Stopped) else "it came to its end"


def _quarantine(place: Workplace, chosen: Chosen, options: Options, tell: Tell, switch: StopSwitch) -> Callable[[], None]:
    """Begins the rotation, or goes on with the one that is there, up to where the old one is stopped: so that it is written down
    before it is done, can be taken back, and stops the value that is being replaced, not the new one."""

    def stop() -> None:
        with place.visit(), entry_lock(place.state, chosen.entry.ref, wait=2.0, clock=place.clock):
            rotation, audited = _rotation(place, chosen, options, tell, switch)
            rotation.quarantine()
            audited(chosen.entry.ref, QUARANTINE, "done")

    return stop


def _rotation(
    place: Workplace, chosen: Chosen, options: Options, tell: Tell, switch: StopSwitch | None
) -> tuple[Rotation, Audited]:
    """The unfinished rotation of an entry, or a new one; and what writes it into the audit log."""
    fences = (*([switch] if switch else []), *place.fences)
    open_ones = place.begun.unfinished(chosen.entry.ref)
    if open_ones:
        journal = Journal.open_(os.path.join(place.rotations, open_ones[-1].rotation), place.clock, fences)
    else:
        journal = Journal.create(place.rotations, new_rotation_id(place.clock), place.clock, fences)
    recorder = CallRecorder()
    extra = _extra(chosen, journal)
    parties = place.parties(chosen.lane, chosen.entry, extra=extra, fences=(recorder,))
    parties = parties._replace(clock=switch or place.clock)
    audited = Audited(place.audit, recorder, journal.rotation, parties, tell)
    return Rotation(parties, journal, options, audited), audited


def _extra(chosen: Chosen, journal: Journal) -> tuple[ConsumerSpec, ...]:
    """Consumers that a scan found: now, or when the rotation was begun, which a resume has no report of."""
    before = found_consumers(journal)
    known = {_key(spec) for spec in (*chosen.lane.consumers_of(chosen.entry.name), *chosen.extra)}
    return (*chosen.extra, *(spec for spec in before if _key(spec) not in known))


def _key(spec: ConsumerSpec) -> str:
    return json.dumps([spec.type, spec.options, spec.host], sort_keys=True, default=_plain)


def find_open(place: Workplace, names: Iterable[str]) -> list[Standing]:
    """Unfinished rotations by their ids or their entries' names; all of them for no name. Raises UsageError."""
    there = unfinished(place.state, place.clock)
    wanted = list(names)
    if not wanted:
        return there
    found = []
    for name in wanted:
        fits = [each for each in there if name in (each.rotation, each.ref)]
        if not fits:
            raise UsageError(f"no unfinished rotation is called {name!r}", hint="See them with: keyward status")
        found += [each for each in fits if each not in found]
    return found


def resume(
    place: Workplace,
    open_ones: Sequence[Standing],
    *,
    tell: Tell = silent,
    switch: StopSwitch | None = None,
    attested_by: str = "",
) -> Result:
    """Goes on with rotations that were interrupted, that halted, or that waited for a person. `attested_by`: who says of these
    that what a person had to kill is dead."""
    modes = {each.ref: each.mode or PLANNED for each in open_ones}
    known, lost = _configured(place, list(modes))
    mode = PLANNED if PLANNED in modes.values() else INCIDENT
    options = Options(mode=mode, quarantine=False, attested_by=attested_by)
    result = rotate(place, Selection(known), options, tell=tell, switch=switch)
    return result._replace(outcomes=(*result.outcomes, *lost))


def _configured(place: Workplace, refs: Iterable[str]) -> tuple[tuple[Chosen, ...], tuple[Stopped, ...]]:
    """The entries, and what is to be said of those that the configuration does not have any more."""
    known, lost = [], []
    for ref in refs:
        try:
            entry = place.operator.entry(ref)
        except UsageError as error:
            lost.append(Stopped("", ref, PLAN, str(error), f"Put it back into the configuration. {error.hint}", changed=True))
        else:
            known.append(Chosen(place.operator.lane(entry.lane), entry))
    return tuple(known), tuple(lost)


def provide(
    place: Workplace, ref: str, parts: SecretParts, *, tell: Tell = silent, switch: StopSwitch | None = None
) -> Outcome:
    """Gives a waiting rotation the value that a person made, and goes on. Raises what is wrong with the value."""
    open_ones = find_open(place, (ref,))
    entry = place.operator.entry(open_ones[-1].ref)
    chosen = Chosen(place.operator.lane(entry.lane), entry)
    with entry_lock(place.state, entry.ref, wait=2.0, clock=place.clock):
        rotation, audited = _rotation(place, chosen, Options(), tell, switch)
        if standing(rotation.journal).state.name != "WAITING":
            raise Halted(
                f"{entry.ref} does not wait for a value", hint=f"It stands at {open_ones[-1].step}. Run: keyward resume"
            )
        rotation.provide(parts)
        audited(entry.ref, ISSUE, "a person gave the new value")
        return _recorded(rotation, audited, rotation.run())


def abort(place: Workplace, open_ones: Sequence[Standing], *, tell: Tell = silent) -> Result:
    """Takes unfinished rotations back to where the old one is in use, as far as that can be."""
    known, lost = _configured(place, dict.fromkeys(each.ref for each in open_ones))
    outcomes: list[Outcome] = []
    for chosen in known:
        try:
            with entry_lock(place.state, chosen.entry.ref, wait=2.0, clock=place.clock):
                rotation, audited = _rotation(place, chosen, Options(), tell, None)
                outcomes.append(_recorded(rotation, audited, aborting.abort(rotation)))
        except KeywardError as error:  # the next one must still be taken back
            outcomes.append(Stopped("", chosen.entry.ref, ABORT, str(error), error.hint, changed=True))
    return Result((*outcomes, *lost))


class WayBack(NamedTuple):
    """What `abort` would come to. `refusal`: why the rotation cannot be taken back (empty: it can), `hint`: what to do then."""

    rotation: str
    ref: str
    step: str
    refusal: str = ""
    hint: str = ""


def ways_back(place: Workplace, open_ones: Sequence[Standing]) -> list[WayBack]:
    """Whether each could be taken back now: what `abort --dry-run` says. Asks stores and providers; changes nothing."""
    known, lost = _configured(place, dict.fromkeys(each.ref for each in open_ones))
    newest = {each.ref: each for each in open_ones}
    ways = []
    for chosen in known:
        stands = newest[chosen.entry.ref]
        way = WayBack(stands.rotation, stands.ref, stands.step)
        try:
            with entry_lock(place.state, chosen.entry.ref, wait=2.0, clock=place.clock):
                aborting.check(_rotation(place, chosen, Options(), silent, None)[0])
        except KeywardError as error:
            way = way._replace(refusal=str(error), hint=error.hint)
        ways.append(way)
    return [*ways, *(WayBack("", each.ref, "", each.reason, each.hint) for each in lost)]


def disown(place: Workplace, open_ones: Sequence[Standing], ids: Sequence[str]) -> None:
    """Records that a person says of ids at the provider: somebody else made them."""
    from keyward.rotate import orphans

    for each in open_ones:
        with entry_lock(place.state, each.ref, wait=2.0, clock=place.clock):
            journal = Journal.open_(os.path.join(place.rotations, each.rotation), place.clock, place.fences)
            orphans.disown(journal, ids)
            place.audit.append("rotation: not ours", ref=each.ref, rotation=each.rotation, detail=", ".join(ids))


def parts_wanted(place: Workplace, ref: str) -> list[str]:
    """Which parts a person must give: those of the old one, else the kind's own. Raises UsageError."""
    entry = place.operator.entry(find_open(place, (ref,))[-1].ref)
    held = place.store(entry.store).read(entry.path, Slot.PREVIOUS)
    if held is not None and held.parts:
        return sorted(held.parts)
    return [place.registry.known(entry.kind).identity[0]]
