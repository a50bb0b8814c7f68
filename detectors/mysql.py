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

from keyward.plugin import STRUCTURAL, Companion, Kind, Rule
from keyward.plugin.shapes import part, text

from ._passwords import PASSWORD, SECRET, WORD, database_kind, judge, url_rule, variable_rule

MYSQL = Kind("mysql/password")

KINDS = (
    database_kind(MYSQL, "MySQL password", "ALTER USER … IDENTIFIED BY '…'.", "https://dev.mysql.com/doc/refman/8.0/en/alter-user.html"),
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
    variable_rule("mysql/variable", MYSQL, rb"(?:MYSQL_PWD|(?i:(?:MYSQL|MARIADB)_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD)))", "MYSQL_ROOT_PASSWORD", "root",
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
