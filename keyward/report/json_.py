"""The same as JSON lines, in one document."""

from __future__ import annotations

from keyward.model.finding import Outcome
from keyward.report import ReportOptions, record
from keyward.report.escape import json_text


def render(outcome: Outcome, options: ReportOptions) -> str:
    """The document, indented."""
    document = {
        "schema": record.REPORT_SCHEMA,
        "findings": record.findings(outcome, timeline=options.timeline),
        "summary": record.summary(outcome),
    }
    return json_text(document, indent=2) + "\n"
