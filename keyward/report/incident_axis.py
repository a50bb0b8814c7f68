"""A time axis: where a moment lies on it, and at which round moments it has ticks."""

from __future__ import annotations

import calendar
import time
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400

TICKS = 3
"""At most so many, so that their labels do not touch on a phone."""

LATEST = 253402300799.0
"""The last second of the year 9999: no calendar here goes further, and a damaged time stamp may."""

_STEPS = (
    *((seconds, "%H:%M:%S") for seconds in (1, 2, 5, 10, 15, 30)),
    *((seconds * MINUTE, "%H:%M") for seconds in (1, 2, 5, 10, 15, 30)),
    *((hours * HOUR, "%H:%M") for hours in (1, 2, 3, 6)),
    *((days * DAY, "day") for days in (1, 2, 4, 7, 14)),
)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 12000)


class Tick(NamedTuple):
    """One tick: how far along the axis, in percent, and what stands there."""

    at: float
    label: str


class Axis(NamedTuple):
    """From `start` to `end`, in seconds since 1970 (UTC)."""

    start: float
    end: float

    def at(self, moment: float) -> float:
        """Where a moment lies, in percent; what is outside lies at the border."""
        if self.end <= self.start:
            return 0.0
        return round(100 * min(1.0, max(0.0, (moment - self.start) / (self.end - self.start))), 3)

    def ticks(self) -> tuple[Tick, ...]:
        """Round moments within it, at most TICKS."""
        length = self.end - self.start
        for step, form in _STEPS:
            if length / step <= TICKS:
                first = -(-self.start // step) * step
                moments = [first + n * step for n in range(TICKS + 1) if first + n * step <= self.end]
                crosses = form == "%H:%M" and self.start // DAY != self.end // DAY
                return tuple(Tick(self.at(at), _label(at, "hour" if crosses else form)) for at in moments[:TICKS])
        for months in _MONTHS:
            if length / (months * 30.4 * DAY) <= TICKS:
                return self._months(months)
        return ()

    def _months(self, step: int) -> tuple[Tick, ...]:
        begin = time.gmtime(self.start)
        month = (begin.tm_year * 12 + begin.tm_mon - 1) // step * step
        found: list[Tick] = []
        while len(found) < TICKS:
            year, number = divmod(month, 12)
            if year > 9999:
                break
            moment = float(calendar.timegm((year, number + 1, 1, 0, 0, 0))) if year else self.start - 1
            if moment > self.end:
                break
            if moment >= self.start:
                found.append(Tick(self.at(moment), _label(moment, "year" if step % 12 == 0 else "month")))
            month += step
        return tuple(found)


def axis(moments: list[float]) -> Axis | None:
    """The axis that holds all of the moments (0 and what no calendar has left out), with a little room; None if there is none."""
    known = [moment for moment in moments if 0 < moment <= LATEST]
    if not known:
        return None
    start, end = min(known), max(known)
    room = max(1.0, (end - start) * 0.015)
    return Axis(max(1.0, start - room), min(LATEST, end + room))


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _label(moment: float, form: str) -> str:
    at = time.gmtime(moment)
    month = _NAMES[at.tm_mon - 1]
    if form == "year":
        return str(at.tm_year)
    if form == "month":
        return f"{month} {at.tm_year}"
    if form == "day":
        return f"{at.tm_mday} {month}"
    if form == "hour":
        return f"{at.tm_mday} {month} {at.tm_hour:02}:{at.tm_min:02}"
    return time.strftime(form, at)
