"""What a case comes to: where each secret stands, how long things took, what is to be said first. Plain text, not escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from keyward.model.incident import (
    BURNT,
    DEAD,
    DONE,
    FAILED,
    LIVE,
    NOT_ASKED,
    REPLACED,
    RESTRICTED,
    SAFE,
    SKIPPED,
    STUCK,
    UNCERTAIN,
    UNKNOWN,
    CredentialState,
    Incident,
    LaneState,
    Leak,
)
from keyward.model.kind import SEVERITIES
from keyward.report.words import count

GOOD, WARN, BAD, CALM = "good", "warn", "bad", "calm"
"""How good news something is. Never shown by a colour alone."""

SHORTEST_NAMED = 5
"""So many names are listed in a sentence; the others are counted."""


class Standing(NamedTuple):
    """How something stands, in words. `tone`: GOOD, WARN, BAD or CALM."""

    tone: str
    words: str


PROVED = ("proved", "proved by consumer")
"""States of a rotation that the report calls proved; `attested` is a person's word."""

_ROTATED = {
    "proved": Standing(GOOD, "replaced, proved"),
    "proved by consumer": Standing(GOOD, "replaced, proved by its consumers"),
    "attested": Standing(WARN, "replaced, not proved"),
    "waits for a person": Standing(BAD, "waits for a person"),
    "stopped": Standing(BAD, "its replacement stopped"),
    "unfinished": Standing(BAD, "its replacement is not finished"),
    "taken back": Standing(BAD, "its replacement was taken back"),
}

SAID = {
    LIVE: Standing(BAD, "live"),
    RESTRICTED: Standing(BAD, "live, restricted"),
    DEAD: Standing(GOOD, "dead"),
    UNKNOWN: Standing(WARN, "nobody could tell"),
    NOT_ASKED: Standing(CALM, "not asked"),
}
"""What a provider said of a credential."""

LANES = {
    SAFE: Standing(CALM, "not hit"),
    BURNT: Standing(BAD, "hit, not replaced"),
    REPLACED: Standing(GOOD, "hit, replaced"),
    STUCK: Standing(WARN, "hit, stuck"),
}
"""How a lane stands."""

ENDED = {
    DONE: Standing(GOOD, "done"),
    FAILED: Standing(BAD, "failed"),
    SKIPPED: Standing(CALM, "skipped"),
    UNCERTAIN: Standing(WARN, "uncertain: look before it is repeated"),
}
"""How an action ended."""

SINCE_FROM = {
    "commit": "the first commit that has it",
    "message": "the time of the message that has it",
    "member": "the time of the archive's member",
    "mtime": "the file's last change; perhaps long before",
}
"""What says since when a secret stood somewhere."""

PHASE_TITLES = {
    "open": "Open",
    "contain": "Contain",
    "assess": "Assess",
    "eradicate": "Replace",
    "recover": "Recover",
    "close": "Close",
}
"""The phases, as a reader who never typed the commands calls them."""


def states(incident: Incident) -> dict[str, CredentialState]:
    """Every credential of every lane, by `lane/name`."""
    return {credential.ref: credential for lane in incident.lanes for credential in lane.credentials}


def credential_standing(state: CredentialState) -> Standing:
    """How one credential of a lane stands."""
    if state.state in _ROTATED:
        return _ROTATED[state.state]
    if state.state:
        return Standing(WARN, state.state)
    return Standing(BAD, "leaked, not replaced") if state.leaked else Standing(CALM, "not leaked")


def standing(leak: Leak, known: Mapping[str, CredentialState]) -> Standing:
    """How a leaked credential stands now. What its provider said last counts more than what a rotation says of itself."""
    if leak.verdict_after == LIVE:
        return Standing(BAD, "still live")
    if leak.verdict_after == RESTRICTED:
        return Standing(BAD, "still live, restricted")
    if leak.verdict_after == DEAD:
        return Standing(GOOD, "dead: its provider refuses it")
    state = known.get(leak.ref) if leak.ref else None
    if state is not None and state.state:
        return credential_standing(state)
    if leak.verdict == DEAD:
        return Standing(GOOD, "was dead already")
    if not leak.ref:
        return Standing(BAD, "not replaced: it is in no lane")
    return Standing(BAD, "not replaced")


def works(leak: Leak, known: Mapping[str, CredentialState]) -> bool:
    """Whether it is known to be accepted still."""
    if leak.verdict_after:
        return leak.verdict_after in (LIVE, RESTRICTED)
    state = known.get(leak.ref) if leak.ref else None
    return leak.verdict in (LIVE, RESTRICTED) and not (state is not None and state.state in PROVED)


def ended(leak: Leak, incident: Incident, known: Mapping[str, CredentialState]) -> float:
    """When it stopped to be of use to a thief, as far as is known; 0 where it has not."""
    if standing(leak, known).tone != GOOD:
        return 0.0
    state = known.get(leak.ref) if leak.ref else None
    if state is not None and state.state in PROVED and state.time:
        return state.time
    return incident.assessed if leak.verdict == DEAD and incident.assessed else incident.rotated or incident.assessed


def in_order(incident: Incident) -> list[Leak]:
    """The leaks, the most urgent first: what still works, then by tier, by severity and by since when."""
    known = states(incident)
    ranks = {BAD: 0, WARN: 1, CALM: 2, GOOD: 3}
    worst = {severity: rank for rank, severity in enumerate(SEVERITIES)}

    def rank(leak: Leak) -> tuple[int, int, int, float]:
        since = leak.since or float("inf")
        return ranks[standing(leak, known).tone], leak.tier or 99, worst.get(leak.severity, len(worst)), since

    return sorted(incident.leaks, key=rank)


def span(seconds: float) -> str:
    """A duration for a person: `40 s`, `12 min`, `2 h 5 min`, `3 d 4 h`, `412 days`."""
    if not isfinite(seconds):
        return "unknown"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    if days < 14:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{days:,} days"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date(seconds: float, *, time: bool = True) -> str:
    """`22 Nov 2026, 09:14 UTC` in every locale; without `time` the day alone. Empty for 0 and for what no calendar has."""
    if not seconds:
        return ""
    from time import gmtime

    try:
        at = gmtime(seconds)
    except (OverflowError, ValueError, OSError):
        return ""
    day = f"{at.tm_mday} {_MONTHS[at.tm_mon - 1]} {at.tm_year}"
    return f"{day}, {at.tm_hour:02}:{at.tm_min:02} UTC" if time else day


def begun(incident: Incident) -> float:
    """Since when the first secret is known to have stood in the open; 0 where nothing says so."""
    return incident.begun or min((leak.since for leak in incident.leaks if leak.since), default=0.0)


class Duration(NamedTuple):
    """How long something took. `seconds` is None where it has not ended, or where its beginning is unknown."""

    name: str
    label: str
    seconds: float | None
    detail: str


def durations(incident: Incident) -> tuple[Duration, ...]:
    """Exposure, and the times to contain, to rotate and to recover, all but the first from when the incident was opened."""
    first = begun(incident)
    end = incident.rotated
    exposed = _between(first, end)
    since = f"since {date(first, time=False)}" if first else "nothing says since when"
    found = [Duration("exposed", "Exposed", exposed, since + (f", until {date(end, time=False)}" if end else ""))]
    for name, label, at in (
        ("contain", "Time to contain", incident.contained),
        ("rotate", "Time to rotate", incident.rotated),
        ("recover", "Time to recover", incident.recovered),
    ):
        taken = _between(incident.opened, at)
        found.append(Duration(name, label, taken, f"after the opening, on {date(at)}" if at else ""))
    return tuple(found)


def _between(start: float, end: float) -> float | None:
    return end - start if start and end and isfinite(end - start) else None


def status(incident: Incident) -> Standing:
    """How the whole incident stands."""
    over = not incident.left and not incident.todo
    if incident.closed:
        open_points = len(incident.left) + len(incident.todo)
        return (
            Standing(GOOD, "Closed, nothing is left")
            if over
            else Standing(WARN, f"Closed with {count(open_points, 'open point')}")
        )
    if incident.recovered:
        return Standing(WARN, "Recovered, not closed")
    if incident.rotated:
        return Standing(WARN, "Credentials replaced, not recovered")
    if incident.contained:
        return Standing(WARN, "Contained, credentials not all replaced")
    return Standing(BAD, "Open, not contained")


class Change(NamedTuple):
    """One line of before and after. `now`: None where nobody looked again. `detail`: what the numbers leave out."""

    name: str
    label: str
    before: int
    now: int | None
    detail: str = ""


def changes(incident: Incident) -> tuple[Change, ...]:
    """Before and after, in numbers."""
    known = states(incident)
    asked = [leak for leak in incident.leaks if leak.after is not None]
    missing = len(incident.leaks) - len(asked)
    unseen = f"{count(missing, 'credential')} not looked for again" if missing and asked else ""
    if incident.leaks and not asked:
        unseen = "no scan since"
    hit = [lane for lane in incident.lanes if lane.state != SAFE]
    untold = sum(leak.verdict in (UNKNOWN, NOT_ASKED) for leak in incident.leaks)
    return (
        Change(
            "live",
            "Leaked credentials that are known to work",
            sum(leak.verdict in (LIVE, RESTRICTED) for leak in incident.leaks),
            sum(works(leak, known) for leak in incident.leaks),
            f"of {count(untold, 'more')} no provider told before" if untold else "",
        ),
        Change(
            "unproved",
            "Leaked credentials not proved dead or replaced",
            sum(leak.verdict != DEAD for leak in incident.leaks),
            sum(standing(leak, known).tone != GOOD for leak in incident.leaks),
        ),
        Change(
            "places",
            "Places that hold one of them",
            sum(leak.before for leak in incident.leaks),
            sum(leak.after or 0 for leak in asked) if asked or not incident.leaks else None,
            unseen,
        ),
        Change("lanes", "Lanes hit, and not replaced yet", len(hit), sum(lane.state in (BURNT, STUCK) for lane in hit)),
    )


def brief(incident: Incident) -> tuple[str, ...]:
    """The whole story in a few sentences, for somebody who reads no further."""
    leaks, known = incident.leaks, states(incident)
    if not leaks:
        said = ["No leaked credential was found by the scans of this case."]
    else:
        places = sum(leak.total or len(leak.places) for leak in leaks)
        lived = sum(leak.verdict in (LIVE, RESTRICTED) for leak in leaks)
        said = [f"{count(len(leaks), 'credential')} leaked, in {count(places, 'place')}. {_worked(lived, len(leaks))}"]
        first = begun(incident)
        if first:
            said.append(f"The first is known to have stood in the open since {date(first)}.")
        said.append(_outcome_of(leaks, known))
    said += _lanes(incident.lanes)
    suspicious = sum(drift.suspicious for drift in incident.drift)
    if incident.drift:
        tail = (
            f"; {suspicious} of a kind that intruders use to stay"
            if suspicious
            else "; none of a kind that intruders use to stay"
        )
        said.append(f"The host differs from its prepared record in {count(len(incident.drift), 'point')}{tail}.")
    elif not incident.prepared:
        said.append("No record of the host's good state was prepared, so that nothing can be said of what changed on it.")
    if incident.not_looked_at:
        said.append(f"{count(len(incident.not_looked_at), 'place')} could not be looked at: this report says nothing of them.")
    if incident.todo:
        said.append(f"People must still do {count(len(incident.todo), 'thing')}, listed below in their order.")
    elif not incident.left:
        said.append("Nothing is left for people to do.")
    return tuple(said)


def _worked(some: int, total: int) -> str:
    if not some:
        return "No provider said that it works." if total == 1 else "No provider said of any that it works."
    who = "It" if total == 1 else "All" if some == total else f"{some:,} of them"
    return f"{who} {'was' if some == 1 else 'were'} known to work when the case was assessed."


def _outcome_of(leaks: Sequence[Leak], known: Mapping[str, CredentialState]) -> str:
    tones = [standing(leak, known).tone for leak in leaks]
    good, warn = tones.count(GOOD), tones.count(WARN)
    parts = []
    if good:
        parts.append(f"{good:,} {'is' if good == 1 else 'are'} proved dead or replaced")
    if warn:
        parts.append(f"{warn:,} {'was' if warn == 1 else 'were'} replaced without a proof")
    left = len(leaks) - good - warn
    if left:
        parts.append(f"{left:,} {'is' if left == 1 else 'are'} not replaced")
    if len(leaks) == 1:
        return "It" + parts[0].removeprefix("1") + "."
    return "Of them, " + ", ".join(parts) + "."


def _lanes(lanes: Iterable[LaneState]) -> list[str]:
    every = list(lanes)
    hit = [lane.name for lane in every if lane.state != SAFE]
    if not every:
        return []
    if not hit:
        return [f"None of the {count(len(every), 'lane')} is hit."]
    names = ", ".join(_short(name) for name in hit[:SHORTEST_NAMED])
    more = f" and {len(hit) - SHORTEST_NAMED} more" if len(hit) > SHORTEST_NAMED else ""
    if len(every) == 1:
        return [f"The one lane is hit: {names}."]
    return [f"{len(hit)} of {count(len(every), 'lane')} {'is' if len(hit) == 1 else 'are'} hit: {names}{more}."]


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:57] + "…"
