"""`keyward drill`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from keyward.errors import UsageError

DEFAULT = "leaked-agent-memory"

EXAMPLES = """**Examples**

`keyward drill` — an agent's memory leaked: find, rotate, scrub, look what is left

`keyward drill --scenario stolen-host --keep` — another breach, and the servers run on to look around

`keyward drill --against ~/.config/keyward/config.toml` — your own lanes, dry: order, what would be asked, what would be refused

**Scenarios**: leaked-agent-memory, leaked-ci-log, stolen-host, leaked-admin-key, provider-down

**Exit codes**: 0 nothing is left · 1 something is left, and named · 2 wrong usage, or a server is not installed · 4 (--against) something would
be refused · 130 interrupted
"""


def drill(
    scenario: Annotated[str, typer.Option("--scenario", "-s", metavar="NAME", help="Which breach.")] = DEFAULT,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the folder; on a terminal the servers run until Enter.")] = False,
    against: Annotated[
        str, typer.Option("--against", metavar="CONFIG", help="Rehearse on your own lanes: plan and ask, change nothing.")
    ] = "",
    report: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Where the report goes (HTML).")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show all that the commands say.")] = False,
) -> int:
    """Play a breach on local servers, run the whole loop against it, and look what is left.

    Servers, credentials and leaks are the drill's own, in a temporary folder; nothing of yours is touched. It types the commands
    that you would type. Takes about a minute.
    """
    from keyward.testing.drill.scenarios import SCENARIOS, named

    if against:
        from keyward.testing.drill.rehearsal import rehearse

        if keep or report or scenario != DEFAULT:
            raise UsageError("--against plays no breach", hint="Leave out --scenario, --keep and --output.")
        return rehearse(against, out=sys.stdout, verbose=verbose)
    chosen = named(scenario)
    if chosen is None:
        raise UsageError(f"there is no scenario {scenario!r}", hint=f"One of: {', '.join(each.name for each in SCENARIOS)}.")
    from keyward.testing.drill.run import run_drill

    return run_drill(chosen, keep=keep, report=report, verbose=verbose)
