"""Who reads a report, and how sure a finding must be for them."""

from __future__ import annotations

REGULAR, PEDANTIC, AUDITOR = 50, 30, 1
"""The least confidence that each persona wants to see."""

PERSONAS = {"regular": REGULAR, "pedantic": PEDANTIC, "auditor": AUDITOR}
