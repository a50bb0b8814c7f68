"""Finds the repository of a path, as git would, and decides what to believe of the variables that a hook inherits."""

from __future__ import annotations

import os

from keyward.errors import GitError
from keyward.scan.git import Repository
from keyward.scan.git_process import HARDENED, Result, hardened_environment, run

_OBJECT_VARIABLES = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


def discover(path: str) -> Repository | None:
    """See `Repository.discover`."""
    folder = os.path.realpath(path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    native = _probe(folder)
    if native is not None and native.root and not _is_below(folder, native.root) and not _is_below(folder, native.git_dir):
        raise GitError(  # core.worktree: nobody asked for the files of that other place
            f"the repository in {native.git_dir} says that its files are in {native.root}",
            hint="Look at core.worktree in its configuration.",
        )
    if not (os.environ.get("GIT_DIR") or os.environ.get("GIT_INDEX_FILE") or os.environ.get("GIT_OBJECT_DIRECTORY")):
        return native
    here = os.path.realpath(".")
    current = _current(native if folder == here else _probe(here), here)
    if current is None or not _is_meant(current, native, folder):
        return native
    return Repository(current.root, current.git_dir, current.common_dir, current.object_format, current.head, _inherited())


def _current(found: Repository | None, here: str) -> Repository | None:
    """The repository that git itself works in, where we were started."""
    git_dir = os.environ.get("GIT_DIR")
    work_tree = os.environ.get("GIT_WORK_TREE")
    if not git_dir:
        return found
    git_dir = os.path.abspath(git_dir)
    if found is not None and not work_tree and os.path.realpath(git_dir) == os.path.realpath(found.git_dir):
        return found  # a hook in a linked worktree: git would take the current folder, even a deeper one, for the top
    variables = {"GIT_DIR": git_dir}
    if work_tree:
        variables["GIT_WORK_TREE"] = os.path.abspath(work_tree)
    return _probe(here, variables)


def _is_meant(current: Repository, native: Repository | None, folder: str) -> bool:
    """Whether the path belongs to the repository that git works in, and not to another one that lies inside or elsewhere."""
    if native is not None and os.path.realpath(native.git_dir) == os.path.realpath(current.git_dir):
        return True
    if not os.environ.get("GIT_DIR") or not current.root or not _is_below(folder, current.root):
        return False
    return native is None or not native.root or _is_below(current.root, native.root)


def _is_below(path: str, folder: str) -> bool:
    path, folder = os.path.normcase(os.path.realpath(path)), os.path.normcase(os.path.realpath(folder))
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _inherited() -> dict[str, str]:
    kept: dict[str, str] = {}
    for name in ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        if os.environ.get(name):
            kept[name] = os.path.abspath(os.environ[name])
    if os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES"):
        kept["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = os.environ["GIT_ALTERNATE_OBJECT_DIRECTORIES"]  # git makes them absolute
    return kept


_FIELDS = ("--show-object-format", "--git-dir", "--git-common-dir", "--show-toplevel", "HEAD")


def _probe(folder: str, variables: dict[str, str] | None = None) -> Repository | None:
    """One git for the usual case, two where there is no working tree."""
    result = _rev_parse(folder, variables, *_FIELDS)
    bare = "must be run in a work tree" in result.errors
    if bare:
        result = _rev_parse(folder, variables, *_FIELDS[:3], "HEAD")
    lines = os.fsdecode(result.output).split("\n")
    # before the first commit, rev-parse repeats the name that it cannot resolve, and complains
    unborn = lines[-2:] == ["HEAD", ""] and "ambiguous argument 'HEAD'" in result.errors
    if (result.code == 0 or unborn) and len(lines) == len(_FIELDS) + (not bare):
        object_format, git_dir, common_dir = lines[:3]
        return Repository("" if bare else lines[3], git_dir, common_dir, object_format, "" if unborn else lines[-2])
    if "not a git repository (or any" in result.errors:
        return None
    return _probe_slowly(folder, variables)


def _probe_slowly(folder: str, variables: dict[str, str] | None) -> Repository:
    """One git for each question: with a line feed in a folder's name, or where git refuses to answer them together."""

    def ask(*question: str) -> Result:
        result = _rev_parse(folder, variables, *question)
        return result._replace(output=result.output.removesuffix(b"\n"))

    def demand(question: str) -> str:
        result = ask(question)
        if result.code:
            reason = result.errors.split("\n", 1)[0].removeprefix("fatal: ")
            raise GitError(f"git refuses this repository: {reason}", hint="Try `git status` in the same folder.")
        return os.fsdecode(result.output)

    object_format, git_dir, common_dir = map(demand, _FIELDS[:3])
    root = ask("--show-toplevel")
    head = ask("--verify", "--quiet", "HEAD")
    return Repository(
        "" if root.code else os.fsdecode(root.output),
        git_dir,
        common_dir,
        object_format,
        "" if head.code else head.output.decode("ascii"),
    )


def _rev_parse(folder: str, variables: dict[str, str] | None, *question: str) -> Result:
    """rev-parse opens the configuration and the refs, and no object, index or file of the working tree."""
    return run(
        [*HARDENED, "-C", folder, "rev-parse", "--path-format=absolute", *question],
        environment=hardened_environment(**(variables or {})),
    )
