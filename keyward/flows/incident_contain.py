"""`keyward incident contain`: what the configuration allows, one planned step after the other, each of which can be done again.

In this order: automations pause; at Lighthouse a snapshot is begun (it shows the disk of that moment) and the firewall shut; copies of
logs and histories are taken; the snapshot is waited for; containers are stopped. Nothing is ever deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from keyward.errors import ConsumerError, KeywardError, Refused, UsageError
from keyward.flows.incident_case import PARTLY, STARTED, WHOLE, Case, Told, told
from keyward.flows.incident_tools import below, output
from keyward.flows.workplace import Workplace
from keyward.incident import firewall, lighthouse
from keyward.incident.copies import copy, room_at
from keyward.incident.host_areas import Output
from keyward.incident.lighthouse_api import Api, hosts_for
from keyward.incident.settings import Hook, IncidentSettings, Machine
from keyward.incident.volatile import volatile
from keyward.model.incident import CONTAIN, DONE, FAILED, SKIPPED, Proof
from keyward.model.secret import Secret
from keyward.plugin.store import Slot
from keyward.rotate.audit import CallRecorder
from keyward.rotate.consumers.commands import Runner, run_command
from keyward.scan.sources.catalogue import chosen
from keyward.scan.sources.host import Host, this_host
from keyward.scan.sources.sweep import Sweep

PAUSE, SNAPSHOT, FIREWALL, COPIES, SNAPSHOT_WHOLE, STOP = "pause", "snapshot", "firewall", "copies", "snapshot whole", "stop"
IDENTITY_PATH = "audit/evidence"
"""Where the store keeps the identity that opens the copies, if the configuration names no recipients."""

COPIED_GROUPS = ("shell", "logs")
DOCKER_TIMEOUT = 120.0


class ContainStep(NamedTuple):
    """One step. `id`: unique, and the same in every run. `how`: what exactly. `refusal`: why it cannot be done (empty: it can), `hint`: what
    to do then. `state`: how it went before: empty, DONE, or the outcome."""

    id: str
    what: str
    target: str
    how: str
    refusal: str = ""
    hint: str = ""
    state: str = ""


Approve = Callable[[ContainStep], bool]
Tell = Callable[[str, str], None]
"""Is told a step's id and how it goes."""


class Means(NamedTuple):
    """What containment needs from outside. `session`: variables that tell where an SSH session comes from."""

    run: Runner = run_command
    output: Output = output
    session: Mapping[str, str] = os.environ
    host: Host | None = None


THIS_HOST = Means()


class Contained(NamedTuple):
    """What came of each step: DONE, FAILED or SKIPPED, and why."""

    outcomes: tuple[tuple[ContainStep, str, str], ...]

    @property
    def failed(self) -> bool:
        return any(outcome == FAILED for _, outcome, _ in self.outcomes)


def plan(
    settings: IncidentSettings, case: str, before: Told | None = None, means: Means = THIS_HOST
) -> tuple[ContainStep, ...]:
    """What would be done, in order. Asks nobody."""
    steps = list(_steps(settings, case, means))
    finished = before.finished if before else {}
    return tuple(step._replace(state=str(finished.get(step.id, {}).get("outcome", ""))) for step in steps)


def _steps(settings: IncidentSettings, case: str, means: Means) -> Iterator[ContainStep]:
    for hook in settings.hooks:
        yield ContainStep(f"{PAUSE}:{hook.name}", f"pause {hook.name}", "", f"run {' '.join(hook.run)}")
    for machine in settings.machines:
        if machine.snapshot:
            name = lighthouse.snapshot_name(case)
            yield ContainStep(
                f"{SNAPSHOT}:{machine.instance}", "begin a snapshot", machine.instance,
                f"CreateInstanceSnapshot {name} of its system disk",
            )  # fmt: skip
        if machine.firewall:
            yield _firewall_step(settings, machine, case, means)
    yield ContainStep(COPIES, "copy logs and histories", "", "hashed, and encrypted with age into the case; nothing is changed")
    for machine in settings.machines:
        if machine.snapshot:
            yield ContainStep(
                f"{SNAPSHOT_WHOLE}:{machine.instance}", "wait for the snapshot", machine.instance, "until it is NORMAL"
            )
    for name in settings.stop_containers:
        yield ContainStep(f"{STOP}:{name}", "stop the container", name, "docker stop, and no restart; it is not removed")


def _firewall_step(settings: IncidentSettings, machine: Machine, case: str, means: Means) -> ContainStep:
    allowed = settings.ssh_from or firewall.from_session(means.session)
    step = ContainStep(f"{FIREWALL}:{machine.instance}", "shut the firewall", machine.instance, "")
    try:
        rules = firewall.lock_down(allowed, machine.ssh_port, case)
    except UsageError as error:
        return step._replace(refusal=str(error), hint=error.hint)
    said = "; ".join(str(rule) for rule in rules)
    return step._replace(how=f"only {said}; what goes out is not stopped; the rules that are there are kept in the case")


def contain(
    place: Workplace,
    settings: IncidentSettings,
    case: Case,
    *,
    approve: Approve,
    tell: Tell = lambda id, text: None,
    again: bool = False,
    only: Sequence[str] = (),
    means: Means = THIS_HOST,
) -> Contained:
    """Takes the steps. What was done before is not done again unless `again`. One that fails stops nothing else.

    Raises Halted where the case's notes cannot be written.
    """
    before = told(case)
    steps = plan(settings, case.info.name, before, means)
    case.phase(CONTAIN, STARTED)
    outcomes: list[tuple[ContainStep, str, str]] = []
    for step in steps:
        if only and step.id not in only and step.id.partition(":")[0] not in only:
            continue
        outcomes.append((step, *_one(place, settings, case, step, approve, tell, again, means)))
    stands = told(case).finished
    left = [f"{s.what} {s.target}".strip() for s in steps if stands.get(s.id, {}).get("outcome") != DONE]
    case.phase(CONTAIN, PARTLY if left else WHOLE, left)
    return Contained(tuple(outcomes))


def _one(
    place: Workplace,
    settings: IncidentSettings,
    case: Case,
    step: ContainStep,
    approve: Approve,
    tell: Tell,
    again: bool,
    means: Means,
) -> tuple[str, str]:
    if step.state == DONE and not again:
        tell(step.id, "done before")
        return DONE, "done before"
    if step.refusal:
        case.end(CONTAIN, step.id, step.what, FAILED, target=step.target, detail=step.refusal)
        tell(step.id, step.refusal)
        return FAILED, f"{step.refusal}. {step.hint}".strip()
    if not approve(step):
        case.end(CONTAIN, step.id, step.what, SKIPPED, target=step.target, detail="not approved")
        return SKIPPED, "not approved"
    case.begin(CONTAIN, step.id, step.what, step.target, step.how)
    try:
        done = _do(place, settings, case, step, lambda text: tell(step.id, text), means)
    except KeywardError as error:
        case.end(CONTAIN, step.id, step.what, FAILED, target=step.target, detail=str(error))
        tell(step.id, f"failed: {error}")
        return FAILED, f"{error}. {error.hint}".strip()
    case.end(CONTAIN, step.id, step.what, DONE, target=step.target, detail=done.detail, proofs=done.proofs, data=done.data)
    tell(step.id, done.detail)
    return DONE, done.detail


class _Done(NamedTuple):
    detail: str
    proofs: tuple[Proof, ...] = ()
    data: Mapping[str, Any] = {}


def _do(
    place: Workplace, settings: IncidentSettings, case: Case, step: ContainStep, tell: Callable[[str], None], means: Means
) -> _Done:
    name, _, target = step.id.partition(":")
    if name == PAUSE:
        return _pause(next(hook for hook in settings.hooks if hook.name == target), case, means)
    if name == COPIES:
        return _copies(place, settings, case, means)
    if name == STOP:
        return _stop(target, means)
    machine = next(each for each in settings.machines if each.instance == target)
    recorder = CallRecorder()
    with place.visit():
        api = api_of(place, machine, recorder)
        if name == SNAPSHOT:
            return _begin_snapshot(api, machine, case)
        if name == FIREWALL:
            return _shut(place, api, machine, settings, case, means)
        return _await_snapshot(place, api, machine, case, tell)


def api_of(place: Workplace, machine: Machine, recorder: CallRecorder) -> Api:
    """Lighthouse, as the configured credential sees it. Raises what a reference raises."""
    admin = {part: place.resolve(reference, part) for part, reference in machine.admin.items()}
    return Api(machine, admin, place.ports(hosts_for(machine), recorder))


def _pause(hook: Hook, case: Case, means: Means) -> _Done:
    run_hook(hook.name, hook.run, hook.timeout, case.info.name, means.run)
    return _Done("its command ended with 0")


def run_hook(name: str, argv: Sequence[str], timeout: float, case: str, run: Runner) -> None:
    """Runs a command of the configuration. What it prints is not shown: it may be anything. Raises ConsumerError."""
    hint = "Run it by hand to see what it says, then run this again."
    try:
        ran = run(argv, stdin=b"", environment={"KEYWARD_INCIDENT": case}, timeout=timeout)
    except TimeoutError:
        raise ConsumerError(f"the hook {name} took longer than {timeout:.0f} s and was ended", hint=hint) from None
    except OSError as error:
        raise ConsumerError(f"the hook {name} cannot be run: {(error.strerror or '').lower()}", hint=hint) from None
    if ran.code:
        raise ConsumerError(f"the hook {name} ended with exit code {ran.code}", hint=hint)


def _begin_snapshot(api: Api, machine: Machine, case: Case) -> _Done:
    name = lighthouse.snapshot_name(case.info.name)
    begun = lighthouse.begin_snapshot(api, machine.instance, name)
    proof = Proof("lighthouse:CreateInstanceSnapshot", detail=f"{begun.id} {name}")
    return _Done(f"{begun.id} {'was there already' if begun.found else 'is being made'}", (proof,), {"snapshot": begun.id})


def _await_snapshot(place: Workplace, api: Api, machine: Machine, case: Case, tell: Callable[[str], None]) -> _Done:
    id = str(told(case).finished.get(f"{SNAPSHOT}:{machine.instance}", {}).get("data", {}).get("snapshot", ""))
    if not id:
        raise Refused(f"no snapshot of {machine.instance} was begun", hint="Run it again, and approve it.")
    try:
        taken = lighthouse.await_snapshot(api, machine.instance, id, place.clock, wait=machine.snapshot_wait, tell=tell)
    except lighthouse.SnapshotFailed:
        # so that the next run begins another one
        case.end(
            CONTAIN,
            f"{SNAPSHOT}:{machine.instance}",
            "begin a snapshot",
            FAILED,
            target=machine.instance,
            detail=f"{id} failed",
        )
        raise
    detail = f"{taken.id} NORMAL, created {taken.created}, operation {taken.operation}"
    return _Done(f"{taken.id} is whole", (Proof("lighthouse:DescribeSnapshots", detail=detail),), {"snapshot": taken.id})


def rules_file(instance: str) -> str:
    """Where the rules that were there before lie in the case."""
    return os.path.join("evidence", f"firewall-{instance}.json")


def _shut(place: Workplace, api: Api, machine: Machine, settings: IncidentSettings, case: Case, means: Means) -> _Done:
    allowed = settings.ssh_from or firewall.from_session(means.session)
    wanted = firewall.lock_down(allowed, machine.ssh_port, case.info.name)
    before = lighthouse.read_firewall(api, machine.instance)
    if case.load(rules_file(machine.instance)) is None:  # of a second run, these would be our own
        kept = {"instance": machine.instance, "version": before.version, "rules": [list(rule) for rule in before.rules]}
        case.save(rules_file(machine.instance), kept)
    after = lighthouse.write_firewall(api, machine.instance, wanted, place.clock)
    detail = f"version {before.version} → {after.version}: {'; '.join(str(rule) for rule in after.rules)}"
    proof = Proof("lighthouse:ModifyFirewallRules", detail=detail)
    return _Done(detail, (proof,), {"rules": [list(rule) for rule in wanted]})


def _copies(place: Workplace, settings: IncidentSettings, case: Case, means: Means) -> _Done:
    recipients = settings.recipients or (_own_recipient(place),)
    host = means.host or this_host()
    groups = COPIED_GROUPS[:1] if settings.home_only else COPIED_GROUPS
    swept = [met.path for met in Sweep(host, chosen(groups)).files()]
    paths = below(host.home, swept) if settings.home_only else swept
    paths += [path for each in settings.copies for path in _below(each)]
    stamp = f"{place.clock.now():.0f}"
    archive = os.path.join(case.evidence, f"copies-{stamp}.tar.gz.age")
    fleeting = {} if settings.home_only else volatile(means.output)
    copied = copy(paths, archive, recipients, fleeting, room=room_at(case.evidence))
    left_out = case.save(f"evidence/copies-{stamp}-left-out.json", [list(each) for each in copied.left_out])
    proofs = (
        Proof("copies", case.relative(archive), copied.sha256, copied.size),
        Proof("manifest in the copies", "MANIFEST.jsonl", copied.manifest_sha256),
        left_out._replace(what="what was not copied"),
    )
    detail = f"{copied.files} files, {copied.bytes} bytes; {len(copied.left_out)} left out"
    return _Done(detail, proofs, {"archive": os.path.basename(archive), "retain_until": case.info.retain_until})


def _below(path: str) -> Iterator[str]:
    """A file, or all files below a folder; links are not followed."""
    if not os.path.isdir(path) or os.path.islink(path):
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (os.path.join(folder, name) for name in sorted(names))


def _own_recipient(place: Workplace) -> str:
    """The recipient of the identity that the default store keeps; made there on first use. Raises StoreError, MissingExtra."""
    from keyward.stores.age_identity import age

    store = place.store(place.operator.default_store)
    held = store.read(IDENTITY_PATH, Slot.CURRENT)
    if held is None:
        made = Secret(str(age().x25519.Identity.generate()).encode())
        store.write(IDENTITY_PATH, Slot.CURRENT, {"identity": made}, {}, expected=0)
        held = store.read(IDENTITY_PATH, Slot.CURRENT)
    if held is None or "identity" not in held.parts:
        raise Refused(f"the store holds no identity at {IDENTITY_PATH}", hint="Name recipients below [incident].")
    return str(age().x25519.Identity.from_str(held.parts["identity"].reveal().decode()).to_public())


def _stop(name: str, means: Means) -> _Done:
    """Stops a container so that it stays as it is: one that would be removed when it stops is frozen instead."""
    seen = means.output(("docker", "inspect", "--type", "container", name))
    try:
        (found,) = json.loads(seen or b"null")
        state, config = found["State"], found["HostConfig"]
        running, paused, id, image = bool(state["Running"]), bool(state.get("Paused")), str(found["Id"]), str(found["Image"])
        removed, restart = bool(config.get("AutoRemove")), str((config.get("RestartPolicy") or {}).get("Name") or "no")
    except (ValueError, KeyError, TypeError):
        hint = "See: docker ps --all. Is Docker running, and may you ask it?"
        raise ConsumerError(f"docker knows no container {name}", hint=hint) from None
    proof = Proof("docker inspect", detail=f"{id[:12]} of {image[:19]}, restart {restart}")
    data = {"was_running": running, "restart": restart, "id": id}
    if removed:
        if running and not paused:
            _docker(("docker", "pause", name), name, means)
        return _Done("frozen: it would be removed when it stops", (proof,), {**data, "paused": True})
    if restart != "no":
        _docker(("docker", "update", "--restart", "no", name), name, means)
    if running:
        _docker(("docker", "stop", name), name, means)
    return _Done("stopped, and kept" if running else "it stood still already", (proof,), data)


def _docker(argv: Sequence[str], name: str, means: Means) -> None:
    run_hook(f"docker {argv[1]} {name}", argv, DOCKER_TIMEOUT, "", means.run)
