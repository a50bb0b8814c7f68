"""What a detector pack is: a module with these names at its top level.

KINDS: tuple[CredentialKind, ...]     the kinds of credential that it finds
RULES: tuple[Rule, ...]               how it finds them

The docstring is the page that `keyward rules show` prints: what the credential is, where it is used, what an attacker
can do with it, how to replace it by hand, references.
"""

from __future__ import annotations

from typing import Protocol

from keyward.model.finding import Signal
from keyward.model.kind import CredentialKind
from keyward.model.rule import Rule

PASSED, FAILED = 20, -20
"""The weights of a checksum that holds and of one that does not."""


class Detector(Protocol):
    """A module that keeps the contract. `keyward.testing.DetectorContract` checks it."""

    KINDS: tuple[CredentialKind, ...]
    RULES: tuple[Rule, ...]


def checksum(holds: bool, algorithm: str) -> Signal:
    """The signal for a checksum: `algorithm` says in a few words which one."""
    return Signal("checksum", PASSED, f"{algorithm} holds") if holds else Signal("checksum", FAILED, f"{algorithm} fails")


def structure(holds: bool, what: str) -> Signal:
    """The signal for a structure that can be decoded: `what` says which."""
    return Signal("structure", 15, what) if holds else Signal("structure", FAILED, f"not {what}")
