"""What a consumer is: somebody who uses a credential and must be given the new one.

A consumer is told the old and the new values, finds out which of them it holds, writes the new one, and reads it back. It never
overwrites what it does not know: a place that holds neither is `OTHER`, and the rotation stops before the old credential dies.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from keyward.model.credential import SecretParts


class Holds(enum.Enum):
    """What a consumer has now."""

    OLD = "old"
    NEW = "new"
    OTHER = "other"
    NOTHING = "nothing"


class Values(NamedTuple):
    """One credential's change. `reference`: where the store keeps it (`vault:lanes/prod/aws`), for consumers that resolve
    references themselves. `rotation`: its id. `old` is empty where there was none."""

    lane: str
    name: str
    reference: str
    old: SecretParts
    new: SecretParts
    rotation: str = ""


class Consumer(Protocol):
    """`type`: as the configuration names it. Every method may raise ConsumerError; messages never hold a value."""

    type: str
    name: str

    def holds(self, values: Values) -> Holds:
        """Which of the two it has now; reads only."""
        ...

    def apply(self, values: Values) -> str:
        """Writes the new values where the old ones (or nothing) stand, and answers with what was done, in one line. Doing it
        twice is the same as once. Raises ConsumerChanged where it holds neither."""
        ...

    def verify(self, values: Values) -> str:
        """Reads back, reloads what must be reloaded, asks the consumer's own check; answers with the evidence in one line.
        Raises ConsumerError if the new values are not in use."""
        ...

    def rollback(self, values: Values) -> str:
        """Writes the old values where the new ones stand."""
        ...


class ConsumerFactory(Protocol):
    """Makes a consumer from its table in the operator's configuration. Raises ConfigError for an option that is wrong."""

    def __call__(self, options: Mapping[str, object]) -> Consumer: ...
