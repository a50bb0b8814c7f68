"""The report of an incident for programs: the whole case, nothing left out. `schema/keyward-incident-1.json` describes it."""

from __future__ import annotations

from typing import Any

from keyward.model.incident import Action, CredentialState, Incident, LaneState, Leak, Proof, Where
from keyward.report.escape import exact, json_text, terminal
from keyward.report.incident import IncidentOptions
from keyward.report.incident_facts import begun, changes, durations, in_order, standing, states, status
from keyward.report.words import moment

INCIDENT_SCHEMA = "keyward.incident/1"

Record = dict[str, Any]


def render(incident: Incident, options: IncidentOptions) -> str:
    """The document, indented."""
    return json_text(document(incident, options), indent=2) + "\n"


def document(incident: Incident, options: IncidentOptions) -> Record:
    """The case as JSON has it: times as `2026-11-22T03:04:10Z` or empty, texts for the eye, paths exact."""
    known = states(incident)
    how = status(incident)
    return {
        "schema": INCIDENT_SCHEMA,
        "name": terminal(incident.name),
        "reason": terminal(incident.reason),
        "host": terminal(incident.host),
        "actor": terminal(incident.actor),
        "folder": terminal(incident.folder),
        "made": moment(options.made),
        "keyward": terminal(options.version),
        "status": {"tone": how.tone, "words": how.words},
        "times": {
            "begun": moment(begun(incident)),
            "prepared": moment(incident.prepared),
            "opened": moment(incident.opened),
            "contained": moment(incident.contained),
            "assessed": moment(incident.assessed),
            "rotated": moment(incident.rotated),
            "recovered": moment(incident.recovered),
            "closed": moment(incident.closed),
            "retention": moment(incident.retention),
        },
        "durations": {each.name: None if each.seconds is None else round(each.seconds, 3) for each in durations(incident)},
        "changes": [
            {"name": each.name, "before": each.before, "now": each.now, "detail": each.detail} for each in changes(incident)
        ],
        "left": [terminal(reason) for reason in incident.left],
        "todo": [
            {
                "ref": terminal(todo.ref),
                "why": terminal(todo.why),
                "steps": [terminal(step) for step in todo.manual.steps],
                "url": terminal(todo.manual.url),
                "command": terminal(todo.command),
            }
            for todo in incident.todo
        ],
        "leaks": [_leak(leak, known, options) for leak in in_order(incident)],
        "lanes": [_lane(lane) for lane in incident.lanes],
        "phases": [
            {
                "name": terminal(step.name),
                "started": moment(step.started),
                "ended": moment(step.ended),
                "left": [terminal(reason) for reason in step.left],
            }
            for step in incident.steps
        ],
        "actions": [_action(action) for action in sorted(incident.actions, key=lambda action: action.time)],
        "events": [
            {
                "time": moment(each.time),
                "kind": terminal(each.kind),
                "what": terminal(each.what),
                "detail": terminal(each.detail),
            }
            for each in sorted(incident.events, key=lambda event: event.time)
        ],
        "notes": [
            {
                "time": moment(note.time),
                "actor": terminal(note.actor),
                "lines": [terminal(line) for line in note.text.splitlines()],
            }
            for note in incident.notes
        ],
        "drift": [
            {
                "area": terminal(drift.area),
                "change": terminal(drift.change),
                "name": terminal(drift.name),
                "detail": terminal(drift.detail),
                "suspicious": drift.suspicious,
                "time": moment(drift.time),
            }
            for drift in incident.drift
        ],
        "holders": [
            {
                "what": terminal(holder.what),
                "name": terminal(holder.name),
                "time": moment(holder.time),
                "action": terminal(holder.action),
            }
            for holder in incident.holders
        ],
        "evidence": [_proof(proof) for proof in incident.evidence],
        "chain": {"intact": incident.chain, "problems": [terminal(problem) for problem in incident.chain_problems]},
        "not_looked_at": [{**_path(path), "reason": terminal(reason)} for path, reason in incident.not_looked_at],
    }


def _path(path: str) -> Record:
    shown, raw = exact(path)
    return {"path": shown, "path_bytes": raw} if raw else {"path": shown}


def _leak(leak: Leak, known: dict[str, CredentialState], options: IncidentOptions) -> Record:
    how = standing(leak, known)
    return {
        "fingerprint": terminal(leak.fingerprint),
        "kind": terminal(leak.kind),
        "title": terminal(options.title_of(leak.kind)),
        "severity": terminal(leak.severity),
        "masked": terminal(leak.masked),
        "public_id": terminal(leak.public_id),
        "ref": terminal(leak.ref),
        "tier": leak.tier,
        "since": moment(leak.since),
        "since_from": terminal(leak.since_from),
        "verdict": terminal(leak.verdict),
        "verdict_after": terminal(leak.verdict_after),
        "detail": terminal(leak.detail),
        "standing": {"tone": how.tone, "words": terminal(how.words)},
        "places": [_where(where) for where in leak.places],
        "total": leak.total,
        "before": leak.before,
        "after": leak.after,
    }


def _where(where: Where) -> Record:
    return {
        **_path(where.path),
        "line": where.line,
        "source": terminal(where.source),
        "where": terminal(where.where),
        "role": terminal(where.role),
        "since": moment(where.since),
        "since_from": terminal(where.since_from),
        "commit": terminal(where.commit),
        "author": terminal(where.author),
        "gone": where.gone,
    }


def _lane(lane: LaneState) -> Record:
    return {
        "name": terminal(lane.name),
        "tier": lane.tier,
        "environment": terminal(lane.environment),
        "state": terminal(lane.state),
        "credentials": [
            {
                "ref": terminal(each.ref),
                "kind": terminal(each.kind),
                "leaked": each.leaked,
                "state": terminal(each.state),
                "at": terminal(each.at),
                "time": moment(each.time),
                "detail": terminal(each.detail),
            }
            for each in lane.credentials
        ],
        "consumers": [terminal(consumer) for consumer in lane.consumers],
        "hosts": [terminal(host) for host in lane.hosts],
    }


def _action(action: Action) -> Record:
    return {
        "time": moment(action.time),
        "ended": moment(action.ended),
        "phase": terminal(action.phase),
        "what": terminal(action.what),
        "target": terminal(action.target),
        "actor": terminal(action.actor),
        "outcome": terminal(action.outcome),
        "detail": terminal(action.detail),
        "proofs": [_proof(proof) for proof in action.proofs],
    }


def _proof(proof: Proof) -> Record:
    return {
        "what": terminal(proof.what),
        **(_path(proof.path) if proof.path else {"path": ""}),
        "sha256": terminal(proof.sha256),
        "size": proof.size,
        "detail": terminal(proof.detail),
    }
