"""Tencent Cloud's rotator keeps the contract, against the fake that recomputes every signature."""

from __future__ import annotations

from contextlib import AbstractContextManager

from contract_worlds import FakeWorld, tencent

from keyward.testing.rotator_contract import RotatorContract


class TestTencent(RotatorContract):
    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return tencent()
