"""`keyward plugins`: which packs there are, and whether they keep their contract."""

from __future__ import annotations

from typing import NamedTuple

from keyward.flows.rules import check as check_rules
from keyward.registry import Pack, Registry, Unavailable
from keyward.scan.config import load_operator, operator_path
from keyward.testing.detector_contract import Problem


class Row(NamedTuple):
    """One pack; `reason` is why it is unavailable, or empty."""

    name: str
    origin: str
    kinds: int
    rules: int
    reason: str


def _registry(config: str | None) -> Registry:
    return Registry(plugins=load_operator(operator_path(config)).plugins)


def listing(config: str | None) -> list[Row]:
    rows = []
    for pack in _registry(config).packs():
        if isinstance(pack, Pack):
            rows.append(Row(pack.name, pack.origin, len(pack.kinds), len(pack.rules), ""))
        else:
            rows.append(Row(pack.name, pack.origin, 0, 0, pack.reason))
    return rows


def not_named(config: str | None) -> list[str]:
    """Third-party packs that are installed and that the operator's configuration does not name. None of them is imported."""
    from importlib.metadata import entry_points

    named = set(load_operator(operator_path(config)).plugins)
    return sorted({point.name for point in entry_points(group="keyward.detectors")} - named)


def check(config: str | None) -> list[Problem]:
    """Every pack's problems, and those of the whole: a kind or rule id that two packs declare. Those that do not load come alone: to check the
    others takes many times as long, and would say nothing of what was asked."""
    registry = _registry(config)
    missing = [pack for pack in registry.packs() if isinstance(pack, Unavailable)]
    if missing:
        return [Problem(pack.name, f"cannot be loaded: {pack.reason}; the others were not checked") for pack in missing]
    problems = list(check_rules(registry).problems)
    kinds: dict[str, str] = {}
    rules: dict[str, str] = {}
    for pack in registry.packs():
        if not isinstance(pack, Pack):
            continue
        for name, seen in [(str(kind.name), kinds) for kind in pack.kinds] + [(rule.id, rules) for rule in pack.rules]:
            if seen.setdefault(name, pack.name) != pack.name:
                problems.append(Problem(name, f"declared by two packs: {seen[name]} and {pack.name}"))
    return problems
