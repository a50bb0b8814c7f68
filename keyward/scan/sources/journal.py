"""Reads the systemd journal through journalctl: its files are binary, and only the parts that the user may read are shown."""

from __future__ import annotations

import json
import re
import select
import subprocess
import time

_BYTES = re.compile(rb'("[A-Z_]+":)\[([0-9, ]+)\]')
"""A field that is not UTF-8 (colours are enough) is written as a list of its bytes."""

_CHUNK = 1 << 20


class Journal:
    """The records as JSON lines, with lists of bytes turned into text again. `seconds`: how long it may take as a whole."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._process = process
        self._until = time.monotonic() + seconds
        self._held = b""
        self._ready = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """Up to so many bytes, none at the end. Raises OSError where journalctl fails or takes too long."""
        while not self._ready and not self._ended:
            self._fill()
        piece, self._ready = self._ready[:size], self._ready[size:]
        return piece

    def _fill(self) -> None:
        assert self._process.stdout is not None
        left = self._until - time.monotonic()
        if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
            self._stop()
            raise OSError("reading the journal took too long")
        piece = self._process.stdout.read1(_CHUNK)  # type: ignore[attr-defined]
        self._held += piece
        # whole lines only, so that no list is cut
        cut = self._held.rfind(b"\n") + 1 if piece else len(self._held)
        self._ready, self._held = _BYTES.sub(_as_text, self._held[:cut]), self._held[cut:]
        if not piece:
            self._ended = True
            if self._process.wait() != 0:
                raise OSError(f"journalctl failed (exit {self._process.returncode})")
            self._process.stdout.close()

    def _stop(self) -> None:
        self._ended = True
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __del__(self) -> None:
        if self._process.poll() is None:
            self._stop()


def _as_text(match: re.Match[bytes]) -> bytes:
    numbers = [int(number) for number in match[2].replace(b" ", b"").split(b",") if number]
    if any(number > 255 for number in numbers):
        whole: bytes = match[0]
        return whole
    text = json.dumps(bytes(numbers).decode("utf-8", "replace"), ensure_ascii=False)
    return bytes(match[1]) + text.encode("utf-8", "replace")
