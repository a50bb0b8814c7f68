"""Looks through objects of a repository: versions of files, messages of commits and tags, and what LFS pointers stand for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keyward.errors import GitError
from keyward.model.finding import NotScanned
from keyward.scan.examine import Examined, Examiner, Place
from keyward.scan.git import Repository
from keyward.scan.git_blobs import Blob, stream_blobs
from keyward.scan.git_process import PATIENCE, Child, start
from keyward.scan.reader import file_reader
from keyward.scan.sources.tree import failure, open_regular

SOURCE = "history"

SMALL = 1 << 20
"""Bytes below which an object is read in one go and dismissed at once if nothing is in it."""

MISSING = "object"
"""How the reason begins where an object is not there."""

SHORT = 12
"""Characters of an id that are shown."""

_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize \d+\n"
)
_POINTER_START = b"version https://"
_LARGEST_POINTER = 1024


class Item(NamedTuple):
    """An object to be looked at. `kind`: `blob`, `commit` or `tag`. `paths`: as shown to the user, where it stands, the first
    appearance first. `commits`: of each path the commit that had it there first, empty where none did."""

    id: str
    kind: str
    paths: tuple[str, ...]
    commits: tuple[str, ...] = ("",)


def merged(items: Iterable[Item]) -> list[Item]:
    """Each object once, with all its paths."""
    found: dict[str, Item] = {}
    for item in items:
        known = found.get(item.id)
        if known is not None:
            new = [number for number, path in enumerate(item.paths) if path not in known.paths]
            paths = (*known.paths, *(item.paths[number] for number in new))
            item = known._replace(paths=paths, commits=(*known.commits, *(item.commits[number] for number in new)))
        found[item.id] = item
    return list(found.values())


class Look(NamedTuple):
    """What was found at an item, at each of its paths."""

    number: int
    examined: list[Examined]


class Looker:
    """Looks at items with one examiner. `environment`: of a clean room. `prefix`: what stands before the paths of the repository, and is no
    reason to judge what is found there otherwise."""

    def __init__(self, examiner: Examiner, repository: Repository, environment: dict[str, str], prefix: str = "") -> None:
        self._examiner = examiner
        self._environment = environment
        self._lfs = os.path.join(repository.common_dir, "lfs", "objects")
        self._common = os.path.realpath(repository.common_dir)
        self._prefix = prefix

    def look(self, items: Sequence[Item]) -> tuple[list[Look], int]:
        """Those of the items in which there is something, and the bytes that were read. Raises GitError if git fails altogether."""
        looks: list[Look] = []
        size = 0
        by_id = {item.id: number for number, item in enumerate(items)}
        for blob in stream_blobs(list(by_id), self._cat_file, any_kind=True):
            number = by_id[blob.id]
            item = items[number]
            try:
                examined = self._object(item, blob)
            except GitError as error:  # damaged midway
                examined = [Examined([], [NotScanned(item.paths[0], str(error))], 0)]
            except MemoryError:
                examined = [Examined([], [NotScanned(item.paths[0], "out of memory")], 0)]
            size += blob.size
            if any(each.occurrences or each.problems for each in examined):
                looks.append(Look(number, examined))
        return looks, size

    def _cat_file(self, stdin: bytes) -> Child:
        return start(["cat-file", "--batch", "--buffer"], environment=self._environment, stdin=stdin, patience=PATIENCE, wide=True)

    def _object(self, item: Item, blob: Blob) -> list[Examined]:
        first = item.paths[0]
        if blob.missing or blob.kind != item.kind:
            why = blob.problem or f"not a {item.kind} but a {blob.kind}"
            return [Examined([], [NotScanned(first, f"{MISSING} {item.id[:SHORT]} cannot be read: {why}")], 0)]
        if item.kind != "blob":
            return [self._message(item, blob.everything())]
        if blob.size >= SMALL:
            examined = self._examiner.examine_source(self._place(item.id, first), blob.read)
            return [examined, *_elsewhere(examined, item.paths[1:])]
        data = blob.everything()
        examined = self._examiner.examine_bytes(self._place(item.id, first), data)
        if data.startswith(_POINTER_START) and blob.size <= _LARGEST_POINTER:
            pointer = _POINTER.match(data)
            if pointer is not None:
                return [examined, self._lfs_object(pointer[1].decode("ascii"), first)]
        if len(item.paths) == 1:
            return [examined]
        # What a path says of a file (a test, documentation) counts for that path only.
        others = [self._examiner.examine_bytes(self._place(item.id, path), data) for path in item.paths[1:]]
        return [examined, *others]

    def _place(self, id: str, path: str) -> Place:
        return Place(SOURCE, path, id, (), path.removeprefix(self._prefix) if self._prefix else "")

    def _message(self, item: Item, data: bytes) -> Examined:
        """A commit or tag: its message, and what stands above it (names, signatures, what was merged)."""
        examined = self._examiner.examine_bytes(self._place(item.id, item.paths[0]), data)
        if not examined.occurrences:
            return examined
        head = data.find(b"\n\n") + 2
        above = data.count(b"\n", 0, head)
        return examined._replace(
            occurrences=[
                occurrence._replace(line=occurrence.line - above, end_line=occurrence.end_line - above)
                if occurrence.locator.start >= head
                else occurrence._replace(
                    locator=occurrence.locator._replace(path=occurrence.locator.path.removesuffix("message") + "header")
                )
                for occurrence in examined.occurrences
            ]
        )

    def _lfs_object(self, oid: str, path: str) -> Examined:
        """The content that an LFS pointer stands for, if it is in this clone."""
        file = os.path.join(self._lfs, oid[:2], oid[2:4], oid)
        if not os.path.lexists(file):
            return Examined(
                [], [NotScanned(path, "its content is in LFS and not in this clone; fetch it: git lfs fetch --all")], 0
            )
        if not os.path.realpath(file).startswith(self._common + os.sep):
            return Examined([], [NotScanned(path, "its LFS content lies outside the repository")], 0)
        shown = file if os.path.isabs(self._prefix) else os.path.relpath(file)
        try:
            descriptor = open_regular(file, follow=False)
        except OSError as error:
            return Examined([], [failure(path, error)], 0)
        try:
            examined = self._examiner.examine_source(Place("tree", shown), file_reader(descriptor))
        except OSError as error:
            return Examined([], [failure(path, error)], 0)
        finally:
            os.close(descriptor)
        where = f"the LFS content of {path}"
        return examined._replace(
            occurrences=[o._replace(provenance=o.provenance._replace(where=where)) for o in examined.occurrences]
        )


def _elsewhere(examined: Examined, paths: Iterable[str]) -> list[Examined]:
    """The same at other paths, for what is too large to be looked at twice."""
    from keyward.scan.roles import role_of

    return [
        Examined(
            [o._replace(locator=o.locator._replace(path=path), role=role_of(path)) for o in examined.occurrences],
            [problem._replace(path=path) for problem in examined.problems],
            0,
        )
        for path in paths
    ]
