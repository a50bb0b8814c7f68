"""`exec`: the operator's own commands, for whatever has no consumer of its own.

Options: `command` (a list: program and arguments, no shell), `holds`, `rollback` (lists as well), `stdin` (whether the new parts come as a
JSON object on standard input), `timeout` (seconds), `name` (how it is called in tables).

In arguments `{reference}`, `{lane}`, `{name}` and `{rotation}` are filled in, and `KEYWARD_REFERENCE`, `KEYWARD_LANE`, `KEYWARD_NAME`,
`KEYWARD_ROTATION` are in the environment; the value itself never is. `command` must do the same when it is run twice. `holds` prints
`old`, `new`, `nothing` or `other`; without it the place is taken to hold the old value, so that `command` is run again on resume. Whether
the new value is in use is told by `check` of the consumer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.model.credential import SecretParts
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.commands import TIMEOUT, Commands, Runner, run_command
from keyward.rotate.consumers.remote import Options, as_json

FILLED = ("reference", "lane", "name", "rotation")
_BRACED = re.compile(r"\{([^{}]*)\}")


class Exec:
    """Runs the commands. `rollback` without such a command runs `command` again, with the old parts where it reads them."""

    type = "exec"

    def __init__(
        self,
        name: str,
        commands: Commands,
        command: Sequence[str],
        holds: Sequence[str],
        rollback: Sequence[str],
        *,
        stdin: bool,
    ) -> None:
        self.name = f"exec {name}"
        self._commands, self._command, self._holds, self._rollback = commands, command, holds, rollback
        self._stdin = stdin

    def holds(self, values: Values) -> Holds:
        if not self._holds:
            return Holds.OLD
        ran = self._commands.run(_filled(self._holds, values), values, changes=False)
        word = ran.output.strip().decode("ascii", "replace")
        if ran.code or word not in {each.value for each in Holds}:
            raise ConsumerError(f"{self.name}: the `holds` command failed or did not print old, new, nothing or other")
        return Holds(word)

    def apply(self, values: Values) -> str:
        if self._holds:
            held = self.holds(values)
            if held is Holds.NEW:
                return "has it already"
            if held is Holds.OTHER:
                raise ConsumerChanged(f"{self.name} holds neither the old nor the new value")
        self._run(self._command, values, values.new, "the command")
        return "command done"

    def _run(self, argv: Sequence[str], values: Values, parts: SecretParts, purpose: str) -> None:
        stdin = as_json(parts) if self._stdin else b""
        self._commands.must(_filled(argv, values), values, changes=True, stdin=stdin, purpose=purpose)

    def verify(self, values: Values) -> str:
        """What its `holds` says; the consumer's `check` command is run by whoever made this consumer."""
        if not self._holds:
            return "command done; nothing reads it back"
        held = self.holds(values)
        if held is not Holds.NEW:
            raise ConsumerError(f"{self.name} does not hold the new value ({held.value})")
        return "read back by its `holds` command"

    def rollback(self, values: Values) -> str:
        if not self._rollback:
            raise ConsumerError(
                f"{self.name} has no `rollback` command", hint=f"Give it the old value by hand; it is at {values.reference}."
            )
        self._run(self._rollback, values, values.old, "the rollback command")
        return "rollback command done"


def _filled(argv: Sequence[str], values: Values) -> list[str]:
    known = {"reference": values.reference, "lane": values.lane, "name": values.name, "rotation": values.rotation}
    return [_BRACED.sub(lambda match: known[match[1]], each) for each in argv]


def make(table: Mapping[str, object], ports: Ports, *, runner: Runner = run_command) -> Consumer:
    """The consumer of one table of the configuration. Raises ConfigError."""
    options = Options("exec", table, ("command", "holds", "rollback", "stdin", "timeout", "name"))
    lists = {key: options.texts(key) for key in ("command", "holds", "rollback")}
    if not lists["command"]:
        raise options.wrong("command", "is missing")
    for key, argv in lists.items():
        for each in (name for argument in argv for name in _BRACED.findall(argument)):
            if each not in FILLED:
                raise ConfigError(
                    f"consumer exec: `{key}` names {{{each}}}, and arguments can only have {', '.join(FILLED)}",
                    hint="A value never stands in the arguments of a process; say `stdin = true` and read it there.",
                )
    commands = Commands(ports, runner, options.number("timeout", TIMEOUT))
    name = options.text("name", lists["command"][0])
    return Exec(name, commands, lists["command"], lists["holds"], lists["rollback"], stdin=options.flag("stdin"))
