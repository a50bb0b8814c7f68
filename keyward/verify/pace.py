"""How fast one host may be asked, and when a call has taken long enough."""

from __future__ import annotations

import threading
from typing import NamedTuple

from keyward.errors import KeywardError, Throttled
from keyward.plugin.clock import Clock

SLICE = 0.1
"""Seconds between two looks at whether it shall end, while somebody waits."""


LONGEST_WAIT = 2.0
"""Seconds that one thread waits for a host by itself."""


class Limits(NamedTuple):
    """`threads`: at work at once. `per_host`: of these, at one host. `apart`: seconds between two beginnings at one host. `call`: seconds
    for one credential, all its requests and waits together. `whole`: seconds for all. `tries`: how often one is asked that is
    answered with "later"."""

    threads: int = 16
    per_host: int = 3
    apart: float = 0.2
    call: float = 30.0
    whole: float = 300.0
    tries: int = 3


class TooLate(KeywardError):
    """The time for one credential, or for all, is over. `str(error)` says which."""

    exit_code = 3


class CallClock:
    """A clock for one credential: once its time is over, or all shall end, whoever asks it for the time gets TooLate. So an answer that
    drips in ends, and so does a wait for the next try."""

    def __init__(self, clock: Clock, seconds: float, ended: threading.Event) -> None:
        self._clock, self._ended = clock, ended
        self._seconds = seconds
        self._end = clock.monotonic() + seconds

    def now(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        time = self._clock.monotonic()
        self._check(time)
        return time

    def sleep(self, seconds: float) -> None:
        """Short waits only; a longer one is for all that is asked of the host, and so for the scheduler."""
        if seconds > LONGEST_WAIT:
            raise Throttled(f"it asks to wait {seconds:.0f} s", retry_after=seconds)
        until = self.monotonic() + seconds
        self._check(until)
        while (left := until - self.monotonic()) > 0:
            self._clock.sleep(min(left, SLICE))

    def _check(self, time: float) -> None:
        if self._ended.is_set():
            raise TooLate("it was not asked to the end: the run was ended")
        if time > self._end:
            raise TooLate(f"no answer within {self._seconds:.0f} s")


class Gate:
    """What goes on at one host. Its fields are the scheduler's, under its lock."""

    def __init__(self) -> None:
        self.running = 0
        self.next_at = 0.0

    def pause(self, until: float) -> None:
        """Nobody begins there before a time."""
        self.next_at = max(self.next_at, until)
