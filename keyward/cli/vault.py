"""`keyward vault`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keyward.stores.local_vault import Status

app = typer.Typer(no_args_is_help=True, help="A local OpenBao, for a host that has no Vault.")

Config = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")]


DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be done.")]


@app.command("up")
def up(dry_run: DryRun = False, config: Config = None) -> None:
    """Start it, and set it up if it is new: loopback only, its keys kept by the keyring or an age file, audit device on.

    For example: keyward vault up
    """
    from keyward.cli.rotation import open_place
    from keyward.flows.local_vault import configuration, local_vault, would_start

    with open_place(config) as place:
        vault = local_vault(place)
        if dry_run:
            _show_steps(would_start(vault))
            return
        _show(vault.up())
        if not any(options.get("local") is True for options in place.operator.stores.values()):
            print("\nTo keep credentials there, add this to your configuration:\n")
            print(configuration(vault.keeper_type))


@app.command("down")
def down(dry_run: DryRun = False, config: Config = None) -> None:
    """Stop it. Its data and keys stay. For example: keyward vault down"""
    from keyward.cli.rotation import open_place
    from keyward.flows.local_vault import local_vault, would_stop

    with open_place(config) as place:
        if dry_run:
            _show_steps(would_stop(local_vault(place)))
            return
        _show(local_vault(place).down())


@app.command("status")
def status(config: Config = None) -> int:
    """Whether it runs. Exit code 3 if it does not, or is sealed. For example: keyward vault status"""
    from keyward.cli.rotation import open_place
    from keyward.flows.local_vault import local_vault

    with open_place(config) as place:
        found = local_vault(place).status()
    _show(found)
    return 0 if found.running and not found.sealed else 3


def _show_steps(steps: Sequence[str]) -> None:
    print("\n".join(f"would {step}" for step in steps) or "It does not run.")


def _show(status: Status) -> None:
    state = "not running" if not status.running else "sealed" if status.sealed else "running"
    print(f"local vault: {state}" + (f" at {status.address} (process {status.pid})" if status.running else ""))
    if status.folder:
        print(f"  data: {status.folder}")
