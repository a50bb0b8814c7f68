"""The vault store keeps the contract on a real OpenBao: both versions of KV, in memory and on disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stores.conftest import OpenVault, new_mount

from keyward.testing.servers.openbao import OpenBao
from keyward.testing.store_contract import Opener, StoreContract


class TestVersion2(StoreContract):
    @pytest.fixture
    def opened(self, bao: OpenBao, open_vault: OpenVault) -> Iterator[Opener]:
        mount = new_mount(bao, 2)
        yield lambda: open_vault(bao, mount)


class TestVersion1(StoreContract):
    counts_versions = False
    races = False

    @pytest.fixture
    def opened(self, bao: OpenBao, open_vault: OpenVault) -> Iterator[Opener]:
        mount = new_mount(bao, 1)
        yield lambda: open_vault(bao, mount)


class TestOnDisk(StoreContract):
    @pytest.fixture
    def opened(self, bao_on_disk: OpenBao, open_vault: OpenVault) -> Iterator[Opener]:
        mount = new_mount(bao_on_disk, 2)
        yield lambda: open_vault(bao_on_disk, mount)
