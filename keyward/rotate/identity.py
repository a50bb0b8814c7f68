"""The fingerprint of a credential by its parts, as a scan makes it: of the best identity part, in its kind's canonical form."""

from __future__ import annotations

from keyward.match.fingerprint import Fingerprinter
from keyward.model.credential import SecretParts
from keyward.model.kind import CredentialKind


def identity_part(kind: CredentialKind, parts: SecretParts) -> str:
    """The name of the part that says which credential it is; empty where there is none."""
    return next((name for name in (*kind.identity, *parts) if name in parts), "")


def fingerprint(kind: CredentialKind, parts: SecretParts, fingerprinter: Fingerprinter) -> str:
    """`kw1_…`, or an empty string for no parts."""
    name = identity_part(kind, parts)
    if not name:
        return ""
    value = parts[name].reveal()
    return fingerprinter.of(kind.canonical(value) if kind.canonical else value)
