"""Whose the leaked values are: findings of a scan told apart by the lanes that hold or held them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.errors import KeywardError, UsageError
from keyward.flows.incident_assessed import first
from keyward.flows.incident_case import Case
from keyward.flows.scrub_git_dead import is_lone_id
from keyward.flows.selecting import Selection, Wanted, select
from keyward.flows.workplace import Workplace
from keyward.match.fingerprint import Fingerprinter, load_salt
from keyward.model.finding import Finding, Occurrence, Outcome
from keyward.model.incident import DEAD, LIVE, NOT_ASKED, RESTRICTED, UNKNOWN, Leak, Where
from keyward.model.kind import CredentialKind, Kind
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.plugin.store import Slot
from keyward.rotate.found import read_report
from keyward.rotate.identity import fingerprint
from keyward.scan.roles import LIVE as LIVE_CONFIG

MOST_PLACES = 40
"""Places of one leak that the case keeps by themselves; the report beside it has all."""

HELD = "held.json"
"""Fingerprints of what the lanes held before they were rotated, by entry."""

_VERDICTS = {Live: LIVE, Restricted: RESTRICTED, Dead: DEAD, Unknown: UNKNOWN}


def without_echoed_ids(place: Workplace, case: Case, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings but for key ids that stand alone, of credentials that are known as leaked with their secrets: half of one leak is no other.
    They stay in the scan's report, by which they are scrubbed."""
    lone = [each for each in findings if is_lone_id(each, place.registry.declared)]
    if not lone:
        return findings
    earlier = first(case)
    known = {(str(each.kind), each.public_id) for each in findings if each not in lone}
    known |= {(leak.kind, leak.public_id) for leak in (earlier.leaks if earlier else ())}
    echoes = {each.fingerprint for each in lone if (str(each.kind), each.public_id) in known}
    return tuple(each for each in findings if each.fingerprint not in echoes)


def owners_of(place: Workplace, report: str, gone: list[tuple[str, str]]) -> Selection:
    """The entries that hold what a report found. What could not be asked is added to `gone`."""
    try:
        found = read_report(report)
        return select(place, Wanted(report=found)) if found.found and place.operator.lanes else Selection(())
    except UsageError:  # no lane fits
        return Selection(())
    except KeywardError as error:
        gone.append(("the lanes' stores", str(error)))
        return Selection(())


def only_at_home(place: Workplace, outcome: Outcome, selection: Selection) -> dict[str, str]:
    """The entries by fingerprint whose current value stands nowhere but in the files of their own consumers."""
    homes: dict[str, set[str]] = {}
    refs: dict[str, list[str]] = {}
    for chosen in selection.chosen:
        paths = (str(spec.options.get("path", "")) for spec in chosen.lane.consumers_of(chosen.entry.name))
        homes.setdefault(chosen.leaked, set()).update(os.path.realpath(os.path.expanduser(path)) for path in paths if path)
        refs.setdefault(chosen.leaked, []).append(chosen.entry.ref)
    return {
        each.fingerprint: ", ".join(refs[each.fingerprint])
        for each in outcome.findings
        if each.fingerprint in homes
        and all(
            o.locator.source == "tree" and os.path.realpath(o.locator.path) in homes[each.fingerprint] for o in each.occurrences
        )
    }


def kind_of(place: Workplace, kind: Kind) -> CredentialKind:
    """The declaration of a kind, of which no more packs are imported than it needs; a bare one for a kind that nobody declared."""
    return place.registry.declared(kind) or CredentialKind(kind, str(kind))


def remember_held(place: Workplace, case: Case) -> None:
    """Writes down the fingerprints of what the lanes hold now, so that a value that is replaced before anybody looked is known as theirs."""
    made = Fingerprinter(load_salt().value)
    known: dict[str, list[str]] = case.load(HELD) or {}
    for _, entry in place.operator.entries():
        for slot in (Slot.CURRENT, Slot.PREVIOUS):
            try:
                held = place.store(entry.store).read(entry.path, slot)
            except KeywardError:
                continue  # its rotation will say so
            if held is not None and held.parts:
                name = fingerprint(kind_of(place, entry.kind), held.parts, made)
                known[entry.ref] = sorted({*known.get(entry.ref, []), name})
    case.save(HELD, known)


def earlier_owners(case: Case, selection: Selection) -> dict[str, list[str]]:
    """Whose the leaked values were that no entry holds any more: what was replaced already is the lane's leak all the same."""
    rest = {found.fingerprint for found in selection.unowned}
    owners: dict[str, list[str]] = {}
    for ref, names in (case.load(HELD) or {}).items():
        for name in rest.intersection(names):
            owners.setdefault(name, []).append(ref)
    return owners


def leaks_of(place: Workplace, outcome: Outcome, selection: Selection, owners: dict[str, list[str]]) -> Iterator[Leak]:
    """The findings as the case keeps them: of one value that several entries share, each entry is named. `owners`: refs that are known
    besides the selection's."""
    for chosen in selection.chosen:
        owners.setdefault(chosen.leaked, []).append(chosen.entry.ref)
    for finding in outcome.findings:
        refs = owners.get(finding.fingerprint, [])
        tier = min((place.operator.lane(ref.partition("/")[0]).tier for ref in refs), default=0)
        yield _leak(finding, ", ".join(refs), tier)


def _leak(finding: Finding, ref: str, tier: int) -> Leak:
    ordered = sorted(finding.occurrences, key=_telling)
    dated = [o.provenance for o in finding.occurrences if o.provenance.since]
    first = min(dated, key=lambda p: p.since, default=None)
    verdict, detail = verdict_words(finding.verdict)
    return Leak(
        fingerprint=finding.fingerprint,
        kind=str(finding.kind),
        severity=finding.severity,
        masked=finding.masked,
        public_id=finding.public_id,
        ref=ref,
        tier=tier,
        since=first.since if first else 0.0,
        since_from=first.since_from if first else "",
        verdict=verdict,
        verdict_after=verdict,
        detail=detail,
        places=tuple(_where(each) for each in ordered[:MOST_PLACES]),
        total=len(ordered),
        before=len(ordered),
    )


def _telling(occurrence: Occurrence) -> tuple[bool, bool, float, str]:
    seen = occurrence.provenance
    return (occurrence.role != LIVE_CONFIG, not seen.since, seen.since, occurrence.locator.path)


def _where(occurrence: Occurrence) -> Where:
    seen = occurrence.provenance
    container = " > ".join(occurrence.locator.container)
    return Where(
        path=occurrence.locator.path,
        line=occurrence.line,
        source=seen.source or occurrence.locator.source,
        where=" · ".join(filter(None, (container, seen.where))),
        role=occurrence.role,
        since=seen.since,
        since_from=seen.since_from,
        commit=seen.commit,
        author=seen.author,
    )


def verdict_words(verdict: Verdict | None) -> tuple[str, str]:
    """A verdict as the case says it, and what goes with it."""
    if verdict is None:
        return NOT_ASKED, ""
    if isinstance(verdict, Live):
        return LIVE, " ".join(filter(None, (verdict.principal, ", ".join(verdict.scopes))))
    reason = (
        verdict.reason if isinstance(verdict, (Restricted, Unknown)) else f"{verdict.evidence.host} {verdict.evidence.status}"
    )
    return _VERDICTS[type(verdict)], reason
