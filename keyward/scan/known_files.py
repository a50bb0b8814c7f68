"""Files of a tree that were clean the last time and have not changed since."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable

from keyward.scan.cache import CleanResults, file_entry, settled
from keyward.scan.examine import Examined, Examiner
from keyward.scan.pool import examine_file

_SQLITE = b"SQLite format 3\0"
_PAGE = 512
"""The smallest page of SQLite: its files have a multiple of it."""

_BESIDE = ("-wal", "-journal")


class KnownFiles:
    """What one process knows of files. `fresh`: entries of those that turned out to be clean, for the process that saves them; `known`: how
    many need not be looked at."""

    def __init__(self, results: CleanResults, clock: Callable[[], float] = time.time) -> None:
        self._results = results
        self._clock = clock
        self.fresh: list[bytes] = []
        self.known = 0

    def examine(self, examiner: Examiner, path: str, *, follow: bool, listed: bool = False) -> Examined:
        """As `examine_file`, but for a file that is known to be clean."""
        try:
            status = os.stat(path) if follow else os.lstat(path)
            entry = self._entry(path, status)
        except (OSError, ValueError):
            return examine_file(examiner, path, follow=follow, listed=listed)
        if entry in self._results:
            self.known += 1
            return Examined([], [], status.st_size)
        examined = examine_file(examiner, path, follow=follow, listed=listed)
        if (
            not examined.occurrences
            and not examined.problems
            and stat.S_ISREG(status.st_mode)
            and settled(status, self._clock())
        ):
            self.fresh.append(entry)
        return examined

    def take(self) -> tuple[list[bytes], int]:
        """`fresh` and `known` since the last call."""
        taken = self.fresh, self.known
        self.fresh, self.known = [], 0
        return taken

    def _entry(self, path: str, status: os.stat_result) -> bytes:
        if status.st_size % _PAGE or not status.st_size or not _is_sqlite(path):
            return file_entry(self._results.digest, path, status)
        # What was written last may stand in a file beside it.
        return file_entry(self._results.digest, path, status, [_status(path + ending) for ending in _BESIDE])


def _is_sqlite(path: str) -> bool:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        return os.read(descriptor, len(_SQLITE)) == _SQLITE
    finally:
        os.close(descriptor)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
