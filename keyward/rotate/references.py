"""Turns a reference of the operator's configuration into the secret that it names, at the moment it is used.

| reference | what it names |
|---|---|
| `env:NAME` | an environment variable |
| `keyring:SERVICE/USER` | an entry of the system's keyring |
| `vault:STORE/PATH#PART` | a part of what a configured store holds at a path; without the store's name, the first vault there is |
| `file:PATH` | a file that only its owner may read |
| `exec:COMMAND` | what a command prints, run without a shell |
| `ask:WHAT` | what a person types, where one can be asked (never in a configuration) |

One line end after the value is not part of it. Nothing is kept, and no error repeats a value or what a command printed.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from keyward.errors import ConfigError, MissingExtra, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.store import Slot, Store
from keyward.rotate import reference_form

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

MOST_BYTES = 1 << 20
"""Of a file, or of what a command prints."""

EXEC_TIMEOUT = 60.0
"""Seconds."""

T = TypeVar("T")


class Resolver:
    """Call it with a reference. `part`: which part is wanted, for a `vault:` reference that names none.

    `environment`: the variables (the process's own). `open_store`: the configured store of a name, None where there is none, and
    the first of type vault for an empty name. `ask`: asks a person, without echo. `keyring`: the backend (the system's own).
    Raises ConfigError for a reference that is wrong or leads nowhere, and whatever a store raises.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        open_store: Callable[[str], Store | None] | None = None,
        ask: Callable[[str], Secret] | None = None,
        keyring: KeyringBackend | None = None,
        ports: Ports | None = None,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._open_store, self._ask, self._keyring = open_store, ask, keyring
        self._ports = ports or Ports(Hosts())

    def __call__(self, reference: str, part: str = "") -> Secret:
        scheme, _, rest = reference.partition(":")
        if scheme == "ask":
            return self._asked(rest)
        problem = reference_form.problem(reference)
        if problem:
            # the text is not repeated: it may be the secret itself
            raise ConfigError(f"a setting {problem}", hint=f"Write a reference: {reference_form.FORMS}.")
        if scheme == "env":
            value = self._variable(rest)
        elif scheme == "keyring":
            value = self._from_keyring(rest)
        elif scheme == "vault":
            return self._from_store(rest, part)
        elif scheme == "file":
            value = read_private(os.path.expanduser(rest))
        else:
            value = self._printed(rest)
        value = value.removesuffix(b"\n").removesuffix(b"\r")
        if not value:
            raise ConfigError(f"the {scheme}: reference leads to an empty value", hint="Fill it, or name another place.")
        return Secret(value)

    def _variable(self, name: str) -> bytes:
        value = self._environment.get(name)
        if value is None:
            raise ConfigError(f"env:{name}: this variable is not set", hint=f"Set {name}, or name another place.")
        return value.encode("utf-8", "surrogateescape")

    def _asked(self, what: str) -> Secret:
        if self._ask is None:
            raise ConfigError(
                f"{what or 'a value'} is needed, and nobody can be asked", hint=f"Name it: {reference_form.FORMS}."
            )
        return self._ask(what)

    def _from_keyring(self, rest: str) -> bytes:
        service, _, user = rest.partition("/")
        try:
            import keyring as library
        except ImportError:
            raise MissingExtra("keyring", "local") from None
        backend = self._keyring or library.get_keyring()
        kind, value = "", None
        try:
            value = self._call("keyring:get", lambda: backend.get_password(service, user))
        except Exception as error:  # a backend may raise anything, and quote anything
            kind = type(error).__name__
        if kind:
            raise StoreUnavailable(f"the keyring failed: {kind}", certain=True, hint="Unlock it, or name another place.")
        if value is None:
            raise ConfigError(f"keyring:{rest}: there is no such entry", hint=f"Write it: keyring set {service} {user}")
        return value.encode("utf-8", "surrogatepass")

    def _from_store(self, rest: str, part: str) -> Secret:
        place, _, named = rest.partition("#")
        name, _, path = place.partition("/")
        store = self._open_store(name) if self._open_store and path else None
        if store is None:
            store, path = (self._open_store("") if self._open_store else None), place
        if store is None:
            raise ConfigError(f"vault:{place}: there is no such store", hint=f"Configure [stores.{name}].")
        held = store.read(path, Slot.CURRENT)
        if held is None:
            raise ConfigError(f"vault:{place}: the store {store.name} holds nothing there", hint="Check the path.")
        wanted = named or (part if part in held.parts else "") or (next(iter(held.parts)) if len(held.parts) == 1 else "")
        if wanted not in held.parts:
            hint = f"It has {', '.join(sorted(held.parts))}: name one after '#'."
            raise ConfigError(f"vault:{place}: the part {wanted or part or '(none named)'!r} is not there", hint=hint)
        return held.parts[wanted]

    def _printed(self, command: str) -> bytes:
        try:
            words = shlex.split(command)
        except ValueError:
            words = []
        if not words:
            raise ConfigError("exec: this is no command", hint="Close its quotes.")
        program = os.path.basename(words[0])
        problem, done = "", None
        try:
            done = self._call(f"exec:{program}", lambda: _run([os.path.expanduser(words[0]), *words[1:]]))
        except FileNotFoundError:
            problem = "is not there"
        except subprocess.TimeoutExpired:
            problem = f"took longer than {EXEC_TIMEOUT:.0f} s"
        except OSError as error:
            problem = f"cannot be run: {error.strerror}"
        if done is not None and done.returncode:
            problem = f"ended with status {done.returncode}"
        elif done is not None and len(done.stdout) > MOST_BYTES:
            problem = f"printed more than {MOST_BYTES >> 20} MB"
        if problem or done is None:
            raise ConfigError(f"exec: the command {program} {problem}", hint="Run it by hand to see why.")
        return done.stdout

    def _call(self, what: str, action: Callable[[], T]) -> T:
        return self._ports.call(what, "local", action, changes=False)


def _run(words: list[str]) -> subprocess.CompletedProcess[bytes]:
    # what it says on stderr may quote the value, so it is not shown either
    return subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=EXEC_TIMEOUT,
        check=False,
    )


def read_private(path: str) -> bytes:
    """The content of a regular file that nobody but its owner (this user, or root) may read. Raises ConfigError."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError("this is no regular file", path=path)
            if os.name != "nt" and status.st_uid not in (os.geteuid(), 0):
                raise ConfigError("this file belongs to somebody else", path=path, hint=f"chown it to yourself: {path}")
            if os.name != "nt" and status.st_mode & 0o077:
                raise ConfigError("others can read or change this file", path=path, hint=f"chmod 600 {shlex.quote(path)}")
            if status.st_size > MOST_BYTES:
                raise ConfigError(f"this file is larger than {MOST_BYTES >> 20} MB", path=path)
            return file.read(MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"this file cannot be read: {error.strerror}", path=path) from None
