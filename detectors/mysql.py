"""MySQL and MariaDB passwords.

What it is: the password of a database account: in a connection URL, Go's `user:password@tcp(host:port)/db`, `MYSQL_PWD`, the
  Docker image's variables, `-pPASSWORD` on a command line, or the `[client]` section of a `.my.cnf`.
Where it is used: `.env`, compose files, backup scripts around mysqldump, shell histories, web applications' settings.
What an attacker can do: read and change all that the account may; root can also write files on the server and add accounts.
How to replace it: ALTER USER … IDENTIFIED BY '…'; MySQL 8.0.14 and later can keep both passwords for a while with RETAIN CURRENT
  PASSWORD, then DISCARD OLD PASSWORD. Sessions that are open stay open until they are killed.
References: https://dev.mysql.com/doc/refman/8.0/en/password-management.html  https://github.com/go-sql-driver/mysql#dsn-data-source-name
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keyward.errors import MissingExtra
from keyward.plugin import STRUCTURAL, Companion, Kind, Rule
from keyward.plugin.shapes import part, text
from keyward.plugin.verifier import Case, Dead, Live, Restricted, Unknown, Verdict

from ._logins import TIMEOUT, NoTls, first_alive, login_evidence, spellings, tls_context, tls_mode
from ._passwords import PASSWORD, SECRET, WORD, database_kind, judge, url_rule, variable_rule

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

MYSQL = Kind("mysql/password")

KINDS = (
    database_kind(MYSQL, "MySQL password", "ALTER USER … IDENTIFIED BY '…'.", "https://dev.mysql.com/doc/refman/8.0/en/alter-user.html")._replace(rotates=True),
)

_USER = Companion("user", rb"(?i:MYSQL|MARIADB)_USER(?:NAME)?[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?P<user>[A-Za-z0-9_.-]{1,63})", within=300, optional=True)
_HOST = Companion("host", rb"(?i:MYSQL|MARIADB)_(?:HOST|SERVER)[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?P<host>[A-Za-z0-9_.-]{1,200})", within=300, optional=True)

RULES = (
    url_rule("mysql/url", MYSQL, rb"(?:mysqlx?|mariadb|aurora|tidb|mysql2)(?:\+[a-z0-9_]{2,20})?", "mysql+pymysql", names=("MYSQL_URL", "url"), port=":3306"),
    Rule(
        "mysql/go-dsn",
        MYSQL,
        rb"(?<![A-Za-z0-9_.-])(?P<user>[A-Za-z0-9_.-]{1,32}):" + SECRET + rb"@(?:tcp|unix)\((?P<host>[A-Za-z0-9_./-]{1,200})?",
        anchor=rb"@(?:tcp|unix)\(",
        specificity=STRUCTURAL,
        score=75,
        check=judge,
        examples=(
            text('sql.Open("mysql", "', part("user", "svc"), ":", part("secret", PASSWORD), "@tcp(", part("host", "db3.corp.io"), ':3306)/orders")\n'),
            text("DSN=", part("user", "svc"), ":", part("secret", PASSWORD), "@tcp(", part("host", "10.2.0.9"), ":3306)/orders?parseTime=true\n"),
            text("dsn: ", part("user", "svc"), ":", part("secret", PASSWORD), "@unix(", part("host", "/run/mysqld.sock"), ")/orders\n"),
        ),
        near_misses=(
            text('sql.Open("mysql", "svc@tcp(db3.corp.io:3306)/orders")\n'),
            text('sql.Open("mysql", "user:password@tcp(localhost:3306)/test")\n'),
            text('fmt.Sprintf("%s:%s@tcp(%s:%d)/%s", user, pass, host, port, name)\n'),
        ),
    ),
    variable_rule("mysql/variable", MYSQL, rb"(?:MYSQL_PWD|(?i:(?:MYSQL|MARIADB)_(?!(?:native|old|clear)_)(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD)))", "MYSQL_ROOT_PASSWORD", "root",
                  companions=(_USER, _HOST)),
    Rule(
        "mysql/command-line",
        MYSQL,
        rb"(?<![A-Za-z0-9_-])(?:mysql|mysqldump|mysqladmin|mysqlimport|mysqlcheck|mariadb|mariadb-dump|mariadb-admin|xtrabackup|mydumper) "
        rb"(?:[^\n|;&#]{0,160}? )?(?:-p|--password=)[\"']?" + WORD,
        anchor=rb"(?:mysql(?:dump|admin|import|check)?|mariadb(?:-dump|-admin)?|xtrabackup|mydumper) (?:[^\n|;&#]{0,160} )?(?:-p|--password=)[^\s]{4}",
        specificity=STRUCTURAL,
        score=65,
        check=judge,
        examples=(
            text("mysql -h db3.corp.io -u svc -p", part("secret", PASSWORD), " orders\n"),
            text("mysqldump --user=svc --password='", part("secret", PASSWORD), "' orders > orders.sql\n"),
            text("RUN mysqladmin -u root -p", part("secret", PASSWORD), " ping\n"),
        ),
        near_misses=(
            text("mysql -h db3.corp.io -u svc -p orders\n"),
            text("mysql -u svc -p$MYSQL_PASSWORD orders\n"),
            text("mysqldump --password= orders\n"),
            text("mysql -u root -ppassword orders\n"),
        ),
    ),
    Rule(
        "mysql/option-file",
        MYSQL,
        rb"\[(?:client|mysql|mysqldump|mysqladmin|mysqld_safe|clientroot)[a-z0-9_-]{0,20}\][^\[\n]{0,40}\r?\n(?:[ \t]{0,8}(?!password)[a-z#][^\[\r\n]{0,120}\r?\n){0,8}?"
        rb"[ \t]{0,8}password[ \t]{0,4}=[ \t]{0,4}[\"']?(?P<secret>[^\s\"']{1,128})",
        anchor=rb"\[(?:client|mysql|mysqldump|mysqladmin|mysqld_safe|clientroot)[a-z0-9_-]{0,20}\]",
        specificity=STRUCTURAL,
        score=70,
        window=1500,
        check=judge,
        examples=(
            text("[client]\nuser = svc\npassword = ", part("secret", PASSWORD), "\nhost = db3.corp.io\n"),
            text("[client]\npassword=", part("secret", PASSWORD), "\n"),
            text("[mysqldump]\nquick\nuser=svc\npassword=\"", part("secret", PASSWORD), "\"\n"),
        ),
        near_misses=(
            text("[client]\nuser = svc\nhost = db3.corp.io\n"),
            text("[client]\nuser = root\npassword = secret\n"),
            text("[client]\n[other]\npassword_file = /run/pw\n"),
        ),
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a server of one's own, which the lane's target names."""

VERIFIES = (MYSQL,)

CASES: tuple[Case, ...] = ()
"""A login is not HTTP: the verdicts are tested against a real server."""

_DENIED = (1045, 1698)
"""Wrong password, no such account, or not from this address: the server does not say which."""
_AFTER_THE_PASSWORD = {
    4151: "the account is locked",
    3118: "the account is locked",
    1820: "the password has expired",
    1862: "the password has expired",
    1044: "the account may not use this database",
    1049: "there is no such database",
    1226: "the account has used up what it is allowed",
}
_NOT_NOW = (1040, 1053, 1203, 1129)


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """One login, and no statement but the one that asks whether TLS is on."""
    user = credential.text("user") or target.user
    ports.tcp(target.host, target.port)
    if not user:
        return Unknown("the credential names no user: set target.user")

    def ask(password: bytes) -> Verdict:
        try:
            mode = tls_mode(target)
            verdict = _try(target, ports, mode, user, password)
            if isinstance(verdict, Dead) and mode == "disable" and isinstance(_try(target, ports, "prefer", user, password), Live):
                # an account that requires TLS is refused like one with another password
                return Restricted(verdict.evidence, "the account demands TLS")
            return verdict
        except NoTls as error:
            return Unknown(str(error))

    return first_alive(spellings(credential.parts["secret"].reveal()), ask)


def _try(target: Target, ports: Ports, mode: str, user: str, password: bytes) -> Verdict:
    code = ports.call("mysql login", target.host, lambda: _login(target, mode, user, password), changes=False)
    proof = login_evidence("login", target, ports, str(code), user)
    if code == 0:
        return Live(proof, user)
    if code in _DENIED:
        return Dead(proof)
    if code in _AFTER_THE_PASSWORD:
        return Restricted(proof, _AFTER_THE_PASSWORD[code])
    if code in _NOT_NOW:
        return Unknown(f"the server takes no session now ({code})", 1.0)
    return Unknown(f"{target.host}:{target.port} opens no session ({code})")


def _login(target: Target, mode: str, user: str, password: bytes) -> int:
    """0, or the number of the server's or driver's error."""
    from importlib import import_module

    try:
        pymysql: Any = import_module("pymysql")
    except ImportError:
        raise MissingExtra("PyMySQL", "mysql") from None
    protected = mode not in ("disable", "prefer")
    tls: dict[str, Any] = {"ssl": tls_context(target, mode)} if protected else {"ssl_disabled": True} if mode == "disable" else {}
    try:
        connection = pymysql.connect(
            host=target.host, port=target.port, user=user, password=password, database=target.database or None,
            connect_timeout=TIMEOUT, read_timeout=TIMEOUT, write_timeout=TIMEOUT, **tls,
        )  # fmt: skip
    except pymysql.Error as error:
        return error.args[0] if error.args and isinstance(error.args[0], int) else -1
    except OSError:
        return -1
    with connection, connection.cursor() as cursor:
        if protected:
            cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            if not cursor.fetchone()[1]:
                raise NoTls("the server offers no TLS")
    return 0
