"""The views by name: what makes them, and what gives a value back. A module is imported when one of its views is wanted."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from keyward.formats.views import Decode, MakeView, Step

_VIEWS = {
    "json": ("escapes", "json_view", "JSON"),
    "percent": ("escapes", "percent_view", "PERCENT"),
    "terminal": ("terminal", "terminal_view", "STEPS"),
    "docker-log": ("records", "docker_view", "DOCKER"),
    "cri-log": ("records", "cri_view", "CRI"),
    "asciinema": ("records", "asciinema_view", "ASCIINEMA"),
    "log": ("records", "log_view", "LOG"),
    "ci-log": ("dated", "ci_view", "CI"),
    "zsh-history": ("histories", "zsh_view", "ZSH"),
    "libedit-history": ("histories", "libedit_view", "LIBEDIT"),
    "fish-history": ("histories", "fish_view", "FISH"),
    "psql-history": ("histories", "psql_view", "PSQL"),
    "nushell-history": ("histories", "nushell_view", "NUSHELL"),
    "python-history": ("histories", "python_view", "PYTHON"),
    "viminfo": ("histories", "viminfo_view", "VIMINFO"),
    "table": ("tables", "table_view", "CELLS"),
    "answer": ("tables", "answer_view", "CELLS"),
}

NAMES = tuple(_VIEWS)


def maker(encoding: str) -> MakeView:
    """What makes a view. Raises KeyError for a name that is none."""
    module, view, _ = _VIEWS[encoding]
    return cast(MakeView, getattr(import_module(f"keyward.formats.readings.{module}"), view))


def decode(encoding: str) -> Decode | None:
    """What a view does to the bytes of one value; None if no view has that name."""
    if encoding not in _VIEWS:
        return None
    module, _, name = _VIEWS[encoding]
    steps = getattr(import_module(f"keyward.formats.readings.{module}"), name)
    sequence = cast("tuple[Step, ...]", steps if isinstance(steps, tuple) else (steps,))

    def decoded(span: bytes) -> bytes:
        for step in sequence:
            span = step.decode(span)
        return span

    return decoded
