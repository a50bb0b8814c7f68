"""SARIF 2.1.0, as code scanning services read it: unique rules, one result a place, no snippet.

What was allowed is a suppressed result; what was not scanned is a notification of the tool, and makes the run unsuccessful.
"""

from __future__ import annotations

from typing import Any

from keyward import __version__
from keyward.model.finding import Allowance, NotScanned, Occurrence, Outcome
from keyward.model.kind import CredentialKind
from keyward.report import ReportOptions
from keyward.report.escape import exact, json_text, log, markdown, message, uri, url
from keyward.report.identity import place_ids, timestamp
from keyward.report.words import ROLES, why

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
NOT_SCANNED = "keyward/not-scanned"

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}
"""The middle of the range that code scanning services give each word."""

_COMMENTS = ("keyward:", "gitleaks:", "pragma", "inline", "comment")
"""How an allowance that stands beside the secret begins; any other stands in a file of its own."""

Json = dict[str, Any]


def render(outcome: Outcome, options: ReportOptions) -> str:
    """The log, indented."""
    reported = [occurrence for finding in outcome.findings for occurrence in finding.occurrences]
    places = [*reported, *outcome.allowed]
    rules = _rules(places, options)
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    results = [_result(place, identity, numbers, options) for place, identity in zip(places, place_ids(places))]
    run: Json = {
        "tool": {
            "driver": {
                "name": "keyward",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": rules,
                "notifications": [{"id": NOT_SCANNED, "shortDescription": {"text": "Something was not scanned."}}],
            }
        },
        "invocations": [_invocation(outcome, options)],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {"keyward/salt": log(outcome.salt), "keyward/persona": log(outcome.persona)},
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(places: list[Occurrence], options: ReportOptions) -> list[Json]:
    """One rule an id, however many places and kinds it has: services refuse a log that names a rule twice."""
    rules: dict[str, Json] = {}
    for place in places:
        rule = log(place.rule)
        if rule not in rules:
            rules[rule] = _rule(rule, place.severity, options.kind_of(place.kind))
    return list(rules.values())


def _rule(rule: str, severity: str, kind: CredentialKind) -> Json:
    steps = kind.manual.steps if kind.manual else ("Replace it where it was issued, then update what uses it.",)
    links = [link for link in (url(kind.manual.url) if kind.manual else "", *map(url, kind.references)) if link]
    advice = "A credential that was committed or shared is known to others: removing the line does not make it secret again."
    plain = [log(kind.title), advice, *(f"{number}. {log(step)}" for number, step in enumerate(steps, 1)), *links]
    marked = [f"**{markdown(kind.title)}**", "", advice, ""]
    marked += [f"{number}. {markdown(step)}" for number, step in enumerate(steps, 1)]
    marked += ["", *(f"- <{link}>" for link in links)] if links else []
    described: Json = {
        "id": rule,
        "shortDescription": {"text": message(kind.title)},
        "fullDescription": {"text": f"{message(kind.title)} in plain text."},
        "help": {"text": "\n".join(plain), "markdown": "\n".join(marked)},
        "defaultConfiguration": {"level": _LEVELS.get(severity, "error")},
        "properties": {
            "security-severity": _SECURITY_SEVERITY.get(severity, "8.0"),
            "precision": "high",
            "tags": ["security", "secret", "external/cwe/cwe-798"],
        },
    }
    if links:
        described["helpUri"] = links[0]
    return described


def _result(place: Occurrence, identity: str, numbers: dict[str, int], options: ReportOptions) -> Json:
    rule = log(place.rule)
    reasons, doubts = why(place.signals)
    sure = f"{place.confidence} % sure: {reasons}" if reasons else f"{place.confidence} % sure"
    text = f"{options.kind_of(place.kind).title} {place.masked}, {ROLES.get(place.role, place.role)}. {sure}"
    result: Json = {
        "ruleId": rule,
        "ruleIndex": numbers[rule],
        "level": _LEVELS.get(place.severity, "error"),
        "message": {"text": message(f"{text}. But: {doubts}." if doubts else f"{text}.")},
        "locations": [_location(place)],
        "partialFingerprints": {"keyward/v1": log(place.fingerprint), "keywardPlace/v1": identity},
        "rank": float(max(0, min(100, place.confidence))),
        "properties": _properties(place),
    }
    if place.allowance is not None:
        result["suppressions"] = [_suppression(place.allowance)]
    return result


def _location(place: Occurrence) -> Json:
    physical: Json = {"artifactLocation": _artifact(place.locator.path)}
    location: Json = {"physicalLocation": physical}
    if place.locator.container:  # lines are those of the member: in the file that holds it they would point at anything
        name = "!".join((place.locator.path, *filter(None, place.locator.container)))
        location["logicalLocations"] = [{"fullyQualifiedName": log(name), "kind": "member"}]
    elif place.line > 0:
        region: Json = {"startLine": place.line}
        if place.column > 0:
            region["startColumn"] = place.column
        if place.end_line > place.line:
            region["endLine"] = place.end_line
        physical["region"] = region
    return location


def _artifact(path: str) -> Json:
    artifact: Json = {"uri": uri(path)}
    if not artifact["uri"].startswith("file:"):
        artifact["uriBaseId"] = "%SRCROOT%"
    return artifact


def _properties(place: Occurrence) -> Json:
    properties: Json = {
        "keyward/kind": log(place.kind),
        "keyward/role": log(place.role),
        "keyward/masked": log(place.masked),
        "keyward/source": log(place.locator.source),
        "security-severity": _SECURITY_SEVERITY.get(place.severity, "8.0"),
    }
    if place.public_id:
        properties["keyward/publicId"] = log(place.public_id)
    if place.facts:
        properties["keyward/facts"] = {log(name): log(value) for name, value in place.facts}
    raw = exact(place.locator.path)[1]
    if raw:
        properties["keyward/pathBytes"] = raw
    return properties


def _suppression(allowance: Allowance) -> Json:
    kind = "inSource" if allowance.by.startswith(_COMMENTS) else "external"
    reason = f"{allowance.by}: {allowance.reason}" if allowance.reason else allowance.by
    return {"kind": kind, "status": "accepted", "justification": log(reason)}


def _invocation(outcome: Outcome, options: ReportOptions) -> Json:
    invocation: Json = {"executionSuccessful": outcome.complete}
    if options.finished_at:
        invocation["startTimeUtc"] = timestamp(options.finished_at - outcome.stats.seconds) + "Z"
        invocation["endTimeUtc"] = timestamp(options.finished_at) + "Z"
    if outcome.not_scanned:
        invocation["toolExecutionNotifications"] = [_notification(item) for item in outcome.not_scanned]
    invocation["properties"] = {"keyward/files": outcome.stats.files, "keyward/bytes": outcome.stats.bytes}
    return invocation


def _notification(item: NotScanned) -> Json:
    what = "Opaque, encrypted or packed" if item.opaque else "Not scanned"
    notification: Json = {
        "descriptor": {"id": NOT_SCANNED, "index": 0},
        "level": "note" if item.opaque else "error",
        "message": {"text": message(f"{what}: {item.reason}")},
    }
    if item.path:
        notification["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(item.path)}}]
    return notification
