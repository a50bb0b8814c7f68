"""All that a detector or rotator pack may import, besides its own siblings, `keyward.model` and `keyward.errors`."""

from keyward.model.finding import Signal
from keyward.model.kind import CredentialKind, Kind, Manual, Parts
from keyward.model.rule import GENERIC, PROVIDER, STRUCTURAL, Companion, Rule
from keyward.plugin.detector import Detector, checksum, structure

__all__ = [
    "GENERIC",
    "PROVIDER",
    "STRUCTURAL",
    "Companion",
    "CredentialKind",
    "Detector",
    "Kind",
    "Manual",
    "Parts",
    "Rule",
    "Signal",
    "checksum",
    "structure",
]
