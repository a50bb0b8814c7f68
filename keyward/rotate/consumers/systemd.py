"""`systemd`: a credential file (`LoadCredential=`) or an environment file (`EnvironmentFile=`) of a unit, and the restart of that unit.

Options: `unit`; either `credential` (path of a file that is the value; `template` says what it holds, `{secret}` unless said) or `path` and
`set` (environment file); `restart` (`restart`, `reload-or-restart`, `try-restart`, `reload` or `none`; `restart` unless said),
`daemon_reload` (true where unit files changed too), `user` (the user's own manager), `create`, `mode`, `break_links`, `timeout` (seconds).
A credential made by `systemd-creds encrypt` cannot be read back, so it is not changed; use `exec` for it.
Sources: systemd.exec(5), EnvironmentFile= and LoadCredential=; systemctl(1).
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.errors import ConsumerError
from keyward.formats.dotenv import Dotenv
from keyward.formats.whole import WHOLE
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.commands import TIMEOUT, Commands, Runner, run_command
from keyward.rotate.consumers.file_consumer import FILE_OPTIONS, FileConsumer, Setting, file_place, settings_of
from keyward.rotate.consumers.remote import Options
from keyward.rotate.consumers.template import Template

RESTARTS = ("restart", "reload-or-restart", "try-restart", "reload", "none")


class Systemd:
    """The file, and after each write the unit."""

    type = "systemd"

    def __init__(
        self, file: FileConsumer, commands: Commands, unit: str, restart: str, *, user: bool, daemon_reload: bool
    ) -> None:
        self.name = f"systemd {unit} {file.place.path}"
        self._file, self._commands, self._unit, self._restart = file, commands, unit, restart
        self._systemctl = ["systemctl", "--user"] if user else ["systemctl"]
        self._daemon_reload = daemon_reload

    def ready(self) -> None:
        self._file.ready()

    def holds(self, values: Values) -> Holds:
        return self._file.holds(values)

    def apply(self, values: Values) -> str:
        return self._file.apply(values)

    def verify(self, values: Values) -> str:
        """Reads back, restarts, and asks whether the unit is active. It restarts each time: a process that was killed between the
        write and the restart must do so as well."""
        return f"{self._file.verify(values)}; {self._restarted(values)}"

    def rollback(self, values: Values) -> str:
        return f"{self._file.rollback(values)}; {self._restarted(values)}"

    def _restarted(self, values: Values) -> str:
        done = []
        if self._daemon_reload:
            self._commands.must([*self._systemctl, "daemon-reload"], values, changes=True)
            done.append("daemon-reload")
        if self._restart != "none":
            argv = [*self._systemctl, self._restart, "--", self._unit]
            self._commands.must(argv, values, changes=True, purpose=f"{self._restart} of {self._unit}:")
            done.append(f"{self._restart} of {self._unit}")
            active = self._commands.run([*self._systemctl, "is-active", "--quiet", "--", self._unit], values, changes=False)
            if active.code and self._restart != "try-restart":
                raise ConsumerError(
                    f"{self._unit} is not active after its {self._restart}", hint=f"See: systemctl status {self._unit}"
                )
            done.append("active" if not active.code else "not running")
        return ", ".join(done) or "not restarted, as configured"


def make(table: Mapping[str, object], ports: Ports, *, runner: Runner = run_command) -> Consumer:
    """The consumer of one table of the configuration. Raises ConfigError."""
    own = ("unit", "credential", "template", "set", "restart", "daemon_reload", "user", "timeout")
    options = Options("systemd", table, (*FILE_OPTIONS, *own))
    restart = options.text("restart", "restart")
    if restart not in RESTARTS:
        raise options.wrong("restart", f"must be one of {', '.join(RESTARTS)}")
    if ("credential" in options) == ("path" in options):
        raise options.wrong("credential", "or `path` must be there, and not both")
    place = file_place(options, ports, default=options.text("credential", ""))
    if "credential" in options:
        setting = Setting((), Template(options.text("template", "{secret}")))
        file = FileConsumer("systemd", place, WHOLE, (setting,))
    else:
        file = FileConsumer("systemd", place, Dotenv("systemd"), settings_of(options, paths=False))
    commands = Commands(ports, runner, options.number("timeout", TIMEOUT))
    daemon, user = options.flag("daemon_reload"), options.flag("user")
    return Systemd(file, commands, options.text("unit"), restart, user=user, daemon_reload=daemon)
