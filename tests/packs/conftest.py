"""One matcher with every built-in pack, compiled once for all processes of the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyward.match.catalogue import load
from keyward.match.matcher import Matcher
from keyward.registry import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="session")
def matcher(registry: Registry, rules_cache: Path) -> Matcher:
    return Matcher(registry, load(registry))
