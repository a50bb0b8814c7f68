"""Where the history of a repository begins: everything in it that names an object and so keeps it.

Refs of every kind (branches, tags, remotes' branches, notes, stashes, replacements), HEAD and its relatives (`ORIG_HEAD`,
`MERGE_HEAD`, …) of every worktree, what a rebase set aside, the reflogs, and `info/grafts`. The refs are listed by git; the other files
are only searched for ids, so whatever else stands in them does no harm: an id that names nothing is dropped.

Replacements and grafts show another history than the commits hold. Neither is followed (see `git_process`), but what they name
is among the tips, so that both sides are looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from keyward.model.finding import NotScanned
from keyward.scan.git import Repository, refused
from keyward.scan.git_process import HARDENED, hardened_environment, run
from keyward.scan.sources.tree import open_regular

_LARGEST = 256 << 20
"""Bytes of one reflog that are searched."""

_NAMED = re.compile(r"(?:[A-Z]+_)?HEAD|AUTO_MERGE")
_SET_ASIDE = ("autostash", "orig-head", "onto", "stopped-sha", "head-name")
_DEEPEST_TAG = 50


class Tips(NamedTuple):
    """Objects by kind. `names`: of each id, the first ref that names it (not of those that only a reflog knows). `tags`: tag objects by
    id, with the name to be shown. `notes`: the commits of refs/notes. `problems`: refs that lead nowhere."""

    commits: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}
    names: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    problems: tuple[NotScanned, ...] = ()

    @property
    def every(self) -> frozenset[str]:
        """All ids."""
        return frozenset((*self.commits, *self.trees, *self.blobs, *self.tags))


def all_tips(repository: Repository) -> Tips:
    """Everything that keeps an object, in all worktrees. Raises GitError if git cannot list the refs."""
    refs, problems = list_refs(repository)
    pattern = _id_pattern(repository)
    others: dict[str, None] = {}
    for text in _other_texts(repository):
        others.update(dict.fromkeys(found.decode("ascii") for found in pattern.findall(text)))
    for name in refs.values():  # what a replacement stands for
        if name.startswith("refs/replace/"):
            others[name.rpartition("/")[2]] = None
    if repository.head:
        others[repository.head] = None
    if os.path.isdir(os.path.join(repository.common_dir, "reftable")):
        problems.append(NotScanned("reflog", "it is kept in reftables, which are not read; the refs themselves are"))
    return _sorted(repository, refs, others, problems)


def list_refs(repository: Repository) -> tuple[dict[str, str], list[NotScanned]]:
    """The refs: the first name of each id, and what is wrong with others. Raises GitError if git refuses."""
    result = run(
        [*HARDENED, "for-each-ref", "--format=%(objectname) %(refname)"],
        environment=hardened_environment(GIT_DIR=repository.git_dir),
    )
    if result.code:
        raise refused("for-each-ref", result)
    refs: dict[str, str] = {}
    for line in os.fsdecode(result.output).split("\n")[:-1]:
        id, _, name = line.partition(" ")
        refs.setdefault(id, name)
    broken = re.findall(r"ignoring (?:broken ref|dangling symref) (\S+)", result.errors)
    return refs, [NotScanned(name, "this ref leads to no object") for name in broken]


def shallow_commits(repository: Repository) -> tuple[str, ...]:
    """The commits whose parents this clone does not have."""
    text = _text(os.path.join(repository.common_dir, "shallow"))
    return tuple(found.decode("ascii") for found in _id_pattern(repository).findall(text))


def worktree_folders(repository: Repository) -> list[str]:
    """The git folders of all worktrees, the main one first."""
    linked = os.path.join(repository.common_dir, "worktrees")
    try:
        names = sorted(os.listdir(linked))
    except OSError:
        names = []
    return [repository.common_dir, *(path for name in names if os.path.isdir(path := os.path.join(linked, name)))]


def head_of(repository: Repository, folder: str) -> str:
    """The commit that a worktree (by its git folder) stands at; empty before the first one."""
    text = _text(os.path.join(folder, "HEAD"))
    found = _id_pattern(repository).match(text)
    if found is not None:
        return found[0].decode("ascii")
    name = os.fsdecode(text.removeprefix(b"ref: ").strip())
    refs = run(
        [*HARDENED, "for-each-ref", "--format=%(objectname)", f"refs/{name.removeprefix('refs/')}"],
        environment=hardened_environment(GIT_DIR=repository.git_dir),
    )
    return refs.output.decode("ascii", "replace").split("\n")[0] if name.startswith("refs/") and not refs.code else ""


def _id_pattern(repository: Repository) -> re.Pattern[bytes]:
    return re.compile(rb"\b[0-9a-f]{64}\b" if repository.object_format == "sha256" else rb"\b[0-9a-f]{40}\b")


def _other_texts(repository: Repository) -> Iterator[bytes]:
    yield _text(os.path.join(repository.common_dir, "info", "grafts"))
    for folder in worktree_folders(repository):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if _NAMED.fullmatch(name):
                yield _text(os.path.join(folder, name))
        for rebase in ("rebase-merge", "rebase-apply"):
            for name in _SET_ASIDE:
                yield _text(os.path.join(folder, rebase, name))
        yield from _texts_below(os.path.join(folder, "logs"))
        if folder != repository.common_dir:  # refs of that worktree alone; git lists only those of the current one
            yield from _texts_below(os.path.join(folder, "refs"))


def _texts_below(folder: str) -> Iterator[bytes]:
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield _text(os.path.join(path, name))


def _text(path: str) -> bytes:
    """What a file holds; nothing for one that is not there, a link, a pipe."""
    try:
        descriptor = open_regular(path, follow=False)
    except (OSError, ValueError):
        return b""
    with open(descriptor, "rb") as file:
        try:
            return file.read(_LARGEST)
        except OSError:
            return b""


def kinds_of(repository: Repository, ids: Iterable[str]) -> dict[str, str]:
    """What each id names: `commit`, `tree`, `blob` or `tag`. Those that name nothing here are left out."""
    asked = "".join(f"{id}\n" for id in ids).encode("ascii")
    with repository.room() as environment:
        result = run(
            ["cat-file", "--batch-check=%(objectname) %(objecttype)", "--buffer"], environment=environment, stdin=asked
        )
    kinds = {}
    for line in result.output.decode("ascii", "replace").split("\n"):
        id, _, kind = line.partition(" ")
        if kind in ("commit", "tree", "blob", "tag"):
            kinds[id] = kind
    return kinds


def _sorted(repository: Repository, refs: dict[str, str], others: Iterable[str], problems: list[NotScanned]) -> Tips:
    asked = [id for id in dict.fromkeys((*refs, *others)) if id.strip("0")]
    kinds = kinds_of(repository, asked)
    problems.extend(NotScanned(name, f"the object {id[:12]} is not here") for id, name in refs.items() if id not in kinds)
    tags = {id: _tag_name(refs.get(id, "")) for id, kind in kinds.items() if kind == "tag"}
    fresh = dict(tags)
    for _ in range(_DEEPEST_TAG):
        targets = _targets(repository, fresh)
        found = kinds_of(repository, [id for id in targets if id not in kinds])
        fresh = {id: targets[id] for id, kind in found.items() if kind == "tag"}
        problems.extend(
            NotScanned(f"tag {name}".rstrip(), f"the object {id[:12]} is not here")
            for id, name in targets.items()
            if id not in found and id not in kinds
        )
        kinds.update(found)
        tags.update(fresh)
        if not fresh:
            break

    def of(kind: str) -> tuple[str, ...]:
        return tuple(id for id, its in kinds.items() if its == kind)

    notes = tuple(id for id, name in refs.items() if name.startswith("refs/notes/") and kinds.get(id) == "commit")
    return Tips(of("commit"), of("tree"), of("blob"), tags, refs, notes, tuple(problems))


def _tag_name(ref: str) -> str:
    return ref.removeprefix("refs/tags/")


def _targets(repository: Repository, tags: dict[str, str]) -> dict[str, str]:
    """What tags are of, with the tags' names."""
    targets: dict[str, str] = {}
    for tag in repository.read_blobs(tags, any_kind=True):
        if not tag.missing:
            head = tag.everything().split(b"\n", 1)[0]
            target = head.removeprefix(b"object ").decode("ascii", "replace")
            if len(target) in (40, 64) and not target.strip("0123456789abcdef"):
                targets[target] = tags[tag.id]
    return targets
