"""From a table of the configuration to a store; a wrong table is named by its key, and no value is repeated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from keyward.errors import ConfigError
from keyward.model.secret import Secret
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.store import Slot, Store
from keyward.stores import open_store
from keyward.stores.settings import LOCAL_VAULT, SETTINGS, unknown_setting
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.store_contract import shown, value


def opened(options: dict[str, object], **references: str) -> Store:
    def resolve(reference: str) -> Secret:
        return Secret(references[reference.partition(":")[2]].encode())

    return open_store("main", options, ports_for=Ports, resolve=resolve)


def test_memory() -> None:
    assert opened({"type": "memory"}).type == "memory"


def test_agefile_with_a_passphrase_by_reference(tmp_path: Path) -> None:
    options: dict[str, object] = {"type": "agefile", "file": str(tmp_path / "s.age"), "passphrase": "env:PHRASE"}
    store, parts = opened(options, PHRASE="correct horse"), {"secret": value()}
    store.write("a", Slot.CURRENT, parts, {}, expected=0)
    held = store.read("a", Slot.CURRENT)
    assert held is not None and held.parts == parts


def test_agefile_asks_where_nothing_is_configured(tmp_path: Path) -> None:
    asked: list[str] = []

    def resolve(reference: str) -> Secret:
        asked.append(reference)
        raise ConfigError("nobody is there")

    store = open_store("main", {"type": "agefile", "file": str(tmp_path / "s.age")}, ports_for=Ports, resolve=resolve)
    with pytest.raises(ConfigError):
        store.write("a", Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert asked == [f"ask:Passphrase of {tmp_path / 's.age'}"]


def test_agefile_lies_in_the_state_folder_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path))
    opened({"type": "agefile", "insecure_identity": True}).write("a", Slot.CURRENT, {}, {}, expected=0)
    assert (tmp_path / "main.age").is_file()


@pytest.mark.parametrize("key", ["address", "url"])
def test_vault(bao: OpenBao, key: str) -> None:
    options: dict[str, object] = {"type": "vault", key: bao.url, "auth": {"method": "token", "token": "env:T"}}
    store = opened(options, T=bao.token)
    assert store.health().usable
    assert opened({"type": "vault", key: bao.url, "token": "env:T"}, T=bao.token).health().usable


def test_the_ports_know_the_configured_address_and_no_other(bao: OpenBao) -> None:
    seen: list[Hosts] = []

    def ports_for(hosts: Hosts) -> Ports:
        seen.append(hosts)
        return Ports(hosts)

    options = {"type": "vault", "address": "https://vault.example:8200", "token": "env:T"}
    open_store("main", options, ports_for=ports_for, resolve=lambda reference: Secret(b"t"))
    assert seen == [Hosts(configured=frozenset({("vault.example", 8200)}))]


WRONG: list[tuple[dict[str, object], str]] = [
    ({}, "stores.main.type is missing"),
    ({"type": "vualt"}, "stores.main.type"),
    ({"type": 7}, "stores.main.type must be text"),
    ({"type": "memory", "file": "x"}, "stores.main.file is not known"),
    ({"type": "agefile", "file": "relative"}, "stores.main.file"),
    ({"type": "agefile", "insecure_identity": "yes"}, "stores.main.insecure_identity"),
    ({"type": "agefile", "passphrase": "env:P", "ssh_key": "~/.ssh/x"}, "more than one identity"),
    ({"type": "vault", "token": "env:T"}, "stores.main.address is missing"),
    ({"type": "vault", "address": "vault.example", "token": "env:T"}, "stores.main.address"),
    ({"type": "vault", "address": "https://u:p@vault.example", "token": "env:T"}, "stores.main.address"),
    ({"type": "vault", "address": "https://vault.example:x", "token": "env:T"}, "stores.main.address"),
    ({"type": "vault", "address": "https://vault.example"}, "stores.main.auth is missing"),
    ({"type": "vault", "address": "https://vault.example", "auth": "token"}, "stores.main.auth must be a table"),
    ({"type": "vault", "address": "https://vault.example", "auth": {"method": "x"}}, "stores.main.auth.method"),
    ({"type": "vault", "address": "https://vault.example", "token": "env:T", "kv_version": 3}, "stores.main.kv_version"),
    ({"type": "vault", "address": "https://vault.example", "token": "env:T", "ca_file": "/no/such"}, "stores.main.ca_file"),
    ({"type": "vault", "address": "https://vault.example", "token": "env:T", "mouth": "kv"}, "stores.main.mouth"),
]


@pytest.mark.parametrize(("options", "named"), WRONG)
def test_a_wrong_option_is_named_with_what_to_write(options: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(options)
    assert named in str(caught.value)
    assert caught.value.hint or named.endswith("method")


DECLARED = [
    *((type, {}, key) for type, keys in SETTINGS.items() for key in keys if key not in ("type", "local")),
    *(("vault", {"local": True}, key) for key in LOCAL_VAULT if key not in ("type", "local")),
]


@pytest.mark.parametrize(("type", "more", "key"), DECLARED)
def test_every_declared_setting_is_read(type: str, more: dict[str, object], key: str) -> None:
    """What is declared and not read would be let pass, and do nothing."""
    options: dict[str, object] = {"type": type, **more}
    if type == "vault" and not more:
        options |= {"address": "https://vault.example", "token": "env:T"}
        if key == "url":
            del options["address"]
    with pytest.raises(ConfigError, match=rf"stores\.main\.{key} "):
        opened({**options, key: ["not", "what", "it", "takes"]}, T="t")


@pytest.mark.parametrize(
    ("options", "key", "near"),
    [
        ({"type": "vault", "adress": "x"}, "adress", "address"),
        ({"type": "vault", "auth": {"method": "approle", "rol_id": "x"}}, "auth.rol_id", "role_id"),
        ({"type": "vault", "local": True, "keeper": {"fiel": "x"}}, "keeper.fiel", "file"),
        ({"type": "vault", "local": True, "address": "https://vault.example"}, "address", ""),
        ({"type": "keyring", "servce": "x"}, "servce", "service"),
    ],
)
def test_an_unknown_setting_is_told_with_the_nearest_name(options: dict[str, object], key: str, near: str) -> None:
    wrong = unknown_setting(options)
    assert wrong is not None and wrong.key == key and near in wrong.hint


def test_a_value_where_a_reference_belongs_is_not_repeated(bao: OpenBao) -> None:
    from keyward.rotate.references import Resolver

    token = value().reveal().decode()
    options: dict[str, object] = {"type": "vault", "address": bao.url, "token": token}
    store = open_store("main", options, ports_for=Ports, resolve=Resolver(environment={}))
    with pytest.raises(ConfigError) as caught:
        store.read("a", Slot.CURRENT)
    assert token not in shown(caught.value)


def test_opening_loads_only_what_the_store_needs() -> None:
    program = """
import sys
from keyward.stores import open_store
from keyward.stores.settings import LOCAL_VAULT, SETTINGS, unknown_setting
from keyward.plugin.ports import Ports
open_store("m", {"type": "memory"}, ports_for=Ports, resolve=print)
open_store("m", {"type": "agefile", "insecure_identity": True}, ports_for=Ports, resolve=print)
print([name for name in ("hvac", "requests", "pyrage", "keyring", "httpx") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
