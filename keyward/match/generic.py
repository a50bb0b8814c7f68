"""Signals for values that nothing but their name gives away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from keyward.model.finding import Signal

if TYPE_CHECKING:
    from keyward.match.judge import Context

GENERIC_SIGNALS: tuple["Callable[[Context], Signal | None]", ...] = ()
