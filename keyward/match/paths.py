"""Where keyward keeps its own files, and how it writes them: atomically, for this user only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager


def cache_folder() -> str:
    """`$KEYWARD_CACHE`, else `keyward` in the user's cache folder. It is safe to delete at any time."""
    return os.environ.get("KEYWARD_CACHE") or os.path.join(_base("XDG_CACHE_HOME", ".cache", "Caches"), "keyward")


def state_folder() -> str:
    """`$KEYWARD_STATE`, else `keyward` in the user's state folder. Holds the operator's salt; it should be kept."""
    return os.environ.get("KEYWARD_STATE") or os.path.join(
        _base("XDG_STATE_HOME", ".local/state", "Application Support"), "keyward"
    )


def config_file() -> str:
    """The operator's own configuration: `$KEYWARD_CONFIG`, else `keyward/config.toml` in the user's configuration folder."""
    return os.environ.get("KEYWARD_CONFIG") or os.path.join(
        _base("XDG_CONFIG_HOME", ".config", "Application Support"), "keyward", "config.toml"
    )


def _base(variable: str, unix: str, mac: str) -> str:
    import sys

    if os.environ.get(variable):
        return os.environ[variable]
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", mac)
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA", home)
    return os.path.join(home, unix)


def is_private(status: os.stat_result) -> bool:
    """Whether a file is regular, this user's, and not writable by anybody else."""
    if os.name == "nt":
        return stat.S_ISREG(status.st_mode)
    mine = status.st_uid in (os.geteuid(), 0)
    return stat.S_ISREG(status.st_mode) and mine and not status.st_mode & 0o022


def write_private(path: str, content: bytes) -> bool:
    """Writes a file atomically with mode 0600; answers whether that was possible. Nothing is left behind if it was not."""
    folder = os.path.dirname(path)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError:
        return False
    return True


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Alone with what lies at `path`, over all processes of this host, by a lock on a file beside it: the system frees it when its holder
    dies. Waits for whoever has it. Raises OSError if it cannot be had; on Windows nothing is locked."""
    os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(f"{path}.lock", flags, 0o600)
    try:
        if os.name != "nt":
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
