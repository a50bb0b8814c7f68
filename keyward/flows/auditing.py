"""What the audit log is told of a rotation: each step with the external calls before it, and the end with its evidence."""

from __future__ import annotations

from keyward.model.rotation import Attested, Outcome, Proved, ProvedByConsumer, Stopped, WaitingHuman
from keyward.model.secret import Secret
from keyward.rotate.audit import AuditLog, CallRecorder
from keyward.rotate.parties import Parties, Tell


class Audited:
    """A listener that writes what it is told into the audit log, and passes it on.

    `recorder`: a fence of the rotation's calls. A log that cannot be written stops the rotation before its next step.
    """

    def __init__(self, log: AuditLog, recorder: CallRecorder, rotation: str, parties: Parties, tell: Tell) -> None:
        self._log, self._recorder, self._rotation, self._parties, self._tell = log, recorder, rotation, parties, tell

    def __call__(self, ref: str, step: str, detail: str) -> None:
        self._tell(ref, step, detail)
        self._log.append(
            f"rotation: {step}", ref=ref, rotation=self._rotation, detail=detail, calls=self._recorder.take(), never=self._never
        )

    def ended(self, outcome: Outcome) -> None:
        """The last entry: what came of it, and the evidence."""
        evidence = [each._asdict() for each in outcome.evidence] if isinstance(outcome, Proved) else []
        files = [str(p.spec.options["path"]) for p in self._parties.consumers if "path" in p.spec.options]
        self._log.append(
            f"rotation: {_name(outcome)}",
            ref=outcome.ref,
            rotation=self._rotation,
            detail=_detail(outcome),
            calls=self._recorder.take(),
            files=files,
            evidence=evidence,
            never=self._never,
        )

    @property
    def _never(self) -> tuple[Secret, ...]:
        return tuple(self._parties.admin.values())


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
