"""The report of an incident as Markdown (GitHub's): the same as the page, without its pictures, for a wiki or a ticket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keyward.model.incident import Incident, Leak
from keyward.report import escape
from keyward.report.incident import IncidentOptions
from keyward.report.incident_elements import shortened
from keyward.report.incident_facts import (
    ENDED,
    LANES,
    PHASE_TITLES,
    SAID,
    SINCE_FROM,
    WARN,
    Standing,
    begun,
    brief,
    changes,
    credential_standing,
    date,
    durations,
    in_order,
    span,
    standing,
    states,
    status,
)
from keyward.report.words import ROLES, count, moment, size

LISTED = 200
"""Rows of one table; the others are counted, and stand in the JSON report."""

PLACES = 5
"""Places of one secret."""


def render(incident: Incident, options: IncidentOptions) -> str:
    """The whole report, ending with a newline."""
    sections = (
        ("In brief", _brief(incident)),
        ("What people must still do", _todo(incident)),
        ("What leaked", _leaks(incident, options)),
        ("Where, and since when", _places(incident, options)),
        ("Blast radius", _lanes(incident)),
        ("Before and after", _changes(incident)),
        ("What was done", _actions(incident)),
        ("Changes on the host", _host(incident)),
        ("What may still hold old keys", _holders(incident)),
        ("Evidence", _evidence(incident)),
        ("Notes", _notes(incident)),
        ("What could not be looked at", _unseen(incident)),
    )
    body = "".join(f"\n## {title}\n\n{part}" for title, part in sections if part)
    made = f"\n---\n\nMade {date(options.made)} by keyward{' ' + _text(options.version) if options.version else ''}. "
    return _head(incident, options) + body + made + "All times are UTC. It holds no value of a secret.\n"


def _text(value: str) -> str:
    return escape.markdown(shortened(value))


def _code(value: str) -> str:
    """A code span that may stand in a table, where a bar would end the cell even inside it."""
    return escape.markdown_code(shortened(value)).replace("|", "\\|") if value else ""


def _link(url: str) -> str:
    target = escape.url(url)
    return f"<{target}>" if target else _text(url)


def _when(seconds: float) -> str:
    return moment(seconds).replace("T", " ").removesuffix("Z")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    every = list(rows)
    lines = [heads, ["---"] * len(heads), *every[:LISTED]]
    left = len(every) - LISTED
    tail = f"\nAnd {left:,} more, in the JSON report.\n" if left > 0 else ""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + tail


def _bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _head(incident: Incident, options: IncidentOptions) -> str:
    facts = [f"**{_text(status(incident).words)}**", f"Opened: {date(incident.opened) or 'unknown'}"]
    facts[1] += f", by {_text(incident.actor)}" if incident.actor else ""
    if incident.reason:
        facts.append(f"Reason: {_text(incident.reason)}")
    if incident.host:
        facts.append(f"Kept on: {_text(incident.host)}")
    facts.append(f"Closed: {date(incident.closed)}" if incident.closed else f"As of: {date(options.made)}")
    for duration in durations(incident):
        unknown = "not done" if duration.name != "exposed" else "not over" if begun(incident) else "unknown"
        value = span(duration.seconds) if duration.seconds is not None else unknown
        facts.append(f"{duration.label}: {value}" + (f" ({_text(duration.detail)})" if duration.detail else ""))
    return f"# Incident report: {_text(incident.name)}\n\n" + _bullets(facts)


def _brief(incident: Incident) -> str:
    told = "".join(_text(sentence) + "\n" for sentence in brief(incident))
    if incident.left:
        told += "\nWhy it is not over:\n\n" + _bullets(_text(reason) for reason in incident.left)
    return told


def _todo(incident: Incident) -> str:
    told = []
    for number, todo in enumerate(incident.todo, 1):
        mark = f"{number}. "
        inner = " " * len(mark)
        told.append(f"{mark}**{_text(todo.ref) or 'Something'}**: {_text(todo.why)}\n")
        told += [f"{inner}- {_text(step)}\n" for step in todo.manual.steps]
        if todo.manual.url:
            told.append(f"{inner}- {_link(todo.manual.url)}\n")
        if todo.command:
            told.append(f"{inner}- Then: {_code(todo.command)}\n")
    return "".join(told) or ("" if incident.left else "Nothing.\n")


def _leaks(incident: Incident, options: IncidentOptions) -> str:
    if not incident.leaks:
        return "The scans of this case found no leaked credential.\n"
    known = states(incident)
    rows = [
        [
            str(number),
            f"{_text(options.title_of(leak.kind))} {_code(leak.masked)}"
            + (f" id {_text(leak.public_id)}" if leak.public_id else ""),
            (_text(leak.ref) or "no lane") + (f", tier {leak.tier}" if leak.tier else ""),
            _text(leak.severity),
            _said(leak),
            f"{leak.before or leak.total:,}" + (f" → {leak.after:,}" if leak.after is not None else ""),
            _text(standing(leak, known).words),
        ]
        for number, leak in enumerate(in_order(incident), 1)
    ]
    return _table(["No.", "Credential", "Whose", "Severity", "Provider said", "Places", "Now"], rows)


def _said(leak: Leak) -> str:
    first, last = (
        SAID.get(leak.verdict, Standing(WARN, leak.verdict)),
        SAID.get(leak.verdict_after, Standing(WARN, leak.verdict_after)),
    )
    detail = f" ({_text(leak.detail)})" if leak.detail else ""
    if not leak.verdict and not leak.verdict_after:
        return _text(first.words) + detail
    return f"{_text(first.words)} → {_text(last.words) if leak.verdict_after else 'not asked again'}{detail}"


def _places(incident: Incident, options: IncidentOptions) -> str:
    rows = []
    for number, leak in enumerate(in_order(incident), 1):
        for where in leak.places[:PLACES]:
            inside = ", ".join(
                part for part in (_text(where.where), _text(ROLES.get(where.role, where.role)), _text(where.source)) if part
            )
            gone = {None: "not looked at again", True: "gone", False: "still there"}[where.gone]
            since = " ".join(part for part in (_code(where.commit[:12]), _text(where.author)) if part)
            says = ", ".join(part for part in (_text(SINCE_FROM.get(where.since_from, where.since_from)), since) if part)
            rows.append(
                [
                    str(number),
                    _code(where.path + (f":{where.line}" if where.line else "")),
                    inside,
                    _when(where.since) or "unknown",
                    says,
                    gone,
                ]
            )
        left = max(leak.total, len(leak.places)) - len(leak.places[:PLACES])
        if left and leak.places:
            rows.append([str(number), f"and {count(left, 'more place')}", "", "", "", ""])
    return _table(["No.", "File", "What it is", "Since (UTC)", "Says who", "Last scan"], rows) if rows else ""


def _lanes(incident: Incident) -> str:
    rows = [
        [
            str(lane.tier),
            _text(lane.name),
            _text(lane.environment),
            _text(LANES.get(lane.state, Standing(WARN, lane.state)).words),
            "; ".join(f"{_text(each.ref)}: {_text(credential_standing(each).words)}" for each in lane.credentials),
            ", ".join(_text(consumer) for consumer in lane.consumers),
            ", ".join(_text(host) for host in lane.hosts),
        ]
        for lane in sorted(incident.lanes, key=lambda lane: (lane.tier, lane.name))
    ]
    return _table(["Tier", "Lane", "Environment", "State", "Credentials", "Who uses them", "Hosts"], rows) if rows else ""


def _changes(incident: Incident) -> str:
    rows = [
        [
            change.label + (f" ({change.detail})" if change.detail else ""),
            f"{change.before:,}",
            f"{change.now:,}" if change.now is not None else "unknown",
        ]
        for change in changes(incident)
    ]
    return _table(["What", "Before", "Now"], rows)


def _actions(incident: Incident) -> str:
    rows = []
    for action in sorted(incident.actions, key=lambda action: action.time):
        what = " ".join(part for part in (_text(action.what), _code(action.target)) if part)
        took = f", {span(action.ended - action.time)}" if action.ended > action.time else ""
        proofs = "; ".join(
            " ".join(part for part in (_text(proof.what), _code(proof.path), _text(proof.detail)) if part)
            for proof in action.proofs
        )
        rows.append(
            [
                _when(action.time),
                _text(PHASE_TITLES.get(action.phase, action.phase)),
                what + (f": {_text(action.detail)}" if action.detail else ""),
                _text(action.actor),
                _text(ENDED.get(action.outcome, Standing(WARN, action.outcome)).words) + took,
                proofs,
            ]
        )
    phases = [
        f"{_text(PHASE_TITLES.get(step.name, step.name))}: {_when(step.started)} to {_when(step.ended) or 'not finished'}"
        + "".join(f"; {_text(reason)}" for reason in step.left)
        for step in incident.steps
        if step.started
    ]
    told = _bullets(phases)
    if rows:
        told += ("\n" if told else "") + _table(["Time (UTC)", "Phase", "Action", "By", "Outcome", "Evidence"], rows)
    return told


def _host(incident: Incident) -> str:
    if not incident.prepared:
        return "No record of the host's good state was prepared before the incident: nothing can be said of what changed.\n"
    compared = f"Compared with the record of {date(incident.prepared)}.\n"
    if not incident.drift:
        return compared + "No difference.\n"
    rows = [
        [
            _text(drift.area),
            _text(drift.change),
            _code(drift.name),
            _text(drift.detail),
            _when(drift.time),
            "a usual way to stay" if drift.suspicious else "",
        ]
        for drift in sorted(incident.drift, key=lambda drift: not drift.suspicious)
    ]
    return f"{compared}\n" + _table(["Area", "Change", "What", "Detail", "When (UTC)", "Suspicious"], rows)


def _holders(incident: Incident) -> str:
    rows = [[_text(holder.what), _code(holder.name), _when(holder.time), _text(holder.action)] for holder in incident.holders]
    return _table(["Kind", "Which", "From (UTC)", "What to do with it"], rows) if rows else ""


def _evidence(incident: Incident) -> str:
    chain = {
        None: "Whether the notes of this case are as they were written was not checked.",
        True: "The notes of this case are as they were written.",
        False: "The notes of this case were changed after they were written.",
    }[incident.chain]
    told = [f"{chain}\n"]
    if incident.chain_problems:
        told.append("\n" + _bullets(_text(problem) for problem in incident.chain_problems) + "\n")
    if incident.folder:
        told.append(f"Kept in {_code(incident.folder)}.\n")
    if incident.retention:
        told.append(f"To be kept until {date(incident.retention)}, then to be destroyed.\n")
    rows = [
        [_text(proof.what), _code(proof.path), size(proof.size) if proof.size else "", _code(proof.sha256), _text(proof.detail)]
        for proof in incident.evidence
    ]
    return "".join(told) + ("\n" + _table(["What", "File", "Size", "SHA-256", "Detail"], rows) if rows else "")


def _notes(incident: Incident) -> str:
    return _bullets(
        f"{_when(note.time)}, {_text(note.actor)}: {_text(' '.join(note.text.splitlines()))}" for note in incident.notes
    )


def _unseen(incident: Incident) -> str:
    rows = [[_code(path), _text(reason)] for path, reason in incident.not_looked_at]
    return _table(["Place", "Why"], rows) if rows else ""
