"""A real OpenBao for the tests of the vault store, and a new mount for each of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from stores.store_parts import missing

from keyward.model.secret import Secret
from keyward.plugin.clock import Clock
from keyward.plugin.ports import Fence, Hosts, Ports
from keyward.stores.vault import VaultStore
from keyward.stores.vault_auth import Login, token_login
from keyward.stores.vault_client import VaultClient
from keyward.testing.servers.openbao import OpenBao, program_for_tests
from keyward.testing.servers.process import ServerMissing

_numbers = itertools.count(1)

OpenVault = Callable[..., VaultStore]


def new_mount(server: OpenBao, version: int, namespace: str = "") -> str:
    """An empty KV engine, and where it is mounted."""
    mount = f"kv{next(_numbers)}"
    server.request("POST", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": str(version)}}, namespace=namespace)
    return mount


@pytest.fixture(scope="session")
def bao_program() -> str:
    """The server's program."""
    try:
        return program_for_tests()
    except ServerMissing as error:
        missing(str(error))
        raise


@pytest.fixture(scope="session")
def bao_on_disk(bao_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A server in file mode. Who seals or kills it leaves it running and unsealed."""
    with OpenBao(str(tmp_path_factory.mktemp("bao"))) as server:
        yield server


@pytest.fixture(scope="session")
def bao(bao_program: str) -> Iterator[OpenBao]:
    """A server in dev mode."""
    with OpenBao() as server:
        server.request("POST", "sys/auth/approle", {"type": "approle"})
        yield server


@pytest.fixture
def open_vault() -> Iterator[OpenVault]:
    """Opens vault stores, and closes them."""
    stores: list[VaultStore] = []

    def open_it(
        server: OpenBao,
        mount: str,
        *fences: Fence,
        token: str = "",
        login: Login | None = None,
        clock: Clock | None = None,
        address: str = "",
        namespace: str = "",
        ca_file: str = "",
        kv_version: int = 0,
    ) -> VaultStore:
        address = address or server.url
        ports = Ports(Hosts().with_url(address), fences=fences, clock=clock)
        login = login or token_login(lambda: Secret((token or server.token).encode()))
        client = VaultClient(address, ports, login, namespace=namespace, ca_file=ca_file)
        stores.append(VaultStore("main", client, mount=mount, kv_version=kv_version))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()
