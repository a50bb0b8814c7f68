"""What is told of a finding in a history: which commit brought it in, by whom and when, and whether it is still there.

A secret that stands in a file stands in every later version of it. Those versions are one place: the first one, with the number of all of
them. Versions with an inline allowance and versions without stay apart, so that a comment that was added later hides nothing.

Only a file that is there now can be a live configuration: what HEAD does not hold any more is an echo, and so is every message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from keyward.model.finding import Occurrence
from keyward.scan.git import Repository
from keyward.scan.git_walk import commits_of
from keyward.scan.history import SHORT, Item
from keyward.scan.roles import ECHO

_PERSON = re.compile(rb"^(author|committer|tagger) (.*?) ?(-?\d+) [-+]\d{4}$", re.MULTILINE)


class Found(NamedTuple):
    """Occurrences at one path of an item. `commit`: which had it there first, empty for none."""

    item: Item
    path: str
    commit: str
    occurrences: list[Occurrence]


class _Signed(NamedTuple):
    author: str = ""
    since: float = 0.0


Spot = tuple[str, str, int]
"""A place without what stands there: the item's id, the path, and the offset."""


class Placed(NamedTuple):
    """`occurrences`: with where they come from. `kept`: the ids of the items that all of this can be told from again; `versions`: of a place
    in one of them, the ids of all the versions in which the same stands."""

    occurrences: list[Occurrence]
    kept: set[str]
    versions: dict[Spot, tuple[str, ...]]


def placed(repository: Repository, found: Sequence[Found], prefix: str, known: Mapping[Spot, tuple[str, ...]]) -> Placed:
    """Each secret once for each path (see above). `known`: the `versions` of an earlier run."""
    result = Placed([], set(), {})
    if not found:
        return result
    signed = _signatures(repository, {commit for each in found if (commit := _commit(each))})
    in_head = _InHead(repository, prefix)
    groups: dict[tuple[str, str, bool], list[tuple[Found, Occurrence]]] = {}
    for each in found:
        for occurrence in each.occurrences:
            key = (occurrence.fingerprint, occurrence.locator.path, occurrence.allowance is None)
            groups.setdefault(key, []).append((each, occurrence))
    for members in groups.values():
        _earliest(members, signed, in_head, known, result)
    return result


def _commit(found: Found) -> str:
    return found.commit or (found.item.id if found.item.kind != "blob" else "")


def _earliest(
    members: list[tuple[Found, Occurrence]],
    signed: dict[str, _Signed],
    in_head: _InHead,
    known: Mapping[Spot, tuple[str, ...]],
    result: Placed,
) -> None:
    """Adds those of the first version, as sure as the surest of all versions."""

    def age(member: tuple[Found, Occurrence]) -> tuple[bool, float, str]:
        since = signed.get(_commit(member[0]), _Signed()).since
        return (not since, since, member[0].item.id)

    first, earliest = min(members, key=age)
    surest, best = max(members, key=lambda member: (member[1].confidence, member[0] is first))
    versions = {each.item.id for each, _ in members}
    for each, occurrence in members:
        versions.update(known.get(_spot(each, occurrence), ()))
    result.kept.update((first.item.id, surest.item.id))
    if len(versions) > 1:
        result.versions[_spot(first, earliest)] = tuple(sorted(versions))
    several = f"first of {len(versions)} versions" if len(versions) > 1 else ""
    still = in_head.has(first, versions)
    commit = _commit(first)
    by = signed.get(commit, _Signed())
    for each, occurrence in members:
        if each is not first:
            continue
        old = occurrence.provenance
        outside = "" if commit or first.item.kind == "tag" else "in no commit"
        dated = bool(old.since) and old.since_from not in ("", "mtime")
        provenance = old._replace(
            where=", ".join(filter(None, (old.where, outside, several))),
            since=old.since if dated else by.since,
            since_from=old.since_from if dated else "commit" if by.since else "",
            commit=commit if first.item.kind != "tag" else "",
            author=by.author,
            in_head=still,
        )
        if best.confidence > occurrence.confidence:
            occurrence = best._replace(
                locator=occurrence.locator,
                line=occurrence.line,
                column=occurrence.column,
                end_line=occurrence.end_line,
                allowance=occurrence.allowance,
            )
        role = occurrence.role if first.item.kind == "blob" and (still or _is_staged(first)) else ECHO
        result.occurrences.append(occurrence._replace(provenance=provenance, role=role))


def _is_staged(found: Found) -> bool:
    """Whether it is about to be in HEAD. What nothing leads to has no commit either, and no path but its own name."""
    return not found.commit and f"object {found.item.id[:SHORT]}" not in found.path


def _spot(found: Found, occurrence: Occurrence) -> Spot:
    return found.item.id, occurrence.locator.path, occurrence.locator.start


def _signatures(repository: Repository, ids: Iterable[str]) -> dict[str, _Signed]:
    """Who made each commit or tag, and when it was committed."""
    signed: dict[str, _Signed] = {}
    for made in repository.read_blobs(ids, any_kind=True):
        if made.missing:
            continue
        head = made.everything().split(b"\n\n", 1)[0]
        people = {kind: (name, int(when[-15:])) for kind, name, when in _PERSON.findall(head)}
        author = people.get(b"author") or people.get(b"tagger") or (b"", 0)
        committed = people.get(b"committer") or people.get(b"tagger") or (b"", 0)
        signed[made.id] = _Signed(author[0].decode("utf-8", "replace"), float(committed[1]))
    return signed


class _InHead:
    """Tells whether something is still there in HEAD. Nothing is asked before it has to be."""

    def __init__(self, repository: Repository, prefix: str) -> None:
        self._repository = repository
        self._prefix = prefix
        self._files: set[tuple[str, str]] | None = None
        self._commits: set[str] | None = None

    def has(self, found: Found, versions: Iterable[str]) -> bool | None:
        """Whether one of the versions of what was found there is still where it was."""
        if not self._repository.head:
            return None
        if found.item.kind == "blob":
            if self._files is None:
                entries = self._repository.changed("0" * 40, self._repository.head)
                self._files = {(self._prefix + os.fsdecode(entry.path), entry.blob) for entry in entries}
            return any((found.path, version) in self._files for version in versions)
        if found.item.kind == "tag":
            return None
        if self._commits is None:
            self._commits = set(commits_of(self._repository, [self._repository.head]))
        return found.item.id in self._commits
