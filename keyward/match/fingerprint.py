"""A name for a credential that says nothing about it: `kw1_` and 26 characters of base32.

The same value under the same salt has the same fingerprint, on every machine and whatever rule found it. The salt is no
secret (it stands in the baseline and in every report), so a value that a person might have chosen goes through scrypt and
any other through keyed BLAKE2b; `is_guessable` tells them apart. scrypt's 4 ms a value are kept in a per-user cache.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from keyward.errors import ConfigError
from keyward.match.guessable import is_guessable
from keyward.match.paths import cache_folder, is_private, state_folder, write_private

__all__ = [
    "FingerprintCache",
    "Fingerprinter",
    "Salt",
    "from_base32",
    "is_fingerprint",
    "is_guessable",
    "load_salt",
    "to_base32",
]

PREFIX = "kw1_"
DIGEST_SIZE = 16
SALT_SIZE = 32
ENTRIES = 50_000
"""Fingerprints that the cache keeps; the newest stay."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_DIGITS = {character: digit for digit, character in enumerate(_ALPHABET)}
_TEXT_SIZE = -(-DIGEST_SIZE * 8 // 5)
_PERSON = b"keyward kw1"


class Fingerprinter:
    """Makes fingerprints under one salt (16 to 64 bytes). Not for several threads."""

    def __init__(self, salt: bytes, cache: FingerprintCache | None = None) -> None:
        if not 16 <= len(salt) <= 64:
            raise ValueError("a salt has 16 to 64 bytes")
        self.salt = salt
        self._cache = cache

    def of(self, value: bytes, guessable: bool | None = None) -> str:
        """The fingerprint of a credential's identity part, which the caller has brought to its kind's canonical form. `guessable`: what
        `is_guessable` says of it, if it has been asked."""
        if not (is_guessable(value) if guessable is None else guessable):
            import hashlib

            return _text(hashlib.blake2b(value, key=self.salt, digest_size=DIGEST_SIZE, person=_PERSON).digest())
        cache = self._cache
        if cache is None:
            return _text(_slow(value, self.salt))
        tag = cache.tag(self.salt, value)
        digest = cache.get(tag)
        if digest is None:
            digest = _slow(value, self.salt)
            cache.add(tag, digest)
        return _text(digest)


def _slow(value: bytes, salt: bytes) -> bytes:
    import hashlib

    return hashlib.scrypt(value, salt=_PERSON + salt, n=2**10, r=8, p=1, dklen=DIGEST_SIZE)


def _text(digest: bytes) -> str:
    return PREFIX + to_base32(digest)


def is_fingerprint(text: str) -> bool:
    """Whether the text has the form of a fingerprint."""
    body = text[len(PREFIX) :]
    return text.startswith(PREFIX) and len(body) == _TEXT_SIZE and _DIGITS.keys() >= set(body)


def to_base32(data: bytes) -> str:
    """Lower-case base32 (RFC 4648) without padding. The standard library's own costs an import of `struct` and more."""
    bits = len(data) * 8
    number = int.from_bytes(data, "big") << (-bits % 5)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(bits + (-bits % 5) - 5, -1, -5))


def from_base32(text: str) -> bytes:
    """The bytes behind `to_base32`. Raises ValueError for anything that it does not write."""
    number = 0
    for character in text:
        if character not in _DIGITS:
            raise ValueError("not lower-case base32")
        number = number << 5 | _DIGITS[character]
    size, spare = divmod(len(text) * 5, 8)
    if spare >= 5 or number & ((1 << spare) - 1):
        raise ValueError("not whole bytes of base32")
    return (number >> spare).to_bytes(size, "big")


class Salt(NamedTuple):
    """`origin`: `baseline`, `operator`, or `run` where none could be kept. `note`: what the user should know, if anything."""

    value: bytes
    origin: str
    note: str = ""


def load_salt(baseline: bytes | None = None) -> Salt:
    """The baseline's salt if there is one, else the operator's own, made on first use; else one for this run only.

    Raises ConfigError where the operator's salt is damaged: a new one would silently change every fingerprint.
    """
    if baseline:
        return Salt(baseline, "baseline")
    path = os.path.join(state_folder(), "salt")
    found = _read_private(path, 256)
    if found is None:  # not there, or not fit; and if it is there now, then another process made it since
        there = os.path.lexists(path)
        found = _read_private(path, 256) if there else _create_once(path, to_base32(os.urandom(SALT_SIZE)).encode() + b"\n")
    if found is None:
        note = f"{path} cannot be used (it must belong to you alone), so the fingerprints of this run hold for this run only"
        return Salt(os.urandom(SALT_SIZE), "run", note)
    try:
        value = from_base32(found.decode("ascii").strip())
        if len(value) != SALT_SIZE:
            raise ValueError
    except ValueError:
        hint = "Restore it from a backup, or delete it to get a new one; fingerprints without a baseline change then."
        raise ConfigError("this is no salt: 52 characters of base32 are expected", path=path, line=1, hint=hint) from None
    return Salt(value, "operator")


class FingerprintCache:
    """Fingerprints of guessable values, by a keyed hash of salt and value. One per process; no file is touched until the first
    guessable value is met.

    A worker never writes the file: what its `take` answers goes to the parent's `merge`, and the parent calls `save` once.
    What the file holds is worth nothing without the key beside it, which only this user can read. A file that is damaged,
    that belongs to somebody else or that others may write is ignored, and replaced by the next `save`.

    The file: a magic line, records of 32 bytes (16 of the keyed hash, 16 of the digest; oldest first), 32 bytes of keyed hash
    over all of it.
    """

    MAGIC = b"keyward fingerprints 1\n"

    def __init__(self, folder: str | None = None, *, entries: int = ENTRIES) -> None:
        folder = cache_folder() if folder is None else folder
        self._path = os.path.join(folder, "fingerprints")
        self._key_path = os.path.join(folder, "fingerprints.key")
        self._limit = entries
        self._key: bytes | None = None
        self._lasting = True
        self._known: dict[bytes, bytes] | None = None
        self._added: dict[bytes, bytes] = {}

    def tag(self, salt: bytes, value: bytes) -> bytes:
        """The name of a value in the cache."""
        import hashlib

        salted = bytes([len(salt)]) + salt + value
        return hashlib.blake2b(salted, key=self._user_key(), digest_size=DIGEST_SIZE, person=b"keyward tag").digest()

    def get(self, tag: bytes) -> bytes | None:
        """The digest behind a tag, if it is known."""
        if self._known is None:
            self._known = self._read()
        return self._known.get(tag)

    def add(self, tag: bytes, digest: bytes) -> None:
        """Remembers a digest that was computed."""
        if self._known is None:
            self._known = self._read()
        self._known[tag] = digest
        # Under a key that no other process has, an entry is of no use to any.
        if self._lasting:
            self._added[tag] = digest

    def prepare(self) -> None:
        """Makes the user's key if there is none. Any process does so when it needs it; this only settles it beforehand."""
        self._user_key()

    def take(self) -> dict[bytes, bytes]:
        """What was added since the last call. It can be sent to another process, and says nothing without the user's key."""
        added, self._added = self._added, {}
        return added

    def merge(self, added: Mapping[bytes, bytes]) -> None:
        """Takes over what another process added."""
        self._added.update(added)

    def save(self) -> bool:
        """Writes what was added, together with what other processes wrote meanwhile; the newest entries stay. Answers whether
        that was possible. Touches nothing if nothing was added."""
        if not self._added:
            return True
        merged = self._read()
        for tag, digest in self._added.items():
            merged.pop(tag, None)
            merged[tag] = digest
        body = self.MAGIC + b"".join(tag + digest for tag, digest in list(merged.items())[-self._limit :])
        seal = self._seal(body)
        if not self._lasting or not write_private(self._path, body + seal):
            return False
        self._added = {}
        return True

    def _read(self) -> dict[bytes, bytes]:
        content = _read_private(self._path, len(self.MAGIC) + 32 * self._limit + 32)
        if content is None or len(content) < len(self.MAGIC) + 32:
            return {}
        body, seal = content[:-32], content[-32:]
        records = body[len(self.MAGIC) :]
        if not body.startswith(self.MAGIC) or len(records) % 32 or seal != self._seal(body):
            return {}
        return {records[at : at + 16]: records[at + 16 : at + 32] for at in range(0, len(records), 32)}

    def _seal(self, body: bytes) -> bytes:
        import hashlib

        return hashlib.blake2b(body, key=self._user_key(), digest_size=32, person=b"keyward seal").digest()

    def _kept_key(self) -> bytes | None:
        key = _read_private(self._key_path, 64, secret=True)
        return key if key is not None and len(key) == 32 else None

    def _user_key(self) -> bytes:
        if self._key is None:
            key = self._kept_key()
            if key is None and os.path.lexists(self._key_path):
                key = self._kept_key()  # another process may have made it since
                if key is None:
                    _forget(self._key_path)
            if key is None:
                key = _create_once(self._key_path, os.urandom(32))
            self._lasting = key is not None and len(key) == 32
            self._key = key if key is not None and self._lasting else os.urandom(32)
        return self._key


def _read_private(path: str, limit: int, *, secret: bool = False) -> bytes | None:
    """The content of a file of at most `limit` bytes that only this user (or root) may write; None if it is anything else.
    `secret`: nobody else may read it either."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | _BINARY)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not is_private(status) or status.st_size > limit or (secret and os.name != "nt" and status.st_mode & 0o077):
                return None
            content = file.read(limit + 1)
    except OSError:
        return None
    return content if len(content) <= limit else None


_BINARY = getattr(os, "O_BINARY", 0)


def _create_once(path: str, content: bytes) -> bytes | None:
    """Creates a private file unless another process was faster, and answers what it holds; None if it cannot be created.
    A hard link makes it appear whole and only once; a file system without links gets a rename."""
    draft = f"{path}.{os.getpid()}.new"
    if not write_private(draft, content):
        return None
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:
        if not os.path.lexists(path) and not write_private(path, content):
            return None
    finally:
        _forget(draft)
    return _read_private(path, max(len(content), 256))


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
