"""The breaches that a drill can play."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keyward.testing.drill import leaks
from keyward.testing.drill.services import Services
from keyward.testing.fakes.server import Fault


class Scenario(NamedTuple):
    """`lanes`: whose credentials leaked; empty for all. `planters`: where to. `incident`: whether it is treated with `keyward incident`, or
    command by command; then `rotate` are the words behind `keyward rotate`. `stolen`: whether the machine of the agent is not ours any more.
    `admin`: whether the admin key of a provider is among them. `outage`: makes a provider fail, and answers with what brings it back."""

    name: str
    title: str
    story: str
    planters: tuple[leaks.Planter, ...]
    lanes: tuple[str, ...] = ()
    incident: bool = False
    rotate: tuple[str, ...] = ("--all",)
    stolen: bool = False
    admin: bool = False
    outage: Callable[[Services], Callable[[], None]] | None = None

    @property
    def by_report(self) -> bool:
        """Whether only what the scan's report names is replaced."""
        return "--all" not in self.rotate


def _vendor_down(services: Services) -> Callable[[], None]:
    """GitLab answers every change with 500."""
    services.gitlab.fail(Fault("500", changing=True, times=1_000_000))
    return services.gitlab.faults.clear


_MEMORY = (
    leaks.plant_repository,
    leaks.plant_history,
    leaks.plant_database,
    leaks.plant_transcript,
    leaks.plant_export,
    leaks.plant_packed_log,
)

SCENARIOS = (
    Scenario(
        "leaked-agent-memory",
        "Leaked agent memory",
        "An agent remembered every key that it ever saw, and its folder was copied to a public bucket.",
        _MEMORY,
        incident=True,
    ),
    Scenario(
        "leaked-ci-log",
        "Leaked CI log",
        "A job ran with `set -x`, and its log is public. What did not leak must stay as it is.",
        (leaks.plant_ci_log, leaks.plant_export, leaks.plant_packed_log),
        lanes=("ci",),
        rotate=("--leaked", "report.jsonl"),
    ),
    Scenario(
        "stolen-host",
        "Stolen host",
        "Somebody is on the machine that the agent runs on. It gets no new key; a clean machine takes its place.",
        _MEMORY,
        incident=True,
        stolen=True,
    ),
    Scenario(
        "leaked-admin-key",
        "Leaked admin key",
        "The key that makes and kills the others leaked with them. It is replaced last, by itself.",
        _MEMORY,
        incident=True,
        admin=True,
    ),
    Scenario(
        "provider-down",
        "Provider down during rotation",
        "One vendor answers every change with an error. The others must not wait for it, and nothing may be lost.",
        _MEMORY,
        outage=_vendor_down,
    ),
)


def named(name: str) -> Scenario | None:
    return next((each for each in SCENARIOS if each.name == name), None)
