"""All named sources of a host, from one module a tool, and the choice among them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable

from keyward.errors import UsageError
from keyward.scan.sources import agents
from keyward.scan.sources.host import GROUPS, OPT_IN, Tool

_MODULES = ("env", "shell", "exports", "browser", "configs", "logs", "processes")


def tools() -> tuple[Tool, ...]:
    """Every source, group by group in the order of `GROUPS`. Raises ValueError if two have one name."""
    names = [f"keyward.scan.sources.{name}" for name in _MODULES]
    names += [f"{agents.__name__}.{module.name}" for module in pkgutil.iter_modules(agents.__path__)]
    found: list[Tool] = [tool for name in names for tool in importlib.import_module(name).TOOLS]
    order = {group: number for number, group in enumerate((*GROUPS, *OPT_IN))}
    found.sort(key=lambda tool: order[tool.group])
    full = [tool.full_name for tool in found]
    if len(full) != len(set(full)):
        raise ValueError(f"two sources have one name: {sorted(name for name in full if full.count(name) > 1)}")
    return tuple(found)


def chosen(names: Iterable[str], among: Iterable[Tool] | None = None) -> tuple[Tool, ...]:
    """The sources that are named by group (`env`) or in full (`agents/openclaw`); all that need not be asked for if none is.

    Raises UsageError for a name that is none, and says which there are.
    """
    every = tools() if among is None else tuple(among)
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return tuple(tool for tool in every if tool.group not in OPT_IN)
    for name in wanted:
        if not any(name in (tool.group, tool.full_name) for tool in every):
            raise UsageError(f"there is no source {name!r}", hint=_which(name, every))
    return tuple(tool for tool in every if tool.group in wanted or tool.full_name in wanted)


def _which(name: str, every: Iterable[Tool]) -> str:
    group = name.partition("/")[0]
    within = [tool.full_name for tool in every if tool.group == group]
    by_tool = [tool.full_name for tool in every if tool.name == name]
    if by_tool:
        return f"Write it in full: {', '.join(by_tool)}."
    if within:
        return f"There are: {', '.join(within)}."
    return f"The groups are: {', '.join((*GROUPS, *OPT_IN))}. `keyward sources --all` lists every source."
