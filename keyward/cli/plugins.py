"""`keyward plugins`"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Detector packs: built-in, and those that your own configuration names.")

Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
    ),
]


@app.command("list")
def list_plugins(config: Config = None) -> None:
    """List the packs: where each comes from, how many kinds and rules, or why it is unavailable."""
    from keyward.flows import plugins as flow
    from keyward.report.escape import terminal

    rows = flow.listing(config)
    wide = max(len(row.name) for row in rows)
    for row in rows:
        what = f"{row.kinds} kinds, {row.rules} rules" if not row.reason else f"unavailable: {terminal(row.reason)}"
        print(f"{terminal(row.name):<{wide}}  {row.origin:<11}  {what}")
    offered = flow.not_named(config)
    if offered:
        print(f"\nInstalled, and not named in your configuration: {', '.join(terminal(name) for name in offered)}")
        print('To load one, put  plugins = ["NAME"]  into the operator\'s configuration.')


@app.command("check")
def check(config: Config = None) -> int:
    """Check that every pack loads and keeps its contract, and that kinds join up. Exit code 2 if not."""
    from keyward.flows import plugins as flow
    from keyward.report.escape import terminal
    from keyward.report.words import count

    problems = flow.check(config)
    for problem in problems:
        print(f"{terminal(problem.where)}: {terminal(problem.message)}")
    print(f"{len(flow.listing(config))} packs: {count(len(problems), 'problem')}")
    return 2 if problems else 0
