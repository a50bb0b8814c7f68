"""One matcher with every built-in pack, compiled once."""

from __future__ import annotations

import pytest

from keyward.match.catalogue import build
from keyward.match.matcher import Matcher
from keyward.registry import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="session")
def matcher(registry: Registry) -> Matcher:
    return Matcher(registry, build(registry))
