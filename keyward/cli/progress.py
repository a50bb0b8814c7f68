"""A line on the terminal while long work goes on; nothing anywhere else."""

from __future__ import annotations

import sys
import time


class ProgressLine:
    """Shows files, bytes and matches on standard error, if that is a terminal, after half a second and then ten times a second."""

    def __init__(self, *, enabled: bool | None = None) -> None:
        self._enabled = sys.stderr.isatty() if enabled is None else enabled
        self._next = time.monotonic() + 0.5
        self._shown = False

    def __call__(self, files: int, size: int, found: int) -> None:
        if not self._enabled or (now := time.monotonic()) < self._next:
            return
        self._next = now + 0.1
        self._shown = True
        sys.stderr.write(f"\r\x1b[Kscanning: {files:,} files, {size / 1e6:,.0f} MB, {found:,} matches")
        sys.stderr.flush()

    def asked(self, done: int, total: int) -> None:
        """The same while providers are asked."""
        if not self._enabled or (now := time.monotonic()) < self._next:
            return
        self._next = now + 0.1
        self._shown = True
        sys.stderr.write(f"\r\x1b[Kasking providers: {done:,} of {total:,}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


class CompileMessage:
    """Says that the rules are being compiled, if that takes longer than a second, and clears up after itself."""

    def __init__(self) -> None:
        self._timer: object = None

    def __call__(self, rules: int) -> None:
        import threading

        timer = threading.Timer(
            1.0, lambda: print(f"keyward: compiling {rules} rules, once after each update…", file=sys.stderr, flush=True)
        )
        timer.daemon = True
        timer.start()
        self._timer = timer

    def done(self) -> None:
        if self._timer is not None:
            self._timer.cancel()  # type: ignore[attr-defined]  # threading is imported only when it is needed
