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
    from_ref: Annotated[
        str, typer.Option("--from-ref", metavar="REV", help="With --to-ref: scan the files that differ between two commits.")
    ] = "",
    to_ref: Annotated[str, typer.Option("--to-ref", metavar="REV", help="The newer commit; its files are read.")] = "",
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline", metavar="FILE", help="Let pass what FILE lists.", show_default=".keyward.baseline if it is there"
        ),
    ] = None,
    no_baseline: Annotated[bool, typer.Option("--no-baseline", help="Let nothing pass because a baseline lists it.")] = False,
    persona: Annotated[
        str | None,
        typer.Option("--persona", help="How much stops the commit: regular, pedantic or auditor.", show_default="regular"),
    ] = None,
    rules: Annotated[str | None, typer.Option("--rules", metavar="TOML", help="Add rules of your own.")] = None,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
        ),
    ] = None,
) -> int:
    """Scan what is staged. With file names: each as it is staged, or else as it stands in the working tree.

    For example: keyward hook run
    """
    # `main` runs this command without this module, which stands here for its help
    from keyward.cli.hook_run import run as run_hook

    words = [word for option, value in (("--from-ref", from_ref), ("--to-ref", to_ref), ("--baseline", baseline), ("--persona", persona),
             ("--rules", rules), ("--config", config)) if value for word in (option, value)]  # fmt: skip
    return run_hook([*words, *(["--no-baseline"] if no_baseline else []), "--", *(files or ())])


@git.command("install")
def install(
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also into a folder that other repositories may share, or beside two hooks of other tools."
        ),
    ] = False,
) -> None:
    """Install keyward as this repository's pre-commit hook. An existing hook is kept and runs first.

    For example: keyward hook git install && keyward hook git status
    """
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
