"""What every rotator must keep: killed at any fence and resumed, it ends with exactly one working credential.

A test class derives from `RotatorContract` and gives `world(folder)`: a provider (a real server or a stateful fake) with one old
credential in use, somebody else's credential beside it, and eyes of its own. The contract then

- runs once and compares the changing calls that the provider saw with those that the fences saw,
- kills a child at every journal line and every external call, resumes, and looks at the world,
- kills a process of its own, which inherited nothing, and resumes in another,
- loses replies, throttles, fails, refuses and keeps silent at each changing call, and stops answering at each reading one,
- lets the provider lie about the revocation, fills the disk, takes the store away, sets the clock wrong,
- and after each of these searches everything that was written, printed, or given to a process for every value, old and new.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from keyward.errors import KeywardError, StoreUnavailable
from keyward.model.credential import NO_PARTS, Credential, SecretParts
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.rotation import (
    CONFIRM,
    ISSUE,
    PROVE,
    QUARANTINE,
    RESERVE,
    REVOKE,
    Aborted,
    Attested,
    Outcome,
    Proved,
    ProvedByConsumer,
    Stopped,
    WaitingHuman,
)
from keyward.model.secret import Secret
from keyward.model.verdict import Verdict
from keyward.plugin.clock import Clock, ManualClock
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import PATIENT, Fence, Ports, Timeouts, new_client
from keyward.plugin.rotator import Rotator
from keyward.plugin.store import Slot
from keyward.testing.crash import FullDisk, Killer, Recorder, in_child
from keyward.testing.file_store import FileStore
from keyward.testing.witness import Witness

if TYPE_CHECKING:
    import ssl

    import httpx

    from keyward.rotate.engine import Rotation

DONE = (Proved, ProvedByConsumer, Attested)
FAULTS = ("lost", "reset", "500", "429", "hang")
READING_FAULTS = ("reset", "500", "429")
DAY = 86_400.0
STEPS = (QUARANTINE, RESERVE, ISSUE, PROVE, REVOKE, CONFIRM)
"""The steps in which a rotator or a verifier calls somebody."""


class World(Protocol):
    """One provider with one old credential. `host`: as the fences name it (`127.0.0.1`). It may have a `clock`, where its own
    time matters (signatures), and `fences` of its own, which see the calls last; `by_hand`, the new value that a person made, where only a
    person can (what `working` counts then, as long as the old one works, is the old one); and `fail_reading(how, number)`, which makes
    each reading call from `number` on go wrong until `well()` is called."""

    rotator: Rotator
    entry: Entry
    old: SecretParts
    admin: SecretParts
    host: str

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        """The detector's own verifier, with this world's target."""
        ...

    def works(self, parts: SecretParts) -> bool:
        """Whether a credential works: asked at the world itself, not through keyward."""
        ...

    def working(self) -> int:
        """How many credentials of the lane work now, somebody else's not counted."""
        ...

    def others_untouched(self) -> bool:
        """Whether somebody else's credentials are as they were."""
        ...

    def changes(self) -> list[str]:
        """The changing calls that arrived and were answered with success, as far as the world can tell; else empty."""
        ...

    def fail(self, how: str, number: int) -> bool:
        """Arranges that changing call `number` (from 0) goes wrong (`lost`, `reset`, `500`, `429`, `hang`); False where it cannot."""
        ...


class FileConsumer:
    """A consumer that keeps what it was given in a file below the test's folder, through fenced calls."""

    type, name = "test-file", "test-file consumer"

    def __init__(self, path: str, ports: Ports) -> None:
        self._path, self._ports = path, ports

    def holds(self, values: Values) -> Holds:
        held = self._ports.call("consumer read", "consumer", self._read, changes=False)
        if held == b"":
            return Holds.NOTHING
        if values.new and held == _flat(values.new):
            return Holds.NEW
        return Holds.OLD if held == _flat(values.old) else Holds.OTHER

    def apply(self, values: Values) -> str:
        self._ports.call("consumer write", "consumer", lambda: self._write(_flat(values.new)), changes=True)
        return "written"

    def verify(self, values: Values) -> str:
        assert self.holds(values) is Holds.NEW
        return "read back"

    def rollback(self, values: Values) -> str:
        self._ports.call("consumer write", "consumer", lambda: self._write(_flat(values.old)), changes=True)
        return "written back"

    def _read(self) -> bytes:
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def _write(self, data: bytes) -> None:
        with open(self._path + ".new", "wb") as file:
            file.write(data)
        os.replace(self._path + ".new", self._path)


class ListConsumer(FileConsumer):
    """One whose application takes a list: the new one and, as long as it is told of it, the old one behind it."""

    def holds(self, values: Values) -> Holds:
        held = self._ports.call("consumer read", "consumer", self._read, changes=False)
        first = held.split(AND)[0]
        if held == b"":
            return Holds.NOTHING
        if values.new and first == _flat(values.new):
            return Holds.NEW
        return Holds.OLD if first == _flat(values.old) else Holds.OTHER

    def apply(self, values: Values) -> str:
        both = AND.join(_flat(each) for each in (values.new, values.old) if each)
        self._ports.call("consumer write", "consumer", lambda: self._write(both), changes=True)
        return "written"


class _Forgetful(ListConsumer):
    """One that says it has dropped the old one, and keeps it."""

    def apply(self, values: Values) -> str:
        return super().apply(values) if values.old else "written"


AND = b"\n--\n"
"""Between two values of a list."""


def _flat(parts: SecretParts) -> bytes:
    return b"\n".join(name.encode() + b"=" + parts[name].reveal().hex().encode() for name in sorted(parts))


class Bench(NamedTuple):
    """A folder in which rotations of one world run, each with fresh objects, as after a restart. `client`: makes the HTTP client, where
    it is to be another one. `consumer`: likewise; one that takes a list where the rotator has fallbacks.
    `timeouts`: how long the clients of SDKs wait."""

    world: World
    folder: str
    clock: Clock
    client: Callable[[ssl.SSLContext | None], httpx.Client] = new_client
    consumer: Callable[[str, Ports], Consumer] | None = None
    timeouts: Timeouts = PATIENT

    @property
    def state(self) -> str:
        return os.path.join(self.folder, "state")

    @property
    def held_file(self) -> str:
        return os.path.join(self.folder, "vault", "consumer")

    @property
    def store_file(self) -> str:
        return os.path.join(self.folder, "vault", "store.json")

    def prepare(self) -> None:
        """The consumer and the store hold the old one, as before a rotation."""
        os.makedirs(os.path.dirname(self.held_file), exist_ok=True)
        with open(self.held_file, "wb") as file:
            file.write(_flat(self.world.old))
        with Ports(self.world.rotator.hosts(self.world.entry)) as ports:
            FileStore(self.store_file, ports).write(self.world.entry.path, Slot.CURRENT, self.world.old, {}, expected=0)

    def run(self, *fences: Fence, abort: bool = False, incident: bool = False) -> Outcome:
        """Starts the rotation, or resumes the one that is there."""
        from keyward.rotate.abort import abort as take_back
        from keyward.rotate.audit import AuditLog, CallRecorder

        calls = CallRecorder()
        with self._rotation(*fences, calls, incident=incident) as rotation:
            outcome = take_back(rotation) if abort else self._whole(rotation)
        # what the audit log tells of it: no name of a call may quote a value
        log = AuditLog(os.path.join(self.state, "audit.jsonl"), Secret(b"key of the log" * 4), clock=self.clock)
        log.append("rotation", detail=str(outcome), calls=calls.take())
        return outcome

    def _whole(self, rotation: Rotation) -> Outcome:
        """With the person's half, where there is one."""
        by_hand: SecretParts = getattr(self.world, "by_hand", NO_PARTS)
        outcome = rotation.run()
        if not (by_hand and isinstance(outcome, WaitingHuman) and outcome.step == ISSUE):
            return outcome
        try:
            rotation.provide(by_hand)
        except (KeywardError, OSError) as error:  # as the command ends then
            return Stopped(outcome.rotation, outcome.ref, ISSUE, str(error))
        return rotation.run()

    def provide(self, parts: SecretParts) -> None:
        """A person's half: the value that the rotation waits for."""
        with self._rotation() as rotation:
            rotation.provide(parts)

    @contextmanager
    def _rotation(self, *fences: Fence, incident: bool = False) -> Iterator[Rotation]:
        from keyward.model.rotation import INCIDENT, PLANNED
        from keyward.rotate.engine import Rotation
        from keyward.rotate.journal import Journal, journals, new_rotation_id
        from keyward.rotate.parties import Options, Parties, Placed

        world, clock = self.world, self.clock
        fences = (*fences, *getattr(world, "fences", ()))
        with Ports(
            world.rotator.hosts(world.entry), clock=clock, fences=fences, client=self.client, timeouts=self.timeouts
        ) as ports:
            rotations = os.path.join(self.state, "rotations")
            there = journals(rotations)
            if there:
                journal = Journal.open_(there[-1], clock, fences)
            else:
                journal = Journal.create(rotations, new_rotation_id(clock), clock, fences)
            takes_list = world.rotator.capabilities_for(world.entry).fallbacks
            make = self.consumer or (ListConsumer if takes_list else FileConsumer)
            consumer = make(self.held_file, ports)
            spec = ConsumerSpec(consumer.type, {"path": "consumer"})
            parties = Parties(
                lane=Lane(world.entry.lane, entries=(world.entry,), consumers=(spec,)),
                entry=world.entry,
                rotator=world.rotator,
                store=FileStore(self.store_file, ports),
                ports=ports,
                clock=clock,
                verify=lambda credential: world.verify(credential, ports),
                consumers=(Placed(spec, consumer),),
                admin=world.admin,
            )
            yield Rotation(parties, journal, Options(mode=INCIDENT if incident else PLANNED))

    def consumed(self) -> SecretParts:
        """What the consumer has."""
        with open(self.held_file, "rb") as file:
            lines = (line.partition(b"=") for line in file.read().split(AND)[0].split(b"\n"))
            return {name.decode(): Secret(bytes.fromhex(value.decode())) for name, _, value in lines}

    def stored(self, slot: Slot) -> SecretParts | None:
        with Ports(self.world.rotator.hosts(self.world.entry)) as ports:
            held = FileStore(self.store_file, ports).read(self.world.entry.path, slot)
            return held.parts if held else None

    def somebody_works(self) -> bool:
        """Whether the consumer has one that works; where the old one dies when the new one is made, whether the store has it."""
        overlap = self.world.rotator.capabilities_for(self.world.entry).overlap.value
        held = [self.stored(slot) for slot in (Slot.CURRENT, Slot.PENDING)] if overlap == "none" else []
        return any(parts is not None and self.world.works(parts) for parts in (self.consumed(), *held))

    def check_rotated(self) -> None:
        """Exactly one credential works, it is stored and distributed, the old one is dead, nobody else's was touched."""
        world = self.world
        new = self.stored(Slot.CURRENT)
        assert new is not None, "nothing is stored"
        assert dict(new) != dict(world.old), "the old one is still stored"
        assert world.works(new), "the stored one does not work"
        assert not world.works(world.old), "the old one still works"
        self._check_orphans()
        assert world.others_untouched(), "somebody else's credential was touched"
        assert self.stored(Slot.PENDING) is None and self.stored(Slot.PREVIOUS) is None, "a slot was left behind"
        with open(self.held_file, "rb") as file:
            assert file.read() == _flat(new), "the consumer does not have the new one"

    def _check_orphans(self) -> None:
        count = self.world.working()
        if self.world.rotator.capabilities_for(self.world.entry).lists:
            assert count == 1, f"{count} credentials work: an orphan is left"
        else:
            assert count >= 1, "nothing works"  # what nobody lists nobody can find: it ends by itself

    def check_untouched(self) -> None:
        """The old one is in use as before, and nothing else is left."""
        world = self.world
        assert world.works(world.old), "the old one does not work any more"
        self._check_orphans()
        assert world.others_untouched(), "somebody else's credential was touched"
        current = self.stored(Slot.CURRENT)
        assert current is not None and dict(current) == dict(world.old), "the store has something else than the old one"
        assert self.stored(Slot.PENDING) is None and self.stored(Slot.PREVIOUS) is None, "a slot was left behind"
        with open(self.held_file, "rb") as file:
            assert file.read() == _flat(world.old), "the consumer has something else than the old one"

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Everything that keyward itself wrote: journal, locks, state; not the store and not the consumer."""
        for folder, _, names in os.walk(self.state):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    yield path, file.read()


def impatient(tls: ssl.SSLContext | None) -> httpx.Client:
    """A client that waits for an answer for a moment only."""
    return new_client(tls, Timeouts(MOMENT, MOMENT))


MOMENT = 0.5
"""Seconds: long for a server on this machine."""

PUBLIC_PARTS = frozenset({"id", "username", "user", "host", "port", "database", "role_id", "public_key"})
"""Names of parts that kinds declare public."""


def values_of(parts: SecretParts) -> Iterable[bytes]:
    """The values that are secret, and long enough to be looked for."""
    return [value.reveal() for name, value in parts.items() if name not in PUBLIC_PARTS and len(value) >= 12]


def forms_of(value: bytes) -> tuple[bytes, ...]:
    """How a value may stand in a text. Of one of several lines the longest, which is alone enough to tell."""
    line = max(value.split(b"\n"), key=len)
    return line, line.hex().encode(), base64.b64encode(line).rstrip(b"=")


class RotatorContract:
    """Derive, give `world`, and pytest runs the rest. It is killed before and after each journal line and each changing call. `stride`:
    every how manieth instant at which something is only read, for a slow real server; 1 wherever it can be. `fault_stride`: every how
    manieth changing call goes wrong; `reading_stride`: the same for the reading calls."""

    stride = 1
    fault_stride = 1
    reading_stride = 1
    _heard: pytest.CaptureFixture[str]

    @pytest.fixture(autouse=True)
    def _hears(self, capfd: pytest.CaptureFixture[str]) -> None:
        """What is printed, by this process and its children."""
        self._heard = capfd

    def world(self, folder: str) -> AbstractContextManager[World]:
        """A fresh world; `folder` is empty and for its files."""
        raise NotImplementedError

    @contextmanager
    def bench(self, folder: Any, number: int = 0) -> Iterator[Bench]:
        place = os.path.join(str(folder), str(number))
        os.makedirs(os.path.join(place, "world"))
        with self.world(os.path.join(place, "world")) as world:
            bench = Bench(world, place, getattr(world, "clock", None) or ManualClock())
            bench.prepare()
            old, admin = dict(world.old), dict(world.admin)
            with Witness() as witness:
                yield bench
            values = [*values_of(old), *values_of(admin), *values_of(getattr(world, "by_hand", NO_PARTS))]
            for slot in Slot:
                values += values_of(bench.stored(slot) or NO_PARTS)
            self._check_silence(bench, witness, values)

    def _check_silence(self, bench: Bench, witness: Witness, values: list[bytes]) -> None:
        """No value stands in what was written, printed or given to a process; and nothing was written elsewhere, not for a moment."""
        texts = [*bench.written(), *(("the arguments or environment of a process", each) for each in witness.started)]
        texts += zip(("standard output", "standard error"), (each.encode() for each in self._heard.readouterr()), strict=True)
        forms = {form for value in values for form in forms_of(value)}
        for place, data in texts:
            assert not any(form in data for form in forms), f"a value stands in {place}"
        temporary, own = (os.path.realpath(folder) + os.sep for folder in (tempfile.gettempdir(), bench.folder))
        elsewhere = [path for path in witness.written if path.startswith(temporary) and not path.startswith(own)]
        assert not elsewhere, f"a temporary file was written: {elsewhere}"

    def test_rotates_and_every_call_was_seen_by_a_fence(self, tmp_path: Any) -> None:
        recorder = Recorder()
        with self.bench(tmp_path) as bench:
            outcome = bench.run(recorder)
            assert isinstance(outcome, DONE), outcome
            bench.check_rotated()
            seen = bench.world.changes()
            fenced = recorder.changes(bench.world.host)
            by_consumers = bench.world.rotator.capabilities_for(bench.world.entry).applied_by_consumers
            assert fenced or by_consumers, "no changing call passed a fence"
            if seen:
                assert len(seen) == len(fenced), f"the provider saw {seen}; the fences saw {fenced}"

    def test_what_each_step_calls_is_what_the_plan_says(self, tmp_path: Any) -> None:
        for number, incident in enumerate((False, True)):
            recorder = Recorder()
            with self.bench(tmp_path, number) as bench:
                assert isinstance(bench.run(recorder, incident=incident), DONE)
                named = bench.world.rotator.calls_for(bench.world.entry)
                assert set(named) <= set(STEPS), "calls of steps that there are not"
                for step, calls in recorder.by_step(bench.world.host).items():
                    unnamed = [call for call in calls if not any(fits(call, name) for name in named.get(step, ()))]
                    assert step not in STEPS or not unnamed, f"{step} calls {unnamed}; the plan says {named.get(step, ())}"

    def test_an_incident_disables_first_and_ends_the_same(self, tmp_path: Any) -> None:
        with self.bench(tmp_path) as bench:
            assert isinstance(bench.run(incident=True), DONE)
            bench.check_rotated()

    def test_running_again_changes_nothing(self, tmp_path: Any) -> None:
        with self.bench(tmp_path) as bench:
            bench.run()
            before = bench.stored(Slot.CURRENT)
            again = Recorder()
            assert isinstance(bench.run(again), DONE)
            assert not again.changes(bench.world.host)
            assert before == bench.stored(Slot.CURRENT)

    def test_killed_at_every_fence_and_resumed(self, tmp_path: Any) -> None:
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
        self._killed_at(tmp_path, recorder, recorder.instants(self.stride), incident=False)

    def test_killed_while_the_old_one_is_stopped_at_once_and_resumed(self, tmp_path: Any) -> None:
        """What only an incident does: all that comes after is the same as without one."""
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder, incident=True)
        self._killed_at(tmp_path, recorder, recorder.instants_of(QUARANTINE), incident=True)

    def _killed_at(self, tmp_path: Any, recorder: Recorder, instants: list[int], *, incident: bool) -> None:
        for at in instants:
            with self.bench(tmp_path, at + 1) as bench:
                ended = in_child(lambda bench=bench, at=at: bench.run(Killer(at), incident=incident))  # type: ignore[misc]
                assert not ended, f"the child was not killed at fence {at}: {recorder.events[at]}"
                outcome = bench.run()
                assert isinstance(outcome, DONE), f"killed {recorder.events[at]}: {outcome}"
                try:
                    bench.check_rotated()
                except AssertionError as error:
                    raise AssertionError(f"killed {recorder.events[at]}: {error}") from None

    def test_killed_in_a_process_of_its_own_and_resumed_in_another(self, tmp_path: Any) -> None:
        """Right after the first change at the provider, before anybody has stored what came of it."""
        from keyward.testing.rotation_process import run_apart

        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
        at = recorder.first_change(bench.world.host)
        with self.bench(tmp_path, 1) as bench:
            killed = run_apart(bench, at)
            assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
            resumed = run_apart(bench)
            outcome = resumed.stdout.decode()
            assert outcome.split(" ")[0] in {each.__name__ for each in DONE}, outcome + resumed.stderr.decode()
            bench.check_rotated()
            said = b"".join((killed.stdout, killed.stderr, resumed.stdout, resumed.stderr))
            values = [*values_of(bench.world.old), *values_of(bench.world.admin), *values_of(bench.consumed())]
            assert not any(form in said for value in values for form in forms_of(value)), "a value was printed"

    def test_killed_and_taken_back(self, tmp_path: Any) -> None:
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
        for at in recorder.instants()[:: 3 * self.stride]:
            with self.bench(tmp_path, at + 1) as bench:
                in_child(lambda bench=bench, at=at: bench.run(Killer(at)))  # type: ignore[misc]
                outcome = bench.run(abort=True)
                if isinstance(outcome, Aborted):
                    bench.check_untouched()
                else:
                    assert isinstance(outcome, Stopped), outcome
                    assert isinstance(bench.run(), DONE)
                    bench.check_rotated()

    def test_replies_lost_and_refused_at_every_changing_call(self, tmp_path: Any) -> None:
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
            calls = len(bench.world.changes() or recorder.changes(bench.world.host))
        for number in range(0, calls, self.fault_stride):
            for which, how in enumerate(FAULTS):
                with self.bench(tmp_path, 1 + number * len(FAULTS) + which) as bench:
                    if not bench.world.fail(how, number):
                        continue
                    hasty = bench._replace(client=impatient, timeouts=Timeouts(MOMENT, MOMENT))
                    outcome = (hasty if how == "hang" else bench).run()
                    if isinstance(outcome, Stopped):
                        outcome = bench.run()
                    assert isinstance(outcome, DONE), f"{how} at changing call {number}: {outcome}"
                    try:
                        bench.check_rotated()
                    except AssertionError as error:
                        raise AssertionError(f"{how} at changing call {number}: {error}") from None

    def test_a_provider_that_stops_answering_at_any_reading_call(self, tmp_path: Any) -> None:
        """Whatever is only asked may stay unanswered from any moment on: nothing dies that is needed, and it goes on afterwards."""
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
            if not hasattr(bench.world, "fail_reading"):
                return
        readings = recorder.readings(bench.world.host)
        for number in range(0, readings, self.reading_stride):
            for which, how in enumerate(READING_FAULTS):
                with self.bench(tmp_path, 1 + number * len(READING_FAULTS) + which) as bench:
                    world: Any = bench.world
                    world.fail_reading(how, number)
                    bench.run()
                    assert bench.somebody_works(), f"{how} from reading call {number} on: nobody has one that works"
                    world.well()
                    outcome = bench.run()
                    assert isinstance(outcome, DONE), f"{how} from reading call {number} on: {outcome}"
                    try:
                        bench.check_rotated()
                    except AssertionError as error:
                        raise AssertionError(f"{how} from reading call {number} on: {error}") from None

    @pytest.mark.parametrize("wrong", [-DAY, DAY], ids=["a day behind", "a day ahead"])
    def test_a_wrong_clock_loses_nothing(self, tmp_path: Any, wrong: float) -> None:
        """Wrong from the beginning; and only when it is resumed, so that times in the journal do not fit."""
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
        for number, at in enumerate((None, recorder.first_change(bench.world.host))):
            with self.bench(tmp_path, number + 1) as bench:
                if at is not None:
                    assert not in_child(lambda bench=bench, at=at: bench.run(Killer(at)))  # type: ignore[misc]
                elsewhen = bench._replace(clock=ManualClock(bench.clock.now() + wrong))
                outcome = elsewhen.run()
                assert isinstance(outcome, (*DONE, Stopped)), outcome
                assert bench.world.others_untouched() and bench.somebody_works()
                assert isinstance(bench.run(), DONE), outcome
                bench.check_rotated()

    def test_a_full_disk_loses_nothing(self, tmp_path: Any) -> None:
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
        lines = sum(event.what.startswith("journal ") and event.side == "before" for event in recorder.events)
        for at in range(0, lines, self.stride):
            with self.bench(tmp_path, at + 1) as bench:
                outcome = bench.run(FullDisk(at))
                assert isinstance(outcome, Stopped), outcome
                assert isinstance(bench.run(), DONE)
                bench.check_rotated()

    def test_a_provider_that_lies_about_the_revocation_is_caught(self, tmp_path: Any) -> None:
        with self.bench(tmp_path) as bench:
            world = bench.world
            if world.rotator.capabilities_for(world.entry).overlap.value == "none":
                return  # the old one died when the new one was made: there is no revocation to lie about
            if world.rotator.capabilities_for(world.entry).fallbacks:
                bench = bench._replace(consumer=_Forgetful)  # it dies when its consumers drop it
            world.rotator = _Liar(world.rotator)  # type: ignore[assignment]
            outcome = bench.run()
            assert isinstance(outcome, Stopped), outcome
            assert outcome.step == "CONFIRM" and world.works(world.old)

    def test_a_store_that_goes_away_stops_it_before_anything_dies(self, tmp_path: Any) -> None:
        recorder = Recorder()
        with self.bench(tmp_path, 0) as bench:
            bench.run(recorder)
        writes = sum(event.side == "before" and event.what.startswith("store write") for event in recorder.events)
        for at in range(writes):
            with self.bench(tmp_path, at + 1) as bench:
                outcome = bench.run(_StoreGone(at))
                if isinstance(outcome, WaitingHuman):
                    # the old one died when the new one was made: those who need it work, and a person reads it there
                    assert bench.world.works(bench.consumed()), "nobody has a credential that works"
                    bench.provide(bench.consumed())
                    assert isinstance(bench.run(), DONE)
                    bench.check_rotated()
                    continue
                assert isinstance(outcome, Stopped), outcome
                overlap = bench.world.rotator.capabilities_for(bench.world.entry).overlap.value
                if overlap != "none":
                    assert bench.world.works(bench.world.old)
                assert isinstance(bench.run(), DONE)
                bench.check_rotated()

    def test_no_value_is_written_anywhere_but_into_the_store_and_the_consumer(self, tmp_path: Any) -> None:
        with self.bench(tmp_path) as bench:
            outcome = bench.run()
            new = bench.stored(Slot.CURRENT)
            assert new is not None
            canaries = [*values_of(bench.world.old), *values_of(new), *values_of(bench.world.admin)]
            assert canaries
            texts = [*bench.written(), ("outcome", repr(outcome).encode())]
            assert any(path.endswith("journal.jsonl") for path, _ in texts)
            for path, data in texts:
                for canary in canaries:
                    for form in (canary, canary.hex().encode()):
                        assert form not in data, f"a value stands in {path}"


def fits(call: str, name: str) -> bool:
    """Whether a call is the one that a name stands for: `DELETE /keys/7` is `DELETE /keys/{id}`."""
    pieces = re.split(r"\{\w+\}", name)
    return re.fullmatch("[^/]+".join(map(re.escape, pieces)), call) is not None


class _StoreGone:
    """Refuses the store's write number `at` and all that follow, as a store that went away."""

    def __init__(self, at: int) -> None:
        self._at, self._count = at, 0

    def before(self, call: Any) -> None:
        if call.what.startswith("store write"):
            self._count += 1
        if self._count > self._at and call.what.startswith("store"):
            raise StoreUnavailable("gone", certain=True)

    def after(self, call: Any, outcome: str) -> None:
        """Nothing."""


class _Liar:
    """A rotator whose `disable` and `revoke` say yes and do nothing."""

    def __init__(self, honest: Rotator) -> None:
        self._honest = honest

    def __getattr__(self, name: str) -> Any:
        if name in ("disable", "revoke", "end_sessions"):
            return lambda *_: None
        return getattr(self._honest, name)
