"""The accounts of one user name on a MySQL or MariaDB server, and the statements that change them.

The two servers keep two passwords at once in different ways, so there is a dialect for each: MariaDB tries a list of methods, MySQL has
a second password beside the first.
References: https://mariadb.com/kb/en/alter-user/  https://mariadb.com/kb/en/mysqlglobal_priv-table/
  https://dev.mysql.com/doc/refman/8.4/en/password-management.html#dual-passwords  https://dev.mysql.com/doc/refman/8.4/en/alter-user.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from keyward.errors import Refused
from keyward.plugin.rotator import Job

from ._mysql_hashes import NATIVE, matches, native

Rows = tuple[tuple[Any, ...], ...]
Read = Callable[[str, tuple[object, ...]], Rows]


class Statement(NamedTuple):
    """SQL with `%s` for each value. `what`: its name for fences and messages."""

    sql: str
    values: tuple[object, ...]
    what: str = "ALTER USER"


class Method(NamedTuple):
    """One way into an account: plugin, and what the server keeps of the password."""

    plugin: str
    stored: bytes


class Account(NamedTuple):
    """`host`: from where it may log in. `methods`: any one of them lets in. On MySQL the second one is the old password."""

    user: str
    host: str
    methods: tuple[Method, ...]
    locked: bool = False

    @property
    def name(self) -> str:
        return f"{self.user}@{self.host}"

    def holds(self, password: bytes) -> bool:
        return any(matches(method.plugin, method.stored, password) for method in self.methods)


class Dialect(Protocol):
    """How one server is asked and told. Every method that answers with None means: it is so already."""

    def accounts(self, read: Read, user: str) -> list[Account]: ...

    def owns(self, account: Account, password: bytes) -> bool:
        """Whether a password belongs to an account: it works there, or is disabled there."""
        ...

    def add(self, account: Account, new: bytes, old: bytes) -> Statement | None:
        """Lets the new password in. The old one keeps working, unless it was disabled."""
        ...

    def disable(self, account: Account, password: bytes) -> Statement | None: ...

    def enable(self, account: Account, password: bytes) -> Statement | None: ...

    def remove(self, account: Account, password: bytes) -> Statement | None:
        """Kills a password for good; another one that works stays."""
        ...


def dialect_of(job: Job, version: str) -> Dialect:
    """By the server's own `VERSION()`. Raises Refused for one that cannot have two passwords."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if "mariadb" in version.lower():
        if numbers >= (10, 4):
            return MariaDB()
        needed = "MariaDB 10.4"
    else:
        if numbers >= (8, 0, 14):
            return MySQL()
        needed = "MySQL 8.0.14"
    raise Refused(
        f"{job.entry.ref}: the server is version {'.'.join(map(str, numbers))}, which cannot keep two passwords",
        hint=f"Two passwords at once need {needed} or later; change this one by hand.",
    )


def _reversed(stored: bytes) -> bytes:
    """What stands in the place of a disabled hash: the same digits backwards. Nobody knows a password for it, and it can be undone."""
    return stored[:1] + stored[:0:-1]


class MariaDB:
    """`IDENTIFIED VIA … OR …`: any method of the list lets in. A disabled hash stays in the list, written backwards."""

    def accounts(self, read: Read, user: str) -> list[Account]:
        rows = read("SELECT Host, Priv FROM mysql.global_priv WHERE User = %s ORDER BY Host", (user,))
        return [self._account(user, str(host), json.loads(priv)) for host, priv in rows]

    def _account(self, user: str, host: str, priv: dict[str, Any]) -> Account:
        found = []
        for each in priv.get("auth_or") or [priv]:
            source = each if "plugin" in each else priv  # an empty object stands for the outer one
            if "plugin" in source:
                found.append(Method(str(source["plugin"]), str(source.get("authentication_string", "")).encode()))
        return Account(user, host, tuple(found), bool(priv.get("account_locked")))

    def owns(self, account: Account, password: bytes) -> bool:
        return account.holds(password) or self._disabled(password) in account.methods

    def add(self, account: Account, new: bytes, old: bytes) -> Statement | None:
        wanted = Method(NATIVE, native(new).encode())
        return None if wanted in account.methods else self._set(account, (wanted, *account.methods))

    def disable(self, account: Account, password: bytes) -> Statement | None:
        return self._replace(account, self._enabled(password), self._disabled(password))

    def enable(self, account: Account, password: bytes) -> Statement | None:
        return self._replace(account, self._disabled(password), self._enabled(password))

    def remove(self, account: Account, password: bytes) -> Statement | None:
        dead = self._disabled(password)
        left = tuple(method for method in account.methods if method not in (dead, self._enabled(password)))
        # an account without any method would let everybody in
        return self._set(account, left or (dead,)) if (left or (dead,)) != account.methods else None

    def _enabled(self, password: bytes) -> Method:
        return Method(NATIVE, native(password).encode())

    def _disabled(self, password: bytes) -> Method:
        return Method(NATIVE, _reversed(native(password).encode()))

    def _replace(self, account: Account, present: Method, wanted: Method) -> Statement | None:
        if present not in account.methods:
            return None
        return self._set(account, tuple(wanted if method == present else method for method in account.methods))

    def _set(self, account: Account, methods: tuple[Method, ...]) -> Statement:
        pieces, values = [], [account.user, account.host]
        for method in dict.fromkeys(methods):
            if not re.fullmatch(r"\w{1,64}", method.plugin):
                raise Refused(
                    f"{account.name}: it logs in by a plugin with a strange name", hint="Change this account by hand."
                )
            pieces.append(f"{method.plugin} USING %s" if method.stored else method.plugin)
            values += [method.stored.decode()] if method.stored else []
        return Statement(f"ALTER USER %s@%s IDENTIFIED VIA {' OR '.join(pieces)}", tuple(values))


class MySQL:
    """`RETAIN CURRENT PASSWORD` and `DISCARD OLD PASSWORD`. Not run against a MySQL server in the tests: its statements are compared as text
    with the manual."""

    def accounts(self, read: Read, user: str) -> list[Account]:
        query = (
            "SELECT Host, plugin, HEX(authentication_string), account_locked,"
            " HEX(User_attributes->>'$.additional_password') FROM mysql.user WHERE User = %s ORDER BY Host"
        )
        found = []
        for host, plugin, first, locked, second in read(query, (user,)):
            stored = [bytes.fromhex(str(value)) for value in (first, second) if value]
            methods = tuple(Method(str(plugin), each) for each in stored)
            found.append(Account(user, str(host), methods, str(locked) == "Y"))
        return found

    def owns(self, account: Account, password: bytes) -> bool:
        return account.holds(password)

    def add(self, account: Account, new: bytes, old: bytes) -> Statement | None:
        if self._is_first(account, new):
            return None
        if len(account.methods) > 1:
            # RETAIN would push the first into the second's place, and the second out: one of them is not known to us
            raise Refused(
                f"{account.name} has two passwords already",
                hint=f"If the older one is not used any more: ALTER USER … DISCARD OLD PASSWORD for {account.name}",
            )
        # the server replaces the clear text by a hash before it writes to its logs; a hash cannot be combined with RETAIN
        keep = "ACCOUNT UNLOCK" if account.locked else "RETAIN CURRENT PASSWORD"
        return self._alter(account, f"IDENTIFIED BY %s {keep}", new.decode())

    def disable(self, account: Account, password: bytes) -> Statement | None:
        """Only the account as a whole can be locked, so it is left alone once another password is in use."""
        if account.locked or len(account.methods) > 1 or not account.holds(password):
            return None
        return self._alter(account, "ACCOUNT LOCK")

    def enable(self, account: Account, password: bytes) -> Statement | None:
        return self._alter(account, "ACCOUNT UNLOCK") if account.locked and account.holds(password) else None

    def remove(self, account: Account, password: bytes) -> Statement | None:
        if self._is_first(account, password):
            if len(account.methods) > 1:
                raise Refused(
                    f"{account.name}: this is the newer one of two passwords, and MySQL can only discard the older one",
                    hint="Set the older one again as the first, then run this again.",
                )
            from ._databases import new_password

            return self._alter(account, "IDENTIFIED BY %s ACCOUNT LOCK", new_password().reveal().decode())
        return self._alter(account, "DISCARD OLD PASSWORD") if account.holds(password) else None

    def _is_first(self, account: Account, password: bytes) -> bool:
        return any(matches(method.plugin, method.stored, password) for method in account.methods[:1])

    def _alter(self, account: Account, clause: str, *values: object) -> Statement:
        return Statement(f"ALTER USER %s@%s {clause}", (account.user, account.host, *values))
