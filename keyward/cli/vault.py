"""`keyward vault`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keyward.stores.local_vault import Status

app = typer.Typer(no_args_is_help=True, help="A local OpenBao, for a host that has no Vault.")

Config = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")]


@app.command("up")
def up(config: Config = None) -> None:
    """Start it, and set it up if it is new: loopback only, its keys kept by the keyring or an age file, audit device on.

    For example: keyward vault up
    """
    from keyward.cli.rotation import open_place
    from keyward.flows.local_vault import configuration, local_vault

    with open_place(config) as place:
        vault = local_vault(place)
        _show(vault.up())
        if not any(options.get("local") is True for options in place.operator.stores.values()):
            print("\nTo keep credentials there, add this to your configuration:\n")
            print(configuration(vault.keeper_type))


@app.command("down")
def down(config: Config = None) -> None:
    """Stop it. Its data and keys stay. For example: keyward vault down"""
    from keyward.cli.rotation import open_place
    from keyward.flows.local_vault import local_vault

    with open_place(config) as place:
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


def _show(status: Status) -> None:
    state = "not running" if not status.running else "sealed" if status.sealed else "running"
    print(f"local vault: {state}" + (f" at {status.address} (process {status.pid})" if status.running else ""))
    if status.folder:
        print(f"  data: {status.folder}")
