"""Kills a process at every fence, one after the other, and counts the calls that no fence saw.

Fences are found by running once with a recorder: the journal and the ports report themselves, nobody lists them by hand.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import traceback
from collections.abc import Callable
from typing import NamedTuple

from keyward.plugin.ports import Call


class Event(NamedTuple):
    """One side of one call."""

    side: str
    what: str
    host: str
    changes: bool


class Recorder:
    """Writes down every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.outcomes: list[tuple[Call, str]] = []

    def before(self, call: Call) -> None:
        self.events.append(Event("before", *call))

    def after(self, call: Call, outcome: str) -> None:
        self.events.append(Event("after", *call))
        self.outcomes.append((call, outcome))

    def instants(self, stride: int = 1) -> list[int]:
        """The events to be killed at. The end of one call and the beginning of the next are one instant to the world outside, so
        the latter stands for both. `stride`: of those at which only something is read, every how manieth; what is read leaves nothing
        behind, so that whoever resumes finds the same as before the change that follows. Those of changes and journal lines are all there."""
        last = len(self.events) - 1
        found = [
            number
            for number, event in enumerate(self.events)
            if event.side == "before" or number == last or self.events[number + 1].side == "after"
        ]
        return [at for place, at in enumerate(found) if place % stride == 0 or self.events[at].changes]

    def instants_of(self, step: str) -> list[int]:
        """Those from the first journal line of a step to its last one; empty for a step that was not taken."""
        lines = [number for number, event in enumerate(self.events) if event.what.startswith(f"journal {step} ")]
        return [at for at in self.instants() if lines and lines[0] <= at <= lines[-1]]

    def first_change(self, host: str) -> int:
        """The event at which the first change at a host has come back; else, the first one that any change has."""
        ends = [number for number, event in enumerate(self.events) if event.side == "after" and event.changes]
        ends = [number for number in ends if not self.events[number].what.startswith("journal ")]
        return next((number for number in ends if self.events[number].host == host), ends[0])

    def readings(self, host: str) -> int:
        """How many calls at a host changed nothing."""
        return sum(event.side == "before" and not event.changes and event.host == host for event in self.events)

    def changes(self, host: str) -> list[str]:
        """What was changed at a host, as far as its answers say: the calls' names."""
        return [
            call.what
            for call, outcome in self.outcomes
            if call.changes and call.host == host and (outcome == "ok" or outcome.startswith("2"))
        ]

    def by_step(self, host: str) -> dict[str, list[str]]:
        """The names of the calls at a host, once each, by the step that they were made for: that of the next journal line.
        What is chosen and stored before it is applied, and what is cleared away, counts as the step around it."""
        found: dict[str, list[str]] = {}
        waiting: list[str] = []
        for event in self.events:
            if event.side == "before" and event.host == host and event.what not in waiting:
                waiting.append(event.what)
            elif event.side == "after" and event.what.startswith("journal "):
                step = event.what.split()[1]
                if step in _WITHIN:
                    continue
                found[step] = list(dict.fromkeys((*found.get(step, ()), *waiting)))
                waiting = []
        return found


_WITHIN = ("STORE", "ORPHAN")
"""Journal lines that are no steps of their own: the next line tells which one they belong to."""


class Killer:
    """Kills this process with SIGKILL at event number `at`, counted from 0."""

    def __init__(self, at: int) -> None:
        self._at, self._count = at, 0

    def before(self, call: Call) -> None:
        self._tick()

    def after(self, call: Call, outcome: str) -> None:
        self._tick()

    def _tick(self) -> None:
        if self._count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1


class FullDisk:
    """Refuses the journal's line number `at` (counted from 0), as a full disk does. `times`: how many lines in a row."""

    def __init__(self, at: int) -> None:
        self._at, self._count = at, 0

    def before(self, call: Call) -> None:
        if call.what.startswith("journal "):
            self._count += 1
            if self._count - 1 == self._at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def after(self, call: Call, outcome: str) -> None:
        """Nothing."""


def in_child(work: Callable[[], object]) -> bool:
    """Does `work` in a forked child, and answers whether it came to its end (False: it was killed by SIGKILL).

    Raises AssertionError with the child's traceback if it raised.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        gc.disable()  # it would go through, and so copy, all that the parent holds
        os.close(reading)
        try:
            work()
        except BaseException:
            os.write(writing, traceback.format_exc().encode()[-4000:])
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, f"the child died of signal {os.WTERMSIG(status)}"
        return False
    assert os.WEXITSTATUS(status) == 0, text
    return True
