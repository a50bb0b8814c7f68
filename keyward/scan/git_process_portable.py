"""Starts git where `os.posix_spawn` and polling of pipes do not exist (Windows): `subprocess`, and a thread for each pipe."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Sequence

from keyward.scan.git_process import KEPT_ERRORS, PIECE, Child, too_silent


class Portable(Child):
    """The same contract as the spawned one. The queue is bounded, so that a huge object does not pile up in memory."""

    def __init__(self, command: Sequence[str | bytes], environment: dict[str, str], stdin: bytes, patience: float) -> None:
        words = [os.fsdecode(word) for word in command]
        self._process = subprocess.Popen(
            words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self._patience = patience
        self._pieces: queue.Queue[bytes] = queue.Queue(maxsize=16)
        self._errors = b""
        self._ended = False
        self._killed = threading.Event()
        self._threads = [
            threading.Thread(target=self._feed, args=(stdin,), daemon=True),
            threading.Thread(target=self._take_output, daemon=True),
            threading.Thread(target=self._take_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def read(self) -> bytes:
        if self._ended:
            return b""
        try:
            piece = self._pieces.get(timeout=self._patience)
        except queue.Empty:
            self.kill()
            raise too_silent(self._patience) from None
        self._ended = not piece
        return piece

    def wait(self) -> int:
        while self.read():
            pass
        try:
            code = self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise too_silent(self._patience) from None
        self._threads[2].join(self._patience)
        return code

    def kill(self) -> None:
        self._killed.set()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        while not self._pieces.empty():  # lets the reading thread see that nobody listens any more
            self._pieces.get_nowait()
        for thread in self._threads:
            thread.join(1)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be written has no reader any more
                    pass

    def errors(self) -> str:
        return self._errors.decode("utf-8", "replace").strip()

    def _feed(self, stdin: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            view = memoryview(stdin)
            while view:
                view = view[pipe.write(view[:PIECE]) :]
            pipe.close()
        except (OSError, ValueError):  # git ended; its exit code says why
            pass

    def _take_output(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        piece = b"?"
        while piece:
            try:
                piece = pipe.read(PIECE)
            except (OSError, ValueError):
                piece = b""
            while not self._killed.is_set():
                try:
                    self._pieces.put(piece, timeout=0.2)
                    break
                except queue.Full:
                    continue
            else:
                return

    def _take_errors(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        try:
            while data := pipe.read(PIECE):
                if len(self._errors) < KEPT_ERRORS:
                    self._errors = (self._errors + data)[:KEPT_ERRORS]
        except (OSError, ValueError):
            pass
