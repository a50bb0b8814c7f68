"""The vault of a single host: a real OpenBao that keyward starts, unseals and finds again."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from stores.store_parts import local_ports

from keyward.errors import StoreDenied, StoreError, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.plugin.store import Slot
from keyward.stores import open_store
from keyward.stores.age_identity import Identity, PlainSeal
from keyward.stores.agefile import AgeFileStore
from keyward.stores.local_vault import KEPT_AT, LocalVault
from keyward.stores.memory import MemoryStore
from keyward.stores.vault_client import Asked
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.store_contract import value

PATH = "lanes/a/key"


def new_ports(hosts: Hosts) -> Ports:
    return Ports(hosts)


@pytest.fixture
def vaults(bao_program: str) -> Iterator[list[LocalVault]]:
    """Whatever a test puts here is stopped at its end."""
    made: list[LocalVault] = []
    yield made
    for each in made:
        each.down()


def kept(keeper: MemoryStore | AgeFileStore) -> dict[str, Secret]:
    held = keeper.read(KEPT_AT, Slot.CURRENT)
    assert held is not None
    return dict(held.parts)


def test_up_is_idempotent_and_outlives_a_crash_and_a_stop(vaults: list[LocalVault], tmp_path: Path) -> None:
    keeper = AgeFileStore("keeper", str(tmp_path / "keeper.age"), Identity(PlainSeal()), local_ports())
    local = LocalVault(keeper, new_ports, folder=str(tmp_path / "vault"))
    vaults.append(local)
    assert not local.status().running and local.address == ""
    first = local.up()
    assert (first.running, first.initialised, first.sealed) == (True, True, False)
    keys = kept(keeper)
    assert keys.keys() == {"unseal_key", "root_token", "token"}

    store, parts = local.store("main"), {"secret": value()}
    assert store.health().usable, store.health().detail
    version = store.write(PATH, Slot.CURRENT, parts, {"lane": "a"}, expected=0)
    store.close()

    assert local.up() == first and kept(keeper) == keys
    os.kill(first.pid, signal.SIGKILL)
    again = LocalVault(keeper, new_ports, folder=str(tmp_path / "vault"))
    after_crash = again.up()
    assert after_crash.running and after_crash.pid != first.pid and after_crash.address == first.address
    assert not again.down().running
    assert not again.down().running
    with pytest.raises(StoreUnavailable):
        again.store("main").read(PATH, Slot.CURRENT)
    again.up()
    held = again.store("main").read(PATH, Slot.CURRENT)
    assert held is not None and (held.parts, held.version) == (parts, version)
    assert kept(keeper) == keys

    check_nothing_secret_is_in_the_open(again, [*keys.values(), *parts.values()])
    check_the_token_is_not_root(again)
    check_only_this_machine_reaches_it(again)
    assert again.status().sealed is False
    audit = (tmp_path / "vault" / "audit.log").read_bytes()
    assert PATH.encode() in audit and not [each for each in keys.values() if each.reveal() in audit]


def check_nothing_secret_is_in_the_open(local: LocalVault, values: list[Secret]) -> None:
    """Arguments, environment, files and their modes."""
    pid = local.status().pid
    places = [Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ")]
    places += [file for file in Path(local.folder).rglob("*") if file.is_file()]
    for place in places:
        content = place.read_bytes()
        assert not [each for each in values if each.reveal() in content], place
    for file in Path(local.folder).rglob("*"):
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file
    assert stat.S_IMODE(Path(local.folder).stat().st_mode) == 0o700


def check_only_this_machine_reaches_it(local: LocalVault) -> None:
    """Every socket that the server listens at, as the kernel lists them, is one of 127.0.0.1."""
    pid, listening = local.status().pid, "0A"
    links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd") if os.path.islink(entry.path)]
    inodes = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]]
    addresses = [row[1].partition(":")[0] for row in rows if row[3] == listening and row[9] in inodes]
    assert addresses and set(addresses) == {"0100007F"}, addresses


def check_the_token_is_not_root(local: LocalVault) -> None:
    store = local.store("main")
    with pytest.raises(StoreDenied):
        store.client.ask(lambda c: c.adapter.get("/v1/sys/auth"), Asked("sys/auth", "read"))
    store.close()


class StopsAt:
    """A fence that ends the work before or after one call, as a crash would."""

    class Crash(BaseException):
        pass

    def __init__(self, what: str, *, after: bool) -> None:
        self.what, self.is_after, self.seen = what, after, False

    def before(self, call: Call) -> None:
        if not self.is_after and call.what == self.what:
            self.seen = True
            raise self.Crash

    def after(self, call: Call, outcome: str) -> None:
        if self.is_after and call.what == self.what:
            self.seen = True
            raise self.Crash


@pytest.mark.parametrize(
    ("what", "after"),
    [
        ("local-vault:start", False),
        ("local-vault:start", True),
        ("PUT /v1/sys/init", False),
        ("PUT /v1/sys/init", True),
        ("PUT /v1/sys/unseal", False),
        ("POST /v1/sys/mounts/secret", True),
        ("POST /v1/auth/token/create", True),
    ],
)
def test_a_first_start_that_was_killed_is_finished_by_the_next(
    vaults: list[LocalVault], tmp_path: Path, what: str, after: bool
) -> None:
    keeper, fence = MemoryStore(), StopsAt(what, after=after)
    first = LocalVault(keeper, lambda hosts: Ports(hosts, fences=(fence,)), folder=str(tmp_path))
    vaults.append(LocalVault(keeper, new_ports, folder=str(tmp_path)))
    with pytest.raises(StopsAt.Crash):
        first.up()
    assert fence.seen
    status = vaults[0].up()
    assert status.running and not status.sealed
    store = vaults[0].store("main")
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert store.health().usable


def test_lost_keys_are_said_and_nothing_is_removed(vaults: list[LocalVault], tmp_path: Path) -> None:
    keeper = MemoryStore()
    vaults.append(LocalVault(keeper, new_ports, folder=str(tmp_path)))
    vaults[0].up()
    empty = LocalVault(MemoryStore(), new_ports, folder=str(tmp_path))
    with pytest.raises(StoreUnavailable, match="does not have the keys"):
        empty.up()
    with pytest.raises(StoreUnavailable, match="no token"):
        empty.store("main").read(PATH, Slot.CURRENT)
    assert vaults[0].up().running


def test_a_keeper_that_cannot_be_written_leaves_no_server_behind(tmp_path: Path) -> None:
    class Refusing(MemoryStore):
        def write(self, *_: object, **__: object) -> int:
            raise StoreDenied("no")

    local = LocalVault(Refusing(), new_ports, folder=str(tmp_path))
    with pytest.raises(StoreError):
        local.up()
    assert not local.status().running and not (tmp_path / "server.hcl").exists()


def test_a_program_that_is_no_server_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not start"):
        LocalVault(MemoryStore(), new_ports, folder=str(tmp_path), binary="/bin/false").up()


def test_a_token_that_ended_is_replaced(vaults: list[LocalVault], tmp_path: Path) -> None:
    keeper = MemoryStore()
    vaults.append(LocalVault(keeper, new_ports, folder=str(tmp_path)))
    vaults[0].up()
    store = vaults[0].store("main")
    store.client.ask(lambda c: c.auth.token.revoke_self(), Asked("x", "update"))
    with pytest.raises(StoreDenied):
        store.read(PATH, Slot.CURRENT)
    vaults[0].up()
    assert vaults[0].store("main").read(PATH, Slot.CURRENT) is None


def test_the_factory_opens_it(vaults: list[LocalVault], tmp_path: Path) -> None:
    table = {"type": "agefile", "file": str(tmp_path / "keeper.age"), "insecure_identity": True}

    def resolve(reference: str) -> Secret:
        raise AssertionError

    keeper = open_store("keeper", table, ports_for=new_ports, resolve=resolve)
    vaults.append(LocalVault(keeper, new_ports, folder=str(tmp_path / "vault")))
    options = {"type": "vault", "local": True, "folder": str(tmp_path / "vault"), "keeper": table}
    with pytest.raises(StoreUnavailable, match="never started"):
        open_store("main", options, ports_for=new_ports, resolve=resolve)
    vaults[0].up()
    assert open_store("main", options, ports_for=new_ports, resolve=resolve).health().usable


def test_the_test_server_leaves_no_process(bao_program: str) -> None:
    with OpenBao() as server:
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
