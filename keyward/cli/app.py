"""The command line, made of one module per command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

import keyward
from keyward.cli import (
    approve,
    audit,
    baseline,
    config,
    drill,
    due,
    explain,
    hook,
    incident,
    init,
    lanes,
    playbook,
    plugins,
    revoke,
    rotation,
    rules,
    scan,
    scrub,
    sources,
    vault,
    verify,
)
from keyward.errors import UsageError

app = typer.Typer(
    name="keyward",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Finds leaked credentials, and replaces them.",
    epilog="Start with `keyward scan`. Every command explains itself with `--help`.",
)
FIND, REPLACE, CLEAN_UP, INCIDENT, SET_UP = "Find", "Replace", "Clean up", "Incident", "Set up"

app.command("scan", epilog=scan.EXAMPLES, rich_help_panel=FIND)(scan.scan)
app.command("verify", rich_help_panel=FIND)(verify.verify)
app.command("explain", rich_help_panel=FIND)(explain.explain)
app.command("sources", rich_help_panel=FIND)(sources.sources)
app.add_typer(baseline.app, name="baseline", rich_help_panel=FIND)
app.add_typer(hook.app, name="hook", rich_help_panel=FIND)
app.add_typer(rules.app, name="rules", rich_help_panel=FIND)

for command in (
    rotation.plan,
    rotation.rotate,
    rotation.resume,
    rotation.provide,
    rotation.distribute,
    rotation.status,
    rotation.history,
    rotation.abort,
    revoke.revoke,
    approve.approve,
    due.due,
):
    app.command(command.__name__, rich_help_panel=REPLACE)(command)

app.command("scrub", epilog=scrub.EXAMPLES, rich_help_panel=CLEAN_UP)(scrub.scrub)

app.add_typer(incident.app, name="incident", rich_help_panel=INCIDENT)
app.command("playbook", rich_help_panel=INCIDENT)(playbook.playbook)
app.command("drill", epilog=drill.EXAMPLES, rich_help_panel=INCIDENT)(drill.drill)

app.command("init", rich_help_panel=SET_UP)(init.init)
app.add_typer(lanes.app, name="lanes", rich_help_panel=SET_UP)
app.add_typer(config.app, name="config", rich_help_panel=SET_UP)
app.add_typer(vault.app, name="vault", rich_help_panel=SET_UP)
app.add_typer(audit.app, name="audit", rich_help_panel=SET_UP)
app.add_typer(plugins.app, name="plugins", rich_help_panel=SET_UP)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"keyward {keyward.__version__}")
        raise typer.Exit


@app.callback()
def root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    """Finds leaked credentials, and replaces them."""


# typer brings its own copy of click, or uses the installed one, depending on its version; its public classes lead to either
_UsageError: Any = typer.BadParameter.__base__


INTERRUPTED = 130


def run_app(words: Sequence[str]) -> int:
    """Runs the command line and answers with the exit code. Errors of usage become UsageError."""
    try:
        result = app(args=list(words), prog_name="keyward", standalone_mode=False)
    except typer.Exit as exit_:
        result = exit_.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # typer ends so when the reader of the output is gone
        raise BrokenPipeError from None
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "keyward"
        raise UsageError(error.format_message(), hint=f"See: {command} --help") from None
    if result == INTERRUPTED:  # how typer passes on Ctrl-C; no command of ours answers it
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0
