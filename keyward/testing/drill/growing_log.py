"""A log that somebody never stops writing: `python -m keyward.testing.drill.growing_log FILE`, texts to be echoed on standard input.

Each line has the next number, so that a lost, doubled or broken one shows. The echoes stand between them, and end before the scan begins.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence

from keyward.testing.drill.machine import Machine
from keyward.testing.servers.process import end_with_parent

EVERY = 0.01
"""Seconds between two lines."""

_LINE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (?:INFO request (\d{9}) served|DEBUG env .+)")


class GrowingLog:
    """Use it as a context manager: the writer runs until it is left. `path`: of the log."""

    def __init__(self, machine: Machine, name: str, echoes: Sequence[str]) -> None:
        self.path = machine.path(name)
        self._echoes = echoes

    def __enter__(self) -> GrowingLog:
        import signal

        command = [sys.executable, "-m", __name__, self.path]
        self._writer = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=end_with_parent(signal.SIGKILL)
        )
        assert self._writer.stdin is not None and self._writer.stdout is not None
        # not as arguments: they can be read by every user of the machine
        self._writer.stdin.write("\n".join(self._echoes).encode())
        self._writer.stdin.close()
        self._writer.stdout.readline()
        self._inode = os.stat(self.path).st_ino
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.kill()
        self._writer.wait()
        if self._writer.stdout is not None:
            self._writer.stdout.close()

    def problems(self) -> list[str]:
        """What is not as it should be: the writer has ended, its file was exchanged, a line is lost or broken."""
        wrong = []
        if self._writer.poll() is not None:
            wrong.append("its writer has ended")
        if os.stat(self.path).st_ino != self._inode:
            wrong.append("it is another file now: its writer writes into one that nobody sees")
        with open(self.path, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
        found = [_LINE.fullmatch(line) for line in lines]
        broken = sum(each is None for each in found)
        if broken:
            wrong.append(f"{broken} lines are broken")
        numbers = [int(each[1]) for each in found if each is not None and each[1]]
        if numbers != list(range(len(numbers))):
            wrong.append("lines are missing or doubled")
        return wrong


def write(path: str, echoes: Sequence[str]) -> None:
    """Writes, until it is killed. Says so on standard output once all echoes are out."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    left, number = list(echoes), 0
    while True:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        os.write(file, f"{now} INFO request {number:09d} served\n".encode())
        number += 1
        if left and number % 10 == 0:
            os.write(file, f"{now} DEBUG env {left.pop()}\n".encode())
            if not left:
                print("all are out", flush=True)
        time.sleep(EVERY)


if __name__ == "__main__":
    write(sys.argv[1], sys.stdin.read().splitlines())
