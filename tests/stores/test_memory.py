"""The store of the tests keeps the contract itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyward.stores.memory import MemoryStore
from keyward.testing.store_contract import Opener, StoreContract


class TestMemory(StoreContract):
    counts_versions = False

    @pytest.fixture
    def opened(self) -> Iterator[Opener]:
        store = MemoryStore()
        yield lambda: store
