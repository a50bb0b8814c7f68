"""`keyward scrub --in-place`, `--host` and `--leaked`: a plan first, then the files one by one, then the proof.

The plan names every file in which something stands and what would become of it. Carrying it out changes a file only if it still can be
treated so, tells what stood in it before and stands in it after, and ends with a scan of everything that was touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from keyward.flows.scan import Progress, ScanOptions
from keyward.flows.scrub_elsewhere import elsewhere, still_elsewhere
from keyward.flows.scrub_listing import Listed, listed
from keyward.flows.scrub_wanted import Setting, Wanted, open_setting, seen_by_scan, wanted_by_report, wanted_everywhere
from keyward.model.finding import Locator, Occurrence
from keyward.rotate.found import read_report
from keyward.scan.roles import LIVE
from keyward.scrub.backup import Backup
from keyward.scrub.files import PlainFiles, sentence
from keyward.scrub.journal import unfinished
from keyward.scrub.open_file import OpenFile, refusal_of
from keyward.scrub.plan import Counts, Name, Place, Refusal, Result, StoreScrubber, Treatment
from keyward.scrub.redactor import Style
from keyward.scrub.spans import HEAD
from keyward.scrub.stores import store_for

DONE = (Treatment.REPLACE, Treatment.OVERWRITE)
"""Treatments that change the file."""

LARGEST_STORE = 64 << 20
"""Bytes from which on a text that goes line by line is not held in memory as a whole."""

PIECEWISE = frozenset(("log", "CI log", "Docker log", "container log", "JSON lines", "terminal recording", "list of URLs"))
"""Kinds of texts of which every line stands for itself."""

IN_USE = "live configuration"

_LIVE_REASON = (
    "a program reads its settings from it: give it the new value (keyward distribute), or add --live to overwrite it there too"
)


class ScrubOptions(NamedTuple):
    """`paths`: files and folders, or with `host` homes. `leaked`: a report; without paths and `host` the files that it names. `live`:
    whether files that programs read their settings from are scrubbed although nobody named them. `stores`: whether these are asked for
    their values. `backup`: recipients of the originals, and `backup_folder` where to."""

    paths: tuple[str, ...] = ()
    host: bool = False
    sources: tuple[str, ...] = ()
    leaked: str = ""
    live: bool = False
    style: Style = Style.TOKEN
    persona: str | None = None
    config: str | None = None
    stores: bool = True
    backup: tuple[str, ...] = ()
    backup_folder: str = ""
    jobs: int = 0


class Job(NamedTuple):
    """A place and who scrubs it (None: nobody). `owed`: whether it counts as something that remains if nothing is done."""

    place: Place
    scrubber: StoreScrubber | None = None
    owed: bool = True


class Plan(NamedTuple):
    """`jobs`: in the order in which they are done. `looked`: how many files were looked at. `complete`: whether everything that was asked for
    could be looked at, for everything that is meant."""

    jobs: tuple[Job, ...]
    looked: int
    notes: tuple[str, ...]
    complete: bool
    setting: Setting
    wanted: Wanted
    options: ScrubOptions

    @property
    def to_do(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.place.treatment in DONE)


class Done(NamedTuple):
    """What became of a place. `failure`: why it was not done, as a sentence. `kept`: the encrypted originals."""

    place: Place
    result: Result | None
    failure: str = ""
    kept: tuple[str, ...] = ()

    @property
    def remains(self) -> bool:
        return self.result is None or bool(self.result.after or self.result.left)


class Outcome(NamedTuple):
    """`before`, `after`: of all places together. `still`: what the scan after it still finds in the files that were touched, a line each."""

    done: tuple[Done, ...]
    before: Counts
    after: Counts
    still: tuple[str, ...]
    complete: bool


def make_plan(
    options: ScrubOptions,
    *,
    progress: Progress = lambda files, size, found: None,
    on_compile: Callable[[int], None] = lambda rules: None,
) -> Plan:
    """Looks at everything and changes nothing.

    Raises UsageError for paths that are not there, ConfigError for a configuration or a report that is wrong.
    """
    setting = open_setting(options.config, options.persona, on_compile, host=options.host)
    report = read_report(options.leaked) if options.leaked else None
    notes = [
        f"{path}: an earlier scrub of it was interrupted, and ends when it is scrubbed again (if it is gone: delete {journal})"
        for path, journal in unfinished()
    ]
    files, unread, complete = listed(options, report)
    occurrences: list[Occurrence] = []
    if report is not None:
        wanted = wanted_by_report(setting, report)
        if not report.complete:
            notes.append("the scan that wrote the report did not see everything")
    else:
        scanned, gathered = seen_by_scan(setting, _scan_options(options, files), progress)
        occurrences = scanned
        unread += [f"{each.path}: {each.reason}" for each in gathered.not_scanned]
        complete = complete and all(each.opaque for each in gathered.not_scanned)
        wanted = wanted_everywhere(setting, occurrences, stores=options.stores)
    notes += (*wanted.notes, *unread)
    places = [each.locator for each in occurrences] if report is None else [each.locator for each in report.found]
    jobs, blind = _jobs(options, setting, wanted, files, places, progress)
    jobs += map(Job, elsewhere(occurrences) if report is None else still_elsewhere(report))
    # a file from which a value was read comes last: if the work is interrupted, the value can still be read again
    jobs.sort(key=lambda job: job.place.path in wanted.places)
    return Plan(
        tuple(jobs),
        len(files),
        tuple(dict.fromkeys(notes)),
        complete and wanted.complete and not blind,
        setting,
        wanted,
        options,
    )


def carry_out(plan: Plan, *, progress: Callable[[Place], None] = lambda place: None) -> Outcome:
    """Does what the plan says, and proves it. Raises MissingExtra or UsageError before anything is changed where a backup cannot be made."""
    options = plan.options
    backup = Backup(options.backup, options.backup_folder) if options.backup else None
    done: list[Done] = []
    for job in plan.jobs:
        progress(job.place)
        if job.place.treatment in DONE and job.scrubber is not None:
            done.append(_done(job, job.scrubber, plan, backup))
        else:
            done.append(Done(job.place, None, job.place.reason))
    touched = [each.place.path for each in done if each.result is not None]
    still = _still_there(plan, touched)
    before, after = (
        _sum(each.result.before if each.result else each.place.found for each in done),
        _sum(each.result.after if each.result else each.place.found for each in done),
    )
    owed = any(each.remains and job.owed for each, job in zip(done, plan.jobs))
    return Outcome(tuple(done), before, after, still, plan.complete and not still and not owed)


def _scan_options(options: ScrubOptions, files: Sequence[Listed]) -> ScanOptions:
    if options.host:
        return ScanOptions(paths=options.paths, host=True, sources=options.sources, baseline="", jobs=options.jobs)
    regular = tuple(each.path for each in files if os.path.isfile(each.path))
    return ScanOptions(paths=regular, baseline="", jobs=options.jobs)


# --- what becomes of each


def _jobs(
    options: ScrubOptions,
    setting: Setting,
    wanted: Wanted,
    files: Sequence[Listed],
    found: Sequence[Locator],
    progress: Progress,
) -> tuple[list[Job], bool]:
    """A job for each file in which something stands, and whether some file could not be looked at."""
    plain = PlainFiles(setting.pseudonyms, forced=options.style is Style.SAME_LENGTH)
    expected = {os.path.realpath(each.path): each for each in found if each.container}
    jobs: list[Job] = []
    blind = False
    for number, file in enumerate(files, 1):
        scrubber, place = _looked_at(file, plain, wanted, options.style)
        progress(number, 0, len(jobs))
        if place.treatment is Treatment.REFUSE and not place.found:
            blind = True
        if not place.found and place.treatment is not Treatment.REFUSE:
            if place.treatment is Treatment.REPORT or place.remarks:
                jobs.append(Job(place, scrubber))
                continue
            locator = expected.get(os.path.realpath(file.path))
            if locator is None or not _still_holds(locator, wanted, setting):
                continue
            place = _inside(place, locator)
        jobs.append(_with_role(Job(place, scrubber), file, options, wanted))
    return jobs, blind


def _looked_at(file: Listed, plain: PlainFiles, wanted: Wanted, style: Style) -> tuple[StoreScrubber, Place]:
    scrubber: StoreScrubber = plain
    try:
        with OpenFile(file.path) as opened:
            head = opened.read(0, HEAD)
            large = opened.status.st_size > LARGEST_STORE
        known = store_for(file.path, head)
        # a log of any size goes piece by piece; what has a structure is refused by who knows it
        scrubber = plain if known is None or (large and known.name in PIECEWISE) else known
        place = scrubber.plan(file.path, wanted.redactor, style)
        if scrubber is not plain and not place.found and plain.is_begun(file.path):
            return plain, plain.plan(file.path, wanted.redactor, style)
        return scrubber, place
    except Refusal as refusal:
        return scrubber, Place(file.path, scrubber.name, {}, Treatment.REFUSE, sentence(refusal))
    except OSError as error:
        return scrubber, Place(file.path, scrubber.name, {}, Treatment.REFUSE, sentence(refusal_of(error)))


def _with_role(job: Job, file: Listed, options: ScrubOptions, wanted: Wanted) -> Job:
    """A file that a program reads is changed only by who says so: a mask in it stops the program."""
    place = job.place
    if file.role != LIVE or place.treatment is Treatment.REFUSE or options.live:
        return job
    if place.treatment is Treatment.REPORT:
        return job._replace(owed=_is_owed(place, options, wanted))
    if file.named:
        return job._replace(
            place=place._replace(remarks=(*place.remarks, "it may be one that a program reads its settings from"))
        )
    place = place._replace(treatment=Treatment.REPORT, store=IN_USE, reason=_LIVE_REASON)
    return Job(place, None, owed=_is_owed(place, options, wanted))


def _is_owed(place: Place, options: ScrubOptions, wanted: Wanted) -> bool:
    """Whether what a program reads counts as something that remains: not what its lane uses now, which belongs there, and not on a host what
    no report calls leaked, for it is no echo of anything."""
    return (bool(options.leaked) or not options.host) and not set(place.found) <= wanted.current


def _still_holds(locator: Locator, wanted: Wanted, setting: Setting) -> bool:
    from keyward.scan.reread import reread

    value = reread(locator, setting.project.recipe.limits)
    return value is not None and bool(wanted.redactor.redactions(value.reveal()))


def _inside(place: Place, locator: Locator) -> Place:
    inside = " → ".join(filter(None, locator.container))
    reason = f"a secret stands in {inside!r} in it, and what is packed so is not rewritten: delete it, or pack it anew"
    return place._replace(treatment=Treatment.REPORT, store="container", reason=reason)


# --- doing it


def _done(job: Job, scrubber: StoreScrubber, plan: Plan, backup: Backup | None) -> Done:
    kept: tuple[str, ...] = ()
    path = job.place.path
    try:
        if backup is not None:
            kept = tuple(backup.keep(path))
        PlainFiles(plan.setting.pseudonyms).resume(path)
        return Done(job.place, scrubber.scrub(path, plan.wanted.redactor, plan.options.style), kept=kept)
    except Refusal as refusal:
        return Done(job.place, None, sentence(refusal), kept)
    except OSError as error:
        return Done(job.place, None, sentence(refusal_of(error)), kept)


def _still_there(plan: Plan, touched: Sequence[str]) -> tuple[str, ...]:
    """What a scan finds in the files that were touched although it should be gone: looked for by other means than those that took it out."""
    if not touched:
        return ()
    from keyward.scan.reread import reread

    options = ScanOptions(paths=tuple(touched), baseline="", jobs=plan.options.jobs)
    occurrences, gathered = seen_by_scan(plan.setting, options, lambda files, size, found: None)
    still = [f"{each.path}: {each.reason}" for each in gathered.not_scanned if not each.opaque]
    for each in occurrences:
        value = reread(each.locator, plan.setting.project.recipe.limits)
        # a report's secrets alone were to go; and what cannot be read again cannot be told from them
        if value is None or not plan.options.leaked or plan.wanted.redactor.redactions(value.reveal()):
            inside = "".join(f" → {member}" for member in each.locator.container)
            still.append(f"{each.locator.path}:{each.line}{inside}: {each.kind}")
    return tuple(still)


def _sum(counts: Iterable[Mapping[Name, int]]) -> dict[Name, int]:
    total: dict[Name, int] = {}
    for each in counts:
        for name, number in each.items():
            total[name] = total.get(name, 0) + number
    return total
