"""MySQL and MariaDB: the password of an account.

What is possible: two passwords at once, so that nothing goes down. MariaDB 10.4 and later: a list of methods (`IDENTIFIED VIA
  mysql_native_password USING '*hash' OR …`), sent as hashes only. MySQL 8.0.14 and later: `RETAIN CURRENT PASSWORD`, later `DISCARD OLD
  PASSWORD`; MySQL takes no hash there, so the clear text is sent over TLS, and the server writes a hash into its logs (unless it runs with
  `--log-raw`). **The MySQL half was not run against a MySQL server**: its statements are tested as text. One user name may stand for several
  accounts (`app@%`, `app@localhost`): those that have the old password, found by their hashes, are changed together; others stay as they are.
What is manual: accounts that log in by another plugin (ed25519, PAM, LDAP), servers before these versions, replicas that do not
  replicate the `mysql` schema, ProxySQL's and MaxScale's own lists of users.
Rights: see `AdminNeed.policy`: CREATE USER, SELECT on the table of accounts, CONNECTION ADMIN (MySQL: CONNECTION_ADMIN) and PROCESS to end
  sessions.

Settings:
  target.host, .port             where
  target.options.sslmode         `disable`, `prefer`, `require`, `verify-ca`, `verify-full` (the default; `prefer` on loopback)
  target.options.tls_ca          file with the authority's certificate, instead of the system's
  target.user                    the account's user name, where the credential has none
  scope.host                     only the account with this host part (`%`, `10.0.%`); needed where there is no old password yet and
                                 the user name has several accounts
  admin.user, admin.secret       the admin account and its password

Traps: sessions outlive a password and a lock: they are ended, the new one's too, and clients reconnect. On MySQL, changing the first password without
  RETAIN leaves a second one alive, which is why it is always discarded. "Access denied" (1045) does not say whether the password or the client's
  address is wrong. A disabled hash stays in MariaDB's list with its digits backwards until it is revoked.
References: https://mariadb.com/kb/en/alter-user/  https://dev.mysql.com/doc/refman/8.4/en/password-management.html
  https://dev.mysql.com/doc/refman/8.4/en/password-logging.html  https://mariadb.com/kb/en/kill/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
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
from keyward.plugin.transport import is_loopback

from ._databases import TIMEOUT, new_password, renewed, text_of, tls_mode
from ._mysql_accounts import Account, Dialect, MySQL, Rows, Statement, dialect_of
from ._mysql_hashes import NATIVE

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")
Connect = Callable[..., Any]

POLICY = """\
CREATE USER keyward_admin@'10.0.0.5' IDENTIFIED BY '…' REQUIRE SSL;
GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO keyward_admin@'10.0.0.5';  -- MySQL: CONNECTION_ADMIN
GRANT SELECT ON mysql.global_priv TO keyward_admin@'10.0.0.5';                    -- MySQL: mysql.user
"""

_DENIED = (1044, 1095, 1142, 1143, 1227, 1370, 1410)
_BUSY = (1040, 1203, 1205, 1213, 1226)
_LOST = (2006, 2013, 2014, 1053, 1077, 1317, 1927)
_NO_SUCH_SESSION = 1094
_BROAD = ("SUPER", "FILE", "CREATE USER", "GRANT OPTION", "SHUTDOWN", "SET USER")

_GRANT = re.compile(r"GRANT (?P<rights>[^`'\"]+?) ON (?P<where>\S+) TO ")
"""A row of SHOW GRANTS that names rights. One that grants a role has no ON, and one with columns has quotes before it."""

_SETS = ("login as admin", "SELECT", "SHOW", "ALTER USER")


class MySQLAccounts(Rotator):
    kinds = (Kind("mysql/password"),)
    scope_names = ("host",)
    gives = ("user", "secret")
    title = "MySQL and MariaDB accounts"
    origin = Origin.CHOSEN
    capabilities = Capabilities(Overlap.OWN, slots=2, reversible_disable=True, settle=10.0, propagation=10.0)
    admin = AdminNeed(("user", "secret"), ("CREATE USER", "SELECT on mysql.global_priv", "CONNECTION ADMIN", "PROCESS"), POLICY)
    references = ("https://mariadb.com/kb/en/alter-user/", "https://dev.mysql.com/doc/refman/8.4/en/alter-user.html")
    calls = MappingProxyType(
        {
            "QUARANTINE": _SETS,
            "ISSUE": _SETS,
            "PROVE": ("mysql login",),
            "REVOKE": ("mysql login", *_SETS, "KILL"),
            "CONFIRM": ("mysql login",),
        }
    )

    def __init__(self, connect: Connect | None = None) -> None:
        """`connect`: makes a connection as `pymysql.connect` does; passed in where a test records what is sent."""
        self._connect = connect

    def identify(self, job: Job, parts: SecretParts) -> str:
        """The user's name, if an account of that name has this password."""
        user = self._user(job, parts)
        with self._admin(job) as session:
            accounts = session.accounts(user)
            owning = [account for account in accounts if _owned(session.dialect, account, parts)]
        if not owning:
            raise Refused(
                f"{job.entry.ref}: no account of {user} has this password",
                hint="It is not a present password, or the account logs in by a plugin that cannot be looked into.",
            )
        self._narrowed(job, owning)
        return user

    def inventory(self, job: Job) -> Inventory:
        user = self._user(job, {})
        with self._admin(job) as session:
            accounts = session.accounts(user)
        held = (Held(user, any(not account.locked for account in accounts), name=user),) if accounts else ()
        return Inventory(user, held)

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        user = self._user(job, old)
        with self._admin(job) as session:
            return session.lacking(own=user == job.admin_text("user"))

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        return renewed(job, old, {"user": Secret(self._user(job, old).encode()), "secret": new_password()})

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        user, value = self._user(job, new), new["secret"].reveal()
        with self._admin(job) as session:
            for account in self._wanted(job, session, user, new, old):
                if any(not method.stored and method.plugin == NATIVE for method in account.methods) or not account.methods:
                    raise Refused(f"{job.entry.ref}: {account.name} needs no password", hint="Set one by hand first.")
                self._check_clear(job, session.dialect)
                session.do(session.dialect.add(account, value, old["secret"].reveal() if old else b""))
        return Issued(user, new)

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        self._each(job, id, parts, lambda dialect, account, password: dialect.disable(account, password))

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        self._each(job, id, parts, lambda dialect, account, password: dialect.enable(account, password))

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        """Takes one password away, from every account of the user that has it; another password of theirs stays."""
        self._each(job, id, parts, lambda dialect, account, password: dialect.remove(account, password))

    def end_sessions(self, job: Job, id: str, parts: SecretParts) -> None:
        """Ends every session of the user name but the admin's own."""
        with self._admin(job) as session:
            session.end_sessions(id or self._user(job, parts))

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        query = "SELECT GRANTEE, PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE LIKE %s"
        user = inventory.principal
        with self._admin(job) as session:
            if user == "root":
                yield Warning("root", "the lane uses the account root")
            rights: dict[str, list[str]] = {}
            for grantee, privilege, _ in session.read(query, ("'" + user.replace("%", r"\%").replace("_", r"\_") + "'@%",)):
                if privilege in _BROAD:
                    rights.setdefault(str(grantee), []).append(str(privilege))
            for grantee, names in sorted(rights.items()):
                yield Warning("over-broad", f"{grantee} has {', '.join(sorted(names))}")

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        """Nothing: which rights a lane's account needs is the operator's to say."""
        return ()

    def _user(self, job: Job, parts: SecretParts) -> str:
        name = text_of(parts, "user") or job.target.user
        if not name:
            raise Refused(f"{job.entry.ref}: the credential names no user", hint="Set target.user.")
        return name

    def _each(
        self, job: Job, id: str, parts: SecretParts, statement: Callable[[Dialect, Account, bytes], Statement | None]
    ) -> None:
        if "secret" not in parts:
            raise Refused(f"{job.entry.ref}: an account may have several passwords, so the value itself is needed")
        user = id or self._user(job, parts)
        with self._admin(job) as session:
            for account in session.accounts(user):
                for value in _spellings(parts):
                    if session.dialect.owns(account, value):
                        session.do(statement(session.dialect, account, value))
                        break

    def _wanted(self, job: Job, session: _Session, user: str, new: SecretParts, old: SecretParts) -> list[Account]:
        """The accounts that shall have the new password: those that have the old one, or the new one already."""
        accounts = session.accounts(user)
        if not accounts:
            raise Refused(f"{job.entry.ref}: there is no account {user}", hint="Create it, or correct target.user.")
        owning = [a for a in accounts if any(parts and _owned(session.dialect, a, parts) for parts in (old, new))]
        return self._narrowed(job, owning or accounts, named=not owning)

    def _narrowed(self, job: Job, accounts: list[Account], *, named: bool = False) -> list[Account]:
        """The accounts within `scope.host`. Refuses to leave one behind that has the same password, and to choose among several."""
        host = job.scope_text("host")
        chosen = [account for account in accounts if host in ("", account.host)]
        names = ", ".join(account.name for account in accounts)
        if named and len(chosen) != 1:
            raise Refused(f"{job.entry.ref}: the password belongs to one of {names}", hint="Set scope.host to say which.")
        if not named and len(chosen) != len(accounts):
            raise Refused(
                f"{job.entry.ref}: {names} have the same password, and scope.host leaves some of them out",
                hint="Take scope.host away, so that they are changed together.",
            )
        return chosen

    def _check_clear(self, job: Job, dialect: Dialect) -> None:
        if isinstance(dialect, MySQL) and not is_loopback(job.target.host) and tls_mode(job.target) in ("disable", "prefer"):
            raise Refused(f"{job.entry.ref}: MySQL must be told the clear password, so TLS is needed", hint="Set sslmode.")

    @contextmanager
    def _admin(self, job: Job) -> Iterator[_Session]:
        session = _open(job, self._connect)
        try:
            yield session
        finally:
            session.close()


class _Session:
    """The admin's connection, each statement of which is one fenced call."""

    dialect: Dialect

    def __init__(self, job: Job, connection: Any) -> None:
        self._job, self._connection = job, connection
        self.dialect = dialect_of(job, str(self.read("SELECT VERSION()")[0][0]))

    def accounts(self, user: str) -> list[Account]:
        return self.dialect.accounts(self.read, user)

    def do(self, statement: Statement | None) -> None:
        if statement is not None:
            self._call(statement.what, statement.sql, statement.values, changes=True)

    def read(self, query: str, values: tuple[object, ...] = ()) -> Rows:
        return self._call(query.split(maxsplit=1)[0], query, values, changes=False)

    def lacking(self, *, own: bool) -> list[str]:
        """Which rights the admin account's grants do not name; none where roles may add to them. `own`: the sessions to be ended are its
        own, for which no right is needed."""
        grants = [_GRANT.match(str(row[0])) for row in self.read("SHOW GRANTS")]
        if not all(grants):
            return []
        # (right, where): of the rows of a table only UPDATE on the schema `mysql` counts, which may change accounts as well
        has = {(right.strip().upper(), each["where"]) for each in grants if each for right in each["rights"].split(",")}
        needed: dict[str, tuple[tuple[str, str], ...]] = {"CREATE USER": (("UPDATE", "`mysql`.*"), ("UPDATE", "*.*"))}
        if not own:
            needed |= {"CONNECTION ADMIN": (("CONNECTION_ADMIN", "*.*"), ("SUPER", "*.*")), "PROCESS": ()}
        return [
            right
            for right, others in needed.items()
            if has.isdisjoint((("ALL PRIVILEGES", "*.*"), ("ALL", "*.*"), (right, "*.*"), *others))
        ]

    def end_sessions(self, user: str) -> None:
        # without PROCESS the list of sessions holds our own alone, and nothing says so
        if not self.read("SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'PROCESS' LIMIT 1"):
            raise Refused(f"{self._job.entry.ref}: the admin account does not see other sessions", hint="It lacks PROCESS.")
        query = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = %s AND ID <> CONNECTION_ID()"
        for (session,) in self.read(query, (user,)):
            self._call("KILL", "KILL %s", (int(session),), changes=True)

    def close(self) -> None:
        try:
            self._connection.close()
        except _driver().Error:
            pass  # it is gone already

    def _call(self, what: str, sql: str, values: tuple[object, ...], *, changes: bool) -> Rows:
        def action() -> Rows:
            with self._connection.cursor() as cursor:
                try:
                    cursor.execute(sql, values or None)
                except _driver().Error as error:
                    if what == "KILL" and error.args[:1] == (_NO_SUCH_SESSION,):
                        return ()  # it ended by itself
                    raise
                return tuple(cursor.fetchall())

        def translated() -> Rows:
            return _guarded(what, changes, action)

        return self._job.ports.call(what, self._job.target.host, translated, changes=changes)


def _driver() -> Any:
    """PyMySQL, which has no types. Raises MissingExtra."""
    from importlib import import_module

    try:
        return import_module("pymysql")
    except ImportError:
        raise MissingExtra("PyMySQL", "mysql") from None


def _open(job: Job, connect: Connect | None) -> _Session:
    pymysql = _driver()
    target = job.target
    host, port = job.ports.tcp(target.host, target.port)
    user, password = job.admin_text("user"), job.admin_text("secret").encode()
    mode = tls_mode(target)

    def action() -> Any:
        tls: dict[str, Any] = {"ssl_disabled": True} if mode == "disable" else {}
        if mode not in ("disable", "prefer"):
            tls = {"ssl": _context(job, mode)}
        return (connect or pymysql.connect)(
            host=host, port=port, user=user, password=password, autocommit=True, charset="utf8mb4",
            connect_timeout=TIMEOUT, read_timeout=TIMEOUT, write_timeout=TIMEOUT, **tls,
        )  # fmt: skip

    connection = job.ports.call("login as admin", host, lambda: _guarded("login as admin", False, action, user), changes=False)
    session = _Session(job, connection)
    if mode not in ("disable", "prefer") and not session.read("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]:
        session.close()
        raise Refused(f"{host}:{port} offers no TLS", hint="Turn it on, or set target.options.sslmode.")
    return session


def _context(job: Job, mode: str) -> ssl.SSLContext:
    import ssl

    context = ssl.create_default_context(cafile=job.target.options.get("tls_ca") or None)
    if mode != "verify-full":
        context.check_hostname = False
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


def _guarded(what: str, changes: bool, action: Callable[[], T], user: str = "") -> T:
    """PyMySQL's exceptions as ours, in one place: numbers only, because messages may quote statements."""
    try:
        return action()
    except (_driver().Error, OSError) as error:
        raise _translated(error, what, changes, user) from None


def _translated(error: Exception, what: str, changes: bool, user: str) -> ProviderError:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code == 1045:
        return Refused(
            f"the server does not let the admin account {user} in (1045)", hint="Correct its password or its host part."
        )
    if code in _DENIED:
        right = "CONNECTION ADMIN" if what == "KILL" else "CREATE USER, and SELECT on the table of accounts"
        return Refused(f"{what}: the admin account may not do that ({code})", hint=f"It lacks {right}.")
    if code in _BUSY:
        return Throttled(f"{what}: the server is busy ({code})", retry_after=1.0)
    if 1000 <= code < 2000 and code not in _LOST:
        return Refused(f"{what}: the server refuses it ({code})", hint="Look the number up in the server's manual.")
    kind = Uncertain if changes else Unreachable
    return kind(f"{what}: no answer from the server ({code or type(error).__name__})")


def _spellings(parts: SecretParts) -> list[bytes]:
    """The password as it stands, and with percent escapes undone: it may come out of a URL."""
    value = parts["secret"].reveal()
    return list(dict.fromkeys((value, unquote_to_bytes(value))))


def _owned(dialect: Dialect, account: Account, parts: SecretParts) -> bool:
    return any(dialect.owns(account, value) for value in _spellings(parts))


ROTATORS: tuple[Rotator, ...] = (MySQLAccounts(),)
