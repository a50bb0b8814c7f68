"""Where credentials are kept: one file a kind of store, and the factory that opens one from its table of the configuration.

    [stores.main]                             [stores.local]
    type = "vault"                            type = "agefile"
    address = "https://vault.example:8200"    file = "~/.local/state/keyward/store.age"
    mount = "secret"                          passphrase = "env:STORE_PASSPHRASE"
    namespace = "team"
    ca_file = "/etc/ssl/vault-ca.pem"         [stores.desk]
    kv_version = 2                            type = "keyring"
    auth = { method = "approle", role_id = "file:/etc/keyward/role", secret_id = "env:SECRET_ID" }

| type | keys |
|---|---|
| vault | address (or url), mount, namespace, ca_file, kv_version, list_below, auth (see `vault_auth`) or token; or local = true (with keeper, folder) for the server that `keyward vault up` started |
| agefile | file, and one of passphrase, ssh_key, systemd_credential, insecure_identity = true; with none of them the passphrase is asked for |
| keyring | service |
| memory | |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from keyward.errors import ConfigError
from keyward.model.secret import Secret
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.store import Store
from keyward.stores.settings import unknown_setting

if TYPE_CHECKING:
    from keyward.stores.age_identity import Identity
    from keyward.stores.keyring import KeyringStore
    from keyward.stores.vault import VaultStore

__all__ = ["PortsFor", "Resolve", "open_store"]

PortsFor = Callable[[Hosts], Ports]
"""Makes the door of one store, from the addresses that its table names."""

Resolve = Callable[[str], Secret]
"""What a reference names. It is also called with `ask:WHAT`, where a person should be asked."""


def open_store(name: str, options: Mapping[str, object], *, ports_for: PortsFor, resolve: Resolve) -> Store:
    """The store that a table `[stores.NAME]` describes. Nothing is asked of it yet: servers and files are opened when first used.

    Raises ConfigError that names the key and what to write, MissingExtra where a library is missing.
    """
    table = _Table(name, options)
    kind = table.text("type", required=True)
    wrong = unknown_setting(options)
    if wrong is not None:
        raise ConfigError(f"stores.{name}.{wrong.key} {wrong.problem}", hint=wrong.hint)
    if kind == "memory":
        from keyward.stores.memory import MemoryStore

        return MemoryStore(name)
    if kind == "agefile":
        return _agefile(name, table, ports_for, resolve)
    if kind == "keyring":
        return _keyring(name, table, ports_for)
    if kind == "vault":
        return _local(name, table, ports_for, resolve) if table.flag("local") else _vault(name, table, ports_for, resolve)
    raise table.wrong("type", "is no type of store", "Use vault, keyring, agefile or memory.")


def _agefile(name: str, table: _Table, ports_for: PortsFor, resolve: Resolve) -> Store:
    import os

    from keyward.match.paths import state_folder
    from keyward.stores.agefile import AgeFileStore

    file = os.path.expanduser(table.text("file") or os.path.join(state_folder(), f"{name}.age"))
    if not os.path.isabs(file):
        raise table.wrong("file", "is not an absolute path", 'Write it like this: file = "/etc/keyward/store.age"')
    identity = _identity(table, resolve, file)
    return AgeFileStore(name, file, identity, ports_for(Hosts()))


def _identity(table: _Table, resolve: Resolve, file: str) -> Identity:
    import os

    from keyward.stores.age_identity import Identity, PassphraseSeal, PlainSeal, SshSeal, SystemdSeal

    passphrase, ssh_key = table.text("passphrase"), table.text("ssh_key")
    credential, insecure = table.text("systemd_credential"), table.flag("insecure_identity")
    if sum(map(bool, (passphrase, ssh_key, credential, insecure))) > 1:
        raise table.wrong("", "names more than one identity", "Keep one of passphrase, ssh_key, systemd_credential.")
    if ssh_key:
        return Identity(SshSeal(ssh_key))
    if credential:
        return Identity(SystemdSeal(credential, directory=os.environ.get("CREDENTIALS_DIRECTORY", "")))
    if insecure:
        return Identity(PlainSeal())
    return Identity(PassphraseSeal(lambda: resolve(passphrase or f"ask:Passphrase of {file}")))


def _keyring(name: str, table: _Table, ports_for: PortsFor) -> KeyringStore:
    from keyward.stores.keyring import KeyringStore

    service = table.text("service") or "keyward"
    return KeyringStore(name, ports_for(Hosts()), service=service)


def _vault(name: str, table: _Table, ports_for: PortsFor, resolve: Resolve) -> VaultStore:
    import os

    from keyward.stores.vault import VaultStore
    from keyward.stores.vault_auth import login_from
    from keyward.stores.vault_client import VaultClient

    address = table.address("address" if "address" in table.options or "url" not in table.options else "url")
    auth = table.table("auth")
    token = table.text("token")
    if token:
        auth = {"method": "token", "token": token, **auth}
    if not auth:
        raise table.wrong("auth", "is missing", 'Write how to log in: auth = { method = "token", token = "env:VAULT_TOKEN" }')
    login = login_from(auth, resolve, f"stores.{name}.auth")
    ca_file = os.path.expanduser(table.text("ca_file"))
    if ca_file and not os.path.isfile(ca_file):
        raise table.wrong(
            "ca_file", "is not a file", "Name the PEM file of the authority that signed the server's certificate."
        )
    kv_version = table.number("kv_version", (0, 1, 2))
    namespace, mount, below = table.text("namespace"), table.text("mount") or "secret", table.text("list_below")
    client = VaultClient(address, ports_for(Hosts().with_url(address)), login, namespace=namespace, ca_file=ca_file)
    return VaultStore(name, client, mount=mount, kv_version=kv_version, list_below=below)


def _local(name: str, table: _Table, ports_for: PortsFor, resolve: Resolve) -> VaultStore:
    from keyward.stores.local_vault import LocalVault

    folder, keeper = table.text("folder"), table.table("keeper") or {"type": "agefile"}
    keeps = open_store(f"{name}-keeper", keeper, ports_for=ports_for, resolve=resolve)
    return LocalVault(keeps, ports_for, folder=folder).store(name)


class _Table:
    """The options of one store, read with errors that name the key."""

    def __init__(self, name: str, options: Mapping[str, object]) -> None:
        self.name, self.options = name, dict(options)

    def wrong(self, key: str, problem: str, hint: str) -> ConfigError:
        """The error for a key; the value is never repeated."""
        return ConfigError(f"stores.{self.name}{'.' if key else ''}{key} {problem}", hint=hint)

    def text(self, key: str, *, required: bool = False) -> str:
        value = self.options.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(key, "must be text", f'Write it in quotes: {key} = "…"')
        if required and not value:
            raise self.wrong(key, "is missing", f'Add a line: {key} = "…"')
        return value

    def address(self, key: str) -> str:
        from urllib.parse import urlsplit

        value = self.text(key, required=True)
        try:
            parts = urlsplit(value)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/") and not parts.query
            fits = fits and not parts.username and (parts.port or 1) > 0
        except ValueError:
            fits = False
        if not fits:
            raise self.wrong(key, "is not the URL of a server", f'Write it like this: {key} = "https://vault.example:8200"')
        return value

    def flag(self, key: str) -> bool:
        value = self.options.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false", f"Write it without quotes: {key} = true")
        return value

    def number(self, key: str, allowed: tuple[int, ...]) -> int:
        value = self.options.get(key, allowed[0])
        if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
            raise self.wrong(key, "is not a number that fits", f"Use one of {', '.join(map(str, allowed[1:]))}.")
        return value

    def table(self, key: str) -> dict[str, object]:
        value = self.options.get(key, {})
        if not isinstance(value, Mapping):
            raise self.wrong(key, "must be a table", f'Write it like this: {key} = {{ method = "…" }}')
        return dict(value)
