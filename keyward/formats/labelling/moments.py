"""Points in time as files write them, in seconds since 1970 (UTC); 0 for what is none, or is not of the years 1990 to 2100."""

from __future__ import annotations

import re
import time
from calendar import timegm

_EARLIEST, _LATEST = 631_152_000, 4_102_444_800

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T _](\d\d)[:-](\d\d)[:-](\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?")
_NAMES_OF_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_SYSLOG = re.compile(rf"({_NAMES_OF_MONTHS}) ([ \d]\d) (\d\d):(\d\d):(\d\d)")
_COMMON = re.compile(rf"\[(\d\d)/({_NAMES_OF_MONTHS})/(\d{{4}}):(\d\d):(\d\d):(\d\d) ([+-]\d{{4}})\]")
_MONTHS = {name: number for number, name in enumerate(_NAMES_OF_MONTHS.split("|"), 1)}


def moment(value: object) -> float:
    """Of a value in a document: seconds, milliseconds, micro- or nanoseconds since 1970, or an ISO time."""
    if isinstance(value, bool):
        return 0.0
    if isinstance(value, (int, float)):
        return _plausible(float(value))
    if isinstance(value, str):
        if value.isdigit() and len(value) <= 19:
            return _plausible(float(value))
        match = _ISO.match(value)
        return _iso(match) if match else 0.0
    return 0.0


def moment_in(line: str, now: float | None = None) -> float:
    """Of the first time in a line of a log: ISO 8601, syslog (RFC 3164, without a year) or common log format."""
    if match := _ISO.search(line):
        return _iso(match)
    if match := _COMMON.search(line):
        day, month, year, hour, minute, second, zone = match.groups()
        return _moment(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), zone)
    if match := _SYSLOG.search(line):
        month, day, hour, minute, second = match.groups()
        now = time.time() if now is None else now
        year = time.gmtime(now).tm_year
        found = _moment(year, _MONTHS[month], int(day), int(hour), int(minute), int(second), "")
        # no log is written ahead of its time, so it is of last year
        return (
            found
            if found <= now + 86_400
            else _moment(year - 1, _MONTHS[month], int(day), int(hour), int(minute), int(second), "")
        )
    return 0.0


def _iso(match: re.Match[str]) -> float:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    whole = _moment(int(year), int(month), int(day), int(hour), int(minute), int(second), zone or "")
    return whole + float(f"0.{fraction}") if whole and fraction else whole


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: str) -> float:
    """Without a zone it is taken for UTC: a file does not say where it was written."""
    try:
        if month < 1 or month > 12 or day < 1:
            return 0.0
        seconds = float(timegm((year, month, day, hour, minute, second)))
    except (ValueError, OverflowError):
        return 0.0
    digits = zone[1:].replace(":", "")
    if zone[:1] in ("+", "-") and len(digits) == 4:
        offset = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        seconds += -offset if zone[0] == "+" else offset
    return _plausible(seconds)


def _plausible(number: float) -> float:
    for unit in (1.0, 1e3, 1e6, 1e9):
        if _EARLIEST <= number / unit <= _LATEST:
            return number / unit
    return 0.0
