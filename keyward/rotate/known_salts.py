"""Salts under which this operator's credentials have been named: a project with a baseline has one of its own, and a report brings it.

A rotation writes down the fingerprints of the value that it replaces, under all of them: once the value is gone, nobody can make
them any more, and a report that is older than the rotation would name a stranger.
"""

from __future__ import annotations

import os

from keyward.errors import ConfigError
from keyward.match.fingerprint import Fingerprinter, from_base32, load_salt, to_base32
from keyward.match.paths import write_private
from keyward.model.credential import SecretParts
from keyward.model.kind import CredentialKind
from keyward.rotate.identity import fingerprint

FILE = "salts"
MOST = 16
"""Salts that are remembered; the newest stay. Each may cost the 4 ms of scrypt for each value."""

LARGEST = 1 << 16


def known_salts(state: str) -> tuple[bytes, ...]:
    """The operator's own, then those that reports brought, newest first. One that cannot be read is left out: it must not keep
    anybody from rotating."""
    try:
        own = load_salt()
        salts = [own.value] if own.origin == "operator" else []
    except ConfigError:
        salts = []
    return tuple(dict.fromkeys((*salts, *_remembered(state))))


def remember_salt(state: str, salt: bytes) -> bool:
    """Keeps a report's salt for later rotations; answers whether it is known from now on. Writes nothing if it was."""
    known = known_salts(state)
    if salt in known:
        return True
    kept = [salt, *_remembered(state)][:MOST]
    return write_private(os.path.join(state, FILE), "".join(f"{to_base32(each)}\n" for each in kept).encode())


def names_of(kind: CredentialKind, parts: SecretParts, salts: tuple[bytes, ...]) -> tuple[str, ...]:
    """The fingerprints of one credential under each salt; none for no parts."""
    made = (fingerprint(kind, parts, Fingerprinter(salt)) for salt in salts)
    return tuple(dict.fromkeys(name for name in made if name))


def _remembered(state: str) -> list[bytes]:
    try:
        with open(os.path.join(state, FILE), encoding="ascii", errors="replace") as file:
            lines = file.read(LARGEST).split()
    except OSError:
        return []
    salts = []
    for line in lines[:MOST]:
        try:
            salt = from_base32(line)
        except ValueError:
            continue
        if 16 <= len(salt) <= 64:
            salts.append(salt)
    return salts
