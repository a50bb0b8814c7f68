"""The audit log of a rotation: each call stands on the step that made it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_provider import ToyRotator, ToyWorld, toy_world

from keyward.flows.auditing import Audited
from keyward.model.lane import ConsumerSpec, Lane
from keyward.model.rotation import Proved, Stopped
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Ports
from keyward.plugin.store import Slot
from keyward.rotate.audit import AuditLog, CallRecorder, Record
from keyward.rotate.audit_verify import read, verify
from keyward.rotate.engine import Rotation
from keyward.rotate.journal import Journal, new_rotation_id
from keyward.rotate.parties import Parties, Placed, silent
from keyward.stores.memory import MemoryStore
from keyward.testing.fakes.server import Fault
from keyward.testing.rotator_contract import FileConsumer, fits

KEY = Secret(b"k" * 32)


class Recorded:
    """One rotation at the toy provider, and what the audit log has of it."""

    def __init__(self, world: ToyWorld, folder: Path) -> None:
        clock, recorder = ManualClock(), CallRecorder()
        self.path = str(folder / "audit.jsonl")
        store = MemoryStore()
        store.write(world.entry.path, Slot.CURRENT, world.old, {}, expected=0)
        with Ports(world.rotator.hosts(world.entry), clock=clock, fences=(recorder,)) as ports:
            spec = ConsumerSpec("test-file", {"path": str(folder / "consumer")})
            parties = Parties(
                Lane("lane", entries=(world.entry,), consumers=(spec,)), world.entry, world.rotator, store, ports, clock,
                lambda credential: world.verify(credential, ports),
                (Placed(spec, FileConsumer(str(folder / "consumer"), ports)),), world.admin,
            )  # fmt: skip
            journal = Journal.create(str(folder / "rotations"), new_rotation_id(clock), clock)
            with AuditLog(self.path, KEY, clock=clock) as log:
                audited = Audited(log, recorder, journal.rotation, parties, silent)
                self.outcome = Rotation(parties, journal, tell=audited).run()
                audited.ended(self.outcome)

    @property
    def records(self) -> list[Record]:
        return list(read(self.path, KEY))

    def calls_of(self, step: str) -> list[str]:
        return [call["what"] for each in self.records if each["what"] == f"rotation: {step}" for call in each["calls"]]


@pytest.fixture
def world() -> Iterator[ToyWorld]:
    with toy_world(ToyRotator()) as made:
        yield made


def test_each_call_stands_on_the_step_that_made_it(world: ToyWorld, tmp_path: Path) -> None:
    at = Recorded(world, tmp_path)
    assert isinstance(at.outcome, Proved), at.outcome
    for step, names in world.rotator.calls.items():
        if step != "QUARANTINE":
            calls = at.calls_of(step)
            assert calls, f"{step} called nobody"
            assert all(any(fits(call, name) for name in names) for call in calls), (step, calls)
    assert at.calls_of("ISSUE") == ["POST /keys"] and at.calls_of("DISTRIBUTE") == [
        "consumer read",
        "consumer write",
        "consumer read",
    ]
    assert at.calls_of("PLAN") and not at.calls_of("PROMOTE")
    assert verify(at.path, KEY).ok and not at.records[-1]["calls"] and at.records[-1]["evidence"]


def test_a_step_is_written_down_before_it_calls_anybody(world: ToyWorld, tmp_path: Path) -> None:
    steps = [each for each in Recorded(world, tmp_path).records if each["what"] == "rotation: REVOKE"]
    assert [bool(each["calls"]) for each in steps] == [False, True]


def test_what_a_step_called_before_it_failed_stands_on_it(world: ToyWorld, tmp_path: Path) -> None:
    world.toy.fail(Fault("403", method="DELETE", times=9))
    at = Recorded(world, tmp_path)
    assert isinstance(at.outcome, Stopped) and at.outcome.step == "REVOKE"
    assert at.calls_of("REVOKE")[-1].startswith("DELETE /keys/") and "403" in str(at.records)
