"""`keyward incident assess`: what leaked, since when, whose it is and whether it lives; what differs on the host; what still holds old keys.

What is found goes into the case: `assess-001.jsonl` is a report as `keyward scan` writes it (for `rotate --leaked`, `scrub --leaked`), and
`assess-001.json` what was made of it. A later run adds the next number; `rescan-001` is the same look after the clean-up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from keyward.errors import GitError, KeywardError, UsageError
from keyward.flows.incident_case import PARTLY, STARTED, WHOLE, Case
from keyward.flows.incident_contain import api_of
from keyward.flows.incident_prepare import look, read_record
from keyward.flows.incident_tools import output
from keyward.flows.scan import Progress, ScanOptions, scan
from keyward.flows.scrub_git_dead import is_lone_id
from keyward.flows.selecting import Selection, Wanted, select
from keyward.flows.verify import Means, verified
from keyward.flows.workplace import Workplace
from keyward.incident import lighthouse
from keyward.incident.host_areas import Output, Places
from keyward.incident.host_record import drift, not_compared
from keyward.incident.settings import IncidentSettings
from keyward.match.fingerprint import Fingerprinter, load_salt
from keyward.model.finding import Finding, NotScanned, Occurrence, Outcome, Stats
from keyward.model.incident import (
    ASSESS,
    DEAD,
    LIVE,
    NOT_ASKED,
    RESTRICTED,
    UNKNOWN,
    Drift,
    Holder,
    Leak,
    Where,
)
from keyward.model.kind import CredentialKind, Kind
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.plugin.store import Slot
from keyward.report import ReportOptions, render
from keyward.rotate.audit import CallRecorder
from keyward.rotate.found import read_report
from keyward.rotate.identity import fingerprint
from keyward.scan.group import group
from keyward.scan.roles import LIVE as LIVE_CONFIG

MOST_PLACES = 40
"""Places of one leak that the case keeps by themselves; the report beside it has all."""

HELD = "held.json"
"""Fingerprints of what the lanes held before they were rotated, by entry."""

MOST_HOLDERS = 200
BACKUPS = (
    ".bak",
    ".backup",
    ".old",
    ".orig",
    "~",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.zst",
    ".zip",
    ".7z",
    ".sql",
    ".sql.gz",
    ".dump",
    ".rdb",
)
ASSESSED, RESCANNED = "assess", "rescan"
"""The stems of the files in the case."""

_VERDICTS = {Live: LIVE, Restricted: RESTRICTED, Dead: DEAD, Unknown: UNKNOWN}


class Wished(NamedTuple):
    """How wide the look is. `homes`: none for this user's. `repositories`: besides the configured ones. `ask`: whether providers are
    asked. `record`: the host's record, elsewhere. `entered`: whether the thief was on this machine, so that what stands only where it is
    used leaked as well."""

    homes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    ask: bool = True
    databases: bool = False
    record: str = ""
    config: str | None = None
    host: bool = True
    entered: bool = False


class Assessed(NamedTuple):
    """What was found. `report`: the name of the scan's report in the case. `unasked`: entries whose store could not be read, so that
    nobody can tell whether they leaked. `drift`: None where there is no record to compare with. `at_home`: entries that were found only
    where their own consumers use them: no leak, unless the thief was on this machine."""

    time: float
    report: str
    leaks: tuple[Leak, ...]
    drift: tuple[Drift, ...] | None
    holders: tuple[Holder, ...]
    not_looked_at: tuple[tuple[str, str], ...]
    unasked: tuple[tuple[str, str], ...] = ()
    prepared: float = 0.0
    at_home: tuple[str, ...] = ()


def assess(
    place: Workplace,
    settings: IncidentSettings,
    case: Case,
    wished: Wished,
    *,
    stem: str = ASSESSED,
    phase: str = ASSESS,
    progress: Progress = lambda files, size, found: None,
    asked: Callable[[int, int], None] = lambda done, total: None,
    tell: Callable[[str], None] = lambda text: None,
    means: Means | None = None,
    places: Places | None = None,
    run: Output = output,
) -> Assessed:
    """Looks, and writes what it saw into the case. Raises UsageError, ConfigError; a part that fails is named and stops nothing else."""
    if phase == ASSESS:
        case.phase(phase, STARTED)
    name = case.next_number(stem)
    what = "look for what leaked" if stem == ASSESSED else "look again"
    case.begin(phase, name, what)
    gone: list[tuple[str, str]] = []
    outcome = _merged(list(_scans(place, settings, wished, progress, gone)))
    if wished.ask and outcome.findings:
        tell("asking the providers")
        outcome = verified(outcome, config=wished.config, databases=wished.databases, progress=asked, means=means)
    options = ReportOptions(lambda kind: kind_of(place, kind), timeline=True)
    proof = case.save_text(f"{name}.jsonl", render("jsonl", outcome, options))
    path = os.path.join(case.folder, f"{name}.jsonl")
    selection = _owners(place, path, gone) if outcome.findings else Selection(())
    at_home: dict[str, str] = {} if wished.entered else _at_home(place, outcome, selection)
    if at_home:
        outcome = outcome._replace(findings=tuple(each for each in outcome.findings if each.fingerprint not in at_home))
        proof = case.save_text(f"{name}.jsonl", render("jsonl", outcome, options))
    outcome = outcome._replace(findings=_without_echoed_ids(place, case, outcome.findings))
    leaks = tuple(_leaks(place, outcome, selection, _earlier(case, selection)))
    tell("comparing the host with its record")
    changes, prepared = _drift(place, settings, wished, gone, places, run)
    found = Assessed(
        time=place.clock.now(),
        report=f"{name}.jsonl",
        leaks=leaks,
        drift=changes,
        holders=tuple(_holders(place, settings, gone)),
        not_looked_at=(*gone, *_not_scanned(place, case, outcome)),
        unasked=tuple((each.entry.ref, each.reason) for each in selection.unread),
        prepared=prepared,
        at_home=tuple(at_home.values()),
    )
    saved = case.save(f"{name}.json", _plain(found))
    detail = (
        f"{len(leaks)} leaked, {sum(leak.verdict == LIVE for leak in leaks)} live, {len(changes or ())} differences of the host"
    )
    case.end(phase, name, what, detail=detail, proofs=(proof, saved))
    if phase == ASSESS:
        left = [f"not looked at: {path}" for path, _ in gone][:20]
        case.phase(phase, PARTLY if left else WHOLE, left)
    return found


def _scans(
    place: Workplace, settings: IncidentSettings, wished: Wished, progress: Progress, gone: list[tuple[str, str]]
) -> Iterator[Outcome]:
    """The host, and files and history of each repository; all under the operator's salt, and with nothing let pass by a baseline."""
    common = ScanOptions(baseline="", operator_config=wished.config)
    wanted = [common._replace(paths=wished.homes, host=True, sources=wished.sources)] if wished.host else []
    for repository in dict.fromkeys((*settings.repositories, *(os.path.abspath(path) for path in wished.repositories))):
        wanted += [common._replace(paths=(repository,)), common._replace(paths=(repository,), history=True)]
    for options in wanted:
        try:
            yield scan(options, progress=progress)
        except (GitError, UsageError) as error:
            gone.append((options.paths[0] if options.paths else "this host", str(error)))


def _merged(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of several under one salt."""
    if not outcomes:
        raise UsageError("nothing could be looked at", hint="Check `repositories` below [incident].")
    occurrences: list[Occurrence] = [o for outcome in outcomes for finding in outcome.findings for o in finding.occurrences]
    not_scanned: dict[tuple[str, str], NotScanned] = {(n.path, n.reason): n for each in outcomes for n in each.not_scanned}
    return outcomes[0]._replace(
        findings=group(occurrences),
        allowed=tuple(each for outcome in outcomes for each in outcome.allowed),
        not_scanned=tuple(not_scanned.values()),
        excluded=tuple(dict.fromkeys(each for outcome in outcomes for each in outcome.excluded)),
        stats=Stats(*(sum(numbers) for numbers in zip(*(outcome.stats for outcome in outcomes)))),
        stale_baseline=(),
        notes=tuple(dict.fromkeys(note for outcome in outcomes for note in outcome.notes)),
    )


def _not_scanned(place: Workplace, case: Case, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What could not be read, but for what keyward itself encrypted."""
    own = tuple(os.path.join(os.path.realpath(folder), "") for folder in (place.state, case.folder))
    stores = {os.path.realpath(os.path.expanduser(str(options.get("file", "")))) for options in place.operator.stores.values()}
    for each in outcome.not_scanned:
        real = os.path.realpath(each.path)
        if not (each.opaque and (real.startswith(own) or real in stores)):
            yield each.path, each.reason


def _without_echoed_ids(place: Workplace, case: Case, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
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


def _owners(place: Workplace, report: str, gone: list[tuple[str, str]]) -> Selection:
    try:
        found = read_report(report)
        return select(place, Wanted(report=found)) if found.found and place.operator.lanes else Selection(())
    except UsageError:  # no lane fits
        return Selection(())
    except KeywardError as error:
        gone.append(("the lanes' stores", str(error)))
        return Selection(())


def _at_home(place: Workplace, outcome: Outcome, selection: Selection) -> dict[str, str]:
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


def _earlier(case: Case, selection: Selection) -> dict[str, list[str]]:
    """Whose the leaked values were that no entry holds any more: what was replaced already is the lane's leak all the same."""
    rest = {found.fingerprint for found in selection.unowned}
    owners: dict[str, list[str]] = {}
    for ref, names in (case.load(HELD) or {}).items():
        for name in rest.intersection(names):
            owners.setdefault(name, []).append(ref)
    return owners


def _leaks(place: Workplace, outcome: Outcome, selection: Selection, owners: dict[str, list[str]]) -> Iterator[Leak]:
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


def _drift(
    place: Workplace,
    settings: IncidentSettings,
    wished: Wished,
    gone: list[tuple[str, str]],
    places: Places | None,
    run: Output,
) -> tuple[tuple[Drift, ...] | None, float]:
    try:
        before = read_record(place, wished.record)
        if before is None:
            gone.append(("the host's record", "there is none: `keyward incident prepare` was never run"))
            return None, 0.0
        now = look(place, settings, places=places, run=run)
    except KeywardError as error:
        gone.append(("the host's record", str(error)))
        return None, 0.0
    gone += [(path, f"not compared with the record: {reason}") for path, reason in not_compared(before, now)]
    return drift(before, now), before.time


def _holders(place: Workplace, settings: IncidentSettings, gone: list[tuple[str, str]]) -> Iterator[Holder]:
    """What may hold old keys beyond the places that a scan looks at."""
    number = 0
    for path, time in sorted(_backups(settings.backups, gone)):
        number += 1
        if number <= MOST_HOLDERS:
            yield Holder("backup", path, time, "make a new one after the clean-up, then delete this one")
    if number > MOST_HOLDERS:
        yield Holder("backup", f"and {number - MOST_HOLDERS} more", 0.0, "see them in their folders")
    for machine in settings.machines:
        try:
            with place.visit():
                rows = lighthouse.snapshots(api_of(place, machine, CallRecorder()), machine.instance)
        except KeywardError as error:
            gone.append((f"snapshots of {machine.instance}", str(error)))
            continue
        for row in rows:
            name = f"{row.get('SnapshotId')} {row.get('SnapshotName') or ''} ({row.get('CreatedTime') or 'no date'})".strip()
            yield Holder("snapshot", name, 0.0, "keep it while it is evidence; then delete it: its disk holds the old keys")


def _backups(folders: Iterable[str], gone: list[tuple[str, str]]) -> Iterator[tuple[str, float]]:
    """Files in the folders of backups, and what is called like one beside them."""
    for top in folders:
        if not os.path.isdir(top):
            gone.append((top, "no such folder of backups"))
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    yield path, os.lstat(path).st_mtime
                except OSError as error:
                    gone.append((path, (error.strerror or "").lower()))


# in and out of the case


def _plain(found: Assessed) -> dict[str, Any]:
    plain = found._asdict()
    plain["leaks"] = [{**leak._asdict(), "places": [where._asdict() for where in leak.places]} for leak in found.leaks]
    plain["drift"] = None if found.drift is None else [each._asdict() for each in found.drift]
    plain["holders"] = [each._asdict() for each in found.holders]
    return plain


def read_assessed(case: Case, name: str) -> Assessed | None:
    """What a run found; None for one that was damaged."""
    data = case.load(name)
    try:
        leaks = tuple(Leak(**{**leak, "places": tuple(Where(**where) for where in leak["places"])}) for leak in data["leaks"])
        changes = None if data["drift"] is None else tuple(Drift(**each) for each in data["drift"])
        pairs = {key: tuple((str(a), str(b)) for a, b in data[key]) for key in ("not_looked_at", "unasked")}
        holders = tuple(Holder(**each) for each in data["holders"])
        at_home = tuple(str(each) for each in data["at_home"])
        return Assessed(
            data["time"], data["report"], leaks, changes, holders, prepared=data["prepared"], at_home=at_home, **pairs
        )
    except (TypeError, KeyError, ValueError):
        return None


def newest(case: Case, stem: str) -> Assessed | None:
    """The newest run of its kind; None if there is none."""
    names = case.numbered(stem)
    return read_assessed(case, names[-1]) if names else None


def first(case: Case) -> Assessed | None:
    """The first look: what was found before anything was cleaned up."""
    names = case.numbered(ASSESSED)
    return read_assessed(case, names[0]) if names else None
