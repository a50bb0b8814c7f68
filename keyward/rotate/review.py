"""What is wrong with the lanes: `keyward lanes check`. Offline, but for what the caller's own callables ask.

| code | what it means |
|---|---|
| `shared` | one value serves two lanes or environments: rotating one stops the other, and a leak reaches both |
| `unowned` | a scan found a credential that no lane owns, so nothing rotates it |
| `overdue` | it should have been rotated (see `keyward due`) |
| `not-stored` | the lane names it and the store does not hold it |
| `no-expiry` | its provider can let a new one expire, and the lane does not ask for it |
| `plaintext` | it lies in the store, and in a plain file that is no consumer of the lane as well |
| `unreadable` | its store could not be read, so the rest cannot be told |
| `unfinished` | a scan found what a rotation is replacing, and that rotation is not finished |

With `--live` the rotators add theirs: `over-broad`, `unused`, `root`, and what else they know.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from keyward.errors import KeywardError, StoreError
from keyward.match.fingerprint import Fingerprinter
from keyward.model.kind import CredentialKind, Kind
from keyward.model.lane import Entry, Lane
from keyward.plugin.rotator import Rotator, Warning
from keyward.plugin.store import Stored
from keyward.rotate import due, identity
from keyward.rotate.due import Current
from keyward.rotate.found import Found, Report
from keyward.rotate.operator import Operator
from keyward.rotate.replaced import Replaced

SHARED, UNOWNED, OVERDUE, NOT_STORED = "shared", "unowned", "overdue", "not-stored"
NO_EXPIRY, PLAINTEXT, UNREADABLE, UNFINISHED = "no-expiry", "plaintext", "unreadable", "unfinished"

ADD_EXPIRY = 'Add, for instance: expiry = "90d"'


class Problem(NamedTuple):
    """`ref`: `lane/name`, or the fingerprint of what no lane owns. `hint`: what to do."""

    code: str
    ref: str
    text: str
    hint: str = ""


class Sources(NamedTuple):
    """What a review looks at. `kind_of`: the declaration of a kind. `rotator_of`: its rotator, if there is one. `live`: what the
    rotator says of one entry's reach; None to ask nobody. `made`: when the provider made it, where the store does not know. `salt`: for fingerprints where there is no report. `past`: what
    rotations have replaced, by fingerprint."""

    current: Current
    kind_of: Callable[[Kind], CredentialKind]
    rotator_of: Callable[[Kind], Rotator | None]
    now: float
    salt: bytes
    report: Report | None = None
    live: Callable[[Lane, Entry], Iterable[Warning]] | None = None
    made: Callable[[Entry], float | None] | None = None
    past: Mapping[str, Replaced] = MappingProxyType({})


def review(operator: Operator, sources: Sources) -> list[Problem]:
    """Every problem, lane by lane, then what no lane owns. What a rotation has replaced is no problem any more."""
    remembered: dict[str, Stored | StoreError | None] = {}

    def current(entry: Entry) -> Stored | None:
        if entry.ref not in remembered:
            try:
                remembered[entry.ref] = sources.current(entry)
            except StoreError as error:
                remembered[entry.ref] = error
        found = remembered[entry.ref]
        if isinstance(found, StoreError):
            raise found
        return found

    fingerprints = _fingerprints(operator, current, sources)
    problems: list[Problem] = list(_overdue(operator, current, sources))
    problems += _shared(operator, fingerprints)
    warned = list(_live(operator, sources))
    without_end = {each.ref for each in warned if each.code == NO_EXPIRY}
    # what the provider says of the key itself tells more than what the lane does not ask for
    problems += (each for each in _no_expiry(operator, sources) if each.ref not in without_end)
    if sources.report is not None:
        problems += _plaintext(operator, fingerprints, sources.report)
    problems += warned
    order = {entry.ref: number for number, (_, entry) in enumerate(operator.entries())}
    problems.sort(key=lambda problem: order[problem.ref])
    if sources.report is not None:
        problems += _unowned(set(fingerprints.values()), sources)
    return problems


def _fingerprints(operator: Operator, current: Current, sources: Sources) -> dict[str, str]:
    """The keyed fingerprint of what the store holds, by `lane/name`; under the report's salt, to be comparable with it."""
    fingerprinter = Fingerprinter(sources.report.salt if sources.report is not None else sources.salt)
    made: dict[str, str] = {}
    for _, entry in operator.entries():
        try:
            stored = current(entry)
        except StoreError:
            continue
        if stored is not None and stored.parts:
            made[entry.ref] = identity.fingerprint(sources.kind_of(entry.kind), stored.parts, fingerprinter)
    return made


def _overdue(operator: Operator, current: Current, sources: Sources) -> Iterator[Problem]:
    for row in due.due(operator, current, sources.now, sources.made or (lambda entry: None)):
        ref = row.entry.ref
        if row.state == due.UNREADABLE:
            yield Problem(UNREADABLE, ref, row.reason, "See: keyward config check --live")
        elif row.state == due.NOT_STORED:
            yield Problem(
                NOT_STORED, ref, row.reason, f"Adopt what is in use: keyward lanes adopt FINGERPRINT --lane {row.lane.name}"
            )
        elif row.due:
            yield Problem(OVERDUE, ref, row.reason, f"keyward rotate {ref}")


def _shared(operator: Operator, fingerprints: dict[str, str]) -> Iterator[Problem]:
    environment = {entry.ref: lane.environment for lane, entry in operator.entries()}
    by_value: dict[str, list[str]] = {}
    for ref, fingerprint in fingerprints.items():
        by_value.setdefault(fingerprint, []).append(ref)
    for refs in by_value.values():
        for ref in refs:
            others = [each for each in refs if each.partition("/")[0] != ref.partition("/")[0]]
            if others:
                across = sorted({environment[each] for each in (ref, *others)} - {""})
                where = f", across the environments {', '.join(across)}" if len(across) > 1 else ""
                text = f"has the same value as {', '.join(others)}{where}"
                yield Problem(SHARED, ref, text, "Give each lane one of its own: rotate them one by one.")


def _no_expiry(operator: Operator, sources: Sources) -> Iterator[Problem]:
    for _, entry in operator.entries():
        rotator = sources.rotator_of(entry.kind)
        if rotator is not None and not entry.expiry and rotator.capabilities_for(entry).expiry:
            text = f"lives for ever, although {rotator.title or entry.kind} can let it expire"
            yield Problem(NO_EXPIRY, entry.ref, text, ADD_EXPIRY)


def _plaintext(operator: Operator, fingerprints: dict[str, str], report: Report) -> Iterator[Problem]:
    for lane, entry in operator.entries():
        fingerprint = fingerprints.get(entry.ref, "")
        consumers = {os.path.realpath(str(c.options["path"])) for c in lane.consumers_of(entry.name) if "path" in c.options}
        places = [each for each in report.places(fingerprint) if os.path.realpath(each.path) not in consumers]
        if places:
            hint = "If a program reads it there, name it as a consumer; else rotate the credential and remove the copy."
            yield Problem(PLAINTEXT, entry.ref, f"also stands in {_places(places)}", hint)


def _live(operator: Operator, sources: Sources) -> Iterator[Problem]:
    for lane, entry in operator.entries() if sources.live is not None else ():
        assert sources.live is not None
        try:
            for warning in sources.live(lane, entry):
                hint = _for_an_end(entry, sources.rotator_of(entry.kind)) if warning.code == NO_EXPIRY else ""
                yield Problem(warning.code, entry.ref, warning.text, hint)
        except KeywardError as error:
            yield Problem(UNREADABLE, entry.ref, f"the provider could not be asked: {error}", error.hint)


def _for_an_end(entry: Entry, rotator: Rotator | None) -> str:
    if rotator is None or not rotator.capabilities_for(entry).expiry:
        return ""
    return f"The next one will end: keyward rotate {entry.ref}" if entry.expiry else ADD_EXPIRY


def _unowned(owned: set[str], sources: Sources) -> Iterator[Problem]:
    assert sources.report is not None
    for fingerprint in sources.report.fingerprints():
        past = sources.past.get(fingerprint)
        if fingerprint not in owned and past is not None:
            if not past.over:
                text = f"{past.rotation} replaces what {_places(sources.report.places(fingerprint))} holds, and is not finished"
                yield Problem(UNFINISHED, past.ref, text, f"keyward resume {past.rotation}")
        elif fingerprint not in owned:
            places = sources.report.places(fingerprint)
            title = sources.kind_of(places[0].kind).title
            hint = f"keyward lanes adopt {fingerprint} --lane LANE --report {sources.report.path}"
            yield Problem(UNOWNED, fingerprint, f"{title} in {_places(places)} belongs to no lane", hint)


def _places(places: Iterable[Found]) -> str:
    shown = [f"{each.path}:{each.line}" for each in places]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more places" if len(shown) > 3 else "")
