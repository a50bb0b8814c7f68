"""Which exit code an outcome means."""

from __future__ import annotations

from keyward.model.finding import Outcome

CLEAN, FINDINGS, INCOMPLETE, LIVE = 0, 1, 3, 10

AUTHENTICATES = ("Live", "Restricted")
"""Verdicts by name: the hook makes none, and need not know the classes. A restricted credential is not dead: from elsewhere, or for
something else, it works."""


def exit_code(outcome: Outcome, strict: bool) -> int:
    """10 if a provider says that a finding lives; 1 with findings; 3 with none where something was not looked at; else 0.

    Known opaque stores count as not looked at only with `strict`. What was allowed is no finding.
    """
    if any(type(finding.verdict).__name__ in AUTHENTICATES for finding in outcome.findings):
        return LIVE
    if outcome.findings:
        return FINDINGS
    if not outcome.complete or (strict and outcome.not_scanned):
        return INCOMPLETE
    return CLEAN
