"""`keyward config`"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Your own configuration: lanes, stores, providers.")

Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
    ),
]


@app.command("check")
def check(
    config: Config = None,
    live: Annotated[
        bool, typer.Option("--live", help="Resolve the references, and ask the stores whether they can be used.")
    ] = False,
) -> int:
    """Read the configuration strictly, and say where it is wrong and what to write instead.

    Exit codes: 0 all well, 1 a name that means nothing, or something that does not work (with --live), 2 the file is wrong. For example: keyward config check --live
    """
    from keyward.cli.ask import ask
    from keyward.flows import config_check as flow
    from keyward.flows.lanes import wrong_names
    from keyward.report.escape import log

    checked = flow.check(config, live=live, prompt=ask)
    operator = checked.operator
    entries = sum(1 for _ in operator.entries())
    problems = [(f"{each.ref}: {each.where}", each.text, each.hint) for each in wrong_names(config)]
    problems += checked.problems
    for where, message, hint in problems:
        print(f"{log(where)}: {log(message)}")
        if hint:
            print(f"  {log(hint)}")
    where = log(checked.path) if checked.path else "no configuration; the defaults hold"
    print(
        f"{where}: {len(operator.lanes)} lanes, {entries} credentials, {len(operator.stores)} stores, {len(problems)} problems"
    )
    return 1 if problems else 0


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of the configuration. For example: keyward config schema > operator.schema.json"""
    from keyward.flows import config_check as flow

    print(flow.schema(), end="")
