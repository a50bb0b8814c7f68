"""Runs the operator's commands: without a shell, with a time limit, and with no value in arguments or environment.

What a command prints is never shown: it may print the value that it was given.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from keyward.errors import ConsumerError
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.files import HOST, Prepared

TIMEOUT = 60.0
"""Seconds that a command may take unless the configuration says otherwise."""

MOST_OUTPUT = 1 << 16


class Ran(NamedTuple):
    """How a command ended. `output`: what it wrote to its standard output, cut at `MOST_OUTPUT`."""

    code: int
    output: bytes = b""


class Runner(Protocol):
    """Runs one command. Raises OSError if it cannot be started, TimeoutError if it takes longer than `timeout` seconds."""

    def __call__(self, argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str], timeout: float) -> Ran: ...


def run_command(argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str], timeout: float) -> Ran:
    """Runs it on this machine; `environment` comes on top of ours. The whole process group is killed when time is up."""
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return Ran(process.returncode, output[:MOST_OUTPUT])


class Commands:
    """The commands of one consumer, under the eyes of its fences."""

    def __init__(self, ports: Ports, runner: Runner = run_command, timeout: float = TIMEOUT) -> None:
        self._ports, self._runner, self._timeout = ports, runner, timeout

    def run(self, argv: Sequence[str], values: Values, *, changes: bool, stdin: bytes = b"") -> Ran:
        """Runs a command that learns lane, name, reference and rotation by its environment. Raises ConsumerError if it cannot be
        started or takes too long."""
        environment = {
            "KEYWARD_LANE": values.lane,
            "KEYWARD_NAME": values.name,
            "KEYWARD_REFERENCE": values.reference,
            "KEYWARD_ROTATION": values.rotation,
        }
        what = os.path.basename(argv[0])
        try:
            return self._ports.call(
                f"run {what}",
                HOST,
                lambda: self._runner(argv, stdin=stdin, environment=environment, timeout=self._timeout),
                changes=changes,
            )
        except TimeoutError:
            raise ConsumerError(f"{what} took longer than {self._timeout:.0f} s and was stopped") from None
        except OSError as error:
            raise ConsumerError(f"{what} cannot be run: {error.strerror}") from None

    def must(self, argv: Sequence[str], values: Values, *, changes: bool, stdin: bytes = b"", purpose: str = "") -> None:
        """The same for a command that must succeed. Raises ConsumerError if its exit code is not 0."""
        ran = self.run(argv, values, changes=changes, stdin=stdin)
        if ran.code:
            how = f"ended with exit code {ran.code}" if ran.code > 0 else f"was ended by signal {-ran.code}"
            raise ConsumerError(
                f"{purpose or 'the command'} {os.path.basename(argv[0])} {how}",
                hint="Run it by hand to see what it says; its output is not shown because it may hold the value.",
            )


class Checked:
    """A consumer with the commands of its configuration: `reload` after each write, `check` at the end of `verify`."""

    def __init__(self, inner: Consumer, commands: Commands, reload: Sequence[str], check: Sequence[str]) -> None:
        self.type, self.name = inner.type, inner.name
        self.inner = inner
        self._commands, self._reload, self._check = commands, tuple(reload), tuple(check)

    def ready(self) -> None:
        if isinstance(self.inner, Prepared):
            self.inner.ready()

    def holds(self, values: Values) -> Holds:
        return self.inner.holds(values)

    def apply(self, values: Values) -> str:
        return self.inner.apply(values)

    def verify(self, values: Values) -> str:
        """Reads back, reloads (each time: a process that was killed after the write must reload as well), and asks."""
        evidence = [self.inner.verify(values)]
        if self._reload:
            self._commands.must(self._reload, values, changes=True, purpose="the reload command")
            evidence.append("reloaded")
        if self._check:
            self._commands.must(self._check, values, changes=False, purpose="the check command")
            evidence.append("its check passed")
        return "; ".join(evidence)

    def rollback(self, values: Values) -> str:
        done = self.inner.rollback(values)
        if self._reload:
            self._commands.must(self._reload, values, changes=True, purpose="the reload command")
            done += "; reloaded"
        return done
