"""`keyward incident assess`: what leaked, since when, whose it is and whether it lives; what differs on the host; what still holds old keys.

What is found goes into the case: `assess-001.jsonl` is a report as `keyward scan` writes it (for `rotate --leaked`, `scrub --leaked`), and
`assess-001.json` what was made of it. A later run adds the next number; `rescan-001` is the same look after the clean-up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from keyward.errors import GitError, KeywardError, UsageError
from keyward.flows.incident_assessed import ASSESSED, Assessed, plain
from keyward.flows.incident_case import PARTLY, STARTED, WHOLE, Case
from keyward.flows.incident_holders import holders
from keyward.flows.incident_leaks import earlier_owners, kind_of, leaks_of, only_at_home, owners_of, without_echoed_ids
from keyward.flows.incident_prepare import look, read_record
from keyward.flows.incident_tools import output
from keyward.flows.scan import Progress, ScanOptions, scan
from keyward.flows.selecting import Selection
from keyward.flows.verify import Means, verified
from keyward.flows.workplace import Workplace
from keyward.incident.host_areas import Output, Places
from keyward.incident.host_record import drift, not_compared
from keyward.incident.settings import IncidentSettings
from keyward.model.finding import NotScanned, Occurrence, Outcome, Stats
from keyward.model.incident import ASSESS, LIVE, Drift
from keyward.report import ReportOptions, render
from keyward.scan.group import group


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
    selection = owners_of(place, path, gone) if outcome.findings else Selection(())
    at_home: dict[str, str] = {} if wished.entered else only_at_home(place, outcome, selection)
    if at_home:
        outcome = outcome._replace(findings=tuple(each for each in outcome.findings if each.fingerprint not in at_home))
        proof = case.save_text(f"{name}.jsonl", render("jsonl", outcome, options))
    outcome = outcome._replace(findings=without_echoed_ids(place, case, outcome.findings))
    leaks = tuple(leaks_of(place, outcome, selection, earlier_owners(case, selection)))
    tell("comparing the host with its record")
    changes, prepared = _drift(place, settings, wished, gone, places, run)
    found = Assessed(
        time=place.clock.now(),
        report=f"{name}.jsonl",
        leaks=leaks,
        drift=changes,
        holders=tuple(holders(place, settings, gone)),
        not_looked_at=(*gone, *_not_scanned(place, case, outcome)),
        unasked=tuple((each.entry.ref, each.reason) for each in selection.unread),
        prepared=prepared,
        at_home=tuple(at_home.values()),
    )
    saved = case.save(f"{name}.json", plain(found))
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
