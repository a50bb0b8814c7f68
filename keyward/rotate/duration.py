"""Durations as a person writes them: `90d`, `12h`, `30m`, `45s`, `2w`, or `never`."""

from __future__ import annotations

import math
import re

NEVER = math.inf
"""What `never` means as a period."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_FORM = re.compile(r"([1-9][0-9]{0,8})([smhdw])")


def parse(text: str, *, never: bool = False) -> float | None:
    """Seconds; None for what is no duration. `never`: whether that word is one, too."""
    if never and text.strip() == "never":
        return NEVER
    found = _FORM.fullmatch(text.strip())
    return float(int(found[1]) * _UNITS[found[2]]) if found else None


def show(seconds: float) -> str:
    """The same, in the largest unit that is exact down to a tenth; `never` for an infinite one."""
    if seconds == NEVER:
        return "never"
    for unit in ("d", "h", "m"):
        if abs(seconds) >= _UNITS[unit]:
            return f"{seconds / _UNITS[unit]:.1f}".removesuffix(".0") + unit
    return f"{seconds:.0f}s"
