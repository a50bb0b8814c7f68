"""The part of an incident's page that is the record: actions, changes of the host, evidence, notes, what nobody could look at."""

from __future__ import annotations

from keyward.model.incident import Action, Incident, Proof
from keyward.report.incident import IncidentOptions
from keyward.report.incident_elements import (
    Column,
    badge,
    below,
    code,
    day,
    items,
    long_table,
    more,
    name,
    quiet,
    table,
    text,
    when,
)
from keyward.report.incident_facts import BAD, ENDED, GOOD, PHASE_TITLES, WARN, Standing, span
from keyward.report.incident_pictures import response
from keyward.report.words import count, size

# --- what was done --------------------------------------------------------------------------------------------------------------


def actions(incident: Incident, options: IncidentOptions) -> str:
    rows = [
        [
            when(action.time),
            text(PHASE_TITLES.get(action.phase, action.phase)),
            _what(action),
            name(action.actor),
            badge(ENDED.get(action.outcome, Standing(WARN, action.outcome))) + _lasted(action),
            "<br>".join(_proof(proof) for proof in action.proofs),
        ]
        for action in sorted(incident.actions, key=lambda action: action.time)
    ]
    columns = [
        Column("Time (UTC)", "time"),
        Column("Phase"),
        Column("Action", "wide"),
        Column("By", "mid"),
        Column("Outcome", "mid"),
        Column("Evidence", "mid"),
    ]
    shown = long_table(columns, rows, "Actions", "actions") if rows else ""
    steps = [
        f"{text(PHASE_TITLES.get(step.name, step.name))}: {'; '.join(name(reason) for reason in step.left)}"
        for step in incident.steps
        if step.left
    ]
    left = "<h3>What is missing in each phase</h3>\n" + items(steps) if steps else ""
    return response(incident, options) + shown + left + _events(incident)


def _what(action: Action) -> str:
    target = f" {code(action.target)}" if action.target else ""
    detail = below(name(action.detail)) if action.detail else ""
    return f"{name(action.what)}{target}{detail}"


def _lasted(action: Action) -> str:
    return below(span(action.ended - action.time)) if action.ended > action.time else ""


def _proof(proof: Proof) -> str:
    told = [name(proof.what), code(proof.path), quiet(name(proof.detail)) if proof.detail else ""]
    return " ".join(part for part in told if part)


def _events(incident: Incident) -> str:
    """Everything in one order, for whoever rebuilds what happened."""
    if not incident.events:
        return ""
    kinds = {"leak": "a secret stood there", "change": "the host changed", "action": "action", "phase": "phase", "note": "note"}
    rows = [
        [
            when(event.time),
            text(kinds.get(event.kind, event.kind)),
            name(event.what) + (below(name(event.detail)) if event.detail else ""),
        ]
        for event in sorted(incident.events, key=lambda event: event.time)
    ]
    columns = [Column("Time (UTC)", "time"), Column("What it is", "mid"), Column("What", "wide")]
    return more(
        f"Everything in the order of time: {count(len(rows), 'event')}",
        table("", columns, rows, label="Everything in the order of time"),
    )


# --- the rest -------------------------------------------------------------------------------------------------------------------


def host(incident: Incident) -> str:
    if not incident.prepared:
        return (
            "<p>No record of the host's good state was prepared before the incident: nothing can be said of what changed.</p>\n"
        )
    compared = f"<p>Compared with the record of {day(incident.prepared)}.</p>\n"
    if not incident.drift:
        return compared + f"<p>{badge(Standing(GOOD, 'No difference'))}</p>\n"
    rows = [
        [
            name(drift.area),
            text(drift.change),
            code(drift.name),
            name(drift.detail),
            when(drift.time, ""),
            badge(Standing(BAD, "a usual way to stay")) if drift.suspicious else "",
        ]
        for drift in sorted(incident.drift, key=lambda drift: not drift.suspicious)
    ]
    columns = [
        Column("Area", "mid"),
        Column("Change"),
        Column("What", "wide"),
        Column("Detail", "mid"),
        Column("When (UTC)", "time"),
        Column("Suspicious", "mid"),
    ]
    return compared + long_table(columns, rows, "Changes on the host", "changes")


def holders(incident: Incident) -> str:
    rows = [[name(holder.what), code(holder.name), when(holder.time), name(holder.action)] for holder in incident.holders]
    columns = [
        Column("Kind", "mid"),
        Column("Which", "wide"),
        Column("From (UTC)", "time"),
        Column("What to do with it", "mid"),
    ]
    return long_table(columns, rows, "Holders of old keys", "holders") if rows else ""


def evidence(incident: Incident) -> str:
    told = []
    if incident.chain is True:
        told.append(f"<p>{badge(Standing(GOOD, 'The notes of this case are as they were written'))}</p>\n")
    elif incident.chain is None:
        told.append("<p>Whether the notes of this case are as they were written was not checked.</p>\n")
    else:
        told.append(f"<p>{badge(Standing(BAD, 'The notes of this case were changed after they were written'))}</p>\n")
    if incident.folder:
        told.append(f"<p>Kept in {code(incident.folder)}.</p>\n")
    if incident.retention:
        told.append(f"<p>To be kept until {day(incident.retention)}, then to be destroyed.</p>\n")
    rows = [
        [
            f"{name(proof.what)}<br>{code(proof.path)}",
            size(proof.size) if proof.size else "",
            code(proof.sha256),
            name(proof.detail),
        ]
        for proof in incident.evidence
    ]
    columns = [Column("File", "wide"), Column("Size", "number"), Column("SHA-256", "wide"), Column("Detail", "mid")]
    if rows:
        told.append(long_table(columns, rows, "Evidence", "files"))
    return "".join(told)


def notes(incident: Incident) -> str:
    written = (
        f'<p class="small">{when(note.time)} UTC, {name(note.actor)}</p>\n'
        + "".join(f"<p>{name(line)}</p>\n" for line in note.text.splitlines() if line.strip())
        for note in incident.notes
    )
    return items(written).replace("<ul>", '<ul class="plain">', 1) if incident.notes else ""


def unseen(incident: Incident) -> str:
    rows = [[code(path), name(reason)] for path, reason in incident.not_looked_at]
    columns = [Column("Place", "wide"), Column("Why", "mid")]
    if not rows:
        return ""
    told = "<p>A secret may stand in any of these.</p>\n"
    return told + long_table(columns, rows, "Not looked at", "places", loose=True)
