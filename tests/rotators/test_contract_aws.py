"""The AWS rotator keeps the contract, against a real moto server with its shim."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from contract_worlds import FakeWorld, aws

from keyward.testing.rotator_contract import RotatorContract
from keyward.testing.servers.moto import Moto


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as running:
        yield running


class TestAws(RotatorContract):
    stride = reading_stride = 5  # every call goes through two servers; the engine's own worlds meet it all

    @pytest.fixture(autouse=True)
    def _server(self, moto: Moto) -> None:
        self.moto = moto

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return aws(self.moto)
