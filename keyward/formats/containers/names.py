"""Times and names as archives write them down."""

from __future__ import annotations

import calendar

MOST_OTHERS = 200_000
"""Entries of an archive that are no files (folders, links) before it is given up: they are read, and nobody else counts them."""

LATEST = 4_102_444_800
"""2100: a time beyond is no time but damage."""


def text(name: bytes) -> str:
    """A name in an archive: UTF-8, other bytes as surrogates, as a path has them. NULs, line feeds and escapes stay: it is a label."""
    return name.decode("utf-8", "surrogateescape")


def moment(seconds: float) -> float:
    """Seconds since 1970, or 0 if that cannot be a time at which something was written."""
    return float(seconds) if 0 < seconds < LATEST else 0.0


def dos_moment(date: int, time: int) -> float:
    """The time of a DOS directory entry, which says no time zone: taken for UTC."""
    year, month, day = 1980 + (date >> 9), date >> 5 & 15, date & 31
    if not (1 <= month <= 12 and 1 <= day <= 31) or (year, month, day) == (1980, 1, 1):  # the first day stands for none
        return 0.0
    return moment(calendar.timegm((year, month, day, time >> 11, time >> 5 & 63, time % 32 * 2, 0, 0, 0)))


class Others:
    """Counts the entries that are no files."""

    def __init__(self) -> None:
        self._left = MOST_OTHERS

    def count(self) -> None:
        """Raises ValueError if it is one too many."""
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"more than {MOST_OTHERS:,} entries that are no files; the rest was not looked at")
