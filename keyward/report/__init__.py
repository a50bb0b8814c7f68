"""What a scan learned, as text: one module a format, each a pure function from an outcome to text.

A renderer is imported when it is first used: the pre-commit hook prints text and must not pay for json or XML.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keyward.model.finding import Outcome
from keyward.model.kind import CredentialKind, Kind


class ReportOptions(NamedTuple):
    """What a renderer may know besides the outcome.

    `kind_of`: the title, manual steps and references of a kind. `color`, `width`: for text alone; the caller knows the terminal.
    `strict`: known opaque stores count as failures too, as they do for the exit code. `finished_at`: when the scan ended, in
    seconds since 1970 (UTC); formats with an optional time leave it out where it is 0. `commit`: id of the commit whose
    tree was scanned, where that is known. `timeline`: places by when they first held the secret, instead of live ones first.
    `explain`: every signal with its weight, for text; the formats for programs have them anyhow.
    """

    kind_of: Callable[[Kind], CredentialKind]
    color: bool = False
    width: int = 100
    strict: bool = False
    finished_at: float = 0.0
    commit: str = ""
    timeline: bool = False
    explain: bool = False


Renderer = Callable[[Outcome, ReportOptions], str]


def _text(outcome: Outcome, options: ReportOptions) -> str:
    from keyward.report.text import render

    return render(outcome, options)


def _jsonl(outcome: Outcome, options: ReportOptions) -> str:
    from keyward.report.jsonl import render

    return render(outcome, options)


def _json(outcome: Outcome, options: ReportOptions) -> str:
    from keyward.report.json_ import render

    return render(outcome, options)


def _sarif(outcome: Outcome, options: ReportOptions) -> str:
    from keyward.report.sarif import render

    return render(outcome, options)


def _junit(outcome: Outcome, options: ReportOptions) -> str:
    from keyward.report.junit import render

    return render(outcome, options)


def _gitlab(outcome: Outcome, options: ReportOptions) -> str:
    from keyward.report.gitlab import render

    return render(outcome, options)


FORMATS: dict[str, Renderer] = {
    "text": _text,
    "jsonl": _jsonl,
    "json": _json,
    "sarif": _sarif,
    "junit": _junit,
    "gitlab": _gitlab,
}
"""Every format by the name that a user types."""


def render(name: str, outcome: Outcome, options: ReportOptions) -> str:
    """The outcome in the named format, ending with a newline; always valid UTF-8 when encoded. ValueError if there is none."""
    if name not in FORMATS:
        raise ValueError(f"no report format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name](outcome, options)
