"""`keyward incident assess`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keyward.cli.incident_place import (
    CLEAN,
    FOUND,
    INCOMPLETE,
    LIVE,
    ConfigOption,
    DryRun,
    Entered,
    FolderOption,
    Home,
    NoHost,
    Offline,
    RecordFile,
    Repository,
    Source,
    incident_case,
    inert,
    warn,
)

if TYPE_CHECKING:
    from keyward.flows.incident_assess import Wished
    from keyward.flows.incident_assessed import Assessed
    from keyward.flows.incident_case import Case
    from keyward.flows.workplace import Workplace
    from keyward.incident.settings import IncidentSettings


def assess(
    home: Home = None,
    source: Source = None,
    repository: Repository = None,
    no_host: NoHost = False,
    offline: Offline = False,
    record: RecordFile = "",
    entered: Entered = False,
    folder: FolderOption = "",
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> int:
    """Find out what leaked, since when, whether it lives, which lanes burn, what changed on the host, and what still holds old keys.

    Exit code 10 if a leaked key lives, 1 if something leaked, 3 if nothing was found and something could not be looked at.

    For example: keyward incident assess --repository ~/bot
    """
    from keyward.cli.progress import ProgressLine
    from keyward.flows.incident_assess import assess as flow

    wished = wished_by(home, source, repository, no_host, offline, record, config, entered)
    with incident_case(config, folder) as (place, settings, case):
        if dry_run:
            print(_would_look(settings, wished))
            return CLEAN
        line = ProgressLine()
        try:
            found = flow(place, settings, case, wished, progress=line, asked=line.asked)
        finally:
            line.clear()
        warn(case.told("assess", f"{len(found.leaks)} leaked"))
        print(_assessed(place, case, found), end="")
    if any(leak.verdict in ("live", "restricted") for leak in found.leaks):
        return LIVE
    return FOUND if found.leaks else INCOMPLETE if found.not_looked_at else CLEAN


def wished_by(
    home: list[str] | None,
    source: list[str] | None,
    repository: list[str] | None,
    no_host: bool,
    offline: bool,
    record: str,
    config: str | None,
    entered: bool = False,
) -> Wished:
    from keyward.flows.incident_assess import Wished

    names = tuple(name for each in source or () for name in each.split(",") if name)
    return Wished(
        tuple(home or ()),
        names,
        tuple(repository or ()),
        not offline,
        record=record,
        config=config,
        host=not no_host,
        entered=entered,
    )


def _would_look(settings: IncidentSettings, wished: Wished) -> str:
    where = [*(wished.homes or ("your home, and where tools keep files",))] if wished.host else []
    where += [f"files and history of {path}" for path in (*settings.repositories, *wished.repositories)]
    where += [f"backups in {path}" for path in settings.backups]
    where += [f"snapshots of {machine.instance}" for machine in settings.machines]
    where.append("the host's record, compared with what is there now")
    asked = "Providers would be asked about each key that is found." if wished.ask else "No provider would be asked."
    return "\n".join(("Would look at:", *(f"  {inert(each)}" for each in where), asked))


def _assessed(place: Workplace, case: Case, found: Assessed) -> str:
    from keyward.cli.table import table
    from keyward.report.words import count, moment

    rows = [
        (leak.ref or "(no lane)", leak.kind, leak.masked, leak.verdict or "not asked", moment(leak.since), str(leak.total))
        for leak in sorted(found.leaks, key=lambda leak: (leak.tier or 9, leak.ref))
    ]
    text = f"{count(len(found.leaks), 'credential')} leaked\n"
    text += table(rows, ("CREDENTIAL", "KIND", "VALUE", "STATE", "SINCE", "PLACES"), indent="  ")
    if found.at_home:
        text += f"{len(found.at_home)} more stand only where they are used: {inert(', '.join(found.at_home))}\n"
        text += "  If the thief was on this machine, they leaked as well: keyward incident assess --entered\n"
    burnt = {ref.partition("/")[0] for leak in found.leaks for ref in leak.ref.split(", ") if ref}
    if burnt:
        text += f"Lanes that burn: {inert(', '.join(sorted(burnt)))}\n"
    if found.drift is None:
        text += "The host was not compared: there is no record of its good state that can be used\n"
    else:
        text += f"{count(len(found.drift), 'difference')} of the host from its record\n"
        text += table(
            [("!" if d.suspicious else "", d.area, d.change, d.name, d.detail) for d in found.drift],
            indent="  ",
        )
    if found.holders:
        text += "May still hold old keys:\n" + table([(h.what, h.name, h.action) for h in found.holders], indent="  ")
    for ref, reason in found.unasked:
        text += f"Nobody can tell whether {inert(ref)} leaked: {inert(reason)}\n"
    if found.not_looked_at:
        text += f"Not looked at: {len(found.not_looked_at)}\n"
        text += table([(path, reason) for path, reason in found.not_looked_at[:20]], indent="  ")
    text += f"The report is in {inert(os.path.join(case.folder, found.report))}\n"
    return text + "Next: keyward incident eradicate\n"
