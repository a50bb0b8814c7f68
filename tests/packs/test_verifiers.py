"""Every built-in verifier keeps the contract, and the registry finds it by its kind."""

from __future__ import annotations

import importlib

import pytest

from keyward.model.kind import Kind
from keyward.registry import Registry, pack_files
from keyward.testing.verifier_contract import check_verifier

MODULES = [importlib.import_module(f"keyward.detectors.{name}") for name, _ in pack_files()]
VERIFYING = [module for module in MODULES if getattr(module, "VERIFIES", ())]


@pytest.mark.parametrize("module", VERIFYING, ids=lambda module: module.__name__.rpartition(".")[2])
def test_its_cases_give_their_verdicts(module: object) -> None:
    assert list(check_verifier(module)) == []


def test_the_registry_joins_kinds_and_verifiers() -> None:
    registry = Registry()
    for module in VERIFYING:
        for kind in module.VERIFIES:
            found = registry.verifier(kind)
            assert found is not None and found.verify is module.verify
    assert registry.verifier(Kind("nobody/knows")) is None


def test_every_rotator_names_kinds_that_a_detector_declares() -> None:
    registry = Registry()
    declared = {kind.name for module in MODULES for kind in module.KINDS}
    rotators = registry.rotators()
    assert registry.unavailable_rotators == []
    assert set(rotators) <= declared, f"unknown kinds: {set(rotators) - declared}"
