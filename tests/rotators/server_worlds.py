"""Worlds for the rotator contract at real servers, a stand-in gateway, and a service that commands change.

Between a rotator and its server stands a relay, which loses a request or an answer of one changing call. What is asked about the
world itself goes to the server directly. `500` and `429` are answers of HTTP alone.
"""

from __future__ import annotations

import importlib
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contract_worlds import REGISTRY, parts, public_line
from keyward.detectors import openclaw as openclaw_detector

from keyward.model.credential import NO_PARTS, Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.verdict import Verdict
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Fence, Ports
from keyward.plugin.rotator import Job
from keyward.plugin.verifier import ask, hosts_for
from keyward.testing.fakes.server import FakeProvider, Request, Response
from keyward.testing.servers.mariadb import MariaDB
from keyward.testing.servers.postgresql import PostgreSQL
from keyward.testing.servers.redis import Redis
from keyward.testing.servers.relay import CallCutter, Fate, Relay
from keyward.testing.servers.sshd import OpenSSH, new_key_pair

FATES = {"lost": Fate.LOSE, "reset": Fate.DROP}


def new_word() -> str:
    return secrets.token_urlsafe(18)


def text(values: SecretParts, part: str) -> str:
    return values[part].reveal().decode()


class ServerWorld:
    """One lane's credential at a server, behind a relay. Subclasses make the old one, and somebody else's."""

    host = "127.0.0.1"
    kind = ""

    def __init__(self, relay: Relay, admin: SecretParts, target: Target, **scope: object) -> None:
        self.relay, self.admin, self.old = relay, admin, NO_PARTS
        self.rotator = REGISTRY.rotators()[Kind(self.kind)]
        self.fences: tuple[Fence, ...] = ()
        place = target._replace(host=relay.host, port=relay.port)
        references = {name: f"env:ADMIN_{name.upper()}" for name in admin}
        self.entry = Entry("prod", "login", Kind(self.kind), "test", "lanes/prod/login", place, scope, references)

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        verifier = REGISTRY.verifier(self.entry.kind)
        assert verifier is not None, f"{self.entry.kind} has no verifier"
        with Ports(hosts_for(verifier, self.entry.target), clock=ports.clock, fences=ports.fences) as own:
            return ask(verifier, credential, self.entry.target, own)

    def fail(self, how: str, number: int) -> bool:
        if how not in FATES:
            return False
        self.fences = (CallCutter(self.relay, self.host, number, FATES[how]),)
        return True


class PostgreSQLWorld(ServerWorld):
    """A lane with two roles that take turns, or (`alternate` false) with one role that is changed in place."""

    kind = "postgresql/password"
    _STATEMENT = re.compile(
        r"LOG:  (?:statement|execute [^:]*): (?:SELECT )?(ALTER ROLE|CREATE ROLE|GRANT|pg_terminate_backend)"
    )

    def __init__(self, server: PostgreSQL, relay: Relay, *, alternate: bool) -> None:
        self.server, self.base = server, f"app_{secrets.token_hex(4)}"
        admin = parts(user=server.admin, secret=server.password)
        super().__init__(relay, admin, Target(), role=self.base, alternate=alternate)
        self._theirs = self._role(f"{self.base}_other")
        self.old = self._first_of_pair() if alternate else self._role(self.base)
        self._logged = len(server.log)

    def _role(self, name: str) -> SecretParts:
        from psycopg import sql

        made = parts(user=name, secret=new_word())
        statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(text(made, "secret")))
        self.server.execute(statement)
        return made

    def _first_of_pair(self) -> SecretParts:
        with Ports(self.rotator.hosts(self.entry)) as ports:
            job = Job(self.entry, ports, self.admin, "keyward:earlier")
            assert list(self.rotator.provision(job, apply=True))
            return self.rotator.issue(job, self.rotator.choose(job, NO_PARTS), NO_PARTS).parts

    def works(self, values: SecretParts) -> bool:
        return self.server.lets_in(text(values, "user"), text(values, "secret"))

    def working(self) -> int:
        names = [self.base, f"{self.base}_a", f"{self.base}_b"]
        return int(self.server.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s) AND rolcanlogin", (names,))[0][0])

    def others_untouched(self) -> bool:
        return self.works(self._theirs)

    def changes(self) -> list[str]:
        """From the server's log, which has every statement."""
        return self._STATEMENT.findall(self.server.log[self._logged :])


class MariaDBWorld(ServerWorld):
    kind = "mysql/password"
    _QUERY = re.compile(rb"\sQuery\t(ALTER USER|CREATE USER|DROP USER|GRANT|KILL)\b")

    def __init__(self, server: MariaDB, relay: Relay) -> None:
        self.server, self.user = server, f"app_{secrets.token_hex(4)}"
        super().__init__(relay, parts(user=server.admin, secret=server.password), Target(options={"sslmode": "disable"}))
        self._theirs, self.old = self._account(f"{self.user}_other"), self._account(self.user)
        self._logged = len(self._log())

    def _account(self, name: str) -> SecretParts:
        made = parts(user=name, secret=new_word())
        self.server.execute("CREATE USER %s@'%%' IDENTIFIED BY %s", (name, text(made, "secret")))
        return made

    def _log(self) -> bytes:
        with open(os.path.join(self.server.folder, "general.log"), "rb") as file:
            return file.read()

    def works(self, values: SecretParts) -> bool:
        return self.server.lets_in(text(values, "user"), text(values, "secret"))

    def working(self) -> int:
        """Hashes of the account. A disabled one stays in the list until it is revoked, and counts: it must be gone at the end."""
        return str(self.server.execute("SHOW CREATE USER %s@'%%'", (self.user,))[0][0]).count("'*")

    def others_untouched(self) -> bool:
        return self.works(self._theirs)

    def changes(self) -> list[str]:
        """From the server's general log."""
        return [found.decode() for found in self._QUERY.findall(self._log()[self._logged :])]


class RedisWorld(ServerWorld):
    kind = "redis/password"
    _CHANGING = ("acl|setuser", "acl|deluser", "acl|save", "client|kill", "config|set", "config|rewrite")

    def __init__(self, server: Redis, relay: Relay) -> None:
        self.server, self.user = server, f"app-{secrets.token_hex(4)}"
        super().__init__(relay, parts(user=server.admin, secret=server.password), Target())
        self._theirs, self.old = self._user(f"{self.user}-other"), self._user(self.user)
        self._counted = self._counts()

    def _user(self, name: str) -> SecretParts:
        made = parts(user=name, secret=new_word())
        self.server.execute("ACL", "SETUSER", name, "on", ">" + text(made, "secret"), "+ping")
        return made

    def _counts(self) -> Counter[str]:
        """How often each changing command was done, by the server's own statistics."""
        stats = self.server.execute("INFO", "commandstats")
        rows = {name: stats.get(f"cmdstat_{name}", {}) for name in self._CHANGING}
        return Counter({name: int(row.get("calls", 0)) - int(row.get("failed_calls", 0)) for name, row in rows.items()})

    def works(self, values: SecretParts) -> bool:
        import redis

        client = self.server.client(text(values, "user"), text(values, "secret"))
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return False
        finally:
            client.close()

    def working(self) -> int:
        found = self.server.execute("ACL", "GETUSER", self.user)
        # the driver's versions differ in whether names are text
        return sum(len(value) for name, value in found.items() if name in ("passwords", b"passwords"))

    def others_untouched(self) -> bool:
        return self.works(self._theirs)

    def changes(self) -> list[str]:
        """From its statistics. Redis 6 counts ACL GETUSER and ACL SETUSER as one and tells nothing; MONITOR leaves out both."""
        return sorted((self._counts() - self._counted).elements())


class SSHWorld(ServerWorld):
    """A key in a file with the admin's and somebody else's, and a comment."""

    kind = "private-key/pem"

    def __init__(self, server: OpenSSH, relay: Relay) -> None:
        importlib.import_module("asyncssh")  # when first imported it looks for libraries, by temporary files of its own
        self.server = server
        admin, old, self._theirs = new_key_pair(), new_key_pair(), new_key_pair()
        self._standing = (f"# keys of the house\n{admin.public} admin\n{self._theirs.public} somebody\n").encode()
        server.write(self._standing + f"{old.public} prod\n".encode())
        options = {"host_key": server.host_key.fingerprint, "authorized_keys": server.keys}
        super().__init__(relay, parts(key=admin.private.decode()), Target(user=server.user, options=options))
        self.old = parts(secret=old.private.decode())

    def works(self, values: SecretParts) -> bool:
        """By the file, as sshd reads it: a login would take half a second each time, and PROVE and CONFIRM have logged in."""
        lines = self.server.read().decode().splitlines()
        return any(line.startswith(public_line(values["secret"])) for line in lines)

    def working(self) -> int:
        return len(re.findall(rb"^ssh-", self.server.read(), re.MULTILINE)) - 2

    def others_untouched(self) -> bool:
        return self.server.read().startswith(self._standing)

    def changes(self) -> list[str]:
        """Nothing: sshd does not write down what SFTP does; its log would go to the client."""
        return []


SERVICE = """\
folder=$1 action=$2 value=$(cat)
if [ "$action" = check ]; then [ -e "$folder/values/$value" ]; exit; fi
how=
if [ -e "$folder/fail" ] && read -r number how <"$folder/fail" && [ "$(cat "$folder/tries" | wc -l)" -ne "$number" ]; then how=; fi
echo "$action" >>"$folder/tries"
case $how in reset) exit 75 ;; 500) exit 1 ;; esac
case $action in
apply) : >"$folder/values/$value" ;;
replace) rm -f "$folder"/values/*; : >"$folder/values/$value" ;;
revoke) rm -f "$folder/values/$value" ;;
esac
echo "$action" >>"$folder/done"
case $how in lost) exit 75 ;; esac
"""
"""A service that holds the values that are in force, as empty files. Commands change it; 75 is what they say when nobody knows.
Somebody else's value lies outside of what it holds."""


class CommandWorld:
    """A generated value that commands apply and check; `both`: old and new live until a third command ends the old one."""

    host = "localhost"

    def __init__(self, folder: str, *, both: bool) -> None:
        self._folder, program = folder, os.path.join(folder, "service")
        os.mkdir(os.path.join(folder, "values"))
        self._write("tries", "")
        self._write("service", SERVICE)
        self.rotator, self.admin = REGISTRY.rotators()[Kind("app/signing-secret")], NO_PARTS
        steps = {"apply": "apply", "revoke": "revoke"} if both else {"apply": "replace"}
        scope = {step: ["sh", program, folder, action] for step, action in {**steps, "check": "check"}.items()}
        self.entry = Entry("prod", "jwt", Kind("app/signing-secret"), "test", "lanes/prod/jwt", scope=scope)
        self.old, self._theirs = parts(secret=new_word()), new_word()
        self._write(f"values/{text(self.old, 'secret')}", "")
        self._write("theirs", self._theirs)

    def _write(self, name: str, words: str) -> None:
        with open(os.path.join(self._folder, name), "w") as file:
            file.write(words)

    def _read(self, name: str) -> str:
        with open(os.path.join(self._folder, name)) as file:
            return file.read()

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        return self.rotator.probe(Job(self.entry, ports), credential.parts)

    def works(self, values: SecretParts) -> bool:
        return text(values, "secret") in os.listdir(os.path.join(self._folder, "values"))

    def working(self) -> int:
        return len(os.listdir(os.path.join(self._folder, "values")))

    def others_untouched(self) -> bool:
        return self._read("theirs") == self._theirs

    def changes(self) -> list[str]:
        """What the service wrote down."""
        return self._read("done").split()

    def fail(self, how: str, number: int) -> bool:
        self._write("fail", f"{number} {how}\n")
        return how != "429"


class FallbackWorld:
    """A generated value that an application takes from a list: every value of the list works. A command checks whether one is in it."""

    host = "localhost"

    def __init__(self, folder: str) -> None:
        self._held = os.path.join(os.path.dirname(folder), "vault", "consumer")  # the contract's consumer writes there
        self.rotator, self.admin = REGISTRY.rotators()[Kind("app/signing-secret")], NO_PARTS
        # the consumer's file has values in hex
        words = 'value=$(od -An -v -tx1 | tr -d " \\n"); grep -q "^secret=$value\\$" "$1"'
        scope = {"fallbacks": True, "check": ["sh", "-c", words, "sh", self._held]}
        self.entry = Entry("prod", "jwt", Kind("app/signing-secret"), "test", "lanes/prod/jwt", scope=scope, drain=60.0)
        self.old = parts(secret=new_word())

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        return self.rotator.probe(Job(self.entry, ports), credential.parts)

    def _values(self) -> list[str]:
        with open(self._held, encoding="ascii") as file:
            return [line.removeprefix("secret=") for line in file.read().splitlines() if line.startswith("secret=")]

    def works(self, values: SecretParts) -> bool:
        return values["secret"].reveal().hex() in self._values()

    def working(self) -> int:
        return len(self._values())

    def others_untouched(self) -> bool:
        """There is nobody else's in it."""
        return True

    def changes(self) -> list[str]:
        """None: its consumer changes all there is."""
        return []

    def fail(self, how: str, number: int) -> bool:
        return False


class Gateway(FakeProvider):
    """A stand-in for OpenClaw's gateway: it takes whatever token stands in its configuration now, as the real one does after a change of
    it, and answers as the real one (2026.9.6; tests/consumers/test_openclaw_real.py asks that)."""

    RULES = ("docs/gateway/tools-invoke-http-api.md and docs/gateway/configuration/hot-reload.md of the npm package openclaw",)

    def __init__(self, configuration: str) -> None:
        super().__init__(clock=ManualClock())
        self._configuration = configuration

    def token(self) -> str:
        with open(self._configuration) as file:
            return bytes.fromhex(file.read().partition("secret=")[2]).decode()

    def handle(self, request: Request) -> Response:
        if request.path != "/tools/invoke":
            return Response(404, b"Not Found")
        if request.headers.get("authorization") != f"Bearer {self.token()}":
            return Response(401, b'{"error":{"message":"Unauthorized","type":"unauthorized"}}')
        return Response(400, b'{"ok":false,"error":{"type":"invalid_request","message":"tools.invoke requires name"}}')


class GatewayWorld:
    """The lane's consumer writes the gateway's configuration: the rotator itself changes nothing."""

    host = "127.0.0.1"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.admin, self.clock = gateway, NO_PARTS, gateway.clock
        kind = Kind("openclaw/gateway-token")
        self.rotator, self.old = REGISTRY.rotators()[kind], parts(secret=new_word())
        self.entry = Entry("house", "gateway", kind, "test", "lanes/house/gateway", Target(base_url=gateway.url))

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        return openclaw_detector.verify(credential, self.entry.target, ports)

    def works(self, values: SecretParts) -> bool:
        return self.gateway.token() == text(values, "secret")

    def working(self) -> int:
        """A gateway has one."""
        return 1

    def others_untouched(self) -> bool:
        """There is nobody else's at it."""
        return True

    def changes(self) -> list[str]:
        """Those that came by HTTP: none."""
        return []

    def fail(self, how: str, number: int) -> bool:
        return False


@contextmanager
def behind_relay(server: Any, make: Any, **more: Any) -> Iterator[ServerWorld]:
    with Relay(server.host, server.port) as relay:
        yield make(server, relay, **more)


@contextmanager
def commands(folder: str, *, both: bool) -> Iterator[CommandWorld]:
    yield CommandWorld(folder, both=both)


@contextmanager
def fallbacks(folder: str) -> Iterator[FallbackWorld]:
    yield FallbackWorld(folder)


@contextmanager
def gateway(folder: str) -> Iterator[GatewayWorld]:
    # the contract's consumer writes there
    with Gateway(os.path.join(os.path.dirname(folder), "vault", "consumer")) as running:
        yield GatewayWorld(running)
