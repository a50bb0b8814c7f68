"""GitLab's secret detection report, version 15.

The format knows no suppressed result: what was allowed is counted in a message of the scan, and what was not scanned is named in
one each. `raw_source_code_extract` is never written, since it is the line with the secret.
"""

from __future__ import annotations

from typing import Any

from keyward import __version__
from keyward.model.finding import NotScanned, Occurrence, Outcome
from keyward.report import ReportOptions
from keyward.report.escape import json_text, log, markdown, markdown_code, url
from keyward.report.identity import place_ids, timestamp
from keyward.report.words import ROLES, count, why

VERSION = "15.0.4"

NO_COMMIT = "0000000"
"""What stands where the format requires a commit and files were scanned, not commits. GitLab's own analyzer writes the same."""

_NAME, _SOLUTION = 255, 7000
"""The longest name and solution that the format allows."""

_SEVERITIES = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}

Json = dict[str, Any]


def render(outcome: Outcome, options: ReportOptions) -> str:
    """The document, indented. The times are those of `options.finished_at`, which the format requires."""
    places = [occurrence for finding in outcome.findings for occurrence in finding.occurrences]
    tool = {"id": "keyward", "name": "keyward", "version": __version__, "vendor": {"name": "keyward"}}
    document = {
        "version": VERSION,
        "scan": {
            "type": "secret_detection",
            "analyzer": tool,
            "scanner": tool,
            "start_time": timestamp(options.finished_at - outcome.stats.seconds),
            "end_time": timestamp(options.finished_at),
            "status": "success" if outcome.complete else "failure",
            "messages": _messages(outcome),
        },
        "vulnerabilities": [_vulnerability(place, identity, options) for place, identity in zip(places, place_ids(places))],
    }
    return json_text(document, indent=2) + "\n"


def _vulnerability(place: Occurrence, identity: str, options: ReportOptions) -> Json:
    kind = options.kind_of(place.kind)
    vulnerability: Json = {
        "id": _uuid(identity),
        "name": log(kind.title)[:_NAME] or "Secret",
        "description": _description(place, kind.title),
        "severity": _SEVERITIES.get(place.severity, "Unknown"),
        "solution": _solution(kind.manual.steps if kind.manual else (), url(kind.manual.url) if kind.manual else ""),
        "identifiers": [
            {"type": "keyward_rule_id", "name": f"keyward rule {log(place.rule)}", "value": log(place.rule) or "unknown"},
            {"type": "cwe", "name": "CWE-798", "value": "798", "url": "https://cwe.mitre.org/data/definitions/798.html"},
        ],
        "location": _location(place, options),
        "details": _details(place),
    }
    links = [{"url": link} for link in map(url, kind.references) if link]
    if links:
        vulnerability["links"] = links
    return vulnerability


def _uuid(identity: str) -> str:
    """Stable from run to run: the format recommends a UUID as id."""
    from uuid import UUID

    return str(UUID(hex=identity, version=5))


def _description(place: Occurrence, title: str) -> str:
    """Markdown."""
    reasons, doubts = why(place.signals)
    said = f"{markdown(title)} {markdown_code(place.masked)}, {markdown(ROLES.get(place.role, place.role))}. "
    said += f"{place.confidence} % sure: {markdown(reasons)}."
    return f"{said} But: {markdown(doubts)}." if doubts else said


def _solution(steps: tuple[str, ...], address: str) -> str:
    told = [log(step) for step in steps] or ["Replace it where it was issued, then update what uses it."]
    lines = [f"{number}. {step}" for number, step in enumerate(told, 1)]
    return "\n".join([*lines, address] if address else lines)[:_SOLUTION]


def _location(place: Occurrence, options: ReportOptions) -> Json:
    location: Json = {"file": log(place.locator.path), "commit": {"sha": log(options.commit) or NO_COMMIT}}
    if place.line > 0 and not place.locator.container:
        location["start_line"] = place.line
        location["end_line"] = max(place.line, place.end_line)
    return location


def _details(place: Occurrence) -> Json:
    details: Json = {
        "fingerprint": {"name": "Fingerprint", "type": "text", "value": log(place.fingerprint)},
        "role": {"name": "Role", "type": "text", "value": log(ROLES.get(place.role, place.role))},
    }
    if place.locator.container:
        member = "!".join(place.locator.container)
        details["member"] = {"name": "Archive member", "type": "text", "value": log(f"{member}:{place.line}")}
    if place.public_id:
        details["public_id"] = {"name": "Id", "type": "text", "value": log(place.public_id)}
    for number, (name, value) in enumerate(place.facts, 1):
        details[f"fact_{number}"] = {"name": log(name) or "fact", "type": "text", "value": log(value)}
    return details


def _messages(outcome: Outcome) -> list[Json]:
    messages = [_not_scanned(item) for item in outcome.not_scanned]
    if outcome.allowed:
        messages.append({"level": "info", "value": f"{count(len(outcome.allowed), 'place')} allowed, not listed here"})
    if outcome.excluded:
        messages.append({"level": "info", "value": f"{count(len(outcome.excluded), 'path')} excluded by configuration"})
    return messages


def _not_scanned(item: NotScanned) -> Json:
    what = "opaque, encrypted by its owner" if item.opaque else "not scanned"
    return {"level": "info" if item.opaque else "warn", "value": log(f"{what}: {item.path}: {item.reason}")}
