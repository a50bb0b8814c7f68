"""Redis and Valkey: the password of an ACL user, or of the server (`requirepass`, which is the user `default`).

What is possible: a user may have many passwords at once, so nothing goes down: the new one is added as a SHA-256 hash (`#…`), the old one is taken
  away by its hash (`!…`), and the user's connections are ended, because they outlive the password. The change is written to the ACL file
  (`ACL SAVE`) or the configuration file (`CONFIG REWRITE`), or a restart would bring the old one back.
What is manual: replicas and Sentinel (ACL users are not replicated: give each server its own entry), clusters (refused, for the same
  reason), managed services whose users are kept by the provider's own API, servers before Redis 6.
Rights: see `AdminNeed.policy`.

Settings:
  target.host, .port             where
  target.options.sslmode         `disable`, `require`, `verify-ca`, `verify-full` (the default; without TLS on loopback)
  target.options.tls_ca          file with the authority's certificate, instead of the system's
  target.user                    the ACL user, where the credential has none; without both: `default`
  scope.persist                  `auto` (default), `aclfile`, `config`, or `none` where somebody else keeps the users
  scope.acl                      rules for a user that `provision` makes: `["~jobs:*", "+@read"]`
  admin.user, admin.secret       the admin user and its password

Traps: when neither file is there to be written, the rotation is refused, because a restart would undo it (`scope.persist = "none"` overrides).
  `CONFIG REWRITE` leaves an old `requirepass` line in the file, which no longer counts once a `user default` line stands there: take it out by
  hand. A user that is `off` is refused with the same words as a wrong password. A user with `nopass` accepts every password.
References: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/  https://redis.io/docs/latest/commands/acl-setuser/
  https://redis.io/docs/latest/commands/client-kill/  https://redis.io/docs/latest/commands/config-rewrite/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from keyward.errors import MissingExtra, ProviderError, Refused, Throttled, Uncertain, Unreachable
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.plugin.rotator import (
    AdminNeed,
    Capabilities,
    Change,
    Held,
    Inventory,
    Issued,
    Job,
    Origin,
    Overlap,
    Rotator,
    Warning,
)

from ._databases import TIMEOUT, new_password, renewed, text_of, tls_mode

POLICY = """\
ACL SETUSER keyward on >… +acl|getuser +acl|setuser +acl|save +client|kill +config|get +config|rewrite +info
"""

DEFAULT = "default"
_PERSIST = {"aclfile": ("ACL", "SAVE"), "config": ("CONFIG", "REWRITE")}


class _User(NamedTuple):
    """What `ACL GETUSER` tells. `hashes`: SHA-256 of each password, in hex. `rules`: commands, keys and channels, as shown."""

    flags: frozenset[str]
    hashes: frozenset[str]
    rules: str


_GROUPS = ("@admin", "@dangerous", "@slow")
"""Groups that have ACL SETUSER, ACL SAVE, CLIENT KILL and CONFIG REWRITE in them, in every version (src/commands/*.json of redis)."""

_OTHER_GROUPS = frozenset(
    f"@{name}"
    for name in (
        "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream", "pubsub",
        "fast", "blocking", "transaction", "scripting",
    )
)  # fmt: skip
"""Groups that have none of them in them; @connection has CLIENT KILL alone."""

_SETS = ("login as admin", "INFO", "ACL GETUSER", "CONFIG GET", "ACL SETUSER", "ACL SAVE", "CONFIG REWRITE")


class RedisUsers(Rotator):
    kinds = (Kind("redis/password"),)
    scope_names = ("persist", "acl")
    title = "Redis and Valkey users"
    origin = Origin.CHOSEN
    capabilities = Capabilities(Overlap.OWN, scoped=True, reversible_disable=True, settle=5.0, propagation=5.0)
    admin = AdminNeed(("user", "secret"), ("acl", "client|kill", "config|rewrite", "info"), POLICY)
    references = ("https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/",)
    calls = MappingProxyType(
        {
            "QUARANTINE": _SETS,
            "ISSUE": _SETS,
            "PROVE": ("redis login",),
            "REVOKE": ("redis login", *_SETS, "CLIENT KILL"),
            "CONFIRM": ("redis login",),
        }
    )

    def identify(self, job: Job, parts: SecretParts) -> str:
        """The user's name, if it has this password. Not the hash: that of a weak password could be guessed from a journal."""
        name = self._user(job, parts)
        with self._admin(job) as session:
            user = session.user(name)
        if user is None or not any(_hash(value) in user.hashes for value in _spellings(parts)):
            raise Refused(
                f"{job.entry.ref}: user {name} does not have this password",
                hint="It is not a present password; nothing has to be replaced, or set target.user.",
            )
        return name

    def inventory(self, job: Job) -> Inventory:
        name = self._user(job, {})
        with self._admin(job) as session:
            user = session.user(name)
        held = (Held(name, "on" in user.flags and bool(user.hashes), name=name),) if user else ()
        return Inventory(name, held)

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        """By the admin user's own rules, which it may read; `ACL DRYRUN` is a right of its own and came with Redis 7."""
        with self._admin(job) as session:
            rules = session.rules(job.admin_text("user") or DEFAULT)
            saved = _PERSIST.get(self._persistence(job, session))
        needed = ("acl|setuser", "client|kill", *(["|".join(saved).lower()] if saved else ()))
        return [f"+{each}" for each in needed if _allowed(rules, each) is False]

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        name = self._user(job, old)
        named = {"user": Secret(name.encode())} if "user" in old or name != DEFAULT else {}
        return renewed(job, old, {**named, "secret": new_password()})

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        name = self._user(job, new)
        with self._admin(job) as session:
            user = session.user(name)
            if user is None:
                raise Refused(
                    f"{job.entry.ref}: there is no user {name}", hint="Set scope.acl, and run: keyward lanes provision"
                )
            if "nopass" in user.flags or "off" in user.flags:
                state = "accepts every password" if "nopass" in user.flags else "is switched off"
                raise Refused(f"{job.entry.ref}: user {name} {state}", hint="Correct that first: it is no effect of keyward.")
            self._set(job, session, name, user, add=[_hash(new["secret"].reveal())])
        return Issued(name, new)

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        """Takes this password away and no other: `off` would stop the new one too."""
        self.revoke(job, id, parts)

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        name = id or self._user(job, parts)
        with self._admin(job) as session:
            user = session.user(name)
            if user is not None:
                self._set(job, session, name, user, add=[_hash(parts["secret"].reveal())])

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        if "secret" not in parts:
            raise Refused(f"{job.entry.ref}: a user may have several passwords, so the value itself is needed")
        name = id or self._user(job, parts)
        with self._admin(job) as session:
            user = session.user(name)
            if user is not None:
                self._set(job, session, name, user, remove=[_hash(value) for value in _spellings(parts)])

    def end_sessions(self, job: Job, id: str, parts: SecretParts) -> None:
        """Ends every connection of the user but the admin's own; clients connect again."""
        with self._admin(job) as session:
            session.do("CLIENT", "KILL", "USER", id or self._user(job, parts))

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        name = inventory.principal
        with self._admin(job) as session:
            user = session.user(name)
        if user is None:
            return
        if name == DEFAULT:
            yield Warning("root", "the lane uses the server's own user `default`")
        words = user.rules.split()
        broad = [word for word in ("+@all", "~*") if word in words]
        if broad:
            yield Warning("over-broad", f"user {name} has {' and '.join(broad)}")
        if "nopass" in user.flags:
            yield Warning("over-broad", f"user {name} accepts every password")

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        """The lane's user with the rules of `scope.acl` and no password yet; one that is there keeps its rules."""
        rules, name = job.entry.scope.get("acl", ()), self._user(job, {})
        if not rules:
            return
        if not isinstance(rules, (list, tuple)) or not all(isinstance(r, str) and r[:1] in tuple("~%&+-(") for r in rules):
            raise Refused(f"{job.entry.ref}: scope.acl is a list of rules for keys, channels and commands", hint="Like ~jobs:*")
        with self._admin(job) as session:
            user = session.user(name)
            if user is None and apply:
                self._save(session, self._persistence(job, session), lambda: session.do("ACL", "SETUSER", name, "on", *rules))
            yield Change(f"user {name}", user is not None)

    def _user(self, job: Job, parts: SecretParts) -> str:
        name = text_of(parts, "user") or job.target.user or DEFAULT
        if not name.strip() or any(c.isspace() or c == "\0" for c in name):
            raise Refused(f"{job.entry.ref}: a user's name has no blanks", hint="Correct target.user.")
        return name

    def _set(
        self, job: Job, session: _Session, name: str, user: _User, *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Adds and removes hashes in one command, and saves: also when nothing changes, because an earlier attempt may have been
        interrupted before it saved."""
        words = [f"#{each}" for each in add if each not in user.hashes]
        words += [f"!{each}" for each in remove if each in user.hashes]
        persist = self._persistence(job, session)
        self._save(session, persist, lambda: session.do("ACL", "SETUSER", name, *words) if words else None)

    def _persistence(self, job: Job, session: _Session) -> str:
        """How the users are saved, known before anything is changed. Raises Refused where they cannot be."""
        wanted = job.scope_text("persist", "auto")
        if wanted in (*_PERSIST, "none"):
            return wanted
        if wanted != "auto":
            raise Refused(f"{job.entry.ref}: scope.persist is none of auto, aclfile, config, none")
        if session.setting("aclfile"):
            return "aclfile"
        if session.info("server").get("config_file"):
            return "config"
        raise Refused(
            f"{job.entry.ref}: the server has neither an ACL file nor a configuration file: a restart would undo the rotation",
            hint='Start it with one, or set scope.persist = "none" and change what starts it.',
        )

    def _save(self, session: _Session, persist: str, change: Callable[[], object]) -> None:
        change()
        if persist == "none":
            return
        try:
            session.do(*_PERSIST[persist])
        except Refused as error:
            raise Uncertain(f"the change is in force, but not saved: {error}", hint=error.hint) from None

    @contextmanager
    def _admin(self, job: Job) -> Iterator[_Session]:
        session = _Session(job)
        try:
            if session.info("cluster").get("cluster_enabled") == "1":
                raise Refused(
                    f"{job.entry.ref}: this is one node of a cluster, and users are not shared",
                    hint="Change it by hand on every node.",
                )
            yield session
        finally:
            session.close()


class _Session:
    """The admin's one connection, each command of which is one fenced call."""

    def __init__(self, job: Job) -> None:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise MissingExtra("redis", "redis") from None
        target = job.target
        host, port = job.ports.tcp(target.host, target.port)
        mode = tls_mode(target)
        tls: dict[str, Any] = {}
        if mode not in ("disable", "prefer"):
            tls = {
                "ssl": True,
                "ssl_cert_reqs": "none" if mode == "require" else "required",
                "ssl_check_hostname": mode == "verify-full",
            }
            tls["ssl_ca_certs"] = target.options.get("tls_ca") or None
        self._job = job
        self._client: Any = None

        def connect() -> None:
            # one connection, made here and now; when it is lost that must be seen: no second attempt behind our back
            self._client = redis.Redis(
                host=host, port=port, single_connection_client=True, retry=Retry(NoBackoff(), 0), protocol=2,
                socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT,
                username=job.admin_text("user"), password=job.admin_text("secret"), **tls,
            )  # fmt: skip

        self._call("login as admin", connect, changes=False)

    def user(self, name: str) -> _User | None:
        reply = self._ask("ACL", "GETUSER", name)
        if reply is None:
            return None
        fields = dict(zip(reply[::2], reply[1::2]))
        rules = b" ".join(_joined(fields.get(part)) for part in (b"commands", b"keys", b"channels"))
        return _User(
            frozenset(each.decode() for each in fields[b"flags"]),
            frozenset(each.decode() for each in fields[b"passwords"]),
            rules.decode("utf-8", "replace"),
        )

    def rules(self, name: str) -> list[str]:
        """A user's rules for commands, in the order in which they count; empty where selectors add others."""
        reply = self._ask("ACL", "GETUSER", name) or []
        fields = dict(zip(reply[::2], reply[1::2]))
        return [] if fields.get(b"selectors") else _joined(fields.get(b"commands")).decode("utf-8", "replace").split()

    def setting(self, name: str) -> str:
        reply = self._ask("CONFIG", "GET", name)
        values = list(reply.values()) if isinstance(reply, dict) else reply[1::2]
        return str(values[0], "utf-8") if values and isinstance(values[0], bytes) else str(values[0]) if values else ""

    def info(self, section: str) -> dict[str, str]:
        reply = self._ask("INFO", section)
        if isinstance(reply, dict):
            return {str(name): str(value) for name, value in reply.items()}
        lines = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines() if ":" in line)
        return {name: value for name, _, value in lines}

    def do(self, *words: str) -> None:
        self._call(" ".join(words[:2]), lambda: self._client.execute_command(*words), changes=True)

    def _ask(self, *words: str) -> Any:
        what = " ".join(words[:-1])
        return self._call(what, lambda: self._client.execute_command(*words), changes=False)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _call(self, what: str, action: Callable[[], Any], *, changes: bool) -> Any:
        import redis

        def translated() -> Any:
            try:
                return action()
            except redis.RedisError as error:
                raise _translated(error, what, changes) from None

        return self._job.ports.call(what, self._job.target.host, translated, changes=changes)


def _translated(error: Exception, what: str, changes: bool) -> ProviderError:
    """redis-py's exceptions as ours, in one place: never their text, which may quote a rule."""
    import redis

    if isinstance(error, redis.exceptions.NoPermissionError):
        return Refused(f"{what}: the admin user may not do that (NOPERM)", hint=f"It lacks +{what.lower().replace(' ', '|')}.")
    if isinstance(error, redis.exceptions.AuthenticationError):
        return Refused(
            f"{what}: the server does not let the admin user in", hint="Its name or password is wrong, or it is off."
        )
    if isinstance(error, redis.exceptions.ReadOnlyError):
        return Refused(f"{what}: this is a replica", hint="Set target.host to the master.")
    if isinstance(error, (redis.exceptions.BusyLoadingError, redis.exceptions.TryAgainError)):
        return Throttled(f"{what}: the server is loading", retry_after=1.0)
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        kind = Uncertain if changes else Unreachable
        return kind(f"{what}: no answer from the server: {type(error).__name__}")
    if isinstance(error, redis.ResponseError):
        return Refused(f"{what}: the server refuses it", hint="It may be older than Redis 6, or its file cannot be written.")
    return Uncertain(f"{what}: {type(error).__name__}")


def _allowed(rules: Iterable[str], command: str) -> bool | None:
    """Whether rules for commands let one through that only administers (`client|kill`): the last rule that speaks of it counts. None: they
    do not tell, because one names a group that nobody here knows."""
    allowed: bool | None = None
    container = command.partition("|")[0]
    for rule in rules:
        sign, what = rule[:1], rule[1:].lower()
        if what in ("@all", command, container, *_GROUPS) or rule in ("allcommands", "nocommands"):
            allowed = sign == "+" or rule == "allcommands"
        elif what.startswith("@") and what not in _OTHER_GROUPS and sign == "+" and not allowed:
            allowed = None
    return allowed


def _hash(value: bytes) -> str:
    return sha256(value).hexdigest()


def _joined(value: Any) -> bytes:
    return b" ".join(value) if isinstance(value, list) else value or b""


def _spellings(parts: SecretParts) -> list[bytes]:
    """The password as it stands, and with percent escapes undone: it may come out of a URL."""
    value = parts["secret"].reveal()
    return list(dict.fromkeys((value, unquote_to_bytes(value))))


ROTATORS: tuple[Rotator, ...] = (RedisUsers(),)
