"""Many rotations at once: providers in parallel, by tier, the canary first, nothing before what it depends on.

One failure stops nothing but what depends on it. Within an account rotations overlap, while an `AccountGate` keeps its changing
calls one at a time, so that the run takes little longer than the accounts' own rates and latencies force.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from keyward.model.rotation import PLAN, Attested, Outcome, Proved, ProvedByConsumer, Stopped, WaitingHuman

MOST_THREADS = 96
MOST_PER_ACCOUNT = 12
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

    queues: dict[str, deque[Task]] = {}
    for task in order(tasks):
        if task.quarantine is not None:
            queues.setdefault(task.account, deque()).append(task)

    def work(queue: deque[Task]) -> None:
        while queue:
            try:
                task = queue.popleft()
            except IndexError:  # another one of this account took the last
                return
            one(task)

    # threads of its own for each account: one that is slow, or does not answer, keeps no other waiting
    hands = [queue for queue in queues.values() for _ in range(min(len(queue), MOST_PER_ACCOUNT))]
    with ThreadPoolExecutor(max(1, len(hands)), thread_name_prefix="keyward-quarantine") as pool:
        list(pool.map(work, hands))
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
    canaries = {task.ref: _group(task) for task in tasks if task.canary}
    before = _requirements(tasks)
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[Outcome], Task] = {}
    with ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="keyward-rotate") as pool:
        while waiting or running:
            settled = len(outcomes)
            for task in list(waiting):
                if stopped():
                    waiting.remove(task)
                    outcomes[task.ref] = Stopped("", task.ref, PLAN, "not begun: the run was stopped", changed=False)
                    continue
                failed = _failed(before[task.ref], outcomes, task, canaries, canary_holds)
                if failed:
                    waiting.remove(task)
                    outcomes[task.ref] = Stopped("", task.ref, PLAN, f"not begun: {failed}", changed=False)
                    continue
                if before[task.ref] <= set(outcomes) and _has_room(task, running):
                    waiting.remove(task)
                    running[pool.submit(task.run)] = task
            if running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    task = running.pop(future)
                    outcomes[task.ref] = _outcome(task, future)
            elif waiting and len(outcomes) == settled and not stopped():
                for task in waiting:
                    outcomes[task.ref] = Stopped("", task.ref, PLAN, "not begun: it depends on itself", changed=False)
                waiting = []
    return outcomes


def _group(task: Task) -> str:
    return task.group or str(task.tier)


def _has_room(task: Task, running: Mapping[Future[Outcome], Task]) -> bool:
    return len(running) < MOST_THREADS and sum(t.account == task.account for t in running.values()) < MOST_PER_ACCOUNT


def _requirements(tasks: Sequence[Task]) -> Mapping[str, set[str]]:
    """What must have ended before each: what it depends on, its group's canaries, and before a guard all that is none. What
    is said of one credential (`depends_on`) outweighs what holds for all, so that these two never make a circle."""
    known = {task.ref for task in tasks}
    said = {task.ref: {ref for ref in task.depends_on if ref in known} for task in tasks}
    needed_by: dict[str, set[str]] = {task.ref: _all_of(said, task.ref) for task in tasks}
    required = {}
    for task in tasks:
        before = set(said[task.ref])
        for other in tasks:
            goes_first = (other.canary and not task.canary and _group(other) == _group(task)) or (task.last and not other.last)
            if goes_first and task.ref not in needed_by[other.ref]:
                before.add(other.ref)
        required[task.ref] = before
    return required


def _all_of(said: Mapping[str, set[str]], ref: str) -> set[str]:
    """All that one depends on, through others too."""
    found: set[str] = set()
    open_ones = [ref]
    while open_ones:
        for each in said[open_ones.pop()] - found:
            found.add(each)
            open_ones.append(each)
    return found


def _failed(
    before: set[str], outcomes: Mapping[str, Outcome], task: Task, canaries: Mapping[str, str], canary_holds: bool
) -> str:
    """Why a task cannot run any more; empty if it still can."""
    for ref in sorted(before & set(outcomes)):
        if isinstance(outcomes[ref], (*GOOD, WaitingHuman)):
            continue
        if ref in task.depends_on:
            return f"{ref}, on which it depends, was not rotated"
        if canary_holds and canaries.get(ref) == _group(task) and not task.canary:
            return f"the canary {ref} was not rotated"
    return ""


def _outcome(task: Task, future: Future[Outcome]) -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    return Stopped("", task.ref, PLAN, f"{type(error).__name__} while it ran", "Look with: keyward status")
