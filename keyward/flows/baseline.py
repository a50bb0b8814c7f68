"""`keyward baseline`: writing, labelling and shortening the list of findings that a project knows about."""

from __future__ import annotations

import os
from typing import NamedTuple

from keyward.errors import IncompleteError, UsageError
from keyward.flows.project import find_root
from keyward.flows.scan import Progress, ScanOptions, scan
from keyward.match.fingerprint import from_base32
from keyward.model.finding import Finding, NotScanned, Occurrence, Outcome
from keyward.scan import baseline as store
from keyward.scan.reread import reread

STATUSES = {"f": store.FALSE_POSITIVE, "a": store.ACCEPTED, "r": store.REVOKED}


class Created(NamedTuple):
    """`kept`: entries that were there before."""

    path: str
    entries: int
    new: int
    kept: int
    not_scanned: tuple[NotScanned, ...]


class Item(NamedTuple):
    """One entry to label, as it may be shown: places as `path:line:column`, context with the value masked."""

    fingerprint: str
    title: str
    masked: str
    places: tuple[str, ...]
    context: tuple[str, ...]


def path_for(paths: tuple[str, ...], path: str | None) -> str:
    """The named file, or the default one at the top of the project."""
    return path or os.path.join(find_root(paths[0]), store.NAME)


def _scan(paths: tuple[str, ...], path: str, persona: str | None, config: str | None, progress: Progress) -> Outcome:
    """Scans with the baseline's own salt if there is one, and with nothing hidden by it."""
    baseline = path if os.path.exists(path) else None
    return scan(ScanOptions(paths=paths, baseline=baseline, persona=persona, operator_config=config), progress=progress)


def _known(outcome: Outcome) -> list[Finding | Occurrence]:
    """What a baseline lists: what is to be acted on, and what only a baseline let pass; not what a comment explains."""
    return [*outcome.findings, *(o for o in outcome.allowed if o.allowance is not None and o.allowance.by == "baseline")]


def create(
    paths: tuple[str, ...],
    path: str | None,
    persona: str | None,
    config: str | None,
    *,
    progress: Progress = lambda files, size, found: None,
) -> Created:
    """Scans and writes the baseline. Raises what a scan raises, and ConfigError if the file cannot be written."""
    target = path_for(paths, path)
    previous = store.load(target)
    outcome = _scan(paths, target, persona, config, progress)
    baseline = store.create(_known(outcome), from_base32(outcome.salt), previous)
    store.save(baseline, target)
    before = len(previous.entries) if previous else 0
    return Created(target, len(baseline.entries), len(baseline.entries) - before, before, outcome.not_scanned)


def _load(target: str) -> store.Baseline:
    baseline = store.load(target)
    if baseline is None:
        raise UsageError(f"there is no baseline {target!r}", hint="Write one: keyward baseline create")
    return baseline


def prune(paths: tuple[str, ...], path: str | None, config: str | None, *, dry_run: bool) -> tuple[tuple[str, ...], str]:
    """The fingerprints that no longer occur, and the file; they are taken out unless `dry_run`.

    Raises IncompleteError if something could not be scanned: what stands there would be lost.
    """
    target = path_for(paths, path)
    baseline = _load(target)
    outcome = _scan(paths, target, "auditor", config, lambda files, size, found: None)
    if outcome.not_scanned:
        first = outcome.not_scanned[0]
        raise IncompleteError(
            f"{len(outcome.not_scanned)} paths could not be scanned ({first.path}: {first.reason}), so nothing was taken out",
            hint="Make them readable, or exclude them.",
        )
    seen = {finding.fingerprint for finding in outcome.findings} | {occurrence.fingerprint for occurrence in outcome.allowed}
    gone = baseline.stale(seen)
    if gone and not dry_run:
        store.save(baseline.prune(seen), target)
    return gone, target


class Session:
    """An audit: the entries to label, and the labels given so far. Nothing is written before `save`."""

    def __init__(self, path: str, baseline: store.Baseline, items: list[Item]) -> None:
        self.path = path
        self.items = items
        self._baseline = baseline
        self._labelled = 0

    @property
    def unreviewed(self) -> int:
        return sum(entry.status == store.UNREVIEWED for entry in self._baseline.entries.values())

    def label(self, fingerprint: str, status: str, reason: str) -> None:
        """Labels an entry. Raises ValueError for an unknown status."""
        self._baseline = self._baseline.label(fingerprint, status, reason)
        self._labelled += 1

    def save(self) -> int:
        """Writes the labels; answers how many there are."""
        if self._labelled:
            store.save(self._baseline, self.path)
        return self._labelled


def audit(paths: tuple[str, ...], path: str | None, config: str | None, *, all_entries: bool) -> Session:
    """Scans, and offers the entries that nobody has labelled yet (all of them with `all_entries`) with their places."""
    target = path_for(paths, path)
    baseline = _load(target)
    outcome = _scan(paths, target, "auditor", config, lambda files, size, found: None)
    places: dict[str, list[Occurrence]] = {}
    for occurrence in (*outcome.allowed, *(o for finding in outcome.findings for o in finding.occurrences)):
        places.setdefault(occurrence.fingerprint, []).append(occurrence)
    items = []
    for entry in baseline.entries.values():
        if all_entries or entry.status == store.UNREVIEWED:
            occurrences = places.get(entry.fingerprint, [])
            items.append(
                Item(
                    entry.fingerprint,
                    entry.kind or "unknown kind",
                    occurrences[0].masked if occurrences else entry.masked or "",
                    tuple(f"{o.locator.path}:{o.line}:{o.column}" for o in occurrences) or ("(no longer occurs)",),
                    _context(occurrences[0]) if occurrences else (),
                )
            )
    return Session(target, baseline, items)


def _context(occurrence: Occurrence) -> tuple[str, ...]:
    """What stands on the line before the value, at most 80 characters, with everything hidden that could be a value itself."""
    locator = occurrence.locator
    if locator.encoding != "raw":
        return ()
    before = reread(locator._replace(start=max(0, locator.start - 80), end=locator.start))
    if before is None:
        return ()
    words = before.reveal().rpartition(b"\n")[2].decode("utf-8", "replace").split(" ")
    shown = " ".join(word if len(word) < 12 or word.rstrip(":=\"'").replace("_", "").isalpha() else "…" for word in words)
    return (shown + occurrence.masked,)
