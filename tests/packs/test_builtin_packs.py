"""Every built-in detector keeps the contract."""

from __future__ import annotations

import importlib
import inspect

import pytest

from keyward.registry import BUILT_IN, Pack, Registry, pack_files
from keyward.testing.detector_contract import check_pack, foreign_imports

NAMES = [name for name, _ in pack_files()]


@pytest.mark.parametrize("name", NAMES)
def test_pack_keeps_the_contract(name: str) -> None:
    pack = Registry().pack(name)
    assert isinstance(pack, Pack), pack.reason
    assert pack.origin == BUILT_IN
    problems = list(check_pack(pack))
    assert not problems, "\n".join(f"{p.where}: {p.message}" for p in problems)
    assert foreign_imports(inspect.getsource(importlib.import_module(f"keyward.detectors.{name}"))) == []
