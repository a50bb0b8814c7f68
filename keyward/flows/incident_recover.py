"""`keyward incident recover`: echoes scrubbed, everything looked at again, consumers asked whether they are well; what was shut is
opened again, and what was paused started, only on request.

Nothing is cleaned up before what the configuration calls evidence is safe (copies, snapshots), unless the operator says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from keyward.errors import ConsumerError, KeywardError, UsageError
from keyward.flows.incident_assess import Wished, assess
from keyward.flows.incident_assessed import RESCANNED, Assessed, newest
from keyward.flows.incident_case import PARTLY, STARTED, WHOLE, Case, told
from keyward.flows.incident_contain import (
    COPIES,
    FIREWALL,
    SNAPSHOT_WHOLE,
    THIS_HOST,
    Means,
    api_of,
    plan,
    rules_file,
    run_hook,
)
from keyward.flows.incident_eradicate import caught_up
from keyward.flows.scrub_files import ScrubOptions, carry_out, make_plan
from keyward.flows.verify import Means as Asking
from keyward.flows.workplace import Workplace
from keyward.incident import lighthouse
from keyward.incident.firewall import Rule
from keyward.incident.settings import Hook, IncidentSettings, Machine
from keyward.model.credential import NO_PARTS, Credential
from keyward.model.incident import DEAD, DONE, FAILED, RECOVER
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.verdict import Dead, Live, Restricted
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.store import Slot
from keyward.rotate.audit import CallRecorder
from keyward.rotate.consumers.commands import Commands
from keyward.rotate.ledger import State, standings

Tell = Callable[[str], None]


class Health(NamedTuple):
    """How one credential's consumer is. `well`: None where nobody could tell."""

    ref: str
    consumer: str
    well: bool | None
    detail: str


class Recovered(NamedTuple):
    """`left`: why the host is not recovered yet; empty if it is."""

    scrubbed: str
    again: Assessed | None
    health: tuple[Health, ...]
    left: tuple[str, ...]


class Requested(NamedTuple):
    """What the operator asks for. `open_firewall`, `start_again`: only on request. `anyway`: clean up without evidence, and put the old
    rules back over somebody else's."""

    scrub: bool = True
    rescan: bool = True
    health: bool = True
    open_firewall: bool = False
    start_again: bool = False
    anyway: bool = False


def missing_evidence(settings: IncidentSettings, case: Case) -> tuple[str, ...]:
    """What should be safe before anything is cleaned up, and is not."""
    finished = told(case).finished
    return tuple(
        f"{step.what} {step.target}".strip()
        for step in plan(settings, case.info.name)
        if step.id.partition(":")[0] in (COPIES, SNAPSHOT_WHOLE) and finished.get(step.id, {}).get("outcome") != DONE
    )


def recover(
    place: Workplace,
    settings: IncidentSettings,
    case: Case,
    wished: Wished,
    requested: Requested,
    *,
    tell: Tell = lambda text: None,
    means: Means = THIS_HOST,
    asking: Asking | None = None,
) -> Recovered:
    """Does what is requested. Raises UsageError where nothing was assessed yet, or evidence is missing; what fails is named in `left`."""
    before = newest(case, "assess")
    if before is None:
        raise UsageError("nobody has looked yet at what leaked", hint="Run: keyward incident assess")
    lacking = missing_evidence(settings, case)
    if requested.scrub and lacking and not requested.anyway:
        hint = "Run: keyward incident contain. To clean up without it: --anyway."
        raise UsageError(f"a clean-up destroys evidence that is not safe yet: {', '.join(lacking)}", hint=hint)
    caught_up(place, case)
    case.phase(RECOVER, STARTED)
    left: list[str] = []
    scrubbed = _step(case, "scrub", "scrub echoes", left, lambda: _scrub(case, before, wished, left)) if requested.scrub else ""
    again = None
    if requested.rescan:
        tell("looking again")
        again = assess(place, settings, case, wished, stem=RESCANNED, phase=RECOVER, means=asking, run=means.output)
        left += _still(before, again)
    left += _not_replaced(place, case, before)
    health = tuple(_all_well(place, means)) if requested.health else ()
    if requested.health:
        ill = [f"{each.ref}: {each.consumer} {each.detail}" for each in health if each.well is False]
        outcome, detail = (FAILED, "; ".join(ill)) if ill else (DONE, f"{len(health)} asked")
        case.end(RECOVER, "health", "ask the consumers", outcome, detail=detail)
        left += ill
    if requested.open_firewall:
        for machine in settings.machines:
            if machine.firewall:
                id = f"open:{machine.instance}"
                _step(
                    case, id, "open the firewall", left,
                    lambda machine=machine: _open(place, machine, case, requested.anyway), machine.instance,  # type: ignore[misc]
                )  # fmt: skip
    if requested.start_again:
        for hook in settings.hooks:
            if hook.undo:
                id = f"start:{hook.name}"
                _step(case, id, f"start {hook.name}", left, lambda hook=hook: _start(hook, case, means))  # type: ignore[misc]
    whole = requested.scrub and requested.rescan and requested.health and not left
    case.phase(RECOVER, WHOLE if whole else PARTLY, left)
    return Recovered(scrubbed, again, health, tuple(left))


def _step(case: Case, id: str, what: str, left: list[str], do: Callable[[], str], target: str = "") -> str:
    case.begin(RECOVER, id, what, target)
    try:
        detail = do()
    except KeywardError as error:
        case.end(RECOVER, id, what, FAILED, target=target, detail=str(error))
        left.append(f"{what} {target}: {error}".replace(" :", ":"))
        return f"{error}. {error.hint}".strip()
    case.end(RECOVER, id, what, target=target, detail=detail)
    return detail


def _scrub(case: Case, before: Assessed, wished: Wished, left: list[str]) -> str:
    """Exactly the places of the report; the values are read again from them, or from the store."""
    if not before.leaks:
        return "nothing: no leak is known"
    made = make_plan(ScrubOptions(leaked=f"{case.folder}/{before.report}", config=wished.config))
    outcome = carry_out(made)
    owed = {id(job.place): job.owed for job in made.jobs}
    kept = [
        f"{d.place.path}: {d.failure or '; '.join(d.result.left if d.result else ())}"
        for d in outcome.done
        if d.remains and owed.get(id(d.place))
    ]
    left += [f"not scrubbed: {each}" for each in (*kept, *outcome.still)][:50]
    record = {
        "before": [[str(name.kind), name.pseudonym, number] for name, number in outcome.before.items()],
        "after": [[str(name.kind), name.pseudonym, number] for name, number in outcome.after.items()],
        "kept": kept,
        "notes": list(made.notes),
    }
    case.save("scrub.json", record)
    return (
        f"{sum(outcome.before.values())} occurrences before, {sum(outcome.after.values())} after, in {len(outcome.done)} places"
    )


def _still(before: Assessed, again: Assessed) -> Iterator[str]:
    """Leaks that the second look still finds. One that is dead and stands in a repository's history alone hurts nobody: `scrub --git-plan`
    is for it, in its own time."""
    then = {leak.fingerprint for leak in before.leaks}
    for leak in again.leaks:
        in_history = leak.total <= len(leak.places) and all(where.commit for where in leak.places)
        if leak.fingerprint in then and not (leak.verdict == DEAD and in_history):
            state = "" if leak.verdict != DEAD else " (dead)"
            yield f"still there: {leak.kind} {leak.masked}{state} in {leak.total} places, first {leak.places[0].path}"


def _not_replaced(place: Workplace, case: Case, before: Assessed) -> Iterator[str]:
    """What leaked and has no rotation that came to its end since the case was opened."""
    done = {
        each.ref for each in standings(place.state, place.clock) if each.state is State.DONE and each.begun >= case.info.opened
    }
    for leak in before.leaks:
        for ref in filter(None, leak.ref.split(", ")):
            if ref not in done:
                yield f"{ref} leaked, and is not replaced"


def _all_well(place: Workplace, means: Means) -> Iterator[Health]:
    """Every consumer of every lane: whether it has the current value, and its own check; and every credential, whether it lives."""
    for lane, entry in place.operator.entries():
        try:
            with place.visit():
                yield from _well(place, lane, entry, means)
        except KeywardError as error:
            yield Health(entry.ref, "its store", None, str(error))


def _well(place: Workplace, lane: Lane, entry: Entry, means: Means) -> Iterator[Health]:
    held = place.store(entry.store).read(entry.path, Slot.CURRENT)
    if held is None:
        yield Health(entry.ref, "its store", False, "holds nothing")
        return
    ask = place.verify(entry)
    if ask is not None:
        verdict = ask(Credential(entry.kind, held.parts))
        well = True if isinstance(verdict, Live) else False if isinstance(verdict, Dead) else None
        detail = {Live: "lives", Dead: "is dead", Restricted: "is restricted"}.get(type(verdict), "cannot be told")
        yield Health(entry.ref, "the provider: it", well, detail)
    before = place.store(entry.store).read(entry.path, Slot.PREVIOUS)
    old = before.parts if before is not None else NO_PARTS
    values = Values(entry.lane, entry.name, f"{entry.store}:{entry.path}", old, held.parts)
    for spec in lane.consumers_of(entry.name):
        yield _consumer(place, entry, spec, values, means)


def _consumer(place: Workplace, entry: Entry, spec: ConsumerSpec, values: Values, means: Means) -> Health:
    from keyward.rotate.consumers import hosts_of, make_consumer

    try:
        ports = place.ports(hosts_of(spec))
        holds = make_consumer(spec, ports, resolve=place.resolve, runner=means.run).holds(values)
        if holds is not Holds.NEW:
            return Health(entry.ref, spec.name, False, f"holds {_HELD[holds]}")
        if spec.check:
            Commands(ports, means.run).must(spec.check, values, changes=False, purpose="the check command")
    except ConsumerError as error:
        return Health(entry.ref, spec.name, False, str(error))
    return Health(entry.ref, spec.name, True, "has the current one" + (", and its check passed" if spec.check else ""))


_HELD = {Holds.OLD: "the old one", Holds.OTHER: "something else", Holds.NOTHING: "nothing", Holds.NEW: "the current one"}


def _open(place: Workplace, machine: Machine, case: Case, anyway: bool) -> str:
    kept = case.load(rules_file(machine.instance))
    if not isinstance(kept, dict):
        raise UsageError(f"the case has no rules of {machine.instance}", hint="Its firewall was not shut by this incident.")
    rules = tuple(Rule(*each) for each in kept["rules"])
    ours = told(case).finished.get(f"{FIREWALL}:{machine.instance}", {}).get("data", {}).get("rules")
    only_over = None if anyway or not ours else tuple(Rule(*each) for each in ours)
    with place.visit():
        api = api_of(place, machine, CallRecorder())
        after = lighthouse.write_firewall(api, machine.instance, rules, place.clock, only_over=only_over)
    return f"the {len(rules)} rules from before, now version {after.version}"


def _start(hook: Hook, case: Case, means: Means) -> str:
    run_hook(hook.name, hook.undo, hook.timeout, case.info.name, means.run)
    return "its command ended with 0"


def to_open(settings: IncidentSettings, case: Case) -> Sequence[str]:
    """Instances whose firewall is shut by this incident and not opened again."""
    finished = told(case).finished
    return [
        machine.instance
        for machine in settings.machines
        if finished.get(f"{FIREWALL}:{machine.instance}", {}).get("outcome") == DONE
        and finished.get(f"open:{machine.instance}", {}).get("outcome") != DONE
    ]
