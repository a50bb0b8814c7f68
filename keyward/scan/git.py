"""The one way to git: plumbing only, content as objects, never as textual diffs.

A scanned repository may be hostile. Two things stand between it and a command that runs:

- its own configuration is read by two kinds of call only, to find the repository and to resolve names of commits, with
  every setting that could run something overruled from the command line (`git_process`);
- everything else (the index, trees, blobs) is read from a clean room (`git_room`), where that configuration does not exist.

Attributes play no part in any of the formats that are asked for, so no `.gitattributes` line can hide or change content.

Paths are bytes, relative to the top of the repository, with `/`; `os.fsdecode` them at the edge.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from keyward.errors import GitError, UsageError
from keyward.scan.git_blobs import Blob, stream_blobs
from keyward.scan.git_process import HARDENED, PATIENCE, Child, Result, hardened_environment, run, start
from keyward.scan.git_room import Room

__all__ = ["Blob", "Changes", "HooksFolder", "IndexEntry", "Repository"]

SYMLINK = 0o120000
SUBMODULE = 0o160000

_EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}

_RAW = ("--raw", "-z", "-r", "--no-abbrev", "--ignore-submodules=none", "--diff-filter=d")
"""Every blob that is new on the right side, in full length; what was deleted holds nothing to scan."""

_EXACT_RENAMES = "-M100%"
"""Renames of unchanged content are told by the id alone; any lower number would make git read and compare contents."""

_LONGEST_ARGUMENTS = 24_000
"""Windows takes 32,767 characters; beyond this, the whole index is listed and filtered here."""


class IndexEntry(NamedTuple):
    """A file in the index, or on the newer side of a comparison.

    `status`: A added, M modified, T type changed, R renamed, C copied, U unmerged; empty: the same as in HEAD. `mode`: as in a
    tree. `stage`: 1 (base), 2 (ours), 3 (theirs) for an unmerged path, which has one entry for each, else 0. `old_blob`: what
    it was before (equal to `blob`: only the mode or the name changed), `old_path`: where it was before a rename.
    """

    path: bytes
    mode: int
    blob: str
    status: str
    stage: int = 0
    old_blob: str = ""
    old_path: bytes = b""

    @property
    def staged(self) -> bool:
        return bool(self.status)

    @property
    def symlink(self) -> bool:
        """The blob is the path that the link points to."""
        return self.mode == SYMLINK


class Changes(list[IndexEntry]):
    """The entries that have content, and in `submodules` the paths of those that are only a commit of another repository."""

    submodules: list[bytes]

    def __init__(self, entries: Iterable[IndexEntry] = ()) -> None:
        super().__init__()
        self.submodules = []
        for entry in entries:
            if entry.mode == SUBMODULE:
                self.submodules.append(entry.path)
            else:
                self.append(entry)


class HooksFolder(NamedTuple):
    """Where git looks for this repository's hooks. `scope`: of the setting that says so (`global`, `local`, …), empty: git's default."""

    path: str
    scope: str


class Repository:
    """A repository as it was when it was found: HEAD is not looked up again.

    `root`: the top of the working tree, empty for a bare repository and inside a git folder. `git_dir`: of this worktree. `common_dir`: of all its
    worktrees. `head`: the commit, empty before the first one.
    """

    def __init__(
        self, root: str, git_dir: str, common_dir: str, object_format: str, head: str, inherited: dict[str, str] | None = None
    ) -> None:
        self.root = root
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.object_format = object_format
        self.head = head
        variables = inherited or {}
        self._index = variables.get("GIT_INDEX_FILE") or os.path.join(git_dir, "index")
        self._objects = variables.get("GIT_OBJECT_DIRECTORY") or os.path.join(common_dir, "objects")
        self._alternates = variables.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")

    @property
    def bare(self) -> bool:
        return not self.root

    @property
    def objects(self) -> str:
        """The folder of its objects; in a `pre-receive` hook that of what is being pushed."""
        return self._objects

    @property
    def quarantined(self) -> bool:
        """Whether git has set what is being pushed apart, and no ref leads to it yet."""
        return bool(self._alternates) and self._objects != os.path.join(self.common_dir, "objects")

    @staticmethod
    def discover(path: str = ".") -> Repository | None:
        """The repository that holds a path (which need not exist), or None. Raises GitError for one that git refuses.

        Inside a hook, git's own variables are honoured: the index that `git commit FILE` prepared, the folder of a worktree,
        the quarantine of a push. They hold for the repository that git works in, and for no other one.
        """
        from keyward.scan.git_discover import discover

        return discover(path)

    def staged(self) -> Changes:
        """What the index holds that HEAD does not: the content of the next commit, without deletions.

        Before the first commit that is the whole index. A path that was only announced (`git add -N`) has no content yet and is
        left out. An unmerged path comes with the blob of each stage.
        """
        with self.room() as environment:
            output = self._output(
                ["diff-index", "--cached", *_RAW, _EXACT_RENAMES, "--ita-invisible-in-index", self._base()], environment
            )
            entries = _parse_raw(output)
            if any(entry.status == "U" for entry in entries):
                stages = _parse_stages(self._output(["ls-files", "-z", "--unmerged"], environment))
                entries = [entry for entry in entries if entry.status != "U"] + stages
        return Changes(entries)

    def changed(self, from_ref: str, to_ref: str) -> Changes:
        """What the tree of `to_ref` holds that the tree of `from_ref` does not. A `from_ref` of zeros (a new branch) is empty."""
        before = self.empty_tree if from_ref and not from_ref.strip("0") else self.commit(from_ref)
        after = self.commit(to_ref)
        with self.room() as environment:
            return Changes(_parse_raw(self._output(["diff-tree", *_RAW, _EXACT_RENAMES, before, after], environment)))

    def index_entries(self, paths: Iterable[str | bytes]) -> Changes:
        """The given files in the index, staged (with a status) or as in HEAD (without). What is not tracked is not among them.

        A folder stands for everything below it. Paths are literal: no character has a special meaning.
        """
        wanted = [path.rstrip(b"/") for path in map(os.fsencode, paths)]
        if not wanted:
            return Changes()
        everything = not {b"", b"."}.isdisjoint(wanted)
        fits = not everything and sum(map(len, wanted)) + len(wanted) <= _LONGEST_ARGUMENTS
        only: list[str | bytes] = ["--", *wanted] if fits else []
        with self.room() as environment:
            listed = _parse_stages(self._output(["ls-files", "-z", "--stage", *only], environment))
            raw = self._output(
                ["diff-index", "--cached", *_RAW, "--no-renames", "--ita-invisible-in-index", self._base(), *only], environment
            )
        changes = {entry.path: entry for entry in _parse_raw(raw)}
        if not fits and not everything:
            keep = frozenset(wanted)
            listed = [entry for entry in listed if _is_within(entry.path, keep)]
        return Changes(
            entry if entry.stage else changes.get(entry.path) or entry._replace(status="", old_blob=entry.blob)
            for entry in listed
        )

    def tracked(self, prefix: str | bytes = b"") -> list[bytes]:
        """The paths in the index, all or those below a folder; a submodule is one path, and is a folder on the disk."""
        below = os.fsencode(prefix).rstrip(b"/")
        only: list[str | bytes] = ["--", below] if below not in (b"", b".") else []
        with self.room() as environment:
            output = self._output(["ls-files", "-z", *only], environment)
        return list(dict.fromkeys(output.split(b"\0")[:-1]))  # an unmerged path is listed once a stage

    def read_blobs(self, ids: Iterable[str], *, any_kind: bool = False, patience: float = PATIENCE) -> Iterator[Blob]:
        """Streams the objects, each once, in the order given. Read a blob before you ask for the next one.

        What is not in this clone is answered as missing, never fetched; so is what is no blob, unless `any_kind`.
        """
        distinct = list(dict.fromkeys(ids))
        for id in distinct:
            if len(id) not in (40, 64) or id.strip("0123456789abcdef"):
                raise GitError(f"{id!r} is not an object id")
        if not distinct:
            return
        with self.room() as environment:

            def cat_file(stdin: bytes) -> Child:
                return start(["cat-file", "--batch", "--buffer"], environment=environment, stdin=stdin, patience=patience)

            yield from stream_blobs(distinct, cat_file, any_kind=any_kind)

    def files_at(self, commit: str, paths: Iterable[str]) -> dict[str, IndexEntry]:
        """Which of these files a commit (or HEAD, by its id) has. Links and submodules are among them, with their modes."""
        with self.room() as environment:
            output = self._output(["ls-tree", "-z", commit, "--", *paths], environment)
        found: dict[str, IndexEntry] = {}
        for line in output.split(b"\0")[:-1]:
            head, _, path = line.partition(b"\t")
            mode, _, blob = head.decode("ascii").split(" ")
            found[os.fsdecode(path)] = IndexEntry(path, int(mode, 8), blob, "")
        return found

    def commit(self, ref: str) -> str:
        """The id of the commit that a name given by the user stands for. Raises UsageError for a name that cannot be one."""
        return self.named(ref, "^{commit}")[0]

    def named(self, ref: str, peel: str = "") -> tuple[str, str]:
        """The id and the kind (`commit`, `tag`) of what a name given by the user stands for. `peel`: `^{commit}` for the commit behind
        it. Raises UsageError for a name that cannot be one of a commit, GitError for one that is none."""
        if not ref or ref.startswith("-") or any(character.isspace() or not character.isprintable() for character in ref):
            raise UsageError(f"{ref!r} is not the name of a commit", hint="Give a branch, a tag or a commit id.")
        # The name goes to standard input, where nothing is an option.
        result = run(
            [*HARDENED, "cat-file", "--batch-check"],
            environment=hardened_environment(GIT_DIR=self.git_dir, **self._object_variables()),
            stdin=os.fsencode(ref + peel) + b"\n",
        )
        words = result.output.split()
        if result.code or len(words) != 3 or words[1] not in (b"commit", b"tag"):
            raise GitError(
                f"there is no commit {ref!r} here",
                hint="In CI, check out with the whole history (fetch-depth: 0).",
            )
        return words[0].decode("ascii"), words[1].decode("ascii")

    def hooks_folder(self) -> HooksFolder:
        """Where git looks for hooks, by all of the user's configuration (which is read here, and only here)."""
        environment = hardened_environment(GIT_DIR=self.git_dir)
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"):
            del environment[name]
            if name in os.environ:
                environment[name] = os.environ[name]
        result = run(["config", "--null", "--show-scope", "--type=path", "--get", "core.hooksPath"], environment=environment)
        if result.code == 1 and not result.output:  # not set
            return HooksFolder(os.path.join(self.common_dir, "hooks"), "")
        if result.code:
            raise refused("config", result)
        scope, value = result.output.split(b"\0")[:2]
        # git appends "/pre-commit" to the value: an empty one means the root of the file system
        path = os.path.join(self.root or self.git_dir, os.fsdecode(value) or os.sep)
        return HooksFolder(os.path.normpath(path), scope.decode("ascii"))

    @property
    def empty_tree(self) -> str:
        """The id of a tree without files, which git knows without having it."""
        return _EMPTY_TREE[self.object_format]

    def _base(self) -> str:
        return self.head or self.empty_tree

    def room(self, shallow: bytes = b"") -> Room:
        """A clean room for several calls (see `git_room`). `shallow`: as the repository's file of that name says."""
        return Room(self.object_format, self._objects, self._index, self.git_dir, self._alternates, shallow)

    def of_worktree(self, git_dir: str) -> Repository:
        """The same repository as another of its worktrees sees it: with that one's index, without a HEAD."""
        other = Repository("", git_dir, self.common_dir, self.object_format, "")
        other._objects, other._alternates = self._objects, self._alternates
        return other

    def _object_variables(self) -> dict[str, str]:
        variables = {"GIT_OBJECT_DIRECTORY": self._objects}
        if self._alternates:
            variables["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = self._alternates
        return variables

    def _output(self, arguments: Sequence[str | bytes], environment: dict[str, str]) -> bytes:
        result = run(arguments, environment=environment)
        if result.code:
            raise refused(str(arguments[0]), result)
        return result.output


def refused(command: str, result: Result) -> GitError:
    """The error for a git that said no."""
    reason = result.errors.split("\n", 1)[0].removeprefix("fatal: ") or f"exit code {result.code}"
    hint = "Run: git fsck"
    if "bad object" in reason or "unable to read tree" in reason:
        hint = "The clone does not hold this commit or tree. Fetch it, or clone without --filter and --depth."
    return GitError(f"git {command} failed: {reason}", hint=hint)


def _parse_raw(output: bytes) -> list[IndexEntry]:
    """`:MODE MODE ID ID STATUS NUL PATH NUL`, and a second path for renames and copies."""
    entries: list[IndexEntry] = []
    fields = iter(output.split(b"\0"))
    for head in fields:
        if not head:
            break
        _, mode, old, new, status = head.decode("ascii").split(" ")
        path = next(fields)
        old_path = b""
        if status[0] in "RC":
            old_path, path = path, next(fields)
        entries.append(IndexEntry(path, int(mode, 8), new, status[0], 0, old if old.strip("0") else "", old_path))
    return entries


def _parse_stages(output: bytes) -> list[IndexEntry]:
    """`MODE ID STAGE TAB PATH NUL`."""
    entries: list[IndexEntry] = []
    for line in output.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, blob, stage = head.decode("ascii").split(" ")
        entries.append(IndexEntry(path, int(mode, 8), blob, "U" if stage != "0" else "", int(stage)))
    return entries


def _is_within(path: bytes, wanted: frozenset[bytes]) -> bool:
    """Whether the path itself, or a folder above it, is wanted."""
    while path:
        if path in wanted:
            return True
        path = path.rpartition(b"/")[0]
    return False
