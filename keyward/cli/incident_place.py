"""What the commands of `keyward incident` share: the place they work in, their options, how they ask and warn."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.incident_case import Case
    from keyward.flows.workplace import Workplace
    from keyward.incident.settings import IncidentSettings

CLEAN, FOUND, INCOMPLETE, HALTED, NEEDS_PERSON, LIVE = 0, 1, 3, 4, 5, 10

ConfigOption = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")]
FolderOption = Annotated[
    str, typer.Option("--folder", metavar="FOLDER", help="The case, if it is not in keyward's state folder.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Only show what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Home = Annotated[list[str] | None, typer.Option("--home", metavar="FOLDER", help="A home folder, yours if none. Repeatable.")]
Source = Annotated[
    list[str] | None, typer.Option("--source", metavar="NAMES", help="Only these sources (env, shell, …). Repeatable.")
]
Repository = Annotated[
    list[str] | None, typer.Option("--repository", metavar="FOLDER", help="Its files and history too. Repeatable.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not ask providers whether keys live.")]
NoHost = Annotated[bool, typer.Option("--no-host", help="Only the repositories, not this machine.")]
Entered = Annotated[
    bool, typer.Option("--entered", help="The thief was on this machine: what stands only where it is used leaked as well.")
]
RecordFile = Annotated[str, typer.Option("--record", metavar="FILE", help="The host's record, if it was kept elsewhere.")]


class incident_place:
    """The workplace and what the configuration says of incidents."""

    def __init__(self, config: str | None) -> None:
        from keyward.cli.rotation import open_place
        from keyward.flows.incident_settings import read_settings
        from keyward.scan.config import operator_path

        self._settings = read_settings(operator_path(config))
        self._place = open_place(config)

    def __enter__(self) -> tuple[Workplace, IncidentSettings]:
        return self._place, self._settings

    def __exit__(self, *_: object) -> None:
        self._place.close()


class incident_case(incident_place):
    """The same with the case."""

    def __init__(self, config: str | None, folder: str) -> None:
        super().__init__(config)
        self._folder = os.path.abspath(folder) if folder else ""
        self._case: Case | None = None

    def __enter__(self) -> tuple[Workplace, IncidentSettings, Case]:  # type: ignore[override]  # it adds the case to what is opened
        from keyward.flows.incident_case import load_case

        try:
            self._case = load_case(self._place, folder=self._folder)
        except BaseException:
            self._place.close()
            raise
        return self._place, self._settings, self._case

    def __exit__(self, *_: object) -> None:
        if self._case is not None:
            self._case.__exit__()
        super().__exit__()


def warn(text: str) -> None:
    if text:
        print(f"keyward: {inert(text)}", file=sys.stderr)


def inert(text: str) -> str:
    from keyward.report.escape import log

    return log(text)


def confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here; nothing was done", hint="Add --yes.")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise UsageError("not confirmed; nothing was done")
