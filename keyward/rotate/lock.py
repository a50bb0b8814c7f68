"""One rotation at a time for one entry, by `flock`: the kernel lets go when a process dies, so that no lock is ever stale."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from keyward.errors import Halted
from keyward.plugin.clock import Clock, SystemClock


@contextmanager
def entry_lock(state: str, ref: str, *, wait: float = 0.0, clock: Clock | None = None) -> Iterator[None]:
    """Holds the lock of the entry `ref` below the state folder. `wait`: seconds that another holder is waited for.

    Raises Halted naming the process that holds it.
    """
    clock = clock or SystemClock()
    folder = os.path.join(state, "locks")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, hashlib.sha256(ref.encode()).hexdigest()[:24])
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        deadline = clock.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.monotonic() >= deadline:
                    holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "?"
                    raise Halted(
                        f"{ref} is being rotated by process {holder}", hint="Wait for it, or look with: keyward status"
                    ) from None
                clock.sleep(0.2)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
