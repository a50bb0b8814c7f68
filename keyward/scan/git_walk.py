"""Which files the commits of a history brought in, under which paths, and which commit had each version first.

One `rev-list` names the commits; several `diff-tree --stdin -c` side by side say what each has that none of its parents has. So every
version of a file is named by the commit that brought it in: what a commit shares with a parent was named there, and a commit
without parents names all that it holds. Only ids and names pass through here; no content is read.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from keyward.scan.git import SUBMODULE, Repository, refused
from keyward.scan.git_process import run
from keyward.scan.git_tips import shallow_commits

CHUNK = 2_000
"""Commits that one `diff-tree` is asked about."""

MOST_UNREADABLE = 100
"""Commits whose trees cannot be read that are looked into one by one; the others are counted."""

_SUBMODULE = b"%06o" % SUBMODULE

_DIFF_TREE = (
    "diff-tree", "--stdin", "-r", "-c", "--root", "--always", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=d",
    "--ignore-submodules=none",
)  # fmt: skip


class Place(NamedTuple):
    """A path, relative to the top of the repository, and the number of the commit (in `Walk.commits`) that had a version there
    first; -1 where no commit did."""

    path: bytes
    commit: int


class Walk:
    """What was met on the way. `commits`: newest first. `unread`: commits whose trees could not be read, and why. `submodules`: paths
    of those that are only a commit of another repository. `problem`: why the commits themselves could not all be listed."""

    def __init__(self, keep: Callable[[bytes], bool]) -> None:
        self.commits: list[str] = []
        self.unread: list[tuple[str, str]] = []
        self.submodules: set[bytes] = set()
        self.problem = ""
        self._keep = keep
        self._paths: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self._dropped: set[bytes] = set()
        # A place is one number, path << 32 | commit + 1: there may be millions, and nearly all blobs have one.
        self._first: dict[bytes, int] = {}
        self._more: dict[bytes, dict[int, int]] = {}

    def __len__(self) -> int:
        return len(self._first)

    def blobs(self) -> Iterator[str]:
        """Every version of a file that stands under a path that is kept; those of one path together, the newest first."""
        return (blob.decode("ascii") for blob in sorted(self._first, key=self._first.__getitem__))

    def has(self, blob: str) -> bool:
        return blob.encode("ascii") in self._first

    def places(self, blob: str) -> list[Place]:
        """Where it stands, the first appearance first."""
        key = blob.encode("ascii")
        first, more = self._first[key], self._more.get(key)
        if more is None:  # nearly all
            return [Place(self._paths[first >> 32], (first & 0xFFFFFFFF) - 1)]
        codes = [first, *((path << 32) | commit for path, commit in more.items())]
        found = [Place(self._paths[code >> 32], (code & 0xFFFFFFFF) - 1) for code in codes]
        return sorted(found, key=lambda place: (place.commit < 0, -place.commit, place.path))

    def add(self, blob: bytes, path: bytes, commit: int) -> None:
        """Notes a version. Commits come newest first, so the last one that is noted for a path had it first."""
        number = self._numbers.get(path)
        if number is None:
            if path in self._dropped:
                return
            if not self._keep(path):
                self._dropped.add(path)
                return
            number = self._numbers[path] = len(self._paths)
            self._paths.append(path)
        code = (number << 32) | (commit + 1)
        known = self._first.setdefault(blob, code)
        if known != code:
            if known >> 32 == number:
                self._first[blob] = code
            else:
                self._more.setdefault(blob, {})[number] = commit + 1

    def parse(self, output: bytes, numbers: dict[bytes, int], commit: int = -1) -> None:
        """Takes over what `diff-tree -z` says: `ID NUL` for a commit, `:MODE MODE ID ID STATUS NUL PATH NUL` for a file, and with
        more parents as many more colons, modes and ids. `numbers`: of the commits; `commit`: where no id comes before."""
        add = self.add
        fields = iter(output.split(b"\0"))
        for field in fields:
            if not field.startswith(b":"):
                commit = numbers.get(field, commit)
                continue
            path = next(fields, b"")
            words = field.split(b" ")
            blob = words[-2]
            if _SUBMODULE in field and words[field.rindex(b":") + 1] == _SUBMODULE:
                self.submodules.add(path)
            elif blob.strip(b"0"):
                add(blob, path, commit)


def walk(
    repository: Repository,
    tips: Iterable[str],
    without: Iterable[str] = (),
    *,
    trees: Iterable[str] = (),
    keep: Callable[[bytes], bool] = lambda path: True,
    jobs: int = 1,
) -> Walk:
    """Everything that the commits reachable from `tips` brought in, but for those reachable from `without`. `trees`: those that no commit
    has. `keep`: whether a path is of interest. Where commits are missing or damaged, all that are there are walked."""
    found = Walk(keep)
    with repository.room(_shallow(repository)) as environment:
        wanted = list(tips)
        if wanted:
            asked = "".join([*(f"{id}\n" for id in wanted), *(f"^{id}\n" for id in without)])
            result = run(["rev-list", "--date-order", "--stdin"], environment=environment, stdin=asked.encode("ascii"))
            found.commits = result.output.decode("ascii").split("\n")[:-1]
            if result.code:
                found.problem = str(refused("rev-list", result))
                found.commits = _all_commits(repository)
        _read_trees(found, repository, environment, jobs)
        for tree in trees:
            _single(found, repository, environment, tree, -1)
    return found


def more_commits(repository: Repository, found: Walk, commits: Sequence[str]) -> None:
    """Adds what single commits hold, without walking on to their parents. They count as older than all others."""
    start = len(found.commits)
    found.commits.extend(commits)
    with repository.room(_shallow(repository)) as environment:
        _read_trees(found, repository, environment, 1, start)


def commits_of(repository: Repository, tips: Iterable[str]) -> list[str]:
    """The commits that tips lead to, as far as they can be listed."""
    asked = "".join(f"{id}\n" for id in tips).encode("ascii")
    with repository.room(_shallow(repository)) as environment:
        result = run(["rev-list", "--stdin"], environment=environment, stdin=asked)
    return result.output.decode("ascii").split()


def _shallow(repository: Repository) -> bytes:
    return "".join(f"{id}\n" for id in shallow_commits(repository)).encode("ascii")


def reach(repository: Repository, tips: Iterable[str], without: Iterable[str]) -> bool:
    """Whether `tips` lead to a commit that `without` do not lead to. True if git cannot tell."""
    asked = "".join([*(f"{id}\n" for id in tips), *(f"^{id}\n" for id in without)])
    with repository.room(_shallow(repository)) as environment:
        result = run(["rev-list", "--max-count=1", "--stdin"], environment=environment, stdin=asked.encode("ascii"))
    return bool(result.code or result.output)


def merge_bases(repository: Repository, commits: Sequence[str]) -> tuple[str, ...]:
    """The best common ancestors of two commits; none if they have nothing in common."""
    with repository.room(_shallow(repository)) as environment:
        result = run(["merge-base", "--all", *commits], environment=environment)
    if result.code not in (0, 1):
        raise refused("merge-base", result)
    return tuple(result.output.decode("ascii").split())


def every_object(repository: Repository) -> dict[str, str]:
    """The kind of every object that is stored, reachable or not, in the order in which they are packed."""
    with repository.room() as environment:
        result = run(
            ["cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype)"],
            environment=environment,
        )
    if result.code:
        raise refused("cat-file", result)
    lines = result.output.decode("ascii", "replace").split("\n")[:-1]
    return {id: kind for id, _, kind in (line.partition(" ") for line in lines)}


def _all_commits(repository: Repository) -> list[str]:
    return [id for id, kind in every_object(repository).items() if kind == "commit"]


def _read_trees(found: Walk, repository: Repository, environment: dict[str, str], jobs: int, start: int = 0) -> None:
    commits = found.commits
    numbers = {id.encode("ascii"): number for number, id in enumerate(commits)}
    chunks = [commits[at : at + CHUNK] for at in range(start, len(commits), CHUNK)]
    for chunk, output in zip(chunks, _outputs(chunks, environment, jobs)):
        if output is not None:
            found.parse(output, numbers)
        else:
            _in_halves(found, repository, environment, chunk, numbers)


def _diff_tree(chunk: Sequence[str], environment: dict[str, str]) -> bytes | None:
    result = run(_DIFF_TREE, environment=environment, stdin="".join(f"{id}\n" for id in chunk).encode("ascii"))
    return None if result.code else result.output


def _outputs(chunks: list[list[str]], environment: dict[str, str], jobs: int) -> Iterator[bytes | None]:
    if jobs < 2 or len(chunks) < 2:
        yield from (_diff_tree(chunk, environment) for chunk in chunks)
        return
    from concurrent.futures import ThreadPoolExecutor

    # The threads only wait for git. Few chunks are asked for ahead, so that a long history is never held as text.
    with ThreadPoolExecutor(jobs) as threads:
        running = deque(threads.submit(_diff_tree, chunk, environment) for chunk in chunks[: jobs + 1])
        for following in range(jobs + 1, jobs + 1 + len(chunks)):
            output = running.popleft().result()
            if following < len(chunks):
                running.append(threads.submit(_diff_tree, chunks[following], environment))
            yield output


def _in_halves(
    found: Walk, repository: Repository, environment: dict[str, str], chunk: Sequence[str], numbers: dict[bytes, int]
) -> None:
    """A chunk in which git failed: every commit that can be read is, and the others are named."""
    if len(chunk) == 1:
        _single(found, repository, environment, chunk[0], numbers[chunk[0].encode("ascii")])
        return
    if len(found.unread) >= MOST_UNREADABLE:
        found.unread.extend((id, "its files are not in this clone") for id in chunk)
        return
    middle = len(chunk) // 2
    for half in (chunk[:middle], chunk[middle:]):
        output = _diff_tree(half, environment)
        if output is not None:
            found.parse(output, numbers)
        else:
            _in_halves(found, repository, environment, half, numbers)


def _single(found: Walk, repository: Repository, environment: dict[str, str], id: str, number: int) -> None:
    """All that a commit or tree holds, whatever its parents are; names it as unread if that fails as well."""
    arguments = ["diff-tree", *_DIFF_TREE[2:], repository.empty_tree, id]
    result = run([word for word in arguments if word not in ("-c", "--root", "--always")], environment=environment)
    found.parse(result.output, {}, number)
    if result.code:
        found.unread.append((id, os.fsdecode(result.errors.split("\n", 1)[0].removeprefix("fatal: ").removeprefix("error: "))))
