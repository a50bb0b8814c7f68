"""Starts git: one hardened environment, and pipes that cannot deadlock.

No `subprocess` here: it costs ten milliseconds and more of imports, and every commit pays for the hook's imports. Where
`os.posix_spawn` does not exist (Windows), `git_process_portable` takes over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from keyward.errors import GitError

PATIENCE = 120.0
"""Seconds that git may be silent before it is stopped. A cold disk takes seconds; a hostile configuration that makes git
read a FIFO takes for ever."""

PIECE = 1 << 16
"""Bytes read from git at a time: what a pipe holds."""

WIDE = 1 << 20
"""The same where git says much: the most that Linux gives a pipe of anybody's. Git and its reader then wake each other less often."""

KEPT_ERRORS = 4096

NOWHERE = "/dev/null"
"""git for Windows knows this name as well."""

HARDENED = tuple(
    word
    for setting in (
        "safe.directory=*",  # nothing in a foreign repository is run, so whose it is does not matter
        "core.fsmonitor=false",
        f"core.hooksPath={NOWHERE}",
        f"core.attributesFile={NOWHERE}",
        "core.pager=cat",
        "core.sshCommand=false",
        "core.askPass=false",
        "core.gitProxy=false",
        "core.alternateRefsCommand=false",
        "credential.helper=",  # an empty value clears the list that the repository's own configuration filled
        "diff.external=",
        "protocol.allow=never",
        "gc.auto=0",
        "maintenance.auto=false",
    )
    for word in ("-c", setting)
)
"""For the few calls that must read the repository's own configuration. The command line wins over every file."""

_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": NOWHERE,
    "GIT_CONFIG_GLOBAL": NOWHERE,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a replacement ref would show other content than the commit holds
    "GIT_NO_LAZY_FETCH": "1",
    # For a git that does not know the line above: a list of transports with one entry, which can be none's name (a plain word
    # could be the name of a helper program, `git-remote-WORD`).
    "GIT_ALLOW_PROTOCOL": "/",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",  # messages are compared
    "LANGUAGE": "",
}


class Child:
    """A running git. (A plain base class: `typing.Protocol` takes more time to define than git takes to run.)"""

    def read(self) -> bytes:
        """The next bytes of its output, none at the end. Raises GitError if it stays silent for too long."""
        raise NotImplementedError

    def wait(self) -> int:
        """Its exit code (negative: the signal that ended it). What it still says on standard output is thrown away."""
        raise NotImplementedError

    def kill(self) -> None:
        """Ends it if it still runs, and frees what it holds. May be called at any time, and twice."""
        raise NotImplementedError

    def errors(self) -> str:
        """What it said on standard error, shortened; complete after `wait`."""
        raise NotImplementedError


class Result(NamedTuple):
    """How a git ended, and what it said."""

    code: int
    output: bytes
    errors: str


def hardened_environment(**extra: str) -> dict[str, str]:
    """This process's environment without any `GIT_*` variable, and with everything off that git could run or fetch."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("GIT_")}
    clean.update(_ENVIRONMENT)
    clean.update(extra)
    return clean


_programs: dict[str, str] = {}


def git_program() -> str:
    """The absolute path of git. Relative folders on PATH are passed over: they would run a `git` out of the scanned tree."""
    search = os.environ.get("PATH", os.defpath)
    if search not in _programs:
        name = "git.exe" if os.name == "nt" else "git"
        for folder in search.split(os.pathsep):
            candidate = os.path.join(folder, name)
            if os.path.isabs(folder) and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
                _programs[search] = candidate
                break
        else:
            raise GitError("git was not found", hint="Install git, or put its folder on PATH.")
    return _programs[search]


def start(
    arguments: Sequence[str | bytes],
    *,
    environment: dict[str, str],
    stdin: bytes = b"",
    patience: float = PATIENCE,
    wide: bool = False,
) -> Child:
    """Starts git with these arguments and feeds it `stdin` while its output is read. `wide`: it will say many megabytes."""
    command: list[str | bytes] = [git_program(), *arguments]
    try:
        if hasattr(os, "posix_spawn"):
            return _Spawned(command, environment, stdin, patience, wide)
        from keyward.scan.git_process_portable import Portable

        return Portable(command, environment, stdin, patience)
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise GitError(f"git cannot be started: {error}") from None


def run(
    arguments: Sequence[str | bytes], *, environment: dict[str, str], stdin: bytes = b"", patience: float = PATIENCE
) -> Result:
    """Runs git to its end, whatever its exit code."""
    child = start(arguments, environment=environment, stdin=stdin, patience=patience)
    try:
        pieces: list[bytes] = []
        while piece := child.read():
            pieces.append(piece)
        code = child.wait()
        return Result(code, b"".join(pieces), child.errors())
    finally:
        child.kill()


def too_silent(patience: float) -> GitError:
    """The error for a git that says nothing for too long."""
    return GitError(
        f"git said nothing for {patience:.0f} s and was stopped",
        hint="Look at the repository's .git/config for an include that never ends, and at the disk.",
    )


class _Spawned(Child):
    """git behind three pipes and one poll, so that neither side can wait for the other for ever."""

    def __init__(
        self, command: list[str | bytes], environment: dict[str, str], stdin: bytes, patience: float, wide: bool = False
    ) -> None:
        import select  # not on every platform

        self._patience = patience
        self._piece = WIDE if wide else PIECE
        self._input = memoryview(stdin)
        self._errors = b""
        self._code: int | None = None
        self._pid = 0
        self._open: set[int] = set()
        theirs: list[int] = []
        try:
            their_in, self._in = self._pipe(theirs, 0)
            self._out, their_out = self._pipe(theirs, 1)
            self._err, their_err = self._pipe(theirs, 1)
            if wide:
                _widen(their_out)
            actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate((their_in, their_out, their_err))]
            self._pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
        except BaseException:
            self.kill()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._err, select.POLLIN)
        if stdin:
            os.set_blocking(self._in, False)
            self._poll.register(self._in, select.POLLOUT)
        else:
            self._close(self._in)

    def _pipe(self, theirs: list[int], git_end: int) -> tuple[int, int]:
        """The reading and the writing end; `git_end` says which of the two is for git."""
        pair = os.pipe()
        theirs.append(pair[git_end])
        self._open.add(pair[1 - git_end])
        return pair

    def read(self) -> bytes:
        while self._out in self._open:
            for descriptor in self._ready():
                if descriptor != self._out:
                    self._serve(descriptor)
                    continue
                data = os.read(self._out, self._piece)
                if data:
                    return data
                self._done(self._out)
        return b""

    def wait(self) -> int:
        while self._err in self._open:
            for descriptor in self._ready():
                self._serve(descriptor)
        if self._in in self._open:
            self._done(self._in)
        if self._code is None:
            try:
                self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            except ChildProcessError:  # whoever started us ignores SIGCHLD, and the kernel threw the exit code away
                self._code = 255
                self._errors = self._errors or b"its exit code is not known: SIGCHLD is ignored"
        return self._code

    def kill(self) -> None:
        for descriptor in list(self._open):
            self._close(descriptor)
        if self._pid and self._code is None:
            import signal  # only when git has to be stopped

            try:
                os.kill(self._pid, signal.SIGKILL)
                self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            except (ProcessLookupError, ChildProcessError):
                self._code = 255

    def errors(self) -> str:
        return self._errors.decode("utf-8", "replace").strip()

    def _ready(self) -> list[int]:
        events = self._poll.poll(self._patience * 1000)
        if not events:
            self.kill()
            raise too_silent(self._patience)
        return [descriptor for descriptor, _ in events]

    def _serve(self, descriptor: int) -> None:
        """Writes to git's input, or takes what it says on standard error."""
        if descriptor == self._in:
            try:
                self._input = self._input[os.write(descriptor, self._input[:PIECE]) :]
            except BlockingIOError:
                return
            except BrokenPipeError:  # git ended; its exit code says why
                self._input = self._input[:0]
            if not self._input:
                self._done(descriptor)
        elif descriptor == self._err:
            data = os.read(descriptor, PIECE)
            if not data:
                self._done(descriptor)
            elif len(self._errors) < KEPT_ERRORS:
                self._errors = (self._errors + data)[:KEPT_ERRORS]
        elif not os.read(descriptor, PIECE):  # output after its end was asked for: thrown away
            self._done(descriptor)

    def _done(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._close(descriptor)

    def _close(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        os.close(descriptor)


def _widen(pipe: int) -> None:
    """Lets a pipe hold more, where the system can; a user who has too many wide ones keeps this one as it is."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, WIDE)
    except (ImportError, AttributeError, OSError):
        pass
