"""Folders, files and standard input."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing

from keyward.errors import UsageError
from keyward.flows.project import Project
from keyward.flows.scan import Gathered, Progress, ScanOptions
from keyward.match.fingerprint import FingerprintCache
from keyward.model.finding import Excluded, NotScanned
from keyward.scan.examine import Examined, Place
from keyward.scan.pool import scan_paths
from keyward.scan.reader import Read
from keyward.scan.sources.tree import VERSION_CONTROL, Walk, check_exists, files_under


def paths(options: ScanOptions, project: Project, gathered: Gathered, stdin: Read | None, progress: Progress) -> None:
    """All regular files of the named folders, and the named files, in worker processes."""
    roots = _distinct([path for path in options.paths if path != "-"])
    for root in roots:
        check_exists(root)
    walk = Walk(gathered.excluded, gathered.not_scanned)
    files = _tracked(roots, project, walk) if options.tracked else _all(roots, project, walk)
    named = frozenset(root for root in roots if not os.path.isdir(root))
    FingerprintCache().prepare()
    jobs = options.jobs or min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 16)
    with closing(
        scan_paths(project.recipe, files, jobs=jobs, follow=named)
    ) as answers:  # whatever happens meanwhile, no worker stays behind
        for answer in answers:
            for examined in answer.examined:
                gathered.add(examined, 0)
            gathered.files += answer.files
            gathered.learned.update(answer.learned)
            progress(gathered.files, gathered.bytes, len(gathered.occurrences))
    gathered.whole_project = not options.tracked and any(os.path.realpath(root) == project.root for root in roots)


def standard_input(options: ScanOptions, project: Project, gathered: Gathered, stdin: Read | None, progress: Progress) -> None:
    """Standard input as one source, named `-`."""
    if stdin is None:
        raise UsageError("there is no standard input to scan")
    examiner, cache = project.recipe.examiner()
    try:
        gathered.add(examiner.examine_source(Place("stdin", "-"), stdin))
    except OSError as error:
        gathered.add(Examined([], [NotScanned("-", (error.strerror or "cannot be read").lower())], 0))
    gathered.learned.update(cache.take())


def _distinct(roots: list[str]) -> list[str]:
    """Each root once, however it is spelled, and none that lies inside another one, so that no file is read twice.

    What the walk of the other one would pass over (git's own files) stays.
    """
    first: dict[str, str] = {}
    for root in roots:
        first.setdefault(os.path.realpath(root), root)
    folders = [real.rstrip(os.sep) + os.sep for real in first if os.path.isdir(real)]

    def is_met(real: str) -> bool:
        return any(real.startswith(top) and VERSION_CONTROL not in real[len(top) :].split(os.sep) for top in folders)

    return [root for real, root in first.items() if not is_met(real)]


def _all(roots: Iterable[str], project: Project, walk: Walk) -> Iterator[str]:
    for root in roots:
        files = files_under(root, project.exclude_below(root), walk)
        if not project.settings.min_file_size and not project.settings.max_file_size:
            yield from files
            continue
        for path in files:
            rule = project.exclude_by_size(path)
            if rule:
                walk.excluded.append(Excluded(path, rule))
            else:
                yield path


def _tracked(roots: Iterable[str], project: Project, walk: Walk) -> Iterator[str]:
    from keyward.scan.git import Repository

    for root in roots:
        repository = Repository.discover(root)
        if repository is None or repository.bare:
            raise UsageError(
                f"--tracked needs a git repository, and {root!r} is in no working tree of one",
                hint="Scan it without --tracked.",
            )
        exclude = project.exclude_below(root)
        real_root = os.path.realpath(root)
        prefix = os.path.relpath(real_root, os.path.realpath(repository.root))
        for tracked in repository.tracked("" if prefix == "." else prefix):
            inside = os.path.relpath(os.path.join(repository.root, os.fsdecode(tracked)), real_root)
            path = inside if root == "." else root if inside == "." else os.path.join(root, inside)
            rule = exclude(inside.replace(os.sep, "/"), False)
            if rule:
                walk.excluded.append(Excluded(path, rule))
            elif not os.path.lexists(path):
                walk.not_scanned.append(NotScanned(path, "tracked, and missing in the working tree"))
            elif os.path.islink(path):
                continue  # what it points to inside the root is met by its own name
            elif os.path.isdir(path):
                walk.excluded.append(Excluded(path, "submodule: another repository, scan it by itself"))
            elif not _stands(path, inside, real_root):
                walk.not_scanned.append(NotScanned(path, "a folder above it was replaced by a symbolic link"))
            else:
                yield path


def _stands(path: str, inside: str, real_root: str) -> bool:
    """Whether the folders of a path are those that git tracks, and no link in their place leads elsewhere."""
    return os.path.realpath(os.path.dirname(path)) == os.path.dirname(os.path.normpath(os.path.join(real_root, inside)))
