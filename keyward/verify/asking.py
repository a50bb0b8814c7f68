"""Asks about many credentials at once, each host at its own pace.

Threads take the next credential whose host may be asked now. A host that asks to wait gets nobody before its time is over. Nothing
waits for a thread: one that hangs is left to end by itself, and its credential is Unknown.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from keyward.errors import KeywardError
from keyward.model.credential import Credential, Target
from keyward.model.verdict import Unknown, Verdict
from keyward.plugin.clock import Clock
from keyward.plugin.ports import Ports
from keyward.plugin.verifier import Verifier, ask, hosts_for
from keyward.verify.client import Busy, polite_client
from keyward.verify.pace import SLICE, CallClock, Gate, Limits, TooLate

if TYPE_CHECKING:
    import ssl

    import httpx

    MakeClient = Callable[[ssl.SSLContext | None, Busy], httpx.Client]


class Question(NamedTuple):
    """One credential to ask about. `name`: its fingerprint. `read`: reads its values when it is its turn; raises KeywardError where that
    is not possible. `host`: whose pace holds."""

    name: str
    verifier: Verifier
    read: Callable[[], Credential]
    target: Target
    host: str
    kind: str = ""


class Asking:
    """One run. `answered` is called from its threads, once for each that was asked to the end."""

    def __init__(
        self,
        questions: Iterable[Question],
        *,
        clock: Clock,
        limits: Limits,
        answered: Callable[[Question, Verdict], None],
        client: MakeClient = polite_client,
    ) -> None:
        self._clock, self._limits, self._client, self._answered = clock, limits, client, answered
        self._waiting: dict[str, deque[tuple[Question, int]]] = {}
        for question in questions:
            self._waiting.setdefault(question.host, deque()).append((question, 1))
        self._gates = {host: Gate() for host in self._waiting}
        self._change = threading.Condition()
        self._ended = threading.Event()
        self._open = sum(map(len, self._waiting.values()))
        self._end = clock.monotonic() + limits.whole
        self.verdicts: dict[str, Verdict] = {}

    def run(self, progress: Callable[[int, int], None]) -> dict[str, Verdict]:
        """The verdicts by name, until all are there or the time is over. Ends its threads whatever happens, Ctrl-C included."""
        total = self._open
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(min(self._limits.threads, total))]
        for thread in threads:
            thread.start()
        try:
            with self._change:
                while len(self.verdicts) < total and self._clock.monotonic() < self._end:
                    self._change.wait(SLICE)
                    progress(len(self.verdicts), total)
                return dict(self.verdicts)
        finally:
            self._ended.set()

    def _work(self) -> None:
        while not self._ended.is_set():
            with self._change:
                if not self._open:
                    return
                taken = self._take()
                wait = 0.0 if taken else self._wait()
                if not taken and not wait:
                    self._change.wait(SLICE)
            if taken:
                question, attempt = taken
                self._settle(question, attempt, self._ask(question))
            elif wait:
                self._clock.sleep(wait)

    def _take(self) -> tuple[Question, int] | None:
        now = self._clock.monotonic()
        for host, waiting in self._waiting.items():
            gate = self._gates[host]
            if waiting and gate.running < self._limits.per_host and gate.next_at <= now:
                gate.running += 1
                gate.pause(now + self._limits.apart)
                return waiting.popleft()
        return None

    def _wait(self) -> float:
        """Seconds until the next host may be asked; 0 where something else has to happen first."""
        now, most = self._clock.monotonic(), self._limits.per_host
        ready = [self._gates[host] for host, waiting in self._waiting.items() if waiting]
        times = [gate.next_at - now for gate in ready if gate.running < most and gate.next_at > now]
        return min(SLICE, min(times)) if times else 0.0

    def _ask(self, question: Question) -> Verdict:
        clock = CallClock(self._clock, self._limits.call, self._ended)
        try:
            credential = question.read()
            with Ports(
                hosts_for(question.verifier, question.target), clock=clock, client=lambda tls: self._client(tls, self._busy)
            ) as ports:
                return ask(question.verifier, credential, question.target, ports)
        except KeywardError as error:
            return Unknown(error.told)
        except Exception as error:  # a thread that dies would leave its credential open; the text may quote the value
            return Unknown(f"it could not be asked ({type(error).__name__})")

    def _busy(self, host: str, seconds: float) -> None:
        """A host asks to wait. Its gate is that of the question's host, or its own."""
        with self._change:
            gate = self._gates.get(host)
            if gate is not None:
                gate.pause(self._clock.monotonic() + seconds)

    def _settle(self, question: Question, attempt: int, verdict: Verdict) -> None:
        with self._change:
            gate = self._gates[question.host]
            gate.running -= 1
            again = verdict.retry_after if isinstance(verdict, Unknown) else None
            if again is not None:
                now = self._clock.monotonic()
                gate.pause(now + again)
                if attempt < self._limits.tries and gate.next_at < self._end and not self._ended.is_set():
                    self._waiting[question.host].append((question, attempt + 1))
                    return
        try:
            if not self._ended.is_set():
                self._answered(question, verdict)  # outside of the lock: it may write a file
        finally:
            with self._change:
                self.verdicts[question.name] = verdict
                self._open -= 1
                self._change.notify_all()


def late(limits: Limits) -> Unknown:
    """What is said of a credential that was not asked in time."""
    error = TooLate(f"not answered within the {limits.whole:.0f} s for all: run it again, what was answered is remembered")
    return Unknown(str(error))
