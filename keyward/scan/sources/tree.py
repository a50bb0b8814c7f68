"""Directories and named files: which regular files there are, without following a link out of the root."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import NamedTuple

from keyward.errors import UsageError
from keyward.model.finding import Excluded, NotScanned

Exclude = Callable[[str, bool], str]
"""Given a path relative to the root (with `/`) and whether it is a folder: the rule that excludes it, or an empty string."""

VERSION_CONTROL = ".git"
_NAME = attrgetter("name")


def keep_all(path: str, folder: bool) -> str:
    return ""


class Walk(NamedTuple):
    """What a walk leaves behind besides the files: paths that were left out, and those that could not be listed."""

    excluded: list[Excluded]
    not_scanned: list[NotScanned]


def check_exists(path: str) -> None:
    """Raises UsageError for a path that is not there."""
    if not os.path.lexists(path):
        raise UsageError(f"there is no {path!r}", hint="Check the spelling; paths are relative to the current folder.")


def files_under(root: str, exclude: Exclude, walk: Walk) -> Iterator[str]:
    """Every regular file under a folder, git-ignored ones included, as `root/…`. A root that is a file is itself the only one.

    Links are not followed: what they point to inside the root is met by itself, and what lies outside was not asked for
    (it is listed as excluded). `.git` is left to the history scan.
    """
    if not os.path.isdir(root):
        yield from _single(root, walk)
        return
    prefix = "" if root == "." else root.rstrip("/") + "/" if root != "/" else "/"
    real_root = os.path.realpath(root)
    selective = exclude is not keep_all
    pending = [""]
    while pending:
        relative = pending.pop()
        folder = prefix + relative if relative else root
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=_NAME)
        except OSError as error:
            walk.not_scanned.append(NotScanned(folder, _reason(error)))
            continue
        folders: list[str] = []
        for entry in listed:
            name = entry.name
            inside = f"{relative}/{name}" if relative else name
            try:
                is_file = entry.is_file(follow_symlinks=False)
                is_folder = not is_file and entry.is_dir(follow_symlinks=False)
            except OSError as error:
                walk.not_scanned.append(NotScanned(prefix + inside, _reason(error)))
                continue
            if name == VERSION_CONTROL:
                continue
            rule = exclude(inside, is_folder) if selective else ""
            if rule:
                walk.excluded.append(Excluded(prefix + inside, rule))
            elif is_file:
                yield prefix + inside
            elif is_folder:
                folders.append(inside)
            else:
                _note_special(prefix + inside, entry, real_root, walk)
        pending.extend(reversed(folders))


def _single(path: str, walk: Walk) -> Iterator[str]:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        walk.not_scanned.append(NotScanned(path, _reason(error)))
        return
    if stat.S_ISREG(mode):
        yield path
    else:
        walk.not_scanned.append(NotScanned(path, "not a regular file"))


def _note_special(path: str, entry: os.DirEntry[str], real_root: str, walk: Walk) -> None:
    if entry.is_symlink():
        target = os.path.realpath(path)
        if target != real_root and not target.startswith(real_root.rstrip("/") + "/"):
            walk.excluded.append(Excluded(path, "symbolic link that leads out of the scanned folder"))
        return
    walk.excluded.append(Excluded(path, "not a regular file (device, socket or pipe)"))


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "vanished during the scan"
    return (error.strerror or type(error).__name__).lower()


_FLAGS = os.O_RDONLY
for _name in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)
_FLAGS_NO_FOLLOW = _FLAGS | getattr(os, "O_NOFOLLOW", 0)


def open_file(path: str, *, follow: bool) -> int:
    """A descriptor for reading. A link is refused unless `follow`; a pipe is never waited for. Raises OSError."""
    return os.open(path, _FLAGS if follow else _FLAGS_NO_FOLLOW)


def open_regular(path: str, *, follow: bool) -> int:
    """The same of a regular file. Raises OSError, for anything else with errno 0 and a sentence."""
    descriptor = open_file(path, follow=follow)
    try:
        check_regular(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def check_regular(descriptor: int) -> None:
    """Raises OSError, with errno 0 and a sentence, if the descriptor is not that of a regular file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(0, "not a regular file")


def failure(path: str, error: OSError) -> NotScanned:
    """How an error while reading a file is reported."""
    return NotScanned(path, _reason(error))
