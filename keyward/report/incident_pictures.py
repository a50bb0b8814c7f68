"""Three pictures of an incident: since when each secret stood in the open, what was done when, and which lanes are hit.

They are inline SVG whose widths are percentages, so that text keeps its size and wraps on a phone. Each bar has an accessible name that
says all that it shows, and no state is told by a colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyward.model.incident import FAILED, CredentialState, Incident, LaneState, Leak
from keyward.report.incident import IncidentOptions
from keyward.report.incident_axis import LATEST, Axis, axis
from keyward.report.incident_elements import badge, code, icon, name, text
from keyward.report.incident_facts import (
    BAD,
    CALM,
    GOOD,
    LANES,
    PHASE_TITLES,
    WARN,
    Standing,
    credential_standing,
    date,
    ended,
    in_order,
    span,
    standing,
    states,
)
from keyward.report.words import count

BARS, LANES_DRAWN, BLOCKS = 15, 40, 24
"""How many secrets have a bar of their own, lanes a row, and credentials of a lane a block; the others are drawn together."""


def _figure(key: str, caption: str, rows: Iterable[str], legend: Iterable[tuple[str, str]] = ()) -> str:
    signs = "".join(f"<li>{sign}{text(words)}</li>" for sign, words in legend)
    shown = f'<ul class="key" aria-label="Legend">{signs}</ul>' if signs else ""
    return (
        f'<figure aria-labelledby="{key}"><figcaption id="{key}">{text(caption)}</figcaption>\n'
        f'<ul class="rows">\n{"".join(rows)}</ul>{shown}</figure>\n'
    )


def _row(who: str, drawing: str) -> str:
    return f'<li><div class="who">{who}</div>{drawing}</li>\n'


def _bar(label: str, body: str, height: int = 18) -> str:
    return f'<svg class="bar" height="{height}" role="img" aria-label="{text(label)}">{body}</svg>'


def _axis_row(scale: Axis) -> str:
    marks = []
    for tick in scale.ticks():
        anchor = "start" if tick.at < 8 else "end" if tick.at > 92 else "middle"
        marks.append(
            f'<text x="{tick.at}%" y="11" text-anchor="{anchor}">{tick.label}</text>'
            f'<line x1="{tick.at}%" x2="{tick.at}%" y1="15" y2="20" stroke="var(--quiet)"/>'
        )
    drawing = f'<svg class="ticks" height="20" aria-hidden="true">{"".join(marks)}</svg>'
    return f'<li class="axis" aria-hidden="true"><div class="who quiet">UTC</div>{drawing}</li>\n'


def _sample(body: str, width: int = 22) -> str:
    return f'<svg width="{width}" height="14" aria-hidden="true">{body}</svg>'


# --- since when ---------------------------------------------------------------------------------------------------------------


def exposure(incident: Incident, options: IncidentOptions) -> str:
    """One bar a secret, from when it first stood in the open until it was dead or replaced; empty where no time is known."""
    known = states(incident)
    leaks = [leak for leak in in_order(incident) if 0 < leak.since <= LATEST]
    ends = [ended(leak, incident, known) for leak in leaks]
    scale = axis([options.made, incident.opened, *(leak.since for leak in leaks), *ends])
    if not leaks or scale is None:
        return ""
    own = len(leaks) if len(leaks) <= BARS + 1 else BARS
    rows = [_axis_row(scale)]
    for leak, end in zip(leaks[:own], ends):
        rows.append(_exposed(leak, end, standing(leak, known), scale, incident, options))
    if leaks[own:]:
        rows.append(_others(leaks[own:], scale))
    line = '<line x1="11" x2="11" y1="0" y2="14" stroke="var(--ink)" stroke-dasharray="3 2"/>'
    legend = [
        (_sample('<rect y="3" width="22" height="8" fill="var(--bad)"/>'), "not replaced yet"),
        (_sample('<rect y="3" width="22" height="8" fill="url(#hatch)"/>'), "replaced without a proof"),
        (_sample('<rect y="3" width="22" height="8" fill="var(--bar)"/><line x1="21" x2="21" y1="0" y2="14" stroke="var(--good)" stroke-width="2.5"/>'),
         "until it was proved dead or replaced"),
        (_sample('<path d="M9 1 2 7 9 13" fill="none" stroke="var(--ink)" stroke-width="2"/>'), "by then, perhaps long before"),
        (_sample(line), "the incident was opened"),
    ]  # fmt: skip
    untold = len(incident.leaks) - len(leaks)
    caption = "Since when each secret stood in the open"
    if untold:
        caption += f"; for {count(untold, 'more secret')} nothing tells"
    return _figure("picture-exposure", caption + ".", rows, legend)


def _exposed(leak: Leak, end: float, how: Standing, scale: Axis, incident: Incident, options: IncidentOptions) -> str:
    start, stop = scale.at(leak.since), scale.at(end or options.made)
    # what leaked after the last moment, by a clock that is wrong, still has something to see
    width = max(0.4, round(stop - start, 3))
    start = min(start, 99.6)
    fill = "var(--bar)" if how.tone == GOOD else "url(#hatch)" if how.tone == WARN else "var(--bad)"
    parts = [_opened(incident, scale), f'<rect x="{start}%" y="5" width="{width}%" height="8" fill="{fill}"/>']
    if leak.since_from == "mtime":
        parts.append(
            f'<svg x="{start}%" y="9" overflow="visible"><path d="M0-6-7 0 0 6" fill="none" stroke="var(--ink)" stroke-width="2"/></svg>'
        )
    if end:
        parts.append(f'<line x1="{stop}%" x2="{stop}%" y1="1" y2="17" stroke="var(--good)" stroke-width="2.5"/>')
    lasted = f"until {date(end)}, {span(end - leak.since)}" if end else f"still open after {span(options.made - leak.since)}"
    label = f"From {date(leak.since)} {lasted}: {how.words}"
    who = f"{name(options.title_of(leak.kind))} {code(leak.masked)}<br>{badge(how)}"
    return _row(who, _bar(label, "".join(parts)))


def _opened(incident: Incident, scale: Axis) -> str:
    if not incident.opened:
        return ""
    at = scale.at(incident.opened)
    return f'<line x1="{at}%" x2="{at}%" y1="-4" y2="22" stroke="var(--ink)" stroke-dasharray="3 2" opacity=".75"/>'


def _others(leaks: list[Leak], scale: Axis) -> str:
    first, last = min(leak.since for leak in leaks), max(leak.since for leak in leaks)
    places = sorted({round(scale.at(leak.since) * 2) / 2 for leak in leaks})
    marks = "".join(f'<rect x="{at}%" y="4" width="2" height="10" fill="var(--quiet)"/>' for at in places)
    label = f"{count(len(leaks), 'more secret')}, first seen between {date(first)} and {date(last)}"
    return _row(f'<span class="quiet">{count(len(leaks), "more secret")}, where each began</span>', _bar(label, marks))


# --- what was done when -------------------------------------------------------------------------------------------------------


def response(incident: Incident, options: IncidentOptions) -> str:
    """One bar a phase with a mark for each action; empty where nothing began."""
    begun = [step for step in incident.steps if step.started]
    moments = [step.started for step in begun] + [step.ended for step in begun]
    moments += [moment for action in incident.actions for moment in (action.time, action.ended)]
    scale = axis(moments)
    if not begun or scale is None:
        return ""
    rows = [_axis_row(scale)]
    for step in begun:
        actions = [action for action in incident.actions if action.phase == step.name]
        last = max([step.started, *(max(action.time, action.ended) for action in actions)])
        start, stop = scale.at(step.started), scale.at(step.ended or last)
        fill = "var(--bar)" if step.ended else "url(#hatch)"
        parts = [f'<rect x="{start}%" y="5" width="{max(0.4, round(stop - start, 3))}%" height="8" fill="{fill}"/>']
        parts += _marks((scale.at(action.time), action.outcome) for action in actions)
        how = Standing(GOOD, f"done in {span(step.ended - step.started)}") if step.ended else Standing(WARN, "not finished")
        failed = sum(action.outcome == FAILED for action in actions)
        tail = f", {failed} failed" if failed else ""
        title = PHASE_TITLES.get(step.name, step.name)
        label = f"{title}: from {date(step.started)}, {how.words}; {count(len(actions), 'action')}{tail}"
        who = f"<strong>{text(title)}</strong> {badge(how)}<br><span class='quiet'>{count(len(actions), 'action')}{tail}</span>"
        rows.append(_row(who.replace("'", '"'), _bar(label, "".join(parts))))
    legend = [
        (_sample('<rect y="3" width="22" height="8" fill="var(--bar)"/>'), "a phase from its beginning to its end"),
        (_sample('<rect y="3" width="22" height="8" fill="url(#hatch)"/>'), "a phase that is not finished"),
        (_sample('<line x1="7" x2="7" y1="1" y2="13" stroke="var(--ink)" stroke-width="1.5"/>', 14), "an action"),
        (_sample(f'<svg x="7" y="7" overflow="visible">{_CROSS}</svg>', 14), "an action that failed"),
    ]
    return _figure("picture-response", "What was done, and when.", rows, legend)


_CROSS = '<path d="M-4-4 4 4M4-4-4 4" stroke="var(--bad)" stroke-width="2.5"/>'


def _marks(actions: Iterable[tuple[float, str]]) -> list[str]:
    """A mark an action; those that would lie on one another are one mark."""
    seen = {(round(at * 4) / 4, outcome == FAILED) for at, outcome in actions}
    marks = []
    for at, failed in sorted(seen, key=lambda mark: (mark[1], mark[0])):
        if failed:
            marks.append(f'<svg x="{at}%" y="9" overflow="visible">{_CROSS}</svg>')
        else:
            marks.append(f'<line x1="{at}%" x2="{at}%" y1="2" y2="16" stroke="var(--ink)" stroke-width="1.5"/>')
    return marks


# --- which lanes --------------------------------------------------------------------------------------------------------------


def blast_radius(incident: Incident) -> str:
    """Every lane by tier, a block for each of its credentials; empty where there are no lanes."""
    if not incident.lanes:
        return ""
    order = {"burnt": 0, "stuck": 1, "replaced": 2, "safe": 3}
    lanes = sorted(incident.lanes, key=lambda lane: (lane.tier, order.get(lane.state, 0), lane.name))
    largest = max((len(lane.credentials) for lane in lanes), default=1)
    width = round(100 / min(BLOCKS, max(8, largest)), 3)
    rows, tier, rest = [], None, lanes[LANES_DRAWN:]
    for lane in lanes[:LANES_DRAWN]:
        first = lane.tier != tier
        tier = lane.tier
        rows.append(_lane(lane, width, tier=first))
    if rest:
        hit = sum(lane.state != "safe" for lane in rest)
        rows.append(_row(f'<span class="quiet">{count(len(rest), "more lane")}, {hit} of them hit</span>', "<span></span>"))
    legend = [
        (icon(BAD), "leaked, not replaced"),
        (icon(WARN), "replaced without a proof"),
        (icon(GOOD), "replaced"),
        (icon(CALM), "did not leak"),
    ]
    return _figure("picture-lanes", "Every lane, and in it one block for each credential.", rows, legend)


def _lane(lane: LaneState, width: float, *, tier: bool) -> str:
    how = LANES.get(lane.state, Standing(CALM, lane.state))
    leaked = sum(credential.leaked for credential in lane.credentials)
    reach = (
        f"{count(len(lane.consumers), 'consumer')} on {count(len(lane.hosts), 'host')}"
        if lane.hosts
        else count(len(lane.consumers), "consumer")
    )
    head = f'<span class="eyebrow">Tier {lane.tier}</span><br>' if tier else ""
    who = (
        f"{head}<strong>{name(lane.name)}</strong> {badge(how)}<br>"
        f'<span class="quiet">{name(lane.environment)}{", " if lane.environment else ""}{leaked} of {len(lane.credentials)} leaked, {reach}</span>'
    )
    shown = lane.credentials if len(lane.credentials) <= BLOCKS else lane.credentials[: BLOCKS - 1]
    drawing = "".join(_block(credential, index * width, width) for index, credential in enumerate(shown))
    more = len(lane.credentials) - len(shown)
    if more:
        drawing += f'<text x="{len(shown) * width + 0.5}%" y="19" font-size="12" fill="currentColor">+{more}</text>'
    label = f"Tier {lane.tier}, lane {lane.name}, {how.words}: {_told(lane.credentials)}"
    return _row(who, _bar(label, drawing, 28))


def _block(credential: CredentialState, at: float, width: float) -> str:
    tone = credential_standing(credential).tone
    middle = round(at + width / 2, 3)
    # the line around it, in the colour of the paper, is the gap to the next one
    return (
        f'<rect class="{tone}" x="{round(at, 3)}%" y="2" width="{width}%" height="24" fill="{"var(--raised)" if tone == CALM else "currentColor"}"'
        f' fill-opacity="{1 if tone == CALM else 0.22}" stroke="var(--paper)" stroke-width="3"/>'
        f'<svg class="{tone}" x="{middle}%" y="14" overflow="visible"><use href="#sign-{tone}"/></svg>'
    )


def _told(credentials: tuple[CredentialState, ...]) -> str:
    tally: dict[str, int] = {}
    for credential in credentials:
        words = credential_standing(credential).words
        tally[words] = tally.get(words, 0) + 1
    return ", ".join(f"{number} {words}" for words, number in tally.items()) or "no credentials"
