"""`keyward explain`: all that is known of one secret: where it stands and since when, why it is taken for one, whether it lives, what
it reaches, and what to do.

It works on the records of a report, whether they were read from a file or made by a scan just now. What a file says is somebody's
text: it is shown, and nothing is done because of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keyward.errors import ConfigError, UsageError
from keyward.model.finding import Outcome
from keyward.model.kind import CredentialKind, Kind
from keyward.model.verdict import Verdict

Record = Mapping[str, Any]


class Place(NamedTuple):
    """One place. `name`: the path with the members on the way. `where`: what a person calls the place inside. `since`: when it first
    stood there (ISO, empty if unknown), and `since_from` what says so. `history`: commit and author."""

    name: str
    line: int
    role: str
    where: str = ""
    source: str = ""
    since: str = ""
    since_from: str = ""
    history: str = ""


class Reason(NamedTuple):
    """A named reason for or against, and its weight."""

    name: str
    weight: int
    detail: str


class Explanation(NamedTuple):
    """`places`: in the order of time, those without one last. `verdict`: as the report's records have it, empty if nobody asked.
    `verifiable`: whether a provider can be asked. `rotates`: whether keyward replaces it. `kind`: its declaration."""

    fingerprint: str
    kind: CredentialKind
    severity: str
    masked: str
    confidence: int
    public_id: str
    facts: Mapping[str, str]
    places: tuple[Place, ...]
    reasons: tuple[Reason, ...]
    verdict: Record
    verifiable: bool
    rotates: bool


def records_of(outcome: Outcome) -> list[Record]:
    """The records of a scan's findings."""
    from keyward.report.record import finding

    return [finding(place, each.verdict) for each in outcome.findings for place in each.occurrences]


def read_records(path: str) -> list[Record]:
    """The findings' records in a report (JSON or JSON lines). Raises ConfigError for one that is not there or none."""
    from keyward.formats.textfile import read_text
    from keyward.rotate.found import LARGEST, read_report

    read_report(path)  # what has not the form that keyward writes is refused there, with the line
    text = read_text(path, limit=LARGEST) or ""
    try:
        whole = json.loads(text)
        found = whole["findings"] if isinstance(whole, dict) and "findings" in whole else [whole]
    except ValueError:
        found = [json.loads(line) for line in text.split("\n") if line.strip()]
    except RecursionError:
        raise ConfigError("is not a report of keyward", path=path) from None
    return [record for record in found if isinstance(record, dict) and record.get("type") == "finding"]


def explain(records: Sequence[Record], fingerprint: str, verdict: Verdict | None = None) -> Explanation:
    """What is known of one secret. `verdict`: asked just now, in place of the report's. Raises UsageError for one that is not there,
    naming those that are; a beginning that fits one alone is enough."""
    known = list(dict.fromkeys(_text(record, "fingerprint") for record in records))
    matching = [name for name in known if name == fingerprint] or [name for name in known if name.startswith(fingerprint)]
    if len(matching) != 1:
        hint = f"There are: {', '.join(known[:5])}{', …' if len(known) > 5 else ''}" if known else "Nothing was found at all."
        raise UsageError(f"{len(matching) or 'no'} finding has the fingerprint {fingerprint}", hint=hint)
    mine = [record for record in records if record.get("fingerprint") == matching[0]]
    best = max(mine, key=lambda record: _number(record, "confidence"))
    kind = Kind(_text(best, "kind"))
    declared, verifiable, rotates = _abilities(kind)
    return Explanation(
        fingerprint=matching[0],
        kind=declared,
        severity=_text(best, "severity"),
        masked=_text(best, "masked"),
        confidence=_number(best, "confidence"),
        public_id=_text(best, "public_id"),
        facts={str(name): str(value) for name, value in _dict(best, "facts").items()},
        places=tuple(sorted(map(_place, mine), key=lambda place: (not place.since, place.since, place.role == "echo"))),
        reasons=tuple(sorted((_reason(each) for each in _list(best, "signals")), key=lambda reason: -reason.weight)),
        verdict=_said(verdict) or next((_dict(record, "verdict") for record in mine if _dict(record, "verdict")), {}),
        verifiable=verifiable,
        rotates=rotates,
    )


def todo(told: Explanation) -> list[str]:
    """What to do, in order: what keyward can do itself first."""
    state, steps = told.verdict.get("state", ""), []
    if not state or state == "unknown":
        ask = f"keyward verify {told.fingerprint} --report REPORT"
        steps.append(f"Find out whether it lives: {ask}" if told.verifiable else "Ask its provider whether it lives.")
    live = [place for place in told.places if place.role == "live-config"]
    if state == "dead":
        steps.append("It is dead: remove it from the places above, and see why it was still there.")
    elif told.rotates:
        steps.append("Replace it: keyward rotate --leaked REPORT; or only kill it: keyward revoke --leaked REPORT.")
    if state != "dead":
        manual = told.kind.manual
        if manual is not None and not told.rotates:
            steps += [*manual.steps, f"The page: {manual.url}"]
        elif manual is None and not told.rotates:
            steps.append("Replace it where it was issued.")
        if live:
            steps.append(f"Update what reads it: {', '.join(place.name for place in live[:5])}.")
        if len(live) < len(told.places):
            steps.append("Then remove the echoes; removing them is not enough as long as it lives.")
    return steps


def _abilities(kind: Kind) -> tuple[CredentialKind, bool, bool]:
    from keyward.registry import Registry

    registry = Registry()
    declared = registry.declared(kind) or CredentialKind(kind, str(kind))
    rotator = registry.rotator(kind)
    return declared, registry.verifier(kind) is not None, rotator is not None and rotator.manual is None


def _said(verdict: Verdict | None) -> Record:
    if verdict is None:
        return {}
    from keyward.report.record import verdict_record

    return verdict_record(verdict)


def _place(record: Record) -> Place:
    seen, locator = _dict(record, "provenance"), _dict(record, "locator")
    commit, author = _text(seen, "commit"), _text(seen, "author")
    history = f"commit {commit[:12]}{f' by {author}' if author else ''}" if commit else ""
    if history and seen.get("in_head") is not None:
        history += ", still in HEAD" if seen["in_head"] else ", no longer in HEAD"
    return Place(
        name=" » ".join((_text(record, "path"), *(str(member) for member in _list(locator, "container")))),
        line=_number(record, "line"),
        role=_text(record, "role"),
        where=_text(seen, "where"),
        source=_text(seen, "source"),
        since=_text(seen, "since"),
        since_from=_text(seen, "since_from"),
        history=history,
    )


def _reason(record: object) -> Reason:
    fields = record if isinstance(record, dict) else {}
    return Reason(_text(fields, "name"), _number(fields, "weight"), _text(fields, "detail"))


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _number(record: Record, key: str) -> int:
    value = record.get(key)
    return value if type(value) is int else 0


def _dict(record: Record, key: str) -> Record:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _list(record: Record, key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []
