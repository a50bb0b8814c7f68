"""What a drill shows: phases with their times, what is typed, what the real command answers, and a table at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TextIO

WIDTH = 100

PROGRAM = (os.path.join(os.path.dirname(sys.executable), "keyward"),)
"""What runs as `keyward`: the command that stands beside this Python, as a person would run it."""

Pick = Callable[[str, str], Iterable[str]]
"""From a command's standard output and error to the lines that are shown."""


class DrillFailed(Exception):
    """A command ended otherwise than it should. The text says which, and holds no value."""


class Ran(NamedTuple):
    """How a command ended. `seconds`: it took."""

    code: int
    out: str
    err: str
    seconds: float


class Phase(NamedTuple):
    """`result`: what came of it, in a few words."""

    title: str
    seconds: float
    result: str


class Stage:
    """`folder`: where commands are typed. `variables`: their whole environment. `verbose`: whether all that they say is shown, and not only
    what matters for the story. `transcript`: a file that gets all of it."""

    def __init__(self, folder: str, variables: Mapping[str, str], *, out: TextIO, verbose: bool = False) -> None:
        self.folder, self.variables, self.phases = folder, dict(variables), list[Phase]()
        self._out, self._verbose = out, verbose
        self._color = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._began = time.monotonic()
        self._result = ""
        self.said: list[str] = []

    @contextmanager
    def phase(self, title: str, story: str = "") -> Iterator[None]:
        """A part of the story, timed."""
        begun = time.monotonic()
        head = f"── {len(self.phases) + 1}. {title} ".ljust(WIDTH - 10, "─")
        self.say(f"\n{self._paint(head, '1;36')} {self._paint(f'{begun - self._began:6.1f} s', '2')}")
        if story:
            self.say(self._paint(story, "2"))
        self._result = ""
        yield
        self.phases.append(Phase(title, time.monotonic() - begun, self._result))

    def result(self, text: str) -> None:
        """What came of the phase, for the table at the end; shown at once, too."""
        self._result = text
        self.say(f"  {self._paint('→', '1;32')} {text}")

    def say(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)

    def good(self, text: str) -> None:
        self.say(f"  {self._paint('✓', '1;32')} {text}")

    def bad(self, text: str) -> None:
        self.say(f"  {self._paint('✗', '1;31')} {text}")

    def type(self, *words: str, expect: Sequence[int] = (0,), stdin: str = "", show: Pick | None = None) -> Ran:
        """Shows what is typed, runs it, shows what it answers. Raises DrillFailed for another exit code."""
        shown = " ".join(self.short(word) for word in words)
        self.say(f"{self._paint('$ keyward ' + shown, '1')}")
        begun = time.monotonic()
        done = subprocess.run(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=self.variables,
            input=stdin.encode(),
            capture_output=True,
            check=False,
        )
        ran = Ran(
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
            time.monotonic() - begun,
        )
        self.said.append(f"$ keyward {shown}\n{ran.out}{ran.err}(exit code {ran.code}, {ran.seconds:.1f} s)\n")
        failed = ran.code not in expect
        lines = (
            [*ran.out.splitlines(), *ran.err.splitlines()]
            if self._verbose or failed or show is None
            else show(ran.out, ran.err)
        )
        for line in lines:
            self.say("    " + self.short(line))
        if failed:
            raise DrillFailed(f"`keyward {shown}` ended with {ran.code}, and {' or '.join(map(str, expect))} was expected")
        return ran

    def shell(self, command: str, *, quietly: bool = False, expect: Sequence[int] = (0,)) -> None:
        """Another program's command, as somebody pastes it. `quietly`: without showing it. Raises DrillFailed."""
        if not quietly:
            self.say(self._paint(f"$ {self.short(command)}", "1"))
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.variables, capture_output=True, stdin=subprocess.DEVNULL
        )
        self.said.append(f"$ {command}\n{(done.stdout + done.stderr).decode(errors='replace')}(exit code {done.returncode})\n")
        if done.returncode not in expect:
            raise DrillFailed(f"`{self.short(command)}` ended with {done.returncode}")

    def short(self, text: str) -> str:
        """The same without the folder's long name."""
        return text.replace(os.path.dirname(self.folder) + os.sep + "home", "~").replace(os.path.dirname(self.folder), "…")

    def table(self) -> None:
        """Phases, times, results, and the sum."""
        total = time.monotonic() - self._began
        width = max(len(each.title) for each in self.phases)
        self.say(f"\n{self._paint('phase'.ljust(width) + '  seconds  result', '1')}")
        for each in self.phases:
            self.say(f"{each.title.ljust(width)}  {each.seconds:7.1f}  {each.result}".rstrip())
        self.say(f"{'in all'.ljust(width)}  {total:7.1f}")

    def write_transcript(self, path: str) -> None:
        """All that was typed and answered."""
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(self.said))

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text


def first(number: int) -> Pick:
    """The first lines of standard output."""
    return lambda out, err: out.splitlines()[:number]


def last(number: int) -> Pick:
    """The last lines of standard output, or of standard error where there is none."""
    return lambda out, err: (out.strip() or err.strip()).splitlines()[-number:]


def after(head: str) -> Pick:
    """Standard output from the line that begins so."""

    def pick(out: str, err: str) -> Iterable[str]:
        lines = out.splitlines()
        return lines[next((at for at, line in enumerate(lines) if line.startswith(head)), 0) :]

    return pick


def starting(*heads: str) -> Pick:
    """The lines of standard output that begin with one of these, blanks before it left out of account."""
    return lambda out, err: [line for line in out.splitlines() if line.strip().startswith(heads)]
