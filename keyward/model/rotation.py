"""How a rotation stands and how it ends. Values only."""

from __future__ import annotations

from typing import NamedTuple, Union

from keyward.model.kind import Manual
from keyward.model.verdict import Evidence

PLAN, QUARANTINE, RESERVE, ISSUE, STORE = "PLAN", "QUARANTINE", "RESERVE", "ISSUE", "STORE"
PROVE, PROMOTE, DISTRIBUTE, DRAIN, REVOKE, CONFIRM = "PROVE", "PROMOTE", "DISTRIBUTE", "DRAIN", "REVOKE", "CONFIRM"
NARROW = "NARROW"
"""Consumers that hold both values for a while drop the old one."""
DONE, ABORT = "DONE", "ABORT"

PLANNED, INCIDENT = "planned", "incident"


class Withheld(NamedTuple):
    """A consumer that was not given the new credential, and why (its host is compromised)."""

    consumer: str
    reason: str


class Proved(NamedTuple):
    """The provider itself accepts the new one and refuses the old one."""

    rotation: str
    ref: str
    evidence: tuple[Evidence, ...] = ()
    withheld: tuple[Withheld, ...] = ()


class ProvedByConsumer(NamedTuple):
    """No provider can be asked; the consumer's own probe accepts the new one and refuses the old one."""

    rotation: str
    ref: str
    detail: str = ""
    withheld: tuple[Withheld, ...] = ()


class Attested(NamedTuple):
    """Done, and nobody can prove that the old one is dead. `by`: who says so."""

    rotation: str
    ref: str
    by: str
    detail: str = ""
    withheld: tuple[Withheld, ...] = ()


class WaitingHuman(NamedTuple):
    """A person must make the new one, or kill the old one. `step`: where it waits."""

    rotation: str
    ref: str
    step: str
    manual: Manual


class Stopped(NamedTuple):
    """It stopped at a step and can be resumed. `changed`: whether anything outside had been changed before."""

    rotation: str
    ref: str
    step: str
    reason: str
    hint: str = ""
    changed: bool = True


class Aborted(NamedTuple):
    """It was taken back: the old one is in use as before."""

    rotation: str
    ref: str
    detail: str = ""


Outcome = Union[Proved, ProvedByConsumer, Attested, WaitingHuman, Stopped, Aborted]
