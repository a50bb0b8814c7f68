"""`keyward incident eradicate` and `recover`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from keyward.cli.incident_assess import wished_by
from keyward.cli.incident_place import (
    CLEAN,
    INCOMPLETE,
    ConfigOption,
    DryRun,
    FolderOption,
    Home,
    NoHost,
    Offline,
    Repository,
    Source,
    Yes,
    confirm,
    incident_case,
    inert,
    warn,
)
from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.incident_case import Case


def eradicate(
    leaked: Annotated[bool, typer.Option("--leaked", help="Only what was found to leak; else everything is replaced.")] = False,
    withheld: Annotated[
        list[str] | None,
        typer.Option("--compromised-host", metavar="HOST", help="Consumers on this host get nothing now. Repeatable."),
    ] = None,
    exempt: Annotated[
        list[str] | None, typer.Option("--no-quarantine", metavar="LANE", help="This lane is not stopped. Repeatable.")
    ] = None,
    delete_first: Annotated[bool, typer.Option("--delete-first", help="See: keyward rotate --help")] = False,
    break_glass: Annotated[str, typer.Option("--break-glass", metavar="REASON", help="Without approvals; recorded.")] = "",
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """Replace every credential, those that can be stopped are stopped first: `keyward rotate --all --incident`, noted in the case.

    Exit codes as of `keyward rotate`. For example: keyward incident eradicate --compromised-host agent-7
    """
    from keyward.cli import rotation
    from keyward.flows.incident_assessed import newest
    from keyward.flows.incident_case import PARTLY, STARTED
    from keyward.flows.incident_eradicate import eradicated
    from keyward.flows.incident_leaks import remember_held
    from keyward.flows.selecting import Wanted, select
    from keyward.model.incident import ERADICATE
    from keyward.rotate.found import read_report

    with incident_case(config, folder) as (place, _, case):
        report = ""
        if leaked:
            found = newest(case, "assess")
            if found is None:
                raise UsageError("nobody has looked yet at what leaked", hint="Run: keyward incident assess")
            if not found.leaks:
                raise UsageError("the last look found no leak", hint="Leave --leaked out, and everything is replaced.")
            report = os.path.join(case.folder, found.report)
        wanted = Wanted(report=read_report(report)) if report else Wanted(everything=True)
        refs = [chosen.entry.ref for chosen in select(place, wanted).chosen]
        if not dry_run:
            case.phase(ERADICATE, STARTED)
            remember_held(place, case)
            for ref in refs:
                case.begin(ERADICATE, f"rotate:{ref}", "replace", ref)
    try:
        code = rotation.rotate(
            all_=not leaked, leaked=report or None, incident=True, exempt=exempt, withheld=withheld, delete_first=delete_first,
            dry_run=dry_run, break_glass=break_glass, yes=yes, config=config,
        )  # fmt: skip
    except BaseException:
        if not dry_run:
            with incident_case(config, folder) as (_, _, case):
                case.phase(ERADICATE, PARTLY, ["it was not carried out to its end"])
        raise
    if not dry_run:
        with incident_case(config, folder) as (place, _, case):
            left = eradicated(place, case, code, refs)
            warn(case.told("eradicate", f"{len(refs) - len(left)} of {len(refs)} replaced"))
        print(
            "Next: keyward incident recover" if not left else "Next: what is named above, then keyward incident eradicate again"
        )
    return code


def recover(
    home: Home = None,
    source: Source = None,
    repository: Repository = None,
    no_host: NoHost = False,
    offline: Offline = False,
    no_scrub: Annotated[bool, typer.Option("--no-scrub", help="Leave the echoes where they are.")] = False,
    open_firewall: Annotated[bool, typer.Option("--open-firewall", help="Put the rules back that were there before.")] = False,
    start_again: Annotated[bool, typer.Option("--start-again", help="Run the `undo` of the pause hooks.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Although evidence is not safe, or the firewall has other rules.")
    ] = False,
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """Take the echoes out of logs, transcripts and databases, look again, and ask every consumer whether it is well.

    Exit code 3 if something is left. For example: keyward incident recover --open-firewall --start-again
    """
    from keyward.cli.progress import ProgressLine
    from keyward.flows import incident_recover as flow

    wished = wished_by(home, source, repository, no_host, offline, "", config)
    requested = flow.Requested(scrub=not no_scrub, open_firewall=open_firewall, start_again=start_again, anyway=anyway)
    with incident_case(config, folder) as (place, settings, case):
        lacking = flow.missing_evidence(settings, case)
        if dry_run or not yes:
            print(_would_recover(case, requested, lacking))
        if dry_run:
            return CLEAN
        if not yes:
            confirm()
        line = ProgressLine()
        try:
            done = flow.recover(place, settings, case, wished, requested, tell=lambda text: None)
        finally:
            line.clear()
        warn(case.told("recover", f"{len(done.left)} left"))
    if done.scrubbed:
        print(f"scrubbed: {inert(done.scrubbed)}")
    if done.again is not None:
        print(f"looked again: {len(done.again.leaks)} credentials found")
    for each in done.health:
        state = {True: "well", False: "NOT WELL", None: "unknown"}[each.well]
        print(f"{state}: {inert(each.ref)}: {inert(each.consumer)} {inert(each.detail)}")
    for text in done.left:
        print(f"LEFT: {inert(text)}")
    if not done.left:
        print("Next: keyward incident close")
    return INCOMPLETE if done.left else CLEAN


def _would_recover(case: Case, requested: object, lacking: tuple[str, ...]) -> str:
    from keyward.flows.incident_assessed import newest

    found = newest(case, "assess")
    lines = ["Would do, in this order:"]
    if getattr(requested, "scrub", False):
        places = sum(leak.total for leak in found.leaks) if found else 0
        lines.append(
            f"  scrub {places} places of {found.report if found else 'no report yet'} (see: keyward scrub --leaked … --dry-run)"
        )
    lines += ["  look again at everything", "  ask every consumer, and the provider of every credential"]
    lines += ["  put the firewall's old rules back"] if getattr(requested, "open_firewall", False) else []
    lines += ["  start what was paused"] if getattr(requested, "start_again", False) else []
    lines += [f"  note: evidence that is not safe yet: {each}" for each in lacking]
    return "\n".join(inert(line) for line in lines)
