"""What a scrub finds where no file is, and leaves to others: a repository's history, the environment of a process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from keyward.errors import KeywardError
from keyward.model.finding import Locator, Occurrence
from keyward.model.kind import Kind
from keyward.rotate.found import Report
from keyward.scrub.plan import Name, Place, Treatment

if TYPE_CHECKING:
    from keyward.scan.git import Repository

HISTORY = "git history"
PROCESS = "running process"
"""What such places are called in a plan."""

IN_REPOSITORY = ("history", "index")
"""Sources whose places are objects of a repository."""


def elsewhere(occurrences: Sequence[Occurrence]) -> Iterator[Place]:
    """What a scan has just seen."""
    return _places((each.kind, each.locator) for each in occurrences)


def still_elsewhere(report: Report) -> Iterator[Place]:
    """What a report names and is still there: of a history that was rewritten since, only what the repository still has."""
    gone = _gone([each.locator for each in report.found if each.locator.source in IN_REPOSITORY])
    return _places((each.kind, each.locator) for each in report.found if (each.locator.path, each.locator.blob) not in gone)


def _gone(locators: Sequence[Locator]) -> set[tuple[str, str]]:
    """Paths and ids of objects that their repository does not have any more. An object never changes: one that is there holds what it held."""
    wanted: dict[str, set[tuple[str, str]]] = {}
    for locator in locators:
        if locator.blob:
            wanted.setdefault(os.path.dirname(locator.path), set()).add((locator.path, locator.blob))
    gone: set[tuple[str, str]] = set()
    there: dict[str, set[str]] = {}
    for folder, pairs in wanted.items():
        repository = _repository(folder)
        if repository is None:
            continue  # nobody can tell
        ids = {blob for _, blob in pairs}
        known = there.setdefault(repository.common_dir, set())
        try:
            known |= {each.id for each in repository.read_blobs(sorted(ids - known), any_kind=True) if not each.missing}
        except KeywardError:
            continue
        gone |= {pair for pair in pairs if pair[1] not in known}
    return gone


def _places(found: Iterable[tuple[Kind, Locator]]) -> Iterator[Place]:
    counts: dict[tuple[str, str], dict[Name, int]] = {}
    for kind, locator in found:
        if locator.source in ("tree", "stdin"):
            continue
        where = _top(locator.path) if locator.source in IN_REPOSITORY else locator.path
        name = Name(kind, "")
        seen = counts.setdefault(("history" if locator.source in IN_REPOSITORY else locator.source, where), {})
        seen[name] = seen.get(name, 0) + 1
    for (source, where), seen in counts.items():
        if source == "process":
            reason = "it is no file: end the process, or rotate and vacuum the journal"
            yield Place(where, PROCESS, seen, Treatment.REPORT, reason)
        else:
            command = f"keyward scrub --git-plan {quote(where)} --output replacements.txt"
            yield Place(
                where,
                HISTORY,
                seen,
                Treatment.REPORT,
                "history is rewritten by git filter-repo, once what leaked is dead",
                command,
            )


def _top(path: str) -> str:
    repository = _repository(os.path.dirname(path))
    return (os.path.dirname(path) or ".") if repository is None else repository.root or repository.common_dir


def _repository(folder: str) -> Repository | None:
    """The repository that a folder lies in, or lay in before it was deleted."""
    from keyward.scan.git import Repository

    there = folder or "."
    while there and not os.path.isdir(there):
        there = os.path.dirname(there)
    if not there:
        return None  # a path that is relative to another folder than this one
    try:
        return Repository.discover(there)
    except KeywardError:
        return None
