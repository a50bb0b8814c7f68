"""Hundreds of rotations at once: whose journals are read, which connections stay open, who waits for whom."""

from __future__ import annotations

import threading
from pathlib import Path

from keyward.flows.workplace import Workplace
from keyward.model.rotation import DONE, PLAN, Proved
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Hosts
from keyward.registry import Registry
from keyward.rotate.begun import Begun
from keyward.rotate.journal import FILE, Journal
from keyward.rotate.ledger import rotations_folder, unfinished
from keyward.rotate.operator import Operator
from keyward.rotate.schedule import Task, quarantine_all

CLOCK = ManualClock()


def _begin(state: Path, rotation: str, ref: str) -> Journal:
    journal = Journal.create(rotations_folder(str(state)), rotation, CLOCK)
    journal.intent(PLAN, ref=ref, mode="planned")
    return journal


def test_it_says_what_the_ledger_says_at_every_stage(tmp_path: Path) -> None:
    begun = Begun(str(tmp_path), CLOCK)
    assert begun.unfinished("a/x") == []
    Journal.create(rotations_folder(str(tmp_path)), "r0", CLOCK)  # nothing is written in it yet
    first, _, last = _begin(tmp_path, "r1", "a/x"), _begin(tmp_path, "r2", "b/x"), _begin(tmp_path, "r3", "a/x")
    for journal in (first, last, None):
        for ref in ("a/x", "b/x", "c/x"):
            assert begun.unfinished(ref) == unfinished(str(tmp_path), CLOCK, ref)
        if journal is not None:
            journal.seen(DONE)
    assert begun.unfinished("a/x") == [] and len(begun.unfinished("b/x")) == 1


def test_what_others_are_writing_is_let_be(tmp_path: Path) -> None:
    _begin(tmp_path, "r1", "a/x")
    other = _begin(tmp_path, "r2", "b/x")
    path = Path(other.folder, FILE)
    with path.open("ab") as file:
        file.write(b'{"half a line')  # as a reader may see what another thread is writing
    before = path.read_bytes()
    assert [each.rotation for each in Begun(str(tmp_path), CLOCK).unfinished("a/x")] == ["r1"]
    assert path.read_bytes() == before


def test_the_connections_of_a_visit_end_with_it(tmp_path: Path) -> None:
    hosts = Hosts().with_url("http://127.0.0.1:9")
    with Workplace(Operator(), Registry(), state=str(tmp_path), clock=CLOCK) as place:
        lasting = place.ports(hosts)
        lasting.http("http://127.0.0.1:9")
        with place.visit():
            short = place.ports(hosts)
            short.http("http://127.0.0.1:9")
        assert short._client is None and lasting._client is not None
        after = place.ports(hosts)
        after.http("http://127.0.0.1:9")
        assert after._client is not None
    assert lasting._client is None and after._client is None


def test_an_account_that_does_not_answer_keeps_no_other_from_being_stopped() -> None:
    reached = threading.Event()

    def hangs() -> None:
        if not reached.wait(20):
            raise TimeoutError

    def task(ref: str, account: str, stop: object) -> Task:
        return Task(ref, lambda: Proved("r", ref), account, quarantine=stop)  # type: ignore[arg-type]

    tasks = [task(f"a/{number:03}", "a", hangs) for number in range(150)] + [task("z/last", "z", reached.set)]
    assert quarantine_all(tasks, lambda ref, text: None) == {}
