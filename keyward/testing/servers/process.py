"""What all real servers share: a free port, a folder of their own, a process that cannot outlive the tests.

On Linux the kernel ends the server when the thread that started it goes away, also by SIGKILL; elsewhere only a clean exit
does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

PATIENCE = 30.0
"""Seconds that a server may take to answer."""

UNPRIVILEGED = "nobody"


class ServerMissing(Exception):
    """The server's program is not installed. The text says what to install."""


class ServerFailed(Exception):
    """The server did not come up. The text ends with the last lines of its log."""


def find_program(*names: str, folders: Sequence[str] = ("/usr/sbin", "/usr/local/sbin")) -> str:
    """The first of these programs that is installed, or an empty text."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *folders))
    return next((found for name in names if (found := shutil.which(name, path=path))), "")


def free_port(below: int = 65536) -> int:
    """A loopback port that nobody listens on now."""
    for start in (0, *range(20000, below)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", start))
            port = int(probe.getsockname()[1])
            if port < below:
                return port
    raise ServerFailed("no free port")


def unprivileged_ids() -> tuple[int, int] | None:
    """User and group for servers that refuse to run as root; None if we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd

    entry = pwd.getpwnam(UNPRIVILEGED)
    return entry.pw_uid, entry.pw_gid


@contextlib.contextmanager
def own_folder(owner: tuple[int, int] | None = None) -> Iterator[str]:
    """A fresh folder, mode 0700, that belongs to `owner` and is removed at the end."""
    # not below a test's own folder: an unprivileged server could not reach into that
    folder = os.path.realpath(tempfile.mkdtemp(prefix="keyward-server-"))
    try:
        if owner is not None:
            os.chown(folder, *owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def end_with_parent(sign: int) -> Callable[[], None]:
    """What a child does before it becomes the server: asks the kernel to be signalled when its parent's thread ends."""
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(1, sign, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def run(command: Sequence[str], owner: tuple[int, int] | None = None, **environment: str) -> None:
    """Runs a program to its end as `owner`. Raises ServerFailed with the end of its output."""
    result = subprocess.run(
        list(command),
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
        cwd="/",
        **_identity(owner),
    )
    if result.returncode:
        raise ServerFailed(f"{command[0]} failed: {result.stdout[-2000:].decode(errors='replace')}")


def _identity(owner: tuple[int, int] | None) -> dict[str, Any]:
    return {"user": owner[0], "group": owner[1], "extra_groups": []} if owner else {}


class Daemon:
    """A running server. `stop_signal`: how it is asked to stop; `death_signal`: what the kernel sends if we are killed."""

    def __init__(
        self,
        command: Sequence[str],
        log: str,
        *,
        owner: tuple[int, int] | None = None,
        environment: Mapping[str, str] | None = None,
        stop_signal: int = signal.SIGTERM,
        death_signal: int = signal.SIGKILL,
    ) -> None:
        self.log, self._stop_signal = log, stop_signal
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd="/",
                preexec_fn=end_with_parent(death_signal),
                **_identity(owner),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Waits until `ready` answers true. Raises ServerFailed if the process ends first or nothing comes."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self._process.poll() is not None:
                raise ServerFailed(f"the server ended at once: {self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"the server does not answer: {self.log_tail()}")
            time.sleep(0.02)

    def log_tail(self) -> str:
        with open(self.log, "rb") as file:
            return file.read()[-2000:].decode(errors="replace")

    def stop(self) -> None:
        """Asks it to stop, and makes it if it does not."""
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def kill(self) -> None:
        """Ends it as a power failure would."""
        self._process.kill()
        self._process.wait()


def answers(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5):
            return True
    except OSError:
        return False


class Chosen:
    """A value that is computed once per process and removed at its end: the template of a database's folder."""

    def __init__(self, make: Callable[[str], None]) -> None:
        self._make, self._folder = make, ""

    def folder(self, owner: tuple[int, int] | None) -> str:
        """The template's folder, made on first use."""
        if not self._folder:
            import atexit

            stack = contextlib.ExitStack()
            place = stack.enter_context(own_folder(owner))
            maker = os.getpid()
            # a forked child must not remove what its parent still uses
            atexit.register(lambda: stack.close() if os.getpid() == maker else None)
            self._make(place)
            self._folder = place
        return self._folder
