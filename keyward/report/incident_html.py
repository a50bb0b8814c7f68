"""The report of an incident as one HTML page that needs nothing else: no script, no request, for a screen, a phone or paper.

The policy in its head forbids everything but its own style sheet, so that even a mistake in escaping could load nothing and run nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from keyward.model.incident import CredentialState, Incident, Leak, Where
from keyward.report.incident import IncidentOptions
from keyward.report.incident_elements import (
    PRINTED,
    SIGNS,
    Column,
    badge,
    below,
    code,
    day,
    items,
    link,
    long_table,
    more,
    name,
    quiet,
    shortened,
    table,
    text,
    when,
)
from keyward.report.incident_facts import (
    BAD,
    GOOD,
    LANES,
    SAID,
    SINCE_FROM,
    WARN,
    Standing,
    begun,
    brief,
    changes,
    credential_standing,
    durations,
    in_order,
    span,
    standing,
    states,
    status,
)
from keyward.report.incident_pictures import blast_radius, exposure
from keyward.report.incident_record import actions, evidence, holders, host, notes, unseen
from keyward.report.incident_style import STYLE
from keyward.report.words import ROLES, count

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

IN_SIGHT = 20
"""Credentials whose places are listed in full; those of the others open on demand."""

PLACES = 20
"""Places of one secret that are listed; the others are counted, and stand in the scan's own report."""

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%231b4f85'/%3E%3C/svg%3E"
)
"""A browser asks the server for an icon where the page has none."""


class Section(NamedTuple):
    """A part of the page. An empty body leaves it out."""

    key: str
    title: str
    body: str


def render(incident: Incident, options: IncidentOptions) -> str:
    """The whole page, ending with a newline."""
    sections = [
        Section("brief", "In brief", _brief(incident)),
        Section("todo", "What people must still do", _todo(incident)),
        Section("leaks", "What leaked", _leaks(incident, options)),
        Section("since", "Where, and since when", _since(incident, options)),
        Section("lanes", "Blast radius", _lanes(incident)),
        Section("change", "Before and after", _changes(incident)),
        Section("actions", "What was done", actions(incident, options)),
        Section("host", "Changes on the host", host(incident)),
        Section("holders", "What may still hold old keys", holders(incident)),
        Section("evidence", "Evidence", evidence(incident)),
        Section("notes", "Notes", notes(incident)),
        Section("unseen", "What could not be looked at", unseen(incident)),
        Section("words", "How to read this report", _WORDS),
    ]
    there = [section for section in sections if section.body]
    contents = items(f'<a href="#{section.key}">{section.title}</a>' for section in there)
    body = "".join(
        f'<section aria-labelledby="{section.key}"><h2 id="{section.key}">{section.title}</h2>\n{section.body}</section>\n'
        for section in there
    )
    title = text(f"Incident report: {shortened(incident.name, 120)}")
    made = f" by keyward {text(options.version)}" if options.version else " by keyward"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f'<meta name="robots" content="noindex">\n<title>{title}</title>\n<link rel="icon" href="{_ICON}">\n<style>{STYLE}</style>\n</head>\n'
        f'<body>\n<a class="skip" href="#main">Skip to the report</a>\n{SIGNS}<div class="page">\n{_header(incident, options)}'
        f'<nav aria-label="Contents">{contents}</nav>\n<main id="main" tabindex="-1">\n{body}</main>\n'
        f'<footer class="small"><p>Made {day(options.made)}{made}. It holds no value of a secret.</p></footer>\n</div>\n</body>\n</html>\n'
    )


def _header(incident: Incident, options: IncidentOptions) -> str:
    facts = [("Opened", day(incident.opened))]
    if incident.actor:
        facts[0] = ("Opened", f"{day(incident.opened)}, by {name(incident.actor)}")
    if incident.reason:
        facts.append(("Reason", name(incident.reason)))
    if incident.host:
        facts.append(("Kept on", name(incident.host)))
    if incident.closed:
        facts.append(("Closed", day(incident.closed)))
    else:
        facts.append(("As of", day(options.made)))
    listed = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in facts)
    tiles = []
    for duration in durations(incident):
        value = (
            span(duration.seconds) if duration.seconds is not None else "not over" if duration.name == "exposed" else "not done"
        )
        if duration.name == "exposed" and not begun(incident):
            value = "unknown"
        tiles.append(
            f'<div><dt>{duration.label}</dt><dd class="value">{value}</dd><dd class="small">{text(duration.detail)}</dd></div>'
        )
    return (
        f'<header>\n<p class="eyebrow">Incident report</p>\n<h1>{name(incident.name)}</h1>\n'
        f'<p class="status {status(incident).tone}">{badge(status(incident))}</p>\n'
        f'<dl class="facts">{listed}</dl>\n<dl class="tiles">{"".join(tiles)}</dl>\n</header>\n'
    )


def _brief(incident: Incident) -> str:
    told = "".join(f"<p>{text(sentence)}</p>\n" for sentence in brief(incident))
    if incident.left:
        told += "<h3>Why it is not over</h3>\n" + items(name(reason) for reason in incident.left)
    if incident.chain is False:
        told += f"<p>{badge(Standing(BAD, 'The notes of this case were changed after they were written'))}</p>\n"
        told += items(name(problem) for problem in incident.chain_problems)
    return told


def _todo(incident: Incident) -> str:
    entries = []
    for todo in incident.todo:
        steps = items((name(step) for step in todo.manual.steps), "ol") if todo.manual.steps else ""
        where = f"<p>{link(todo.manual.url)}</p>" if todo.manual.url else ""
        command = f'<p class="quiet">Then:</p>{_command(todo.command)}' if todo.command else ""
        entries.append(f"<p><strong>{name(todo.ref)}</strong></p><p>{name(todo.why)}</p>{steps}{where}{command}")
    if entries:
        return items(entries, "ol").replace("<ol>", '<ol class="todo">', 1)
    return "" if incident.left else f"<p>{badge(Standing(GOOD, 'Nothing'))}</p>\n"


def _command(command: str) -> str:
    return f'<pre tabindex="0" aria-label="Command"><code>{text(command)}</code></pre>'


# --- what leaked --------------------------------------------------------------------------------------------------------------


def _leaks(incident: Incident, options: IncidentOptions) -> str:
    if not incident.leaks:
        return "<p>The scans of this case found no leaked credential.</p>\n"
    known = states(incident)
    rows = [
        [
            str(number),
            _credential(leak, options),
            (name(leak.ref) or quiet("no lane")) + (below(f"tier {leak.tier}") if leak.tier else ""),
            text(leak.severity),
            _said(leak),
            _places_count(leak),
            badge(standing(leak, known)),
        ]
        for number, leak in enumerate(in_order(incident), 1)
    ]
    columns = [
        Column("No."),
        Column("Credential", "wide"),
        Column("Whose", "mid"),
        Column("Severity"),
        Column("Provider said", "mid"),
        Column("Places", "number"),
        Column("Now", "mid"),
    ]
    return long_table(columns, rows, "Leaked credentials", "credentials")


def _credential(leak: Leak, options: IncidentOptions) -> str:
    public = below(f"id {name(leak.public_id)}") if leak.public_id else ""
    return f"{name(options.title_of(leak.kind))}<br>{code(leak.masked)}{public}"


def _said(leak: Leak) -> str:
    first, last = (
        SAID.get(leak.verdict, Standing(WARN, leak.verdict)),
        SAID.get(leak.verdict_after, Standing(WARN, leak.verdict_after)),
    )
    detail = below(name(leak.detail)) if leak.detail else ""
    if not leak.verdict and not leak.verdict_after:
        return f"{text(first.words)}{detail}"
    return f"{text(first.words)} → {text(last.words if leak.verdict_after else 'not asked again')}{detail}"


def _places_count(leak: Leak) -> str:
    before = leak.before or leak.total or len(leak.places)
    return f"{before:,} → {leak.after:,}" if leak.after is not None else f"{before:,}"


def _since(incident: Incident, options: IncidentOptions) -> str:
    if not incident.leaks:
        return ""
    few = len(incident.leaks) <= 3
    leaks = list(enumerate(in_order(incident), 1))
    shown = "".join(_places(number, leak, options, opened=few) for number, leak in leaks[:IN_SIGHT])
    if leaks[IN_SIGHT:]:
        rest = "".join(_places_briefly(number, leak, options) for number, leak in leaks[IN_SIGHT:])
        shown += more(f"{len(leaks) - IN_SIGHT:,} more credentials", rest, paper=False)
    return exposure(incident, options) + "<h3>The places of each</h3>\n" + shown


def _places_briefly(number: int, leak: Leak, options: IncidentOptions) -> str:
    """The same in few elements: a browser has to take in thousands of them at once."""
    listed = [code(where.path, f":{where.line}" if where.line else "") for where in leak.places[:PLACES]]
    total = max(leak.total, len(leak.places))
    if total > len(listed):
        listed.append(quiet(f"and {total - len(listed):,} more"))
    return more(f"{number}. {name(options.title_of(leak.kind))} {code(leak.masked)}: {count(total, 'place')}", items(listed))


def _places(number: int, leak: Leak, options: IncidentOptions, *, opened: bool) -> str:
    total = max(leak.total, len(leak.places))
    rows = [
        [
            code(where.path, f":{where.line}" if where.line else ""),
            _inside(where),
            when(where.since, "unknown"),
            text(SINCE_FROM.get(where.since_from, where.since_from)) + _history(where),
            text({None: "not looked at again", True: "gone", False: "still there"}[where.gone]),
        ]
        for where in leak.places[:PLACES]
    ]
    columns = [
        Column("File", "wide"),
        Column("What it is", "mid"),
        Column("Since (UTC)", "time"),
        Column("Says who", "mid"),
        Column("Last scan"),
    ]
    left = total - len(rows)
    tail = f'<p class="small">And {count(left, "more place")}; the report of the scan has them all.</p>\n' if left else ""
    summary = f"{number}. {name(options.title_of(leak.kind))} {code(leak.masked)}: {count(total, 'place')}"
    label = f"Places of credential {number}"
    ids = f'<p class="small">Fingerprint {code(leak.fingerprint)}</p>\n'
    return more(summary, (table("", columns, rows, label=label) if rows else "") + tail + ids, opened=opened)


def _inside(where: Where) -> str:
    told = [
        name(where.where),
        text(ROLES.get(where.role, where.role)),
        quiet(name(where.source)) if where.source else "",
    ]
    return "<br>".join(part for part in told if part)


def _history(where: Where) -> str:
    told = " by ".join(part for part in (code(where.commit[:12]), name(where.author)) if part)
    return f"<br>{told}" if told else ""


# --- lanes, before and after ----------------------------------------------------------------------------------------------------


def _lanes(incident: Incident) -> str:
    if not incident.lanes:
        return ""
    known = states(incident)
    rows = [
        [
            name(lane.name),
            str(lane.tier),
            name(lane.environment),
            badge(LANES.get(lane.state, Standing(WARN, lane.state))),
            _entries(lane.credentials),
            "<br>".join(name(consumer) for consumer in lane.consumers),
            "<br>".join(name(host) for host in lane.hosts),
        ]
        for lane in sorted(incident.lanes, key=lambda lane: (lane.tier, lane.name))
    ]
    columns = [
        Column("Lane", "mid"),
        Column("Tier", "number"),
        Column("Environment"),
        Column("State", "mid"),
        Column("Credentials", "wide"),
        Column("Who uses them", "mid"),
        Column("Hosts"),
    ]
    return blast_radius(incident) + more(
        "The same as a table", table("", columns, rows, label="Lanes"), paper=len(known) <= PRINTED
    )


def _entries(credentials: Iterable[CredentialState]) -> str:
    told = []
    for credential in credentials:
        at = " " + quiet(when(credential.time)) if credential.time else ""
        detail = below(name(credential.detail)) if credential.detail else ""
        told.append(f"{name(credential.ref)}: {text(credential_standing(credential).words)}{at}{detail}")
    return "<br>".join(told)


def _changes(incident: Incident) -> str:
    rows = [
        [
            text(change.label) + (below(text(change.detail)) if change.detail else ""),
            f"{change.before:,}",
            f"{change.now:,}" if change.now is not None else "unknown",
            _better(change.before, change.now),
        ]
        for change in changes(incident)
    ]
    columns = [Column("What"), Column("Before", "number"), Column("Now", "number"), Column("State")]
    return table("", columns, rows, label="Before and after", loose=True)


def _better(before: int, now: int | None) -> str:
    if now is None:
        return badge(Standing(WARN, "not looked at again"))
    if now == 0:
        return badge(Standing(GOOD, "none"))
    return badge(Standing(WARN, "fewer") if now < before else Standing(BAD, "as before" if now == before else "more"))


_WORDS = """<ul>
<li><strong>Live, dead</strong>: what the provider itself said when it was asked with the credential. <em>Nobody could tell</em> is not dead.</li>
<li><strong>Proved</strong>: the new credential is accepted and the old one refused, by the provider or by what uses it. <em>Not proved</em>
means that a person says so, and nothing else does.</li>
<li><strong>Lane</strong>: one consumer's credentials; what one leak can reach. <strong>Tier</strong> 1 matters most.</li>
<li><strong>Since</strong>: the earliest time that something vouches for. A file's last change says only that the secret stood there by then.</li>
<li>Values are masked. A <strong>fingerprint</strong> is the same for the same secret wherever it stands, and cannot be turned back.</li>
<li>All times are UTC. The number after an arrow is the last one known.</li>
</ul>
"""
