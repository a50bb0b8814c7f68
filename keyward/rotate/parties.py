"""All that takes part in one rotation, passed in: nothing here looks anything up by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import NamedTuple, Protocol

from keyward.model.credential import NO_PARTS, Credential, SecretParts
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.rotation import PLAN, PLANNED
from keyward.model.verdict import Verdict
from keyward.plugin.clock import Clock
from keyward.plugin.consumer import Consumer
from keyward.plugin.ports import Ports
from keyward.plugin.rotator import Capabilities, Job, Rotator
from keyward.plugin.store import Store
from keyward.rotate.journal import INTENT, Journal

Verify = Callable[[Credential], Verdict]
"""Asks the provider whether a credential lives, through the detector's own verifier. Never raises: what went wrong is Unknown."""


class Placed(NamedTuple):
    """A consumer, and what the configuration says of it."""

    spec: ConsumerSpec
    consumer: Consumer


class Tell(Protocol):
    """Told what goes on, for a live table: the entry's name, the step, and a few words."""

    def __call__(self, ref: str, step: str, detail: str) -> None: ...


def silent(ref: str, step: str, detail: str) -> None:
    """A listener that does not listen."""


def nobody_remembers(parts: SecretParts) -> None:
    """Where no answer of a provider is remembered."""


def nameless(parts: SecretParts) -> tuple[str, ...]:
    """Where nobody makes fingerprints."""
    return ()


class Parties(NamedTuple):
    """`verify`: None where nobody can be asked (a webhook secret). `admin`: resolved for this run only. `found`: which of the
    consumers no configuration names, because a scan found them; a rotation remembers them. `forget`: told of values of which a provider
    was asked to stop, kill or accept them, so that nobody relies on what it said of them before. `known_as`: the fingerprints of a
    value, under every salt that reports of it may have."""

    lane: Lane
    entry: Entry
    rotator: Rotator
    store: Store
    ports: Ports
    clock: Clock
    verify: Verify | None = None
    consumers: tuple[Placed, ...] = ()
    admin: SecretParts = NO_PARTS
    found: tuple[ConsumerSpec, ...] = ()
    forget: Callable[[SecretParts], None] = nobody_remembers
    known_as: Callable[[SecretParts], tuple[str, ...]] = nameless

    @property
    def capabilities(self) -> Capabilities:
        return self.rotator.capabilities_for(self.entry)

    def name(self, placed: Placed) -> str:
        """What a consumer is called in the journal: its name, and where several have the same, what tells them apart."""
        spec = placed.spec
        if sum(each.spec.name == spec.name for each in self.consumers) < 2:
            return spec.name
        table = json.dumps([spec.options, spec.host, spec.check], sort_keys=True, default=str)
        return f"{spec.name} ({hashlib.sha256(table.encode()).hexdigest()[:6]})"

    def credential(self, parts: SecretParts) -> Credential:
        """A value of this entry, as a verifier takes it."""
        return Credential(self.entry.kind, parts)

    def job(self, rotation: str) -> Job:
        """What the rotator is given."""
        return Job(self.entry, self.ports, self.admin, f"keyward:{rotation}" if rotation else "")


def found_consumers(journal: Journal) -> tuple[ConsumerSpec, ...]:
    """The consumers that a scan had found when a rotation was begun: no configuration has them, and a resume no report."""
    begun = journal.last(PLAN, INTENT)
    return tuple(
        ConsumerSpec(**{**each, "credentials": tuple(each["credentials"]), "check": tuple(each["check"])})
        for each in (begun.ids.get("found", ()) if begun else ())
    )


class Options(NamedTuple):
    """How it shall be done. `mode`: planned, or incident (quarantine first, no drain). `leaked`: the value to be replaced, where a
    scan found it; else what the store holds. `withheld_hosts`: machines whose consumers get nothing. `delete_first`: whether the
    old one may die before the new one is made, where the provider has no free slot. `quarantine`: whether an incident may
    disable the old one at once. `agreed`: the steps that were planned and agreed to; where others would be taken now, nothing is
    done (empty: no matter). `attested_by`: who says that the old one is dead, where nobody can be asked."""

    mode: str = PLANNED
    leaked: SecretParts | None = None
    withheld_hosts: frozenset[str] = frozenset()
    delete_first: bool = False
    quarantine: bool = True
    agreed: tuple[str, ...] = ()
    attested_by: str = ""
