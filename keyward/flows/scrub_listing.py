"""Which files a scrub looks at: those that the operator names, those of a host's sources, those that a report names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from keyward.scan.roles import LIVE, role_of
from keyward.scan.sources.tree import Walk, check_exists, files_under, keep_all
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Refusal

if TYPE_CHECKING:
    from keyward.flows.scrub_files import ScrubOptions
    from keyward.rotate.found import Report

COMPANIONS = ("-wal", "-shm", "-journal")
SQLITE = b"SQLite format 3\0"
"""How a database begins, and the endings of the files beside it (sqlite.org/fileformat.html, tempfiles.html)."""


class Listed(NamedTuple):
    """A file to be looked at. `role`: as its source says, or its name; `named`: whether the operator named it."""

    path: str
    role: str
    named: bool = False


def listed(options: ScrubOptions, report: Report | None) -> tuple[list[Listed], list[str], bool]:
    """The files, what could not be listed, and whether that was all. Raises UsageError for paths that are not there."""
    files, unread, complete = _files(options, report)
    return _without_companions(files), unread, complete


def _files(options: ScrubOptions, report: Report | None) -> tuple[list[Listed], list[str], bool]:
    if options.host:
        return _host_files(options)
    if report is not None and not options.paths:
        roles: dict[str, str] = {}
        for each in report.found:
            if each.locator.source == "tree":
                # one place that a program reads makes it a file that a program reads
                roles[each.path] = LIVE if LIVE in (each.role, roles.get(each.path)) else each.role
        return [Listed(path, role) for path, role in roles.items()], [], True
    walk = Walk([], [])
    files: dict[str, Listed] = {}
    for root in options.paths:
        check_exists(root)
        if os.path.isdir(root):
            for path in files_under(root, keep_all, walk):
                files.setdefault(os.path.abspath(path), Listed(path, role_of(path)))
        else:
            files[os.path.abspath(root)] = Listed(root, role_of(root), True)
    unread = [f"{each.path}: {each.reason}" for each in walk.not_scanned]
    return list(files.values()), unread, not unread


def _host_files(options: ScrubOptions) -> tuple[list[Listed], list[str], bool]:
    from keyward.flows.scan_host import hosts
    from keyward.scan.sources.catalogue import chosen
    from keyward.scan.sources.sweep import Sweep, why_opaque

    tools = chosen(options.sources)
    files: list[Listed] = []
    unread: list[str] = []
    complete = True
    for host in hosts(options.paths):
        sweep = Sweep(host, tools)
        for met in sweep.files():
            opaque = why_opaque(met)
            if opaque and not met.spot.marks:
                unread.append(f"{met.path}: {opaque}")
            else:
                files.append(Listed(met.path, met.spot.role or role_of(met.path)))
        unread += [f"{each.path}: {each.reason}" for each in sweep.not_scanned]
        complete = complete and all(each.opaque for each in sweep.not_scanned)
    return files, unread, complete


def _without_companions(files: Iterable[Listed]) -> list[Listed]:
    """The same, with the database in place of what SQLite keeps beside it: they are scrubbed together."""
    found: dict[str, Listed] = {}
    for file in files:
        path = next((base for suffix in COMPANIONS if (base := file.path.removesuffix(suffix)) != file.path), "")
        if path and _is_database(path):
            file = file._replace(path=path)
        # the operator's own naming of one of them holds for all
        known = found.setdefault(file.path, file)
        found[file.path] = known._replace(named=known.named or file.named)
    return list(found.values())


def _is_database(path: str) -> bool:
    try:
        with OpenFile(path) as opened:
            return opened.read(0, len(SQLITE)) == SQLITE
    except (OSError, Refusal):
        return False
