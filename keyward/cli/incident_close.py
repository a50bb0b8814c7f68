"""`keyward incident close`, `report` and `status`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keyward.cli.incident_place import (
    CLEAN,
    HALTED,
    NEEDS_PERSON,
    ConfigOption,
    DryRun,
    FolderOption,
    Yes,
    confirm,
    incident_case,
    incident_place,
    inert,
    warn,
)

if TYPE_CHECKING:
    pass


def close(
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """End the incident and write its report: HTML, Markdown and JSON, in the case. Exit code 5 if something is left to do.

    For example: keyward incident close
    """
    import keyward
    from keyward.flows.incident_eradicate import caught_up
    from keyward.flows.incident_report import build
    from keyward.flows.incident_report import close as flow

    with incident_case(config, folder) as (place, settings, case):
        caught_up(place, case)
        left = build(place, settings, case).left
        for text in left:
            print(f"LEFT: {inert(text)}")
        if dry_run:
            return NEEDS_PERSON if left else CLEAN
        if left and not yes:
            confirm()
        incident, proofs = flow(place, settings, case, keyward.__version__)
        warn(case.told("close", f"{len(incident.left)} left"))
        for proof in proofs:
            print(f"report: {inert(os.path.join(case.folder, proof.path))}")
        if incident.retention:
            from keyward.report.words import moment

            print(f"The evidence is to be kept until {moment(incident.retention)[:10]}")
    return NEEDS_PERSON if incident.left else CLEAN


def report(folder: FolderOption = "", config: ConfigOption = None) -> int:
    """Write the report of the case as it stands now, without closing it. For example: keyward incident report"""
    import keyward
    from keyward.flows.incident_eradicate import caught_up
    from keyward.flows.incident_report import build, write_report

    with incident_case(config, folder) as (place, settings, case):
        caught_up(place, case)
        for proof in write_report(place, build(place, settings, case), case, keyward.__version__):
            print(f"report: {inert(os.path.join(case.folder, proof.path))}")
    return CLEAN


def status(
    folder: FolderOption = "",
    config: ConfigOption = None,
) -> int:
    """How the incident stands, and what is next. Exit code 5 if something is left, 4 if its notes were changed.

    For example: keyward incident status
    """
    from keyward.cli.table import table
    from keyward.flows.incident_case import cases, open_incident
    from keyward.flows.incident_eradicate import caught_up
    from keyward.flows.incident_report import build
    from keyward.report.words import moment

    with incident_place(config) as (place, settings):
        if not folder and open_incident(place.state) is None:
            rows = [(info.name, moment(info.opened), moment(info.closed) or "not closed") for info in cases(place.state)]
            print("No incident is open.")
            print(table(rows, ("NAME", "OPENED", "CLOSED")), end="")
            return CLEAN
    with incident_case(config, folder) as (place, settings, case):
        caught_up(place, case)
        incident = build(place, settings, case)
        print(f"{incident.name}, opened {moment(incident.opened)} by {inert(incident.actor)}: {inert(incident.folder)}")
        phases = [(s.name, moment(s.started) or "-", moment(s.ended) or "-", "; ".join(s.left[:3])) for s in incident.steps]
        print(table(phases, ("PHASE", "BEGUN", "WHOLE", "LEFT")), end="")
        print(table([(lane.name, f"tier {lane.tier}", lane.state) for lane in incident.lanes], ("LANE", "", "STATE")), end="")
        for each in incident.todo:
            print(f"TO DO: {inert(each.ref)}: {inert(each.why)}{f'; then: {inert(each.command)}' if each.command else ''}")
        for text in incident.left:
            print(f"LEFT: {inert(text)}")
        for problem in incident.chain_problems:
            print(f"CHANGED: the notes: {inert(problem)}")
        expired = incident.retention and place.clock.now() > incident.retention
        if expired:
            print(f"The evidence was to be kept until {moment(incident.retention)[:10]}: delete it, or keep it on purpose")
    if incident.chain is False:
        return HALTED
    return NEEDS_PERSON if incident.left else CLEAN
