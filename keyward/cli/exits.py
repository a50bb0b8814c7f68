"""Which exit code an outcome means."""

from __future__ import annotations

from keyward.model.finding import Outcome

CLEAN, FINDINGS, INCOMPLETE = 0, 1, 3


def exit_code(outcome: Outcome, strict: bool) -> int:
    """1 with findings; 3 with none where something was not looked at; else 0.

    Known opaque stores count as not looked at only with `strict`. What was allowed is no finding.
    """
    if outcome.findings:
        return FINDINGS
    if not outcome.complete or (strict and outcome.not_scanned):
        return INCOMPLETE
    return CLEAN
