"""Many rotations at once: order, dependencies, canaries, room in an account, one failure stopping nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable

from keyward.errors import Interrupted, KeywardError
from keyward.model.rotation import Outcome, Proved, Stopped
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call
from keyward.rotate.gates import AccountGate, StopSwitch
from keyward.rotate.schedule import MOST_PER_ACCOUNT, Task, order, quarantine_all, run_all


def _task(ref: str, log: list[str], *, fails: bool = False, account: str = "a", **options: object) -> Task:
    def run() -> Outcome:
        log.append(ref)
        return Stopped("r", ref, "ISSUE", "no", changed=False) if fails else Proved("r", ref)

    return Task(ref, run, account, **options)  # type: ignore[arg-type]


def test_by_tier_then_canary_then_name_and_guards_last() -> None:
    log: list[str] = []
    tasks = [
        _task("b/x", log, tier=2),
        _task("vault/root", log, tier=1, last=True),
        _task("a/x", log, tier=2, canary=True),
        _task("z/x", log, tier=1),
    ]
    assert [task.ref for task in order(tasks)] == ["z/x", "a/x", "b/x", "vault/root"]


def test_what_guards_others_begins_when_all_others_ended() -> None:
    log: list[str] = []
    run_all([_task("vault/root", log, last=True), *(_task(f"l/{n}", log) for n in range(20))])
    assert log[-1] == "vault/root" and len(log) == 21


def test_a_failed_canary_holds_its_group_back_and_nobody_else() -> None:
    log: list[str] = []
    tasks = [
        _task("canary/x", log, canary=True, fails=True, group="g"),
        _task("lane/x", log, group="g"),
        _task("other/x", log, group="h"),
    ]
    outcomes = run_all(tasks)
    assert sorted(log) == ["canary/x", "other/x"]
    held = outcomes["lane/x"]
    assert isinstance(held, Stopped) and "canary/x" in held.reason and not held.changed
    assert isinstance(outcomes["other/x"], Proved)


def test_in_an_incident_the_canary_only_goes_first() -> None:
    log: list[str] = []
    tasks = [_task("canary/x", log, canary=True, fails=True, group="g"), _task("lane/x", log, group="g")]
    run_all(tasks, canary_holds=False)
    assert log == ["canary/x", "lane/x"]


def test_a_failure_stops_what_depends_on_it_transitively() -> None:
    log: list[str] = []
    tasks = [
        _task("a/x", log, fails=True),
        _task("b/x", log, depends_on=("a/x",)),
        _task("c/x", log, depends_on=("b/x",)),
        _task("d/x", log),
    ]
    outcomes = run_all(tasks)
    assert sorted(log) == ["a/x", "d/x"]
    assert isinstance(outcomes["c/x"], Stopped)


def test_a_circle_of_dependencies_ends() -> None:
    log: list[str] = []
    outcomes = run_all([_task("a/x", log, depends_on=("b/x",)), _task("b/x", log, depends_on=("a/x",))])
    assert log == [] and all(isinstance(outcome, Stopped) for outcome in outcomes.values())


def test_a_task_that_raises_is_stopped_without_its_text() -> None:
    def run() -> Outcome:
        raise ValueError("the value itself")

    outcome = run_all([Task("a/x", run, "a")])["a/x"]
    assert isinstance(outcome, Stopped) and "value itself" not in repr(outcome)


def test_an_account_has_only_so_many_at_once_and_accounts_are_parallel() -> None:
    here, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=20)

    def busy() -> Outcome:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        threading.Event().wait(0.01)
        with lock:
            here -= 1
        return Proved("r", "x")

    def meet() -> Outcome:
        both.wait()  # ends only if the other account's runs at the same time
        return Proved("r", "y")

    tasks = [Task(f"a/{n}", busy, "a") for n in range(30)]
    tasks += [Task("b/x", meet, "b"), Task("c/x", meet, "c")]
    assert all(isinstance(outcome, Proved) for outcome in run_all(tasks).values())
    assert 1 < most <= MOST_PER_ACCOUNT


def test_once_stopped_nothing_new_begins() -> None:
    log: list[str] = []
    outcomes = run_all([_task(f"l/{n}", log) for n in range(5)], stopped=lambda: True)
    assert log == [] and len(outcomes) == 5


def test_quarantine_goes_on_after_a_failure() -> None:
    done: list[str] = []

    def stop(ref: str, fails: bool) -> Callable[[], None]:
        def action() -> None:
            if fails:
                raise KeywardError("refused")
            done.append(ref)

        return action

    log: list[str] = []
    tasks = [_task(f"l/{n}", log)._replace(quarantine=stop(f"l/{n}", n == 1)) for n in range(4)]
    wrong = quarantine_all(tasks, lambda ref, text: None)
    assert wrong == {"l/1": "refused"} and sorted(done) == ["l/0", "l/2", "l/3"]


def test_a_gate_keeps_to_the_rate_and_lets_reading_pass() -> None:
    clock = ManualClock()
    gate = AccountGate(clock, rate=5)
    start = clock.monotonic()
    for _ in range(11):
        gate.before(Call("POST /x", "h", True))
        gate.after(Call("POST /x", "h", True), "200")
        gate.before(Call("GET /x", "h", False))
        gate.after(Call("GET /x", "h", False), "200")
    assert abs(clock.monotonic() - start - 2.0) < 1e-6


def test_a_gate_lets_one_change_in_at_a_time() -> None:
    gate = AccountGate(ManualClock())
    inside, most, lock = 0, 0, threading.Lock()

    def change() -> None:
        nonlocal inside, most
        call = Call("POST /x", "h", True)
        gate.before(call)
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.002)
        with lock:
            inside -= 1
        gate.after(call, "200")

    threads = [threading.Thread(target=change) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_the_switch_stops_before_an_intent_and_wakes_sleepers() -> None:
    switch = StopSwitch(ManualClock())
    switch.before(Call("journal ISSUE intent", "", True))
    switch.stop()
    switch.before(Call("journal ISSUE seen", "", True))  # what has begun is written down
    switch.before(Call("store write pending", "store", True))
    for work in (lambda: switch.before(Call("journal PROVE intent", "", True)), lambda: switch.sleep(60)):
        try:
            work()
        except Interrupted:
            continue
        raise AssertionError("it was not interrupted")
