"""The generated corpus of the benchmark, and keyward in this process, once for all tests of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def _corpus() -> Any:
    """The benchmark's modules, which lie beside it and are no part of the package."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.insert(0, str(BENCHMARKS))
    import accuracy_corpus.measuring
    import accuracy_corpus.printing

    return accuracy_corpus.measuring


@pytest.fixture(scope="session")
def corpus() -> Any:
    return _corpus()


@pytest.fixture(scope="session")
def finder(corpus: Any) -> Any:
    return corpus.Finder()
