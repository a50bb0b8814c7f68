"""Remembers between runs what was clean, so that a second scan costs what changed.

Of files and objects only those are remembered that were clean: in which nothing was found, however unsure, and of which nothing was left out.
The rest is looked at again each time, but for what a repository's history holds: of that a `Record` keeps what a report would say, masked and
under salted fingerprints. No secret is in either. An entry is a hash of what a result depends on; the
names of the files carry a digest of everything that can change a result (rules, judgement, readers, limits), so after an
update old entries are simply not asked for.

All files lie in the user's cache folder, never in a scanned tree, with mode 0600; one that is damaged, that belongs to somebody else
or that others may write is ignored. All may be deleted at any time.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

from keyward.match.catalogue import Catalogue
from keyward.match.paths import cache_folder, is_private, write_private
from keyward.scan.recipe import Recipe

FORMAT = 1

SIZE = 16
"""Bytes of an entry. The hash is keyed by the digest of the rules and is not invertible; 16 bytes are beyond any search for two
files with the same entry."""

MOST_ENTRIES = 500_000
"""Entries that are kept (8 MB); the newest stay."""

MOST_RECORDS = 100
LARGEST_RECORD = 16 << 20

RACY = 2.0
"""Seconds for which a file that was just changed is not remembered: it may change again within the same tick of its clock."""

_MAGIC = b"keyward clean results 1\n"
_SEAL = 16
_BLOCK = Struct(f"{SIZE}s" * 1024)
"""Entries that are taken apart at once, which is twice as fast as one by one."""


def results_digest(recipe: Recipe, *further: object) -> bytes:
    """32 bytes that change whenever a result could: with the rules, the code that judges and reads, and `further`.

    What the salt or a baseline changes is how something found is named or whether it passes, not whether there is something.
    """
    import pickle

    judged_by = recipe._replace(catalogue=_NO_RULES, salt=b"", detect_secrets=None)
    if recipe.foreign is None:  # nothing that judges looks at paths relative to the project
        judged_by = judged_by._replace(root="")
    facts: list[object] = [FORMAT, sys.version_info[:3], recipe.catalogue.digest, recipe.catalogue.database == b"", further]
    facts.append(pickle.dumps(judged_by, protocol=4))
    for folder in _CODE:
        for path, folders, names in os.walk(os.path.join(_TOP, folder)):
            folders.sort()
            facts.extend(_stat(os.path.join(path, name)) for name in sorted(names) if name.endswith(".py"))
    for name in (*(file.path for file in recipe.rule_files), *recipe.detect_secrets_plugins):
        facts.append((os.path.realpath(name), _stat(name)))
    return _hash(repr(facts).encode("utf-8", "surrogateescape"), b"", 32)


def naming_digest(recipe: Recipe) -> bytes:
    """What the salt or a baseline changes: 16 bytes that say by what findings are named, and by what they are let pass where they stand."""
    import pickle

    return _hash(pickle.dumps((recipe.salt, recipe.detect_secrets, recipe.root), protocol=4), b"", 16)


_NO_RULES = Catalogue((), b"", "", False)
_TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CODE = ("match", "scan", "formats", "plugin", "model")


def file_entry(digest: bytes, path: str, status: os.stat_result, beside: Sequence[os.stat_result | None] = ()) -> bytes:
    """The entry of a file in the state that `status` shows. `path`: as it is reported, because judgement looks at it. `beside`: of the
    files that belong to it (SQLite's `-wal` and `-journal`), None for one that is not there."""
    facts = f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} "
    for other in beside:
        facts += "- " if other is None else f"{other.st_ino} {other.st_size} {other.st_mtime_ns} {other.st_ctime_ns} "
    return _hash(facts.encode("ascii") + os.fsencode(path), digest[:32], SIZE)


def object_entry(digest: bytes, id: str, paths: Sequence[str]) -> bytes:
    """The entry of a git object that stands under these paths."""
    return _hash(f"{id}\0".encode("ascii") + "\0".join(paths).encode("utf-8", "surrogateescape"), digest[:32], SIZE)


def settled(status: os.stat_result, now: float | None = None) -> bool:
    """Whether a file has not been changed for long enough for its times to tell the next change."""
    changed = max(status.st_mtime, status.st_ctime)
    return changed + RACY < (time.time() if now is None else now)


class CleanResults:
    """The entries under one digest. Reads its file when it is first asked, writes it in `save`; several processes may do so
    at once. `folder`: None for the user's cache folder."""

    def __init__(self, digest: bytes, folder: str | None = None, *, most: int = MOST_ENTRIES) -> None:
        self.digest = digest
        self._folder = cache_folder() if folder is None else folder
        self._path = os.path.join(self._folder, f"clean-{digest.hex()[:24]}")
        self._most = most
        self._known: set[bytes] | None = None
        self._added: dict[bytes, None] = {}

    def __contains__(self, entry: bytes) -> bool:
        if self._known is None:
            self._known = set(self._read())
        return entry in self._known

    def __len__(self) -> int:
        if self._known is None:
            self._known = set(self._read())
        return len(self._known)

    def add(self, entries: Iterable[bytes]) -> None:
        """Notes what was clean; it is written by `save`."""
        self._added.update(dict.fromkeys(entries))

    def save(self) -> bool:
        """Writes what was added to what is there now; the newest entries stay. Answers whether that was possible."""
        if not self._added:
            return True
        before = self._read()
        added = self._added
        kept = [entry for entry in before if entry not in added]
        entries = [*kept, *added][-self._most :]
        if not _write(self._path, b"".join(entries)):
            return False
        self._added = {}
        _keep_newest(self._folder, "clean-", 4)
        return True

    def _read(self) -> list[bytes]:
        body = _read(self._path, len(_MAGIC) + SIZE * self._most + _SEAL)
        if body is None or len(body) % SIZE:
            return []
        entries: list[bytes] = []
        whole = len(body) - len(body) % _BLOCK.size
        for block in _BLOCK.iter_unpack(body[:whole]):
            entries.extend(block)
        entries.extend(body[at : at + SIZE] for at in range(whole, len(body), SIZE))
        return entries


class Record:
    """What is kept of one repository or sweep, under a name made of what it depends on: plain values, no secret among them."""

    def __init__(self, digest: bytes, *further: object, folder: str | None = None) -> None:
        self._folder = cache_folder() if folder is None else folder
        name = _hash(repr(further).encode("utf-8", "surrogateescape"), digest[:32], 12).hex()
        self._path = os.path.join(self._folder, f"history-{name}")

    def read(self) -> Any:
        """What was written, or None."""
        body = _read(self._path, LARGEST_RECORD)
        if body is None:
            return None
        try:
            version, value = marshal.loads(body)
        except (ValueError, EOFError, TypeError):
            return None
        return value if version == (FORMAT, sys.version_info[:2]) else None

    def write(self, value: Any) -> bool:
        """Keeps tuples, lists, dicts, text and numbers. Answers whether that was possible."""
        body = marshal.dumps(((FORMAT, sys.version_info[:2]), value))
        if len(body) > LARGEST_RECORD or not _write(self._path, body):
            return False
        _keep_newest(self._folder, "history-", MOST_RECORDS)
        return True


def _read(path: str, limit: int) -> bytes | None:
    """The body of a file of ours, None for one that is not there, not private, too large or damaged."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not is_private(status) or status.st_size > limit + len(_MAGIC) + _SEAL:
                return None
            content = file.read(limit + len(_MAGIC) + _SEAL)
    except OSError:
        return None
    body, seal = content[len(_MAGIC) : -_SEAL], content[-_SEAL:]
    return body if content.startswith(_MAGIC) and _hash(body, b"", _SEAL) == seal else None


def _write(path: str, body: bytes) -> bool:
    return write_private(path, _MAGIC + body + _hash(body, b"", _SEAL))


def _keep_newest(folder: str, prefix: str, most: int) -> None:
    """Deletes the oldest files of a kind: those of rules or repositories that nobody scans with or at any more."""
    try:
        with os.scandir(folder) as listed:
            files = sorted((e.stat(follow_symlinks=False).st_mtime_ns, e.path) for e in listed if e.name.startswith(prefix))
        for _, path in files[:-most]:
            os.unlink(path)
    except OSError:
        pass


def _hash(data: bytes, key: bytes, size: int) -> bytes:
    digest: bytes = _blake2b(data, digest_size=size, key=key).digest()
    return digest


def _load_blake2b() -> Any:
    """The hash without `hashlib`, which loads OpenSSL for it."""
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    return blake2b


_blake2b = _load_blake2b()


def _stat(path: str) -> tuple[str, int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return path, -1, -1
    return path, status.st_size, status.st_mtime_ns
