"""`keyward hook`"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Stop a commit that holds a credential.")
git = typer.Typer(no_args_is_help=True, help="The hook of git itself, for people without pre-commit.")
app.add_typer(git, name="git")


@app.command("run")
def run(
    files: Annotated[list[str] | None, typer.Argument(help="File names, as pre-commit gives them.")] = None,
    from_ref: Annotated[str, typer.Option("--from-ref", metavar="REV", help="With --to-ref: scan what changed between two commits.")] = "",
    to_ref: Annotated[str, typer.Option("--to-ref", metavar="REV")] = "",
    baseline: Annotated[str | None, typer.Option("--baseline", metavar="FILE")] = None,
    no_baseline: Annotated[bool, typer.Option("--no-baseline")] = False,
    persona: Annotated[str | None, typer.Option("--persona")] = None,
    rules: Annotated[str | None, typer.Option("--rules", metavar="TOML")] = None,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE")] = None,
) -> int:
    """Scan what is staged. With file names: each as it is staged, or else as it stands in the working tree.

    `main` runs this command without this module; it stands here for its help.
    """
    from keyward.cli.hook_run import run as run_hook

    words = [word for option, value in (("--from-ref", from_ref), ("--to-ref", to_ref), ("--baseline", baseline), ("--persona", persona),
             ("--rules", rules), ("--config", config)) if value for word in (option, value)]  # fmt: skip
    return run_hook([*words, *(["--no-baseline"] if no_baseline else []), "--", *(files or ())])


@git.command("install")
def install(force: Annotated[bool, typer.Option("--force", help="Also where another tool manages the hooks.")] = False) -> None:
    """Install keyward as this repository's pre-commit hook. An existing hook is kept and runs first."""
    from keyward.flows.hook_install import install as do

    print(do(".", force=force))


@git.command("uninstall")
def uninstall() -> None:
    """Take keyward's hook out again and put back what was there before."""
    from keyward.flows.hook_install import uninstall as do

    print(do("."))


@git.command("status")
def status() -> None:
    """Say which hook runs here."""
    from keyward.flows.hook_install import status as do

    print(do("."))
