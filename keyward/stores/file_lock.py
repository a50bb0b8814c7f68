"""A lock between processes and threads that the system frees when its holder dies."""

from __future__ import annotations

import os
import threading
from types import TracebackType

from keyward.errors import StoreUnavailable
from keyward.plugin.clock import Clock

WAIT = 10.0
"""Seconds to wait for another writer."""

STEP = 0.02

_threads: dict[str, threading.Lock] = {}
_guard = threading.Lock()


class FileLock:
    """Exclusive while it is entered. The file stays: removing it would let two holders lock two files of one name.

    Raises StoreUnavailable (nothing was written) if it cannot be had within `wait` seconds.
    """

    def __init__(self, path: str, clock: Clock, wait: float = WAIT) -> None:
        self._path, self._clock, self._wait = path, clock, wait
        with _guard:
            self._thread = _threads.setdefault(path, threading.Lock())
        self._descriptor = -1

    def __enter__(self) -> FileLock:
        if not self._thread.acquire(timeout=self._wait):
            raise self._busy()
        try:
            self._descriptor = self._open()
            deadline = self._clock.monotonic() + self._wait
            while not _try_lock(self._descriptor):
                if self._clock.monotonic() >= deadline:
                    raise self._busy()
                self._clock.sleep(STEP)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._release()

    def _open(self) -> int:
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{self._path} cannot be opened: {error.strerror}", certain=True) from None

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._thread.release()

    def _busy(self) -> StoreUnavailable:
        hint = "Another keyward is writing; wait for it, then run the command again."
        return StoreUnavailable(f"{self._path} is locked", certain=True, hint=hint)


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
