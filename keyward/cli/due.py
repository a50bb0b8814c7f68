"""`keyward due`"""

from __future__ import annotations

from typing import Annotated

import typer


def due(
    everything: Annotated[bool, typer.Option("--all", help="Show what is not due, too.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Ask the provider where the store does not know the age.")] = False,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
        ),
    ] = None,
) -> int:
    """Say which credentials should be rotated now, and by which rule. Exit code 1 if any, 3 if a store could not be read.

    For example, in cron: keyward due
    """
    import time

    from keyward.cli.ask import ask
    from keyward.cli.lanes import NONE_YET
    from keyward.cli.table import table
    from keyward.flows.lanes import due_rows
    from keyward.flows.workplace import open_workplace
    from keyward.rotate.due import UNREADABLE

    def day(seconds: float | None) -> str:
        if seconds is None:
            return "unknown"
        return "never" if seconds == float("inf") else time.strftime("%Y-%m-%d", time.gmtime(seconds))

    with open_workplace(config, prompt=ask) as place:
        rows = due_rows(place, live=live)
    shown = [row for row in rows if everything or row.due or row.state == UNREADABLE]
    cells = [(row.entry.ref, row.state, day(row.last), day(row.next), row.reason) for row in shown]
    print(table(cells, ("CREDENTIAL", "STATE", "LAST", "NEXT", "WHY")), end="")
    late = sum(row.due for row in rows)
    print(f"{len(rows)} credentials, {late} due")
    if not rows:
        print(f"  {NONE_YET}")
    return 1 if late else 3 if any(row.state == UNREADABLE for row in rows) else 0
