"""Which part of a history was asked for: everything, some branches, what came after a commit, or a range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from keyward.errors import UsageError
from keyward.scan.git import Repository
from keyward.scan.git_tips import Tips, all_tips, kinds_of, list_refs


class Choice(NamedTuple):
    """`tips`: where to begin. `without`: what these lead to was not asked for. `whole`: whether everything was, the indexes of the
    worktrees and the files of the git folder included. `note`: what the user should know of it."""

    tips: Tips
    without: tuple[str, ...] = ()
    whole: bool = False
    note: str = ""


def choose(repository: Repository, *, branches: Sequence[str] = (), since: str = "", commits: str = "") -> Choice:
    """Raises UsageError for options that exclude each other or a range that is none, GitError for a name that is no commit."""
    if commits:
        if branches or since:
            raise UsageError("--commits excludes --branch and --since", hint="A range says where it begins and ends.")
        return _range(repository, commits)
    without = (repository.commit(since),) if since else ()
    if branches:
        return Choice(_named(repository, branches), without)
    return Choice(all_tips(repository), without, whole=not since)


def _range(repository: Repository, commits: str) -> Choice:
    """`A..B`: what B leads to and A does not. `A...B`: what one of them leads to and the other does not. An empty side is HEAD. Zeros stand
    for no commit, as in a hook that is told of a new or deleted branch."""
    dots = "..." if "..." in commits else ".."
    start, found, end = commits.partition(dots)
    if not found:
        raise UsageError(f"{commits!r} is no range of commits", hint="Write --commits A..B, for example origin/main..HEAD.")
    start, end = start or "HEAD", end or "HEAD"
    if _is_none(end):
        return Choice(Tips(), note="the range ends nowhere (a deleted branch), so there is nothing to scan")
    if _is_none(start):
        if not repository.quarantined:  # the refs may have moved already, and would hide all of it
            return Choice(
                _named(repository, [end]), note="the range begins nowhere (a new branch): its whole history was scanned"
            )
        known = kinds_of(repository, list_refs(repository)[0])
        return Choice(_named(repository, [end]), tuple(id for id, kind in known.items() if kind in ("commit", "tag")))
    if dots == "..":
        return Choice(_named(repository, [end]), (repository.commit(start),))
    both = _named(repository, [start, end])
    return Choice(both, _merge_bases(repository, both.commits))


def _is_none(name: str) -> bool:
    return len(name) in (40, 64) and not name.strip("0")


def _named(repository: Repository, names: Sequence[str]) -> Tips:
    ids = [repository.named(name) for name in names]
    tags = {id: name for (id, kind), name in zip(ids, names) if kind == "tag"}
    return Tips(tuple(dict.fromkeys(repository.commit(name) for name in names)), tags=tags)


def _merge_bases(repository: Repository, commits: Sequence[str]) -> tuple[str, ...]:
    from keyward.scan.git_walk import merge_bases

    return merge_bases(repository, commits)
