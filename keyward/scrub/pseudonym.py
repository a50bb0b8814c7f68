"""The short name that stands for a secret after it is gone: the same for the same secret, and of no use to anybody else.

It is keyed with a value that never leaves this operator's machine, so that a list of guessed values cannot be held against it.
"""

from __future__ import annotations

import os
from base64 import b32encode
from hashlib import blake2b

from keyward.errors import ConfigError
from keyward.match.paths import is_private, state_folder, write_private
from keyward.model.kind import CredentialKind

LENGTH = 4
"""Characters of base32: one in a million. It tells apart the secrets of one incident, and is too short to be a fingerprint."""

KEY_BYTES = 32


class Pseudonyms:
    """Makes the names. `key`: 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a pseudonym key has {KEY_BYTES} bytes")
        self._key = key

    def of(self, canonical: bytes) -> str:
        """The name of a secret, given its identity part in the form in which its kind is fingerprinted."""
        digest = blake2b(canonical, key=self._key, digest_size=5, person=b"kw-pseudonym").digest()
        return b32encode(digest).decode("ascii").lower()[:LENGTH]

    def of_value(self, kind: CredentialKind | None, value: bytes) -> str:
        """The name of a secret as it stands."""
        return self.of(kind.canonical(value) if kind is not None and kind.canonical else value)


def load_pseudonyms(folder: str | None = None) -> Pseudonyms:
    """The operator's, made at first use and kept in the state folder, readable by this user only.

    Raises ConfigError where the key cannot be kept or is not private: names that change from run to run would not correlate.
    """
    path = os.path.join(folder or state_folder(), "pseudonym.key")
    key = _read(path)
    if key is None:
        made = os.urandom(KEY_BYTES)
        if not write_private(path, made):
            raise ConfigError(
                "the key of the pseudonyms cannot be kept",
                path=path,
                hint="Make the folder writable, or set KEYWARD_STATE to one that is.",
            )
        key = _read(path) or made  # another process may have been quicker; what stands there counts
    return Pseudonyms(key)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            private = is_private(os.fstat(file.fileno()))
            key = file.read(KEY_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or '').lower()}", path=path) from None
    if not private or len(key) != KEY_BYTES:
        raise ConfigError(
            "is not a private key of pseudonyms",
            path=path,
            hint="Delete it; earlier redactions then no longer match later ones.",
        )
    return key
