"""PostgreSQL's password file.

What it is: a line `host:port:database:user:password` of a `.pgpass` (`pgpass.conf` on Windows); `*` stands for any, and colons and
  backslashes are escaped with a backslash.
Where it is used: home folders of people and of service accounts, containers, backup hosts, dotfile repositories.
What an attacker can do: log in to that database as that role, and do whatever it may.
How to replace it: ALTER ROLE … PASSWORD on the server, then the line in the file; the file needs mode 0600 or libpq ignores it.
References: https://www.postgresql.org/docs/current/libpq-pgpass.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyward.plugin import STRUCTURAL, Kind, Rule
from keyward.plugin.shapes import concat, part, text
from keyward.plugin.verifier import Case, Verdict

from ._passwords import PASSWORD, database_kind, judge
from ._postgresql_login import verify_login

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

PGPASS = Kind("pgpass/password")

KINDS = (
    database_kind(PGPASS, "PostgreSQL password in a .pgpass", "ALTER ROLE … PASSWORD '…'.", "https://www.postgresql.org/docs/current/libpq-pgpass.html")._replace(rotates=True),
)

_HOST, _USER, _SECRET = part("host", "db3.corp.io"), part("user", "svc_orders"), part("secret", PASSWORD)

RULES = (
    Rule(
        "pgpass/line",
        PGPASS,
        rb"(?<![^\s\"'])(?P<host>[A-Za-z0-9_.*/-]{1,200}):(?:5[34][0-9]{2}|64[0-9]{2}|6543|[12][0-9]{4}|\*):(?:[A-Za-z0-9_.-]{1,63}|\*):"
        rb"(?P<user>[A-Za-z0-9_.@-]{1,63}):(?P<secret>(?:[^\s:\\\"']|\\[:\\]){4,128})(?=[\r\n\"']|\Z)",
        anchor=rb":(?:5[34][0-9]{2}|64[0-9]{2}|6543|[12][0-9]{4}|\*):(?:[A-Za-z0-9_.-]{1,63}|\*):[A-Za-z0-9_.@-]{1,63}:[^\s:]{2}",
        specificity=STRUCTURAL,
        score=65,
        check=judge,
        examples=(
            concat(_HOST, ":5432:orders:", _USER, ":", _SECRET, "\n"),
            concat("# replication\n", part("host", "*"), ":*:*:", _USER, ":", _SECRET, "\n"),
            concat("RUN echo '", _HOST, ":6432:*:", _USER, ":", _SECRET, "' > ~/.pgpass\n"),
        ),
        near_misses=(
            text("db3.corp.io:5432:orders:svc_orders\n"),
            text("localhost:5432:postgres:postgres:postgres\n"),
            text("db3.corp.io:5432:orders:svc_orders:", PASSWORD, ":extra\n"),
            text("db3.corp.io:5432:orders:svc_orders:$PGPASSWORD\n"),
        ),
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a server of one's own, which the lane's target names."""

VERIFIES = (PGPASS,)

CASES: tuple[Case, ...] = ()
"""A login is not HTTP: the verdicts are tested against a real server."""


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Logs in with what the line's escapes stand for."""
    from keyward.model.secret import Secret

    plain = re.sub(rb"\\([:\\])", rb"\1", credential.parts["secret"].reveal())
    return verify_login(credential._replace(parts={**credential.parts, "secret": Secret(plain)}), target, ports)
