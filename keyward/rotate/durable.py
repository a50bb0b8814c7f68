"""Writes that are on disk when they return: for what must outlive a crash."""

from __future__ import annotations

import errno
import os


def append_synced(path: str, data: bytes, *, create: bool = False) -> None:
    """Appends to a file; it is on disk when this returns. `create`: also makes the file, with mode 0600.

    Raises OSError, and then nothing of it stands there. A link is not followed.
    """
    new = create and not os.path.exists(path)
    flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | (os.O_CREAT if create else 0), 0o600)
    try:
        start = os.fstat(descriptor).st_size
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, start)
            raise
    finally:
        os.close(descriptor)
    if new:
        sync_folder(os.path.dirname(path) or ".")


def cut_synced(path: str, size: int) -> None:
    """Cuts a file to its first `size` bytes. Raises OSError."""
    with open(path, "r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def sync_folder(folder: str) -> None:
    """Makes sure that a new name is on disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
