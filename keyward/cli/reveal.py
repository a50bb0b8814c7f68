"""`--reveal`: the plain values, on a terminal and nowhere else."""

from __future__ import annotations

import sys

from keyward.model.finding import Outcome
from keyward.report.escape import terminal
from keyward.scan.reread import reread


def reveal_values(outcome: Outcome) -> None:
    """Prints the value of every finding after reading it again from its first readable place."""
    if not sys.stdout.isatty() or not outcome.findings:
        return
    print("\nRevealed, at your request:")
    for finding in outcome.findings:
        secret = next((value for o in finding.occurrences if (value := reread(o.locator)) is not None), None)
        shown = terminal(secret.reveal().decode("utf-8", "replace")) if secret is not None else "(cannot be read again)"
        print(f"  {finding.fingerprint}  {shown}")
