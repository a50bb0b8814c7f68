"""What is remembered of a repository whose whole history was scanned: where it began, and what was not clean.

If all that it began with is still there, only what came later has to be walked. No content is in it: ids, paths and commits of the objects
that were not clean, and what a report says of what is in them (masked, under salted fingerprints).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from keyward.model.finding import Allowance, Excluded, Locator, Occurrence, Provenance, Signal
from keyward.scan.cache import Record
from keyward.scan.git import Repository
from keyward.scan.git_tips import Tips, shallow_commits
from keyward.scan.git_walk import reach
from keyward.scan.history import SOURCE, Item
from keyward.scan.history_places import Found, Spot

MOST_AGAIN = 50_000
"""Objects that were not clean, beyond which a repository is not remembered."""

MOST_EXCLUDED = 50_000


class Remembered(NamedTuple):
    """`tips`: the commits that the walk began with. `others`: tags, and trees and blobs that no commit has. `again`: what was not
    clean, but for later versions of what is in it, which `versions` lists; `found`: what was found in those of them that need not be looked
    at again, by id. `looked`, `size`: all objects and bytes. `shallow`: the commits at which a shallow clone ended."""

    tips: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    again: tuple[Item, ...] = ()
    looked: int = 0
    size: int = 0
    excluded: tuple[Excluded, ...] = ()
    shallow: tuple[str, ...] = ()
    versions: Mapping[Spot, tuple[str, ...]] = {}
    found: Mapping[str, Sequence[Found]] = {}


def recall(record: Record, repository: Repository, tips: Tips, naming: bytes) -> Remembered | None:
    """What is remembered, if it still holds: all that was begun with is still begun with or led to, and nothing was fetched below a
    shallow clone's end. `naming`: a digest of what findings are named by and let pass by; what was found under another one is looked at again."""
    stored = record.read()
    try:
        known_tips, others, again, count, size, excluded, shallow, versions, (named, rows) = stored
        items = tuple(Item(id, kind, tuple(paths), tuple(commits)) for id, kind, paths, commits in again)
        remembered = Remembered(
            frozenset(known_tips),
            frozenset(others),
            items,
            int(count),
            int(size),
            tuple(Excluded(path, by) for path, by in excluded),
            tuple(shallow),
            {tuple(spot): tuple(ids) for spot, ids in versions.items()},
            _found(items, rows) if named == naming else {},
        )
    except (TypeError, ValueError, AttributeError, KeyError):
        return None
    if remembered.shallow != shallow_commits(repository) or not remembered.others <= tips.every:
        return None
    gone = remembered.tips.difference(tips.commits)
    if gone and (not tips.commits or reach(repository, gone, tips.commits)):
        return None
    return remembered


def remember(
    record: Record,
    repository: Repository,
    tips: Tips,
    items: Iterable[Item],
    versions: Mapping[Spot, tuple[str, ...]],
    *,
    count: int,
    size: int,
    excluded: Iterable[Excluded],
    naming: bytes,
    found: Iterable[Found],
) -> None:
    """Keeps it for the next run. `items`, `versions`: see `Remembered`; `found`: all that was found in those of the items that can be told of without
    looking again; `naming`: see `recall`."""
    again = [tuple(item) for item in items]
    left_out = [tuple(each) for each in excluded]
    if len(again) > MOST_AGAIN or len(left_out) > MOST_EXCLUDED:
        return
    commits = sorted(tips.commits)
    others = sorted(tips.every.difference(commits))
    facts = (commits, others, again, count, size, left_out, shallow_commits(repository), dict(versions))
    wanted = {id for id, *_ in again}
    rows = [(each.item.id, each.path, each.commit, _plain(each.occurrences)) for each in _told(found) if each.item.id in wanted]
    if not record.write((*facts, (naming, rows))):  # too much was found
        record.write((*facts, (naming, [])))


def _told(found: Iterable[Found]) -> Iterable[Found]:
    """What was found in the repository itself. LFS keeps content outside of it, which may not be there any more."""
    by_id: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        by_id[each.item.id].append(each)
    for members in by_id.values():
        if all(o.locator.source == SOURCE for each in members for o in each.occurrences):
            yield from members


def _plain(value: Any) -> Any:
    """A value with tuples in place of named ones."""
    return tuple(_plain(each) for each in value) if isinstance(value, (tuple, list)) else value


def _found(items: Iterable[Item], rows: Iterable[Any]) -> dict[str, list[Found]]:
    by_id = {item.id: item for item in items}
    found: dict[str, list[Found]] = defaultdict(list)
    for id, path, commit, occurrences in rows:
        found[id].append(Found(by_id[id], path, commit, [_occurrence(row) for row in occurrences]))
    return dict(found)


def _occurrence(row: Any) -> Occurrence:
    flat = Occurrence(*row)
    return flat._replace(
        locator=Locator(*flat.locator),
        signals=tuple(Signal(*signal) for signal in flat.signals),
        allowance=Allowance(*flat.allowance) if flat.allowance is not None else None,
        provenance=Provenance(*flat.provenance),
    )
