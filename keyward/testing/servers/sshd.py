"""A real OpenSSH server on a free loopback port, from Debian's `openssh-server` or whatever is on PATH.

Only the user who runs the tests can log in, with a key. The `authorized_keys` file lies in the server's own folder, so that nobody's real one
is touched.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import signal
import subprocess
from typing import NamedTuple

from keyward.testing.servers.process import Daemon, ServerMissing, answers, find_program, free_port, own_folder

_PRIVILEGE_SEPARATION = "/run/sshd"


class KeyPair(NamedTuple):
    """`private`: OpenSSH's PEM. `public`: type and base64, as a line of authorized_keys has it."""

    private: bytes
    public: str

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(base64.b64decode(self.public.split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def new_key_pair(passphrase: bytes = b"") -> KeyPair:
    """A fresh ed25519 pair."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    cover = form.BestAvailableEncryption(passphrase) if passphrase else form.NoEncryption()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, cover)
    return KeyPair(private, key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode())


class OpenSSH:
    """Use it as a context manager. `user`: who may log in. `keys`: path of the authorized_keys file, mode 0600, empty at first.
    `host_key`: the server's. `lines`: further lines of sshd_config."""

    def __init__(self, *, lines: tuple[str, ...] = ()) -> None:
        self._lines = lines
        self.host, self.port, self.user = "127.0.0.1", 0, getpass.getuser()
        self.host_key = new_key_pair()
        self._daemon: Daemon | None = None

    def __enter__(self) -> OpenSSH:
        self._program = find_program("sshd")
        if not self._program:
            raise ServerMissing("OpenSSH's server is not installed: apt-get install openssh-server")
        if os.geteuid() == 0:
            os.makedirs(_PRIVILEGE_SEPARATION, mode=0o755, exist_ok=True)  # as its start script does
        self._place = own_folder()
        self.folder = self._place.__enter__()
        try:
            os.mkdir(self.file("ssh"), 0o700)
            self.keys = self.file("ssh/authorized_keys")
            self._put("ssh/authorized_keys", b"")
            self._put("host_key", self.host_key.private)
            self._put("sshd_config", self._configuration().encode())
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemon is not None:
            self.cut()
            self._daemon.stop()
        self._place.__exit__(None, None, None)

    def file(self, name: str) -> str:
        """A file in the server's folder."""
        return os.path.join(self.folder, name)

    def _put(self, name: str, data: bytes) -> None:
        with open(os.open(self.file(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)

    def _configuration(self) -> str:
        self.port = free_port()
        lines = (
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.file('host_key')}",
            f"AuthorizedKeysFile {self.keys}",
            "PidFile none",
            # the temporary folder above may be written by others
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "MaxStartups 200",
            "KexAlgorithms curve25519-sha256",  # the cheapest: tests log in often
            "LogLevel VERBOSE",
            "Subsystem sftp internal-sftp",
        )
        return "\n".join((*self._lines, *lines)) + "\n"

    def start(self) -> None:
        """Starts it, again if need be, on a port that stays the same."""
        # -r: no program of its own for each connection, which is a third of what a login costs (since 9.8 there is no choice, and it says so)
        command = [self._program, "-D", "-e", "-r", "-f", self.file("sshd_config")]
        self._daemon = Daemon(command, self.file("log"), death_signal=signal.SIGTERM)
        self._daemon.wait_until(lambda: answers(self.port))

    def cut(self) -> None:
        """Ends every session that is open, the server itself stays."""
        assert self._daemon is not None
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self._daemon.pid)], capture_output=True, check=False
        ).stdout
        for pid in children.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        """Ends it and its sessions as a power failure would."""
        assert self._daemon is not None
        self.cut()
        self._daemon.kill()

    def read(self) -> bytes:
        with open(self.keys, "rb") as file:
            return file.read()

    def write(self, data: bytes) -> None:
        """Replaces the authorized_keys file, as an editor does."""
        with open(self.keys + ".new", "wb") as file:
            file.write(data)
        os.chmod(self.keys + ".new", 0o600)
        os.replace(self.keys + ".new", self.keys)

    @property
    def log(self) -> str:
        with open(self.file("log"), errors="replace") as file:
            return file.read()
