"""What is remembered of a repository whose whole history was scanned: where it began, and what has to be looked at again.

If all that it began with is still there, only what came later has to be walked. No content and nothing found is in it: ids, paths
and commits of the objects that were not clean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from keyward.model.finding import Excluded
from keyward.scan.cache import Record
from keyward.scan.git import Repository
from keyward.scan.git_tips import Tips, shallow_commits
from keyward.scan.git_walk import reach
from keyward.scan.history import Item
from keyward.scan.history_places import Spot

MOST_AGAIN = 50_000
"""Objects that were not clean, beyond which a repository is not remembered."""

MOST_EXCLUDED = 50_000


class Remembered(NamedTuple):
    """`tips`: the commits that the walk began with. `others`: tags, and trees and blobs that no commit has. `again`: what has to be looked
    at again: what was not clean, but for later versions of what is in it, which `versions` lists. `looked`, `size`: all objects and
    bytes. `shallow`: the commits at which a shallow clone ended."""

    tips: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    again: tuple[Item, ...] = ()
    looked: int = 0
    size: int = 0
    excluded: tuple[Excluded, ...] = ()
    shallow: tuple[str, ...] = ()
    versions: Mapping[Spot, tuple[str, ...]] = {}


def recall(record: Record, repository: Repository, tips: Tips) -> Remembered | None:
    """What is remembered, if it still holds: all that was begun with is still begun with or led to, and nothing was fetched below a
    shallow clone's end."""
    stored = record.read()
    try:
        known_tips, others, again, count, size, excluded, shallow, versions = stored
        remembered = Remembered(
            frozenset(known_tips),
            frozenset(others),
            tuple(Item(id, kind, tuple(paths), tuple(commits)) for id, kind, paths, commits in again),
            int(count),
            int(size),
            tuple(Excluded(path, by) for path, by in excluded),
            tuple(shallow),
            {tuple(spot): tuple(ids) for spot, ids in versions.items()},
        )
    except (TypeError, ValueError, AttributeError):
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
) -> None:
    """Keeps it for the next run. `items`, `versions`: see `Remembered`."""
    again = [tuple(item) for item in items]
    left_out = [tuple(each) for each in excluded]
    if len(again) > MOST_AGAIN or len(left_out) > MOST_EXCLUDED:
        return
    commits = sorted(tips.commits)
    others = sorted(tips.every.difference(commits))
    record.write((commits, others, again, count, size, left_out, shallow_commits(repository), dict(versions)))
