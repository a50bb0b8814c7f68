"""PostgreSQL: the password of a role.

What is possible: everything. The new password is sent as a SCRAM verifier that is computed here, so that neither the server's log nor
  its statistics ever hold the clear text. A role has one password only; so that nothing goes down, a lane has two roles that take
  turns (`alternate`, the default): a NOLOGIN role that owns the tables, and two LOGIN roles that are members of it and become it at login
  (`ALTER ROLE … SET ROLE`). The rotation gives the idle one a password and lets it log in; the other one is locked when all consumers
  have moved. With `scope.alternate = false` one role is changed in place: its old password dies at that moment.
What is manual: `pg_hba.conf`, connection poolers with password files of their own (PgBouncer's `userlist.txt`), the ownership of tables
  that exist already (`REASSIGN OWNED BY old_role TO owner_role`).
Rights: see `AdminNeed.policy`: CREATEROLE, and ADMIN OPTION on the lane's roles (PostgreSQL 16 and later give it to whoever created a role;
  before, CREATEROLE is enough), and `pg_signal_backend` to end sessions. A superuser works too, and is more than is needed.

Settings:
  target.host, .port, .database    where; the database is `postgres` unless said
  target.options.sslmode           `disable`, `prefer`, `require`, `verify-ca`, `verify-full` (the default; `prefer` on loopback)
  target.options.tls_ca            file with the authority's certificate, instead of the system's
  scope.alternate                  true (default) or false
  scope.role                       alternate: the owner role, `<role>_a` and `<role>_b` log in; default: the lane's name.
                                   Otherwise: the role itself; default: `target.user`
  admin.user, admin.secret         the admin role and its password
  expiry                           becomes VALID UNTIL

Traps: open sessions survive a new password, VALID UNTIL and NOLOGIN; they are ended by `pg_terminate_backend`. In place, that ends the sessions
  with the new password as well: clients reconnect. VALID UNTIL is looked at for passwords only, not for certificates or peer. A name of more
  than 63 bytes would be cut by the server without an error, so it is refused. A role that the server lets in without a password (`trust`) cannot be
  told from one with the right password, so it is refused. Who has SET LOGGING rights can still log what clients send, but not what they do not send.
References: https://www.postgresql.org/docs/current/sql-alterrole.html  https://www.postgresql.org/docs/current/role-membership.html
  https://www.postgresql.org/docs/current/libpq-misc.html#LIBPQ-PQENCRYPTPASSWORDCONN  https://www.postgresql.org/docs/current/functions-admin.html
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote

from keyward.errors import MissingExtra, ProviderError, Refused, SlotsFull, Throttled, Uncertain, Unreachable
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
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

from ._databases import TIMEOUT, flag, new_password, renewed, text_of, tls_mode

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

T = TypeVar("T")

LONGEST_NAME = 63
"""Bytes of an identifier (NAMEDATALEN - 1); the server cuts longer ones."""

POLICY = """\
CREATE ROLE keyward_admin LOGIN CREATEROLE IN ROLE pg_signal_backend PASSWORD '…';
-- for roles that keyward did not create itself:
GRANT app, app_a, app_b TO keyward_admin WITH ADMIN OPTION;
"""

_ROLE = """
SELECT r.rolname, r.rolcanlogin, r.rolsuper, r.oid::bigint,
       CASE WHEN isfinite(r.rolvaliduntil) THEN extract(epoch FROM r.rolvaliduntil)::float8 END,
       coalesce(shobj_description(r.oid, 'pg_authid'), ''), r.rolcreaterole, r.rolbypassrls, r.rolreplication
FROM pg_catalog.pg_roles r WHERE r.rolname = ANY(%s) ORDER BY r.rolname
"""

# ALTER ROLE: superuser, or CREATEROLE, and since version 16 ADMIN OPTION on the role; nobody else changes a superuser
# (src/backend/commands/user.c). pg_terminate_backend: the rights of the role or of pg_signal_backend (storage/ipc/signalfuncs.c)
_RIGHTS = """
SELECT r.rolname, me.rolsuper, me.rolcreaterole, r.rolsuper,
       current_setting('server_version_num')::int < 160000 OR pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION'),
       pg_has_role(me.oid, r.oid, 'USAGE') OR coalesce(
           (SELECT pg_has_role(me.oid, s.oid, 'USAGE') FROM pg_catalog.pg_roles s WHERE s.rolname = 'pg_signal_backend'), false)
FROM pg_catalog.pg_roles r, pg_catalog.pg_roles me
WHERE me.rolname = current_user AND r.rolname = ANY(%s) ORDER BY r.rolname
"""


class _Role(NamedTuple):
    """One row of `_ROLE`. `until`: Unix seconds, None for no end."""

    name: str
    can_login: bool
    superuser: bool
    oid: int
    until: float | None
    comment: str
    createrole: bool
    bypassrls: bool
    replication: bool


class PostgreSQL(Rotator):
    kinds = (Kind("postgresql/password"), Kind("pgpass/password"))
    scope_names = ("alternate", "role")
    gives = ("user", "secret")
    title = "PostgreSQL roles"
    origin = Origin.CHOSEN
    capabilities = Capabilities(
        Overlap.OWN, slots=2, scoped=True, expiry=True, reversible_disable=True, marks=True, settle=10.0, propagation=10.0
    )
    admin = AdminNeed(("user", "secret"), ("CREATEROLE", "ADMIN OPTION on the roles", "pg_signal_backend"), POLICY)
    references = ("https://www.postgresql.org/docs/current/sql-alterrole.html",)
    calls = MappingProxyType(
        {
            "QUARANTINE": ("login as admin", "SELECT", "ALTER ROLE"),
            "ISSUE": ("login as admin", "SELECT", "ALTER ROLE"),
            "PROVE": ("postgresql login",),
            "REVOKE": ("postgresql login", "login as admin", "SELECT", "ALTER ROLE", "pg_terminate_backend"),
            "CONFIRM": ("postgresql login",),
        }
    )

    def capabilities_for(self, entry: Entry) -> Capabilities:
        """In place, the old password dies when the new one is set, and the role's comment stays as it is."""
        if entry.scope.get("alternate", True) is False:
            return self.capabilities._replace(overlap=Overlap.NONE, slots=1, marks=False)
        return self.capabilities

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        """In place, the old password is tried before anything is locked: it died when the new one was set."""
        if entry.scope.get("alternate", True) is not False:
            return self.calls
        return {
            **self.calls,
            "QUARANTINE": ("login as the role", *self.calls["QUARANTINE"]),
            "REVOKE": ("postgresql login", "login as the role", "login as admin", "pg_terminate_backend"),
        }

    def identify(self, job: Job, parts: SecretParts) -> str:
        """The role's name, if the parts open a session now: nothing else tells which password a role has."""
        name = self._user(job, parts)
        if not self._opens(job, name, parts):
            raise Refused(
                f"{job.entry.ref}: role {name} does not get in with this password",
                hint="It is not the role's present password, or the role is locked: nothing has to be replaced, or set it by hand.",
            )
        return name

    def inventory(self, job: Job) -> Inventory:
        with self._admin(job) as session:
            found = session.roles(self._names(job))
        now = job.ports.clock.now()
        held = tuple(
            Held(
                role.name,
                role.can_login and (role.until is None or role.until > now),
                expires=role.until,
                mark=role.comment if role.comment.startswith("keyward:") else "",
                name=role.name,
            )
            for role in found
        )
        return Inventory(self._base(job), held, lane_owned=self._alternates(job))

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        """To change the lane's roles and the old one, and to end the old one's sessions."""
        user = self._user(job, old) if old else ""
        names = self._pair(job) if self._alternates(job) else () if user else (self._base(job),)
        with self._admin(job) as session:
            return session.lacking((*names, *([user] if user else ())), user)

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        """A password for the role whose turn it is. Raises SlotsFull if that role can still log in: somebody uses it."""
        user = self._user(job, old) if old else ""
        if self._alternates(job):
            first, second = self._pair(job)
            candidates = [second] if user == first else [first] if user == second else [first, second]
            busy = {held.id for held in self.inventory(job).held if held.active}
            free = [name for name in candidates if name not in busy]
            if not free:
                raise SlotsFull(
                    f"{job.entry.ref}: {' and '.join(candidates)} can log in already",
                    hint=f'If nobody uses it any more: ALTER ROLE "{candidates[0]}" NOLOGIN',
                )
            user = free[0]
        return renewed(job, old, {"user": Secret((user or self._base(job)).encode()), "secret": new_password()})

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        name = self._user(job, new)
        if name not in self._names(job) and self._alternates(job):
            raise Refused(f"{job.entry.ref}: {name} is none of the lane's roles {', '.join(self._pair(job))}")
        expires = job.ports.clock.now() + job.entry.expiry if job.entry.expiry else None
        with self._admin(job) as session:
            role = session.role(name)
            if role is None or (self._alternates(job) and not session.is_member(name, self._base(job))):
                raise Refused(
                    f"{job.entry.ref}: there is no role {name}" + (f" that is a member of {self._base(job)}" if role else ""),
                    hint="Run: keyward lanes provision, or set scope.role.",
                )
            session.set_password(
                role, text_of(new, "secret"), "LOGIN", _moment(expires), job.mark if self._alternates(job) else ""
            )
        return Issued(name, new, expires)

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        name = self._condemned(job, id, parts)
        with self._admin(job) as session:
            role = session.role(name) if name else None
            if role is not None and role.can_login:
                self._check_dispensable(job, role)
                session.change("ALTER ROLE {} NOLOGIN", name)

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        name = id or self._user(job, parts)
        with self._admin(job) as session:
            role = session.role(name)
            if role is not None and not role.can_login:
                session.change("ALTER ROLE {} LOGIN", name)

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        """Locks the role, ends its validity and gives it a password that nobody knows, in one statement."""
        name = self._condemned(job, id, parts)
        with self._admin(job) as session:
            role = session.role(name) if name else None
            if role is not None:
                self._check_dispensable(job, role)
                session.set_password(role, secrets.token_urlsafe(32), "NOLOGIN", _moment(0.0), "")

    def end_sessions(self, job: Job, id: str, parts: SecretParts) -> None:
        """Ends every session of the role; the admin's own stays."""
        with self._admin(job) as session:
            session.end_sessions(id or self._user(job, parts))

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        with self._admin(job) as session:
            for role in session.roles((*self._names(job), self._base(job))):
                rights = [
                    word
                    for word, has in (
                        ("SUPERUSER", role.superuser),
                        ("CREATEROLE", role.createrole),
                        ("BYPASSRLS", role.bypassrls),
                        ("REPLICATION", role.replication),
                    )
                    if has
                ]
                if rights:
                    yield Warning("over-broad", f"role {role.name} has {', '.join(rights)}")
                if role.can_login and role.until is None:
                    yield Warning("no-expiry", f"the password of role {role.name} is valid for ever")

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        """The owner, and the two roles that take turns. Yields what is there and what is made."""
        if not self._alternates(job):
            return
        owner = self._base(job)
        with self._admin(job) as session:
            owner_missing = session.role(owner) is None
            if owner_missing and apply:
                session.change("CREATE ROLE {} NOLOGIN", owner)
            yield Change(f"role {owner} (owner, NOLOGIN)", not owner_missing)
            for name in self._pair(job):
                missing = session.role(name) is None
                if missing and apply:
                    session.change("CREATE ROLE {} NOLOGIN NOINHERIT IN ROLE {}", name, owner)
                yield Change(f"role {name}, member of {owner}", not missing)
                if not missing and not session.is_member(name, owner):
                    if apply:
                        session.change("GRANT {} TO {}", owner, name)
                    yield Change(f"membership of {name} in {owner}")
                becomes = not missing and session.becomes(name, owner)
                if apply and not becomes:
                    session.change("ALTER ROLE {} SET ROLE {}", name, owner)
                yield Change(f"{name} becomes {owner} at login", becomes)

    # names

    def _alternates(self, job: Job) -> bool:
        return flag(job, "alternate", True)

    def _base(self, job: Job) -> str:
        """The owner role where two take turns, else the role itself."""
        default = job.entry.lane if self._alternates(job) else job.target.user or job.entry.lane
        return _checked(job, job.scope_text("role", default))

    def _pair(self, job: Job) -> tuple[str, str]:
        base = self._base(job)
        return _checked(job, base + "_a"), _checked(job, base + "_b")

    def _names(self, job: Job) -> tuple[str, ...]:
        return self._pair(job) if self._alternates(job) else (self._base(job),)

    def _user(self, job: Job, parts: SecretParts) -> str:
        name = text_of(parts, "user") or job.target.user
        if not name:
            raise Refused(f"{job.entry.ref}: the credential names no user", hint="Set target.user.")
        return _checked(job, name)

    # safety

    def _condemned(self, job: Job, id: str, parts: SecretParts) -> str:
        """The role to be locked, or nothing. In place, old and new are one role: only the password that still opens a session is
        condemned, or the new one would die for the old."""
        name = id or self._user(job, parts)
        if not self._alternates(job) and not (parts and self._opens(job, name, parts)):
            return ""
        return name

    def _check_dispensable(self, job: Job, role: _Role) -> None:
        if role.superuser or role.name == job.admin_text("user"):
            what = "a superuser" if role.superuser else "the admin role itself"
            raise Refused(
                f"{job.entry.ref}: role {role.name} is {what}: locking it may lock everybody out",
                hint="Give the lane a role of its own, or set a new password by hand.",
            )

    def _opens(self, job: Job, name: str, parts: SecretParts) -> bool:
        """Whether a password opens a session now. Raises Refused where the server asks for none."""
        password = text_of(parts, "secret")
        for spelling in dict.fromkeys((password, unquote(password))):
            try:
                with _connected(job, name, spelling, "login as the role") as session:
                    if not session.asked_for_password:
                        raise Refused(
                            f"{job.entry.ref}: the server lets {name} in without a password",
                            hint="Change `trust` in pg_hba.conf first; until then no password of it can be killed.",
                        )
                    return True
            except _NoSession as error:
                if not error.password_sent:
                    raise
        return False

    @contextmanager
    def _admin(self, job: Job) -> Iterator[_Session]:
        user = job.admin_text("user")
        try:
            with _connected(job, user, job.admin_text("secret"), "login as admin") as session:
                yield session
        except _NoSession as error:
            if not error.password_sent:
                raise
            raise Refused(
                f"{job.entry.ref}: the server opens no session for the admin role {user}",
                hint="Its password is wrong, or it may not use this database, or the server is full.",
            ) from None


class _NoSession(Unreachable):
    """The server opened no session. `password_sent`: it asked for the password, got it, and refused."""

    password_sent = False


class _Session:
    """An open session, each statement of which is one fenced call."""

    def __init__(self, job: Job, connection: psycopg.Connection[Any]) -> None:
        self._job, self._connection = job, connection

    @property
    def asked_for_password(self) -> bool:
        return bool(self._connection.pgconn.used_password)

    def roles(self, names: Iterable[str]) -> list[_Role]:
        return [_Role(*row) for row in self._read(_ROLE, (list(names),))]

    def role(self, name: str) -> _Role | None:
        return next(iter(self.roles((name,))), None)

    def is_member(self, name: str, owner: str) -> bool:
        query = "SELECT pg_has_role(m.oid, o.oid, 'MEMBER') FROM pg_roles m, pg_roles o WHERE m.rolname = %s AND o.rolname = %s"
        return any(row[0] for row in self._read(query, (name, owner)))

    def lacking(self, names: tuple[str, ...], ending: str) -> list[str]:
        """What this session's role may not do of what it takes to change these roles, and to end the sessions of one of them."""
        found = []
        for name, superuser, createrole, above, admin_of, may_end in self._read(_RIGHTS, (list(names),)):
            if superuser:
                continue
            found += ["SUPERUSER"] * bool(above) + ["CREATEROLE"] * (not createrole)
            found += [f"ADMIN OPTION on {name}"] * (not admin_of) + ["pg_signal_backend"] * (name == ending and not may_end)
        return found

    def becomes(self, name: str, owner: str) -> bool:
        """Whether a role is another one from the start of each session."""
        query = """SELECT 1 FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
                   WHERE r.rolname = %s AND s.setdatabase = 0 AND c IN (%s, %s)"""
        return bool(self._read(query, (name, f"role={owner}", f'role="{owner}"')))

    def change(self, statement: str, *names: str) -> None:
        """One statement with quoted names in it."""
        from psycopg import sql

        quoted = sql.SQL(statement).format(*map(sql.Identifier, names))
        self._write(statement.split("{}")[0].strip(), names[0], quoted)

    def set_password(self, role: _Role, password: str, login: str, until: str, mark: str) -> None:
        """Sends the verifier, never the password. The mark goes into the role's comment, in the same transaction."""
        from psycopg import sql

        connection = self._connection
        verifier = connection.pgconn.encrypt_password(password.encode(), role.name.encode(), b"scram-sha-256").decode()
        statement = sql.SQL("ALTER ROLE {} {} PASSWORD {} VALID UNTIL {}").format(
            sql.Identifier(role.name), sql.SQL(login), sql.Literal(verifier), sql.Literal(until)
        )
        if not mark:
            self._write("ALTER ROLE", role.name, statement)
            return
        comment = sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role.name), sql.Literal(mark))
        # one simple query of two statements is one transaction
        self._write("ALTER ROLE", role.name, sql.SQL("{}; {}").format(statement, comment))

    def end_sessions(self, name: str) -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {} AND pid <> pg_backend_pid()"
        from psycopg import sql

        self._write("pg_terminate_backend", name, sql.SQL(query).format(sql.Literal(name)))

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        def action() -> list[tuple[Any, ...]]:
            return self._connection.execute(query.encode(), values).fetchall()

        return self._call(query.split(maxsplit=1)[0], "", action, changes=False)

    def _write(self, what: str, name: str, statement: sql.Composable) -> None:
        self._call(what, name, lambda: self._connection.execute(statement.as_bytes(self._connection)), changes=True)

    def _call(self, what: str, name: str, action: Callable[[], T], *, changes: bool) -> T:
        import psycopg

        def translated() -> T:
            try:
                return action()
            except psycopg.Error as error:
                raise _translated(error, what, name, changes, self._connection.closed) from None

        return self._job.ports.call(what, self._job.target.host, translated, changes=changes)


@contextmanager
def _connected(job: Job, user: str, password: str, what: str) -> Iterator[_Session]:
    try:
        import psycopg
    except ImportError:
        raise MissingExtra("psycopg", "postgres") from None
    target = job.target
    host, port = job.ports.tcp(target.host, target.port)
    mode = tls_mode(target)
    settings: dict[str, Any] = {"passfile": os.devnull, "gssencmode": "disable"}  # nothing of this machine's own
    if authority := target.options.get("tls_ca") or ("system" if mode == "verify-full" else ""):
        settings["sslrootcert"] = authority

    def connect() -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(
                "",
                host=host,
                port=port,
                user=user,
                password=password,
                dbname=target.database or "postgres",
                sslmode=mode,
                connect_timeout=TIMEOUT,
                options=f"-c statement_timeout={TIMEOUT * 1000}",
                application_name="keyward",
                autocommit=True,
                **settings,
            )
        except psycopg.Error as error:
            refusal = _NoSession(f"{host}:{port} opens no session for role {user} (TLS mode {mode})")
            refusal.password_sent = bool(error.pgconn and error.pgconn.used_password)
            raise refusal from None

    connection = job.ports.call(what, host, connect, changes=False)
    try:
        yield _Session(job, connection)
    finally:
        connection.close()


def _translated(error: psycopg.Error, what: str, name: str, changes: bool, closed: bool) -> ProviderError:
    """psycopg's exceptions as ours, in one place: codes only, because messages may quote statements."""
    code = error.sqlstate or ""
    if code == "42501":
        right = "pg_signal_backend" if what == "pg_terminate_backend" else "CREATEROLE and ADMIN OPTION on the role"
        return Refused(f"{what} {name}: the admin role may not do that ({code})", hint=f"It lacks {right}.")
    if code in ("55P03", "40001", "40P01", "XX000") and not closed:
        return Throttled(f"{what} {name}: the server is busy with the same role ({code})", retry_after=0.5)
    if code and not closed and not code.startswith(("57", "08")):
        return Refused(f"{what} {name}: the server refuses it ({code})", hint="Look the SQLSTATE up in the server's log.")
    kind = Uncertain if changes else Unreachable
    return kind(f"{what} {name}: the session was lost{f' ({code})' if code else ''}")


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "infinity"
    return time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(seconds))


def _checked(job: Job, name: str) -> str:
    if not name or "\0" in name or len(name.encode()) > LONGEST_NAME:
        raise Refused(f"{job.entry.ref}: a role's name has 1 to {LONGEST_NAME} bytes", hint="Set a shorter scope.role.")
    return name


ROTATORS: tuple[Rotator, ...] = (PostgreSQL(),)
