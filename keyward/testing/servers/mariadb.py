"""A real MariaDB on a free loopback port, from Debian's `mariadb-server` or whatever is on PATH.

General log and binary log are on, so that a test can look for values there. The unix socket lies in the server's own folder. Run by
root, the server becomes `nobody`.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping
from typing import Any

from keyward.testing.servers.process import (
    Chosen,
    Daemon,
    ServerMissing,
    answers,
    find_program,
    free_port,
    own_folder,
    run,
    unprivileged_ids,
)

ADMIN = "keyward_admin"


class MariaDB:
    """Use it as a context manager. `admin`, `password`: an account with all privileges, from 127.0.0.1 only. `settings`: options
    of the server, without the dashes."""

    _template: Chosen | None = None

    def __init__(self, *, settings: Mapping[str, str] | None = None) -> None:
        self._settings = dict(settings or {})
        self.host, self.port = "127.0.0.1", 0
        self.admin, self.password = ADMIN, secrets.token_urlsafe(18)
        self._daemon: Daemon | None = None

    def __enter__(self) -> MariaDB:
        self._server = find_program("mariadbd", "mysqld")
        self._installer = find_program("mariadb-install-db", "mysql_install_db")
        if not self._server or not self._installer:
            raise ServerMissing("MariaDB is not installed: apt-get install mariadb-server")
        self._owner = unprivileged_ids()
        self._place = own_folder(self._owner)
        self.folder = self._place.__enter__()
        try:
            template = MariaDB._template
            if template is None:
                template = MariaDB._template = Chosen(self._init)
            self._data = os.path.join(self.folder, "data")
            subprocess.run(["cp", "-a", os.path.join(template.folder(self._owner), "data"), self._data], check=True)
            self._first_statements()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemon is not None:
            self._daemon.kill()
        self._place.__exit__(None, None, None)

    def _init(self, folder: str) -> None:
        data = os.path.join(folder, "data")
        # the installer runs mariadbd in its bootstrap mode, which takes no connections
        run([self._installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db",
             "--skip-name-resolve", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M"], self._owner, TMPDIR=folder)  # fmt: skip

    def _first_statements(self) -> None:
        words = os.path.join(self.folder, "init.sql")
        with open(os.open(words, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("DROP USER IF EXISTS ''@'localhost';\n")
            file.write(f"CREATE USER {ADMIN}@'127.0.0.1' IDENTIFIED BY '{self.password}';\n")
            file.write(f"GRANT ALL ON *.* TO {ADMIN}@'127.0.0.1' WITH GRANT OPTION;\n")
        if self._owner:
            os.chown(words, *self._owner)
        self._words = words

    def start(self) -> None:
        """Starts it, again if need be, on a port that stays the same."""
        self.port = self.port or free_port()
        settings = {
            "datadir": self._data,
            "port": str(self.port),
            "bind-address": "127.0.0.1",
            "socket": os.path.join(self.folder, "socket"),
            "pid-file": os.path.join(self.folder, "pid"),
            "tmpdir": self.folder,
            "innodb-buffer-pool-size": "8M",
            "innodb-log-file-size": "4M",
            "innodb-flush-log-at-trx-commit": "2",
            "performance-schema": "off",
            "general-log": "1",
            "general-log-file": os.path.join(self.folder, "general.log"),
            "log-bin": os.path.join(self.folder, "binlog"),
            "server-id": "1",
            "skip-name-resolve": "1",
            **self._settings,
        }
        command = [self._server, "--no-defaults", *(f"--{name}={value}" for name, value in settings.items())]
        if os.path.exists(self._words):
            command.append(f"--init-file={self._words}")
        self._daemon = Daemon(command, os.path.join(self.folder, "log"), owner=self._owner)
        self._daemon.wait_until(lambda: answers(self.port) and self.lets_in(self.admin, self.password))
        if os.path.exists(self._words):
            os.unlink(self._words)

    def kill(self) -> None:
        """Ends it as a power failure would; `start` brings it back with its data."""
        assert self._daemon is not None
        self._daemon.kill()

    @property
    def written(self) -> bytes:
        """Everything that the server wrote into its general log, binary log and error log."""
        data = b""
        for name in sorted(os.listdir(self.folder)):
            if name in ("general.log", "log") or name.startswith("binlog."):
                with open(os.path.join(self.folder, name), "rb") as file:
                    data += file.read()
        return data

    def connect(self, user: str = "", password: str = "", **more: Any) -> Any:
        """A PyMySQL connection, by default the admin's, that commits each statement."""
        return _driver().connect(
            host=self.host,
            port=self.port,
            user=user or self.admin,
            password=(password or self.password).encode(),
            autocommit=True,
            connect_timeout=10,
            ssl_disabled=True,
            **more,
        )

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> tuple[tuple[Any, ...], ...]:
        """One statement as the admin; answers with its rows."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return tuple(cursor.fetchall())

    def lets_in(self, user: str, password: str) -> bool:
        """Whether a password opens a session now."""
        try:
            self.connect(user, password).close()
        except _driver().Error:
            return False
        return True


def _driver() -> Any:
    """PyMySQL, which has no types."""
    from importlib import import_module

    return import_module("pymysql")
