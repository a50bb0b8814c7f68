"""Lanes: one consumer's blast radius, and the credentials in it. Values only; `keyward.rotate.lanes` reads them from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from keyward.model.credential import Target
from keyward.model.kind import Kind


class ConsumerSpec(NamedTuple):
    """Who uses a credential, and where the new one must be written.

    `type`: name of the consumer (`dotenv`, `kubernetes`, …). `options`: what that consumer documents. `host`: the machine it
    stands on (empty: this one), so that a compromised host can be left out. `credentials`: names of the entries that it uses
    (empty: all of the lane). `check`: command that tells whether the consumer is well (exit 0), run without a shell.
    """

    type: str
    options: Mapping[str, object]
    host: str = ""
    credentials: tuple[str, ...] = ()
    check: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in tables and journals: the type and the place."""
        place = self.options.get("path") or self.options.get("name") or self.options.get("repository") or ""
        return f"{self.type} {place}".strip()


class Entry(NamedTuple):
    """One credential of a lane.

    `rotate_every`, `expiry`, `drain`: seconds, 0 for none. `expiry`: how long a new one shall live, where the provider has
    that. `drain`: how long the old one stays alive after the consumers have the new one. `admin`: reference to the credential
    that may replace it (`env:…`, `keyring:…`, `vault:…`, `file:…`, `exec:…`), by part name. `scope`: what the provider is
    asked for (policy, project, cap, …); which names it has is documented by the rotator. `depends_on`: `lane/name` of
    entries that must be treated before this one.
    """

    lane: str
    name: str
    kind: Kind
    store: str
    path: str
    target: Target = Target()
    scope: Mapping[str, object] = {}
    admin: Mapping[str, str] = {}
    rotate_every: float = 0.0
    expiry: float = 0.0
    drain: float = 0.0
    depends_on: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """How it is named on the command line: `lane/name`."""
        return f"{self.lane}/{self.name}"


class Lane(NamedTuple):
    """`tier`: 1 (most important) to 3. `approvals`: how many people must agree before a rotation. `canary`: rotated before the
    other lanes of its tier."""

    name: str
    tier: int = 2
    environment: str = ""
    entries: tuple[Entry, ...] = ()
    consumers: tuple[ConsumerSpec, ...] = ()
    approvals: int = 0
    canary: bool = False

    def consumers_of(self, entry: str) -> tuple[ConsumerSpec, ...]:
        """The consumers that use one entry."""
        return tuple(c for c in self.consumers if not c.credentials or entry in c.credentials)
