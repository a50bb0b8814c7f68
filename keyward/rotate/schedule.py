"""Many rotations at once: providers in parallel, by tier, the canary first, nothing before what it depends on.

One failure stops nothing but what depends on it. Within an account rotations overlap, while an `AccountGate` keeps its changing
calls one at a time, so that the run takes little longer than the accounts' own rates and latencies force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from keyward.model.rotation import PLAN, Attested, Outcome, Proved, ProvedByConsumer, Stopped, WaitingHuman

MOST_THREADS = 48
MOST_PER_ACCOUNT = 8
"""Rotations of one account that run at once: enough to keep its one changing call always in flight."""

GOOD = (Proved, ProvedByConsumer, Attested)


class Task(NamedTuple):
    """One rotation to be run. `group`: those that a canary goes before (by default its tier and kind). `last`: the store's own
    and the admin credentials, which come after everything that needs them. `depends_on`: refs."""

    ref: str
    run: Callable[[], Outcome]
    account: str
    tier: int = 2
    canary: bool = False
    group: str = ""
    last: bool = False
    depends_on: tuple[str, ...] = ()
    quarantine: Callable[[], None] | None = None


def order(tasks: Iterable[Task]) -> list[Task]:
    """By tier, the canary first; what guards others last."""
    return sorted(tasks, key=lambda t: (t.last, t.tier, not t.canary, t.ref))


def quarantine_all(tasks: Sequence[Task], told: Callable[[str, str], None]) -> dict[str, str]:
    """Stops what can be stopped, all providers in parallel. Answers with what went wrong, by ref; the rest is done."""
    wrong: dict[str, str] = {}

    def one(task: Task) -> None:
        assert task.quarantine is not None
        try:
            task.quarantine()
            told(task.ref, "quarantined")
        except Exception as error:  # the next one must still be stopped
            wrong[task.ref] = str(error) if hasattr(error, "exit_code") else type(error).__name__
            told(task.ref, f"not quarantined: {wrong[task.ref]}")

    with ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="keyward-quarantine") as pool:
        list(pool.map(one, [task for task in order(tasks) if task.quarantine is not None]))
    return wrong


def run_all(
    tasks: Sequence[Task],
    *,
    stopped: Callable[[], bool] = lambda: False,
    canary_holds: bool = True,
) -> Mapping[str, Outcome]:
    """Runs all, and answers with each one's outcome by ref. `stopped`: whether nothing new may begin. `canary_holds`: whether a
    canary that fails holds its group back (planned), or only goes first (incident)."""
    waiting = order(tasks)
    known = {task.ref for task in tasks}
    canaries = {_group(task): task.ref for task in waiting if task.canary}
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[Outcome], Task] = {}
    with ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="keyward-rotate") as pool:
        while waiting or running:
            for task in list(waiting):
                if stopped():
                    waiting.remove(task)
                    outcomes[task.ref] = Stopped("", task.ref, PLAN, "not begun: the run was stopped", changed=False)
                    continue
                before = _before(task, canaries, tasks, known)
                failed = _failed(before, outcomes, task, canaries, canary_holds)
                if failed:
                    waiting.remove(task)
                    outcomes[task.ref] = Stopped("", task.ref, PLAN, f"not begun: {failed}", changed=False)
                    continue
                if before <= set(outcomes) and _has_room(task, running):
                    waiting.remove(task)
                    running[pool.submit(task.run)] = task
            if running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    task = running.pop(future)
                    outcomes[task.ref] = _outcome(task, future)
            elif waiting and not stopped():
                for task in waiting:
                    outcomes[task.ref] = Stopped("", task.ref, PLAN, "not begun: it depends on itself", changed=False)
                waiting = []
    return outcomes


def _group(task: Task) -> str:
    return task.group or str(task.tier)


def _has_room(task: Task, running: Mapping[Future[Outcome], Task]) -> bool:
    return len(running) < MOST_THREADS and sum(t.account == task.account for t in running.values()) < MOST_PER_ACCOUNT


def _before(task: Task, canaries: Mapping[str, str], tasks: Sequence[Task], known: set[str]) -> set[str]:
    """What must have ended first."""
    before = {ref for ref in task.depends_on if ref in known}
    canary = canaries.get(_group(task))
    if canary and not task.canary:
        before.add(canary)
    if task.last:
        before |= {other.ref for other in tasks if not other.last}
    return before


def _failed(
    before: set[str], outcomes: Mapping[str, Outcome], task: Task, canaries: Mapping[str, str], canary_holds: bool
) -> str:
    """Why a task cannot run any more; empty if it still can."""
    for ref in sorted(before & set(outcomes)):
        if isinstance(outcomes[ref], (*GOOD, WaitingHuman)):
            continue
        if ref in task.depends_on:
            return f"{ref}, on which it depends, was not rotated"
        if canary_holds and ref == canaries.get(_group(task)) and not task.canary:
            return f"the canary {ref} was not rotated"
    return ""


def _outcome(task: Task, future: Future[Outcome]) -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    return Stopped("", task.ref, PLAN, f"{type(error).__name__} while it ran", "Look with: keyward status")
