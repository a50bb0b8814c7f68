"""The report of an incident: one self-contained HTML page, Markdown, or JSON. Each renderer is a pure function from a case to text."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keyward.model.incident import Incident


class IncidentOptions(NamedTuple):
    """What a renderer may know besides the case.

    `made`: when the report is made, in seconds since 1970 (UTC); what has no end yet lasts until then. `title_of`: how a person calls
    a kind (`github/pat-classic`). `version`: of keyward.
    """

    made: float
    title_of: Callable[[str], str] = str
    version: str = ""


def _html(incident: Incident, options: IncidentOptions) -> str:
    from keyward.report.incident_html import render

    return render(incident, options)


def _markdown(incident: Incident, options: IncidentOptions) -> str:
    from keyward.report.incident_markdown import render

    return render(incident, options)


def _json(incident: Incident, options: IncidentOptions) -> str:
    from keyward.report.incident_json import render

    return render(incident, options)


INCIDENT_FORMATS: dict[str, Callable[[Incident, IncidentOptions], str]] = {"html": _html, "markdown": _markdown, "json": _json}
"""Every format by the name that a user types."""

SUFFIXES = {"html": ".html", "markdown": ".md", "json": ".json"}
"""How the file of a format ends."""


def render_incident(name: str, incident: Incident, options: IncidentOptions) -> str:
    """The case in the named format, ending with a newline; always valid UTF-8 when encoded. ValueError if there is no such format."""
    if name not in INCIDENT_FORMATS:
        raise ValueError(f"no format of an incident's report {name!r}; there are {', '.join(INCIDENT_FORMATS)}")
    return INCIDENT_FORMATS[name](incident, options)
