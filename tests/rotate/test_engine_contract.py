"""The engine keeps its promises for each shape of provider: it is killed at every fence, and resumed."""

from __future__ import annotations

from contextlib import AbstractContextManager

from toy_provider import ToyChosen, ToyRotator, ToyWorld, toy_world

from keyward.plugin.rotator import Capabilities
from keyward.testing.rotator_contract import RotatorContract


class TestMinted(RotatorContract):
    """Keys carry the rotation's mark; the principal is shared with a colleague."""

    def world(self, folder: str) -> AbstractContextManager[ToyWorld]:
        return toy_world(ToyRotator())


class _Unmarked(ToyRotator):
    capabilities = Capabilities(reversible_disable=True, settle=5, propagation=5)


class TestMintedWithoutMarks(RotatorContract):
    """No key has a name; the principal exists for this lane alone."""

    def world(self, folder: str) -> AbstractContextManager[ToyWorld]:
        return toy_world(_Unmarked(), lane_owned=True, marks=False)


class TestChosenInPlace(RotatorContract):
    """The value is ours, and the old one dies when it is applied."""

    def world(self, folder: str) -> AbstractContextManager[ToyWorld]:
        return toy_world(ToyChosen(), lane_owned=True)
