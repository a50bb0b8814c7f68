"""Signals, counts and sizes in words."""

from __future__ import annotations

from collections.abc import Iterable

from keyward.model.finding import Signal

ROLES = {"live-config": "live configuration", "echo": "an echo"}
"""What a place is: something reads its secret from there, or it was only written down there."""

_WORDS = {
    "pattern": "it has the form of {}",
    "checksum": "its {}",
    "structure": "structure: {}",
    "partner": "{}",
    "alone": "{}",
    "template file": "it stands in a template",
    "test path": "it stands among tests",
    "shape": "it {}",
}
"""How the signals that keyward itself knows are said; any other is named as it is."""


def why(signals: Iterable[Signal]) -> tuple[str, str]:
    """What speaks for a match, and what speaks against it. Not escaped."""
    said: list[tuple[int, str]] = [(signal.weight, _say(signal)) for signal in signals]
    return "; ".join(text for weight, text in said if weight > 0), "; ".join(text for weight, text in said if weight < 0)


def _say(signal: Signal) -> str:
    words = _WORDS.get(signal.name)
    if words is None or ("{}" in words and not signal.detail):
        return f"{signal.name} ({signal.detail})" if signal.detail else signal.name
    return words.replace("{}", signal.detail)


def count(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(seconds: float) -> str:
    """`2026-01-31T12:00:05Z`; empty for 0, which means unknown, and for what no calendar has."""
    if not seconds:
        return ""
    import time  # the hook's findings have no time

    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return ""


def tally(names: Iterable[str]) -> list[tuple[str, int]]:
    """How often each name occurs, most often first, then in the order of first appearance."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])


def size(number: int) -> str:
    """`512 bytes`, `3.4 MB`."""
    if number < 1000:
        return count(number, "byte")
    amount = float(number)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"
