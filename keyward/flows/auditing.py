"""What the audit log is told of a rotation: each step as it begins, then the calls that it made, and the end with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyward.model.rotation import PLAN, Attested, Outcome, Proved, ProvedByConsumer, Stopped, WaitingHuman
from keyward.model.secret import Secret
from keyward.rotate.audit import AuditLog, CallRecorder, Event
from keyward.rotate.parties import Parties, Tell


class Audited:
    """A listener that writes what it is told into the audit log, and passes it on.

    `recorder`: a fence of the rotation's calls. A log that cannot be written stops the rotation before its next step. A step has an
    entry before it is begun and, if it called anybody, one with its calls once it has ended: a call is never told of another step.
    """

    def __init__(self, log: AuditLog, recorder: CallRecorder, rotation: str, parties: Parties, tell: Tell) -> None:
        self._log, self._recorder, self._rotation, self._parties, self._tell = log, recorder, rotation, parties, tell
        self._doing, self._detail = PLAN, ""

    def __call__(self, ref: str, step: str, detail: str) -> None:
        self._tell(ref, step, detail)
        self._log.append_all([*self._called(ref), Event(_step(step), ref, self._rotation, detail)], never=self._never)
        self._doing, self._detail = step, detail

    def _called(self, ref: str) -> list[Event]:
        """What the step that ends now has called."""
        calls = self._recorder.take()
        detail = f"{self._detail}: called" if self._detail else "called"
        return [Event(_step(self._doing), ref, self._rotation, detail, calls)] if calls else []

    def ended(self, outcome: Outcome) -> None:
        """The last entry: what came of it, and the evidence."""
        evidence: list[Mapping[str, Any]] = []
        if isinstance(outcome, Proved):
            evidence = [each._asdict() for each in outcome.evidence]
        files = [str(p.spec.options["path"]) for p in self._parties.consumers if "path" in p.spec.options]
        last = Event(
            f"rotation: {_name(outcome)}",
            outcome.ref,
            self._rotation,
            _detail(outcome),
            files=tuple(files),
            evidence=tuple(evidence),
        )
        self._log.append_all([*self._called(outcome.ref), last], never=self._never)

    @property
    def _never(self) -> tuple[Secret, ...]:
        return tuple(self._parties.admin.values())


def _step(step: str) -> str:
    return f"rotation: {step}"


def _name(outcome: Outcome) -> str:
    names = {
        Proved: "proved",
        ProvedByConsumer: "proved by consumer",
        Attested: "attested",
        WaitingHuman: "waits for a person",
        Stopped: "stopped",
    }
    return names.get(type(outcome), "taken back")


def _detail(outcome: Outcome) -> str:
    if isinstance(outcome, Stopped):
        return f"{outcome.step}: {outcome.reason}"
    return str(getattr(outcome, "detail", "") or getattr(outcome, "step", ""))
