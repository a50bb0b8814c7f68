"""The command line, made of one module per command. Only the module of the command that was typed is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import typer

import keyward
from keyward.errors import UsageError

FIND, REPLACE, CLEAN_UP, INCIDENT, SET_UP = "Find", "Replace", "Clean up", "Incident", "Set up"


class Command(NamedTuple):
    """`panel`: the part of the help that lists it. `module`: below `keyward.cli`, with a function of the command's name, or with an `app` of
    several commands; the command's own name if empty."""

    name: str
    panel: str
    module: str = ""


COMMANDS = (
    Command("scan", FIND),
    Command("verify", FIND),
    Command("explain", FIND),
    Command("sources", FIND),
    Command("baseline", FIND),
    Command("hook", FIND),
    Command("rules", FIND),
    Command("plan", REPLACE, "rotation"),
    Command("rotate", REPLACE, "rotation"),
    Command("resume", REPLACE, "rotation"),
    Command("provide", REPLACE, "rotation"),
    Command("distribute", REPLACE, "rotation"),
    Command("status", REPLACE, "rotation"),
    Command("history", REPLACE, "rotation"),
    Command("abort", REPLACE, "rotation"),
    Command("revoke", REPLACE),
    Command("approve", REPLACE),
    Command("due", REPLACE),
    Command("scrub", CLEAN_UP),
    Command("incident", INCIDENT),
    Command("playbook", INCIDENT),
    Command("drill", INCIDENT),
    Command("init", SET_UP),
    Command("lanes", SET_UP),
    Command("config", SET_UP),
    Command("vault", SET_UP),
    Command("audit", SET_UP),
    Command("plugins", SET_UP),
)


def command_line(words: Sequence[str] = ()) -> typer.Typer:
    """The command line that reads `words`: all of it, or only the command that they begin with. Making all takes as long as many a command."""
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
    app.callback()(_root)
    for command in [each for each in COMMANDS if [each.name] == list(words[:1])] or COMMANDS:
        module = _module(command)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=command.name, rich_help_panel=command.panel)
        else:
            epilog = getattr(module, "EXAMPLES", None)
            app.command(command.name, epilog=epilog, rich_help_panel=command.panel)(getattr(module, command.name))
    return app


def _module(command: Command) -> Any:
    return import_module(f"keyward.cli.{command.module or command.name}")


def _plainly(words: Sequence[str]) -> Callable[[], Any] | None:
    """What the words ask for, where they are so plain that typer need not read them."""
    from keyward.cli.plain_words import command_of, parse

    command = next((each for each in COMMANDS if [each.name] == list(words[:1])), None)
    found = command_of(_module(command), words) if command and _COMPLETION not in os.environ else None
    arguments = parse(*found) if found else None
    return partial(found[0], **arguments) if found and arguments is not None else None


def _version(wanted: bool) -> None:
    if wanted:
        print(f"keyward {keyward.__version__}")
        raise typer.Exit


def _root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    """Finds leaked credentials, and replaces them."""


# typer brings its own copy of click, or uses the installed one, depending on its version; its public classes lead to either
_UsageError: Any = typer.BadParameter.__base__


INTERRUPTED = 130

_COMPLETION = "_KEYWARD_COMPLETE"
"""By this variable a shell asks typer how words may go on."""


def run_app(words: Sequence[str]) -> int:
    """Runs the command line and answers with the exit code. Errors of usage become UsageError."""
    try:
        plainly = _plainly(words)
        result = plainly() if plainly else command_line(words)(args=list(words), prog_name="keyward", standalone_mode=False)
    except typer.Exit as exit_:
        result = exit_.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except EOFError:  # nobody answers a question any more; typer makes the same of it
        print(file=sys.stderr)
        raise KeyboardInterrupt from None
    except SystemExit:  # typer ends so when the reader of the output is gone
        raise BrokenPipeError from None
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "keyward"
        raise UsageError(error.format_message(), hint=f"See: {command} --help") from None
    if result == INTERRUPTED:  # how typer passes on Ctrl-C; no command of ours answers it
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0
