"""The original, encrypted with age before it is changed: the only copy that a scrub ever makes of it.

Facts: https://age-encryption.org/v1 (recipients `age1…`, and SSH keys of the kinds ed25519 and RSA).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from keyward.errors import MissingExtra, UsageError
from keyward.match.paths import state_folder
from keyward.plugin.ports import Fence
from keyward.scrub.fences import act
from keyward.scrub.open_file import OpenFile

LONGEST_NAME = 200
SIBLINGS = ("", "-wal", "-journal")
"""What belongs to a database besides the file itself."""


class Backup:
    """Encrypts files to recipients. `folder`: where to; one below the state folder unless given. Each file's name is its path, quoted.

    Raises MissingExtra without the library, UsageError for a recipient that is none.
    """

    def __init__(self, recipients: Sequence[str], folder: str = "", *, fences: tuple[Fence, ...] = ()) -> None:
        self._library = _age()
        self._recipients = [_recipient(self._library, text.strip()) for text in recipients]
        self.folder = folder or os.path.join(state_folder(), "scrub", "originals")
        self._fences = fences

    def keep(self, path: str) -> list[str]:
        """Encrypts a file, and what belongs to it; answers where. It is on the disk when this returns. Raises OSError, Refusal."""
        made = [self._one(path)]
        made += (self._one(path + suffix) for suffix in SIBLINGS[1:] if os.path.isfile(path + suffix))
        return made

    def _one(self, path: str) -> str:
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        with OpenFile(path) as file:
            target, descriptor = self._create(path)
            try:
                with os.fdopen(descriptor, "wb") as sink, os.fdopen(os.dup(file.descriptor), "rb") as source:
                    with act(self._fences, "write backup"):
                        self._library.encrypt_io(_Limited(source, file.status.st_size), sink, self._recipients)
                    sink.flush()
                    os.fsync(sink.fileno())
                _sync_folder(self.folder)
            except BaseException:
                os.unlink(target)
                raise
        return target

    def _create(self, path: str) -> tuple[str, int]:
        name = quote(os.fsencode(os.path.abspath(path)), safe="")[-LONGEST_NAME:]
        number = 0
        while True:
            target = os.path.join(self.folder, f"{name}{f'.{number}' if number else ''}.age")
            try:
                return target, os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                number += 1


class _Limited:
    """A file that ends where it ended when it was opened: a log may grow faster than it is read."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def _age() -> Any:
    try:
        import pyrage  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("pyrage", "local") from None
    return pyrage


def _recipient(library: Any, text: str) -> Any:
    made = library.ssh.Recipient if text.startswith("ssh-") else library.x25519.Recipient
    try:
        return made.from_str(text)
    except library.RecipientError:
        raise UsageError(
            "the recipient of the backup is none that age knows", hint="Give a public key: age1… or ssh-ed25519 …"
        ) from None


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
