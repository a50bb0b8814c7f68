"""JSON lines: one object a place, and a last one that sums up. Lines can be piped on while they are made."""

from __future__ import annotations

from collections.abc import Iterator

from keyward.model.finding import Outcome
from keyward.report import ReportOptions, record
from keyward.report.escape import json_text


def lines(outcome: Outcome, options: ReportOptions) -> Iterator[str]:
    """The lines, each with its newline: places in the order of the findings, then the summary.

    A reader that does not see the summary knows that the report was cut off.
    """
    for each in record.findings(outcome, timeline=options.timeline):
        yield json_text(each) + "\n"
    yield json_text(record.summary(outcome)) + "\n"


def render(outcome: Outcome, options: ReportOptions) -> str:
    """All lines as one text."""
    return "".join(lines(outcome, options))
