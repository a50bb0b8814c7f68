"""What is told of a finding in a history: which commit brought it in, by whom and when, and whether it is still there.

A secret that stands in a file stands in every later version of it. Those versions are one place: the first one, with the number of all of
them. Versions with an inline allowance and versions without stay apart, so that a comment that was added later hides nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keyward.model.finding import Occurrence
from keyward.scan.git import Repository
from keyward.scan.git_walk import commits_of
from keyward.scan.history import Item

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


def placed(repository: Repository, found: Sequence[Found], prefix: str) -> list[Occurrence]:
    """The occurrences with where they come from, each secret once for each path (see above)."""
    if not found:
        return []
    signed = _signatures(repository, {commit for each in found if (commit := _commit(each))})
    in_head = _InHead(repository, prefix)
    groups: dict[tuple[str, str, bool], list[tuple[Found, Occurrence]]] = {}
    for each in found:
        for occurrence in each.occurrences:
            key = (occurrence.fingerprint, occurrence.locator.path, occurrence.allowance is None)
            groups.setdefault(key, []).append((each, occurrence))
    result: list[Occurrence] = []
    for members in groups.values():
        result.extend(_earliest(members, signed, in_head))
    return result


def _commit(found: Found) -> str:
    return found.commit or (found.item.id if found.item.kind != "blob" else "")


def _earliest(members: list[tuple[Found, Occurrence]], signed: dict[str, _Signed], in_head: _InHead) -> list[Occurrence]:
    """Those of the first version, as sure as the surest of all versions."""

    def age(found: Found) -> tuple[bool, float, str]:
        since = signed.get(_commit(found), _Signed()).since
        return (not since, since, found.item.id)

    first = min((found for found, _ in members), key=age)
    versions = {found.item.id for found, _ in members}
    best = max((occurrence for _, occurrence in members), key=lambda o: o.confidence)
    still = any(in_head.has(found) for found in {id(found): found for found, _ in members}.values())
    commit = _commit(first)
    by = signed.get(commit, _Signed())
    result = []
    for found, occurrence in members:
        if found is not first:
            continue
        old = occurrence.provenance
        said = (old.where, "" if commit or first.item.kind == "tag" else "in no commit")
        where = ", ".join(filter(None, (*said, f"first of {len(versions)} versions" if len(versions) > 1 else "")))
        dated = bool(old.since) and old.since_from not in ("", "mtime")
        provenance = old._replace(
            where=where,
            since=old.since if dated else by.since,
            since_from=old.since_from if dated else "commit" if by.since else "",
            commit=commit if found.item.kind != "tag" else "",
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
        result.append(occurrence._replace(provenance=provenance))
    return result


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

    def has(self, found: Found) -> bool | None:
        if not self._repository.head:
            return None
        if found.item.kind == "blob":
            if self._files is None:
                entries = self._repository.changed("0" * 40, self._repository.head)
                self._files = {(self._prefix + os.fsdecode(entry.path), entry.blob) for entry in entries}
            return (found.path, found.item.id) in self._files
        if found.item.kind == "tag":
            return None
        if self._commits is None:
            self._commits = set(commits_of(self._repository, [self._repository.head]))
        return found.item.id in self._commits
