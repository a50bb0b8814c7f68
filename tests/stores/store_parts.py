"""What the tests of the stores share: ports that remember, files of a process."""

from __future__ import annotations

import os

import pytest

from keyward.plugin.clock import Clock
from keyward.plugin.ports import Call, Fence, Hosts, Ports


class Watch:
    """A fence that remembers every call and its outcome."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.outcomes: list[str] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        self.outcomes.append(outcome)


def local_ports(*fences: Fence, clock: Clock | None = None) -> Ports:
    """Ports of a store that has no server."""
    return Ports(Hosts(), fences=fences, clock=clock)


def missing(reason: str) -> None:
    """Skips a test whose server is not here; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
