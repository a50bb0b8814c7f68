"""The engine's desk for a test, with the servers that it needs ended afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from engine_desk import Desk, Make
from toy_provider import ToyRotator, toy_world

from keyward.plugin.rotator import Rotator


@pytest.fixture
def desk(tmp_path: Any) -> Iterator[Make]:
    with ExitStack() as stack:

        def make(rotator: Rotator | None = None, **options: Any) -> Desk:
            world = stack.enter_context(toy_world(rotator or ToyRotator(), **options))
            made = Desk(world, str(tmp_path))
            stack.callback(made.close)
            return made

        yield make
