"""What the machine formats say of one place, and of the whole scan. `schema/keyward-report-1.json` describes both."""

from __future__ import annotations

from typing import Any

from keyward.model.finding import Finding, Locator, Occurrence, Outcome, Provenance
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.report.escape import exact, terminal
from keyward.report.words import moment

FINDING_SCHEMA = "keyward.finding/1"
SUMMARY_SCHEMA = "keyward.summary/1"
REPORT_SCHEMA = "keyward.report/1"

Record = dict[str, Any]


def finding(occurrence: Occurrence, verdict: Verdict | None = None) -> Record:
    """One place of a credential. `path` is for the eye; `locator` is exact."""
    record = {"schema": FINDING_SCHEMA, "type": "finding", **_place(occurrence)}
    if verdict is not None:
        record["verdict"] = verdict_record(verdict)
    return record


def findings(outcome: Outcome, *, timeline: bool) -> list[Record]:
    """Every place of every finding, in the order of the findings; with `timeline`, those of one credential from first to last."""
    return [finding(place, each.verdict) for each in outcome.findings for place in places(each, timeline=timeline)]


def places(each: Finding, *, timeline: bool) -> tuple[Occurrence, ...]:
    """The places of one credential, by when they first held it where that is wanted; a place without a time comes last."""
    if not timeline:
        return each.occurrences
    return tuple(sorted(each.occurrences, key=lambda o: (not o.provenance.since, o.provenance.since)))


def verdict_record(verdict: Verdict) -> Record:
    """What a provider said. `state`: live, restricted, dead or unknown."""
    if isinstance(verdict, Unknown):
        return {"state": "unknown", "reason": terminal(verdict.reason), "retry_after": verdict.retry_after}
    seen = verdict.evidence
    record: Record = {
        "state": {Live: "live", Restricted: "restricted", Dead: "dead"}[type(verdict)],
        "evidence": {
            "probe": terminal(seen.probe),
            "host": terminal(seen.host),
            "status": terminal(seen.status),
            "time": moment(seen.time),
            "public_id": terminal(seen.public_id),
            "digest": terminal(seen.digest),
        },
    }
    if isinstance(verdict, Live):
        record |= {"principal": terminal(verdict.principal), "scopes": [terminal(scope) for scope in verdict.scopes]}
    elif isinstance(verdict, Restricted):
        record["reason"] = terminal(verdict.reason)
    return record


def allowed(occurrence: Occurrence) -> Record:
    """One place that was found and let pass, and by what."""
    allowance = occurrence.allowance
    by, reason = (allowance.by, allowance.reason) if allowance else ("", "")
    return {
        "schema": FINDING_SCHEMA,
        "type": "allowed",
        **_place(occurrence),
        "allowance": {"by": terminal(by), "reason": terminal(reason)},
    }


def _place(occurrence: Occurrence) -> Record:
    locator = occurrence.locator
    return {
        "rule": terminal(occurrence.rule),
        "kind": terminal(occurrence.kind),
        "severity": occurrence.severity,
        "path": terminal(locator.path),
        "line": occurrence.line,
        "column": occurrence.column,
        "end_line": occurrence.end_line,
        "fingerprint": occurrence.fingerprint,
        "masked": terminal(occurrence.masked),
        "confidence": occurrence.confidence,
        "signals": [{"name": terminal(s.name), "weight": s.weight, "detail": terminal(s.detail)} for s in occurrence.signals],
        "parts": [terminal(part) for part in occurrence.parts],
        "public_id": terminal(occurrence.public_id),
        "facts": {terminal(name): terminal(value) for name, value in occurrence.facts},
        "role": occurrence.role,
        "source": locator.source,
        "locator": _locator(locator),
        "provenance": _provenance(occurrence.provenance),
    }


def _provenance(seen: Provenance) -> Record:
    return {
        "source": terminal(seen.source),
        "where": terminal(seen.where),
        "since": moment(seen.since),
        "since_from": seen.since_from,
        "commit": terminal(seen.commit),
        "author": terminal(seen.author),
        "in_head": seen.in_head,
    }


def _locator(locator: Locator) -> Record:
    path, raw = exact(locator.path)
    container = [exact(member) for member in locator.container]
    record: Record = {
        "source": locator.source,
        "path": path,
        "start": locator.start,
        "end": locator.end,
        "encoding": locator.encoding,
        "blob": locator.blob,
        "container": [member for member, _ in container],
    }
    if raw:
        record["path_bytes"] = raw
    if any(member_raw for _, member_raw in container):
        from base64 import b64encode

        from keyward.report.escape import path_bytes

        record["container_bytes"] = [b64encode(path_bytes(member)).decode("ascii") for member in locator.container]
    return record


def summary(outcome: Outcome) -> Record:
    """The scan as a whole: what was looked at, what was let pass, and what was not looked at."""
    return {
        "schema": SUMMARY_SCHEMA,
        "type": "summary",
        "complete": outcome.complete,
        "files_scanned": outcome.stats.files,
        "bytes_scanned": outcome.stats.bytes,
        "seconds": round(outcome.stats.seconds, 3),
        "salt": outcome.salt,
        "persona": outcome.persona,
        "below_persona": outcome.below_persona,
        "findings": len(outcome.findings),
        "places": sum(len(each.occurrences) for each in outcome.findings),
        "allowed": [allowed(occurrence) for occurrence in outcome.allowed],
        "excluded": [{"path": terminal(item.path), "by": terminal(item.by)} for item in outcome.excluded],
        "not_scanned": [
            {"path": terminal(item.path), "reason": terminal(item.reason), "opaque": item.opaque}
            for item in outcome.not_scanned
        ],
        "stale_baseline": [terminal(entry) for entry in outcome.stale_baseline],
        "notes": [terminal(note) for note in outcome.notes],
    }
