"""`keyward config check`: the operator's configuration, offline, and with `live` what its references and stores lead to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import resources
from typing import NamedTuple

from keyward.errors import KeywardError
from keyward.flows.incident_settings import read_settings
from keyward.flows.workplace import Prompt, Workplace, nobody, open_workplace
from keyward.model.kind import Kind
from keyward.model.lane import ConsumerSpec
from keyward.plugin.ports import Hosts, Ports
from keyward.registry import Pack, Registry
from keyward.rotate.lanes import load_lanes
from keyward.rotate.operator import Operator
from keyward.scan.config import load_operator, operator_path
from keyward.stores.settings import unknown_setting


class Checked(NamedTuple):
    """`path`: empty where there is no file. `problems`: what `live` found, as (place, what is wrong, what to do)."""

    path: str
    operator: Operator
    problems: tuple[tuple[str, str, str], ...] = ()


class _Kinds(Collection[str]):
    """The kinds that are known. To ask for one imports its pack; only to list them, for a proposal, imports all: a second. `own`: of the
    operator's rules."""

    def __init__(self, registry: Registry, own: frozenset[str]) -> None:
        self._registry, self._own = registry, own

    def __contains__(self, kind: object) -> bool:
        name = Kind(str(kind))
        return name in self._own or self._registry.declared(name) is not None or self._registry.rotator(name) is not None

    def __iter__(self) -> Iterator[str]:
        declared = {str(kind.name) for pack in self._registry.packs() if isinstance(pack, Pack) for kind in pack.kinds}
        return iter(sorted(declared | {str(kind) for kind in self._registry.rotators()} | self._own))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def check(config: str | None, *, live: bool = False, prompt: Prompt = nobody) -> Checked:
    """Reads the whole file strictly: known keys (of stores too), known kinds, well-formed references and consumers. Raises ConfigError.

    References are resolved, and stores asked whether they can be used, only if `live`.
    """
    path = operator_path(config)
    configured = load_operator(path)
    registry = Registry(plugins=configured.plugins)
    kinds = _Kinds(registry, frozenset(str(each.kind.name) for each in configured.rules))
    operator = load_lanes(path, kinds=kinds, check_consumer=check_consumer, check_store=unknown_setting)
    read_settings(path)
    if not live:
        return Checked(path or "", operator)
    with open_workplace(config, prompt=prompt) as place:
        return Checked(path or "", operator, tuple(_live(place)))


def check_consumer(spec: ConsumerSpec) -> None:
    """Makes the consumer without letting it do anything. Raises ConfigError."""
    from keyward.rotate.consumers import make_consumer

    make_consumer(spec, Ports(Hosts()))


def _live(place: Workplace) -> Iterator[tuple[str, str, str]]:
    for name in place.operator.stores:
        try:
            health = place.store(name).health()
            if not health.usable:
                yield f"stores.{name}", "cannot be used now", health.detail
        except KeywardError as error:
            yield f"stores.{name}", str(error), error.hint
    for _, entry in place.operator.entries():
        for part, reference in entry.admin.items():
            try:
                place.resolve(reference, part)
            except KeywardError as error:
                yield f"{entry.ref}: admin.{part}", str(error), error.hint


def schema() -> str:
    """The JSON schema of the configuration, for editors."""
    return resources.files("keyward.rotate").joinpath("schema", "operator.json").read_text(encoding="utf-8")
