"""A provider that is silent, broken, busy, or not the provider at all: whatever it answers says nothing of a credential."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from keyward.registry import pack_files
from keyward.testing.troubled_server import TroubledServer
from keyward.testing.verifier_contract import check_troubles

MODULES = [importlib.import_module(f"keyward.detectors.{name}") for name, _ in pack_files()]
VERIFYING = [module for module in MODULES if getattr(module, "VERIFIES", ())]


@pytest.fixture(scope="module")
def server() -> Iterator[TroubledServer]:
    with TroubledServer() as running:
        yield running


@pytest.mark.parametrize("module", VERIFYING, ids=lambda module: module.__name__.rpartition(".")[2])
def test_it_says_unknown(module: object, server: TroubledServer) -> None:
    assert list(check_troubles(module, server)) == []
