"""Fences of a run: one changing call at a time for each account and no faster than it allows; and the way to stop."""

from __future__ import annotations

import threading

from keyward.errors import Interrupted
from keyward.plugin.clock import Clock
from keyward.plugin.ports import Call


class AccountGate:
    """One account's changing calls, one in flight, `rate` per second at most (0: no limit). Reading calls pass.

    A call within a call of the same thread passes: waiting for itself it would wait for ever.
    """

    def __init__(self, clock: Clock, rate: float = 0.0) -> None:
        self._clock, self._rate = clock, rate
        self._lock = threading.RLock()
        self._next = 0.0

    def before(self, call: Call) -> None:
        if not call.changes:
            return
        self._lock.acquire()
        try:
            if self._rate:
                now = self._clock.monotonic()
                if self._next > now:
                    self._clock.sleep(self._next - now)
                self._next = max(now, self._next) + 1 / self._rate
        except BaseException:
            self._lock.release()
            raise

    def after(self, call: Call, outcome: str) -> None:
        if call.changes:
            self._lock.release()


class StopSwitch:
    """Ctrl-C for rotations in other threads. As a fence of the journal it lets nothing new begin; what has begun is finished
    and written down, so that a resume finds everything. As a clock it wakes those who wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def before(self, call: Call) -> None:
        if self.stopped and call.what.endswith(" intent"):
            raise Interrupted("stopped before the next step", hint="Nothing is half done; go on with: keyward resume")

    def after(self, call: Call, outcome: str) -> None:
        """Nothing."""

    def now(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps in short pieces. Raises Interrupted once stopped."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self.stopped:
                raise Interrupted("stopped while waiting", hint="Nothing is half done; go on with: keyward resume")
            self._clock.sleep(min(left, 0.1))
