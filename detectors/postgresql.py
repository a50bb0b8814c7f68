"""PostgreSQL passwords.

What it is: the password of a database role: in a connection URL, a libpq connection string, `PGPASSWORD`, or the variable
  that the Docker image takes at its first start.
Where it is used: `DATABASE_URL`, `.env`, compose files, alembic.ini, Django and Rails settings, shell histories, CI.
What an attacker can do: read and change all that the role may, if the server can be reached; a superuser can also run
  programs on the server (`COPY … FROM PROGRAM`).
How to replace it: ALTER ROLE … PASSWORD, or a second role that takes over; then pg_terminate_backend for the sessions that
  are open, because a new password does not end them.
References: https://www.postgresql.org/docs/current/libpq-connect.html  https://www.postgresql.org/docs/current/sql-alterrole.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import STRUCTURAL, Companion, Kind, Rule
from keyward.plugin.shapes import part, text
from keyward.plugin.verifier import Case, Verdict

from ._passwords import PASSWORD, WORD, database_kind, form_rule, judge, url_rule, variable_rule
from ._postgresql_login import verify_login

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

POSTGRESQL = Kind("postgresql/password")

KINDS = (
    database_kind(POSTGRESQL, "PostgreSQL password", "ALTER ROLE … PASSWORD '…'.", "https://www.postgresql.org/docs/current/sql-alterrole.html")._replace(rotates=True),
)

_USER = Companion("user", rb"(?i:PGUSER|POSTGRES(?:QL)?_USER(?:NAME)?)[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?P<user>[A-Za-z0-9_.-]{1,63})", within=300, optional=True)
_HOST = Companion("host", rb"(?i:PGHOST|POSTGRES(?:QL)?_(?:HOST|SERVER))[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?P<host>[A-Za-z0-9_.-]{1,200})", within=300, optional=True)

RULES = (
    url_rule("postgresql/url", POSTGRESQL, rb"(?:postgres(?:ql)?|postgis|cockroachdb|timescaledb?|redshift)(?:\+[a-z0-9_]{2,20})?", "postgresql",
             names=("DATABASE_URL", "sqlalchemy_url")),
    Rule(
        "postgresql/dsn",
        POSTGRESQL,
        rb"(?<![A-Za-z0-9_-])(?:host(?:addr)?=(?P<host>[A-Za-z0-9_./-]{1,200}) (?:(?:port|dbname|sslmode|connect_timeout)=[^\s\"']{1,60} ){0,4})?"
        rb"user=(?P<user>[^\s\"'=,(){}\[\]]{1,63}) (?:(?:host(?:addr)?|port|dbname|sslmode|connect_timeout)=[^\s\"']{1,200} ){0,5}"
        rb"password='?(?P<secret>[^\s\"'\\;&,(){}\[\]]{1,200})",
        anchor=rb"[ \"'`=]user=[^\s\"'=,(){}\[\]]{1,63} (?:[a-z_]{4,15}=[^\s\"']{1,200} ){0,5}password=[^\s\"&;]",
        specificity=STRUCTURAL,
        score=70,
        check=judge,
        examples=(
            text('psql "host=', part("host", "db3.corp.io"), " port=5432 dbname=orders user=", part("user", "svc"), " password='", part("secret", PASSWORD), "'\"\n"),
            text("dsn = \"user=", part("user", "svc"), " host=db3.corp.io password=", part("secret", PASSWORD), " dbname=orders\"\n"),
            text("DSN='dbname=orders' \"host=", part("host", "db3.corp.io"), " user=", part("user", "svc"), " password='", part("secret", PASSWORD), "' sslmode=require\"\n"),
        ),
        near_misses=(
            text('psql "host=db3.corp.io user=svc dbname=orders"\n'),
            text("dsn = \"host=localhost user=postgres password='postgres'\"\n"),
            text("dsn = \"host=db3.corp.io user=svc password='$PGPASSWORD'\"\n"),
        ),
    ),
    variable_rule("postgresql/variable", POSTGRESQL, rb"(?:PGPASSWORD|(?i:POSTGRES(?:QL)?_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD)))", "POSTGRES_PASSWORD", "postgres",
                  companions=(_USER, _HOST)),
    form_rule("postgresql/pgpassword", POSTGRESQL, rb"(?<![A-Za-z0-9])PGPASSWORD=[\"']?" + WORD + rb"(?=[\"']? (?:psql|pg_dump|pg_restore|createdb|\w{2,20}))", 65,
              ("PGPASSWORD={} psql -h db3.corp.io -U svc orders\n", "0 3 * * * PGPASSWORD='{}' pg_dump orders > dump\n", "RUN PGPASSWORD=\"{}\" psql -f x.sql\n"),
              ("PGPASSWORD=postgres psql\n", "PGPASSWORD=$PW psql -h db3.corp.io\n", "PGPASSFILE={} psql\n")),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a server of one's own, which the lane's target names."""

VERIFIES = (POSTGRESQL,)

CASES: tuple[Case, ...] = ()
"""A login is not HTTP: the verdicts are tested against a real server."""


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """One login to the target's database, and its SQLSTATE."""
    return verify_login(credential, target, ports)
