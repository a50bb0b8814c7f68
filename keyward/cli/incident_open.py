"""`keyward incident prepare`, `open` and `note`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from keyward.cli.incident_place import (
    CLEAN,
    ConfigOption,
    DryRun,
    FolderOption,
    incident_case,
    incident_place,
    inert,
    warn,
)
from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.incident_case import Case
    from keyward.flows.workplace import Workplace


def prepare(
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write the record there, to keep it elsewhere.")
    ] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="Although an incident is open.")] = False,
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> int:
    """Record the host's good state, beforehand: keys that may log in, jobs, units, start files, users, ports, images, env files.

    Values are kept as keyed hashes. For example: keyward incident prepare -o /mnt/stick/host.json
    """
    from keyward.flows.incident_prepare import prepare as flow
    from keyward.report.words import count

    with incident_place(config) as (place, settings):
        made = flow(place, settings, file=output, anyway=anyway, dry_run=dry_run)
    for area, items in made.record.areas.items():
        print(f"  {area}: {len(items)}")
    for path, reason in made.record.unreadable:
        print(f"  not readable: {inert(path)}: {inert(reason)}")
    verb = "would be written" if dry_run else "written"
    print(f"{count(made.record.size, 'item')}; the record {verb}: {inert(made.path)}")
    return CLEAN


def open_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called: bot-leak")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was seen; no secret.")] = "",
    folder: FolderOption = "",
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> int:
    """Start a case: a folder with append-only notes and evidence. Until it is closed, it is the incident that the other commands mean.

    For example: keyward incident open bot-leak --reason "a key stands in a public gist"
    """
    from keyward.flows.incident_case import FOLDER, NAME, open_case
    from keyward.flows.rotate import find_open

    reason = _without_secrets(reason)
    with incident_place(config) as (place, settings):
        where = os.path.abspath(folder) if folder else os.path.join(place.state, FOLDER, name)
        if dry_run:
            if not NAME.fullmatch(name):
                raise UsageError("the name is not of the form `my-name`", hint="Use a-z, 0-9, dot, dash and underscore.")
            print(f"The case would lie in {inert(where)}")
            return CLEAN
        before = _prepared(place)
        made, new = open_case(place, name, folder=folder, reason=reason, prepared=before, retention=settings.retention)
        with made as case:
            _opened(case, reason, new)
            print(f"{'Opened' if new else 'Goes on with'} {name}: {inert(case.folder)}")
            if case.info.key != "store":
                print("note: the store does not answer; the key of the notes lies beside them, so that they prove less")
            if not before:
                print("note: nobody recorded the host's good state, so that nothing can be compared with it")
            begun = find_open(place, ())
        if begun:
            print(f"note: {len(begun)} rotations are unfinished; see: keyward status")
    print("Next: keyward incident contain")
    return CLEAN


def _opened(case: Case, reason: str, new: bool) -> None:
    from keyward.flows.incident_case import STARTED, WHOLE
    from keyward.model.incident import OPEN

    case.phase(OPEN, STARTED)
    case.end(OPEN, "open", "open the case" if new else "open the case again", detail=reason)
    case.phase(OPEN, WHOLE)
    warn(case.told("open", reason))


def note(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What happened; no secret. `-` reads it from standard input.")],
    folder: FolderOption = "",
    config: ConfigOption = None,
) -> int:
    """Write a note into the case. Notes cannot be changed. For example: keyward incident note "called the provider" """
    said = sys.stdin.read(1 << 20).strip() if text == "-" else text
    if not said:
        raise UsageError("the note is empty")
    with incident_case(config, folder) as (_, _, case):
        for line in filter(None, (line.strip() for line in _without_secrets(said).splitlines())):
            case.note(line)
    print("Noted.")
    return CLEAN


def _without_secrets(text: str) -> str:
    """People paste what they see into notes."""
    if not text:
        return ""
    from keyward.scrub import scrub

    clean, _ = scrub(text)
    return clean


def _prepared(place: Workplace) -> float:
    """When the host's record was made; 0 where there is none that can be used."""
    from keyward.errors import KeywardError
    from keyward.flows.incident_prepare import read_record

    try:
        record = read_record(place)
    except KeywardError as error:
        warn(f"the host's record cannot be used: {error}")
        return 0.0
    return record.time if record is not None else 0.0
