"""`keyward scan --host`: what tools, shells and agents keep on a machine, by named sources.

The configuration of the folder that the command is run in means nothing here; the operator's own holds. Files are looked through by
the same processes as a tree's; what is known of their source is put onto what is found in them afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import NamedTuple

from keyward.errors import GitError, UsageError
from keyward.flows.project import Project
from keyward.flows.scan import Gathered, Progress, ScanOptions
from keyward.match.fingerprint import FingerprintCache
from keyward.model.finding import Excluded, NotScanned, Occurrence
from keyward.scan.examine import Examined, Place
from keyward.scan.pool import scan_paths
from keyward.scan.reader import Read
from keyward.scan.roles import LIVE
from keyward.scan.sources.catalogue import chosen
from keyward.scan.sources.host import Host, Tool, other_host, this_host
from keyward.scan.sources.sweep import Met, Sweep, why_opaque

PROCESS = "process"
"""What a locator's source is for the environment or the output of a process."""


class _Source(NamedTuple):
    """What an occurrence is told of the file it was found in."""

    name: str
    role: str
    where: str = ""


def host(options: ScanOptions, project: Project, gathered: Gathered, stdin: Read | None, progress: Progress) -> None:
    """Sweeps this machine, or each home that the options name.

    Raises UsageError for a source or a home that is not there, or options that have no meaning here.
    """
    if options.staged or options.tracked or options.from_ref or options.to_ref:
        raise UsageError("--host goes with none of --staged, --tracked, --from-ref and --to-ref", hint="Leave these out.")
    tools = chosen(options.sources)
    for each in hosts(options.paths):
        _sweep(each, tools, options, project, gathered, progress)


def hosts(homes: tuple[str, ...]) -> Iterator[Host]:
    """The machine that keyward runs on if no home is named; else the hosts of the homes. Raises UsageError for one that is none."""
    own = this_host()
    if not homes:
        yield own
    for home in dict.fromkeys(os.path.realpath(path) for path in homes):
        if not os.path.isdir(home):
            raise UsageError(f"there is no folder {home!r}", hint="Name a home folder, or none for your own.")
        yield own if home == os.path.realpath(own.home) else other_host(home)


def _sweep(
    swept: Host, tools: tuple[Tool, ...], options: ScanOptions, project: Project, gathered: Gathered, progress: Progress
) -> None:
    sweep = Sweep(swept, tools)
    known: dict[str, _Source] = {}
    files = _files(sweep, swept, project, gathered, known)
    FingerprintCache().prepare()
    jobs = options.jobs or min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 16)
    with closing(scan_paths(project.recipe, files, jobs=jobs, follow=frozenset())) as answers:
        for answer in answers:
            for examined in answer.examined:
                gathered.add(_told(examined, known.get), 0)
            gathered.files += answer.files
            gathered.learned.update(answer.learned)
            progress(gathered.files, gathered.bytes, len(gathered.occurrences))
    gathered.not_scanned.extend(sweep.not_scanned)
    gathered.excluded.extend(sweep.excluded)
    for met in sweep.repositories:
        _history(met, options, project, gathered, progress)
    _streams(swept, tools, project, gathered, progress)


def _files(sweep: Sweep, swept: Host, project: Project, gathered: Gathered, known: dict[str, _Source]) -> Iterator[str]:
    """The files to be looked through. What is not is noted; what is known of the others goes into `known`."""
    typed, exclude = project.settings.typed, project.settings.exclude
    for met in sweep.files():
        relative = os.path.relpath(met.path, swept.home).replace(os.sep, "/")
        rule = typed(relative, False) or exclude(relative, False) or project.exclude_by_size(met.path)
        if rule:
            gathered.excluded.append(Excluded(met.path, rule))
            continue
        opaque = why_opaque(met)
        if opaque:
            gathered.not_scanned.append(NotScanned(met.path, opaque, opaque=True))
            if not met.spot.marks:
                continue
        if met.spot.root and not os.access(met.path, os.R_OK):
            gathered.not_scanned.append(NotScanned(met.path, "only root can read it: sweep it as root"))
            continue
        known[met.path] = _Source(met.source, met.spot.role)
        yield met.path


def _told(examined: Examined, known: Callable[[str], _Source | None]) -> Examined:
    """The same with sources and roles."""
    return examined._replace(occurrences=[_with_source(each, known(each.locator.path)) for each in examined.occurrences])


def _with_source(occurrence: Occurrence, source: _Source | None) -> Occurrence:
    if source is None:
        return occurrence
    # a record that its opener knows to be live (a table of credentials in a database of talk) stays so
    role = occurrence.role if occurrence.locator.container and occurrence.role == LIVE else source.role or occurrence.role
    where = occurrence.provenance.where or source.where
    return occurrence._replace(role=role, provenance=occurrence.provenance._replace(source=source.name, where=where))


def _history(met: Met, options: ScanOptions, project: Project, gathered: Gathered, progress: Progress) -> None:
    """The history of a repository that a tool keeps its files in. One in disorder is no reason to look at nothing else."""
    from keyward.flows.scan_history import scan_repository
    from keyward.scan.git import Repository

    before = len(gathered.occurrences)
    try:
        repository = Repository.discover(met.path)
        # git looks upwards where there is nothing here: what it finds there is somebody else's
        if repository is None or os.path.realpath(repository.root or repository.common_dir) != os.path.realpath(met.path):
            gathered.not_scanned.append(NotScanned(met.path, "its history: git finds no repository here"))
            return
        scan_repository(met.path, options, project, gathered, progress)
    except (GitError, UsageError) as error:
        gathered.not_scanned.append(NotScanned(met.path, f"its history: {error}"))
    source = _Source(met.source, "")
    # git's own texts (`.git/config`) may have been met as files of another source
    met_before = {_place(each) for each in gathered.occurrences[:before]}
    added = [each for each in gathered.occurrences[before:] if _place(each) not in met_before]
    gathered.occurrences[before:] = [_with_source(each, source) for each in added]


def _place(occurrence: Occurrence) -> tuple[str, str, int, str]:
    locator = occurrence.locator
    return (locator.source, os.path.abspath(locator.path), locator.start, occurrence.fingerprint)


def _streams(swept: Host, tools: tuple[Tool, ...], project: Project, gathered: Gathered, progress: Progress) -> None:
    """What is no file. One examiner serves all, and is made only if there is one."""
    if not swept.running:
        return
    made = None
    for tool in tools:
        for stream in tool.streams(swept):
            made = made or project.recipe.examiner()
            examiner, cache = made
            try:
                examined = examiner.examine_source(Place(PROCESS, stream.shown, role=stream.role), stream.open())
            except OSError as error:
                reason = (error.strerror or str(error) or "cannot be read").lower()
                gathered.not_scanned.append(NotScanned(stream.shown, reason))
                continue
            source = _Source(tool.full_name, stream.role, stream.where)
            gathered.add(_told(examined, lambda path, source=source: source))  # type: ignore[misc]
            gathered.learned.update(cache.take())
            progress(gathered.files, gathered.bytes, len(gathered.occurrences))
