"""`keyward incident contain`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from keyward.cli.incident_place import (
    CLEAN,
    HALTED,
    NEEDS_PERSON,
    ConfigOption,
    DryRun,
    FolderOption,
    Yes,
    incident_case,
    inert,
    warn,
)
from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.incident_contain import ContainStep


def contain(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="STEP", help="pause, snapshot, firewall, copies, stop, or one of them (stop:bot). Repeatable."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what is done already.")] = False,
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """Stop what the configuration allows, and secure evidence: pause hooks, snapshot, firewall, encrypted copies, docker stop.

    Each step is shown and approved; nothing is deleted. Exit code 4 if a step failed, 5 if one was not approved.

    For example: keyward incident contain --dry-run
    """
    from keyward.flows import incident_contain as flow
    from keyward.flows.incident_case import told
    from keyward.model.incident import DONE, SKIPPED

    with incident_case(config, folder) as (place, settings, case):
        steps = flow.plan(settings, case.info.name, told(case))
        print(_shown(steps), end="", flush=True)
        if dry_run:
            return HALTED if any(step.refusal for step in steps) else CLEAN
        if not yes and not sys.stdin.isatty():
            raise UsageError("nobody can be asked here; nothing was done", hint="Look at the plan, then add --yes.")
        approve = _approve_all if yes else _approve
        wanted = only or ()
        done = flow.contain(place, settings, case, approve=approve, tell=_say, again=again, only=wanted)
        warn(case.told("contain", ", ".join(f"{step.id} {outcome}" for step, outcome, _ in done.outcomes)))
    for step, outcome, detail in done.outcomes:
        if outcome != DONE:
            print(f"{outcome.upper()}: {inert(step.what)} {inert(step.target)}: {inert(detail)}")
    if done.failed:
        return HALTED
    skipped = any(outcome == SKIPPED for _, outcome, _ in done.outcomes)
    print("Next: keyward incident assess")
    return NEEDS_PERSON if skipped else CLEAN


def _shown(steps: tuple[ContainStep, ...]) -> str:
    lines = []
    for number, step in enumerate(steps, 1):
        state = f"  ({step.state} before)" if step.state else ""
        lines.append(f"  {number}. {inert(step.what)} {inert(step.target)}".rstrip() + state)
        lines.append(f"     CANNOT: {inert(step.refusal)}. {inert(step.hint)}" if step.refusal else f"     {inert(step.how)}")
    return "\n".join(("Containment, in this order:", "", *lines, "", ""))


def _approve_all(step: ContainStep) -> bool:
    return True


def _approve(step: ContainStep) -> bool:
    answer = input(f"{inert(step.what)} {inert(step.target)}? [y/N/q] ").strip().lower()
    if answer == "q":
        raise UsageError("ended before its end", hint="Go on with: keyward incident contain")
    return answer in ("y", "yes")


def _say(id: str, text: str) -> None:
    print(f"{inert(id)}: {inert(text)}", flush=True)
