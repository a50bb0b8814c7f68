"""Passwords in ADO and ODBC connection strings, and SQL Server's own variables.

What it is: `Server=…;Database=…;User ID=…;Password=…`, the form that .NET, ODBC and OLE DB share, for SQL Server and other databases;
  `mssql://` and `sqlserver://` URLs; the variables of the SQL Server image.
Where it is used: web.config, appsettings.json, `ConnectionStrings__…` variables, Azure App Service settings, odbc.ini, scripts.
What an attacker can do: read and change the database; `sa` or sysadmin can run commands on the server (xp_cmdshell).
How to replace it: ALTER LOGIN … WITH PASSWORD = '…'; in Azure SQL also under Reset password. Pooled connections stay open until
  the application restarts.
References: https://learn.microsoft.com/en-us/dotnet/framework/data/adonet/connection-string-syntax
  https://learn.microsoft.com/en-us/sql/t-sql/statements/alter-login-transact-sql
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, Kind, Parts, Rule, Signal
from keyward.plugin.shapes import part, text

from ._passwords import PASSWORD, WORD, database_kind, form_rule, judge, url_rule, variable_rule

MSSQL = Kind("mssql/password")

KINDS = (
    database_kind(MSSQL, "Password in a connection string (SQL Server, ODBC)", "ALTER LOGIN … WITH PASSWORD = '…'.",
                  "https://learn.microsoft.com/en-us/sql/t-sql/statements/alter-login-transact-sql"),
)  # fmt: skip


def _check(parts: Parts) -> Signal | None:
    """Quotes and braces around the password are taken off before it is judged."""
    return judge({**parts, "secret": parts["secret"].strip(b"'{}")})


_PASSWORD = rb"(?i:password|pwd)[ ]?=[ ]?(?P<secret>\{[^\r\n}\"]{1,128}\}|[^;\"'<>\s\\&{}]{1,128})"
_PAIRS = rb"(?:[A-Za-z][A-Za-z _]{1,39}=[^;\"'\r\n=]{0,120};[ ]?){0,7}?"
_ANCHOR = rb"(?i:;[ ]?(?:password|pwd)[ ]?=)"
_HOST, _SECRET = part("host", "db3.corp.io"), part("secret", PASSWORD)

RULES = (
    Rule(
        "mssql/connection-string",
        MSSQL,
        rb"(?<![A-Za-z])(?i:server|data source|addr(?:ess)?|network address|host|dsn)[ ]?=[ ]?(?i:tcp:)?(?P<host>[A-Za-z0-9_.()\\-]{1,200})[^;\"'\r\n]{0,40};[ ]?" + _PAIRS + _PASSWORD,
        anchor=_ANCHOR,
        specificity=STRUCTURAL,
        score=75,
        window=900,
        check=_check,
        examples=(
            text('"Default": "Server=tcp:', _HOST, ",1433;Database=orders;User ID=svc;Password=", _SECRET, ';Encrypt=True;"\n'),
            text('<add name="db" connectionString="Data Source=', _HOST, ";Initial Catalog=orders;uid=svc;pwd=", _SECRET, '" />\n'),
            text("ConnectionStrings__Db=Host=", _HOST, ";Port=5432;Username=svc;Password=", _SECRET, "\n"),
            text("conn = pyodbc.connect('SERVER=", _HOST, ";UID=svc;PWD=", _SECRET, "')\n"),
        ),
        near_misses=(
            text('"Default": "Server=tcp:db3.corp.io,1433;Database=orders;Integrated Security=true"\n'),
            text('"Default": "Server=localhost;Database=orders;User ID=sa;Password=password"\n'),
            text('"Default": "Server=db3.corp.io;User ID=svc;Password={your_password};"\n'),
            text('"Default": "Server=db3.corp.io;User ID=svc;Password=$(DbPassword);"\n'),
        ),
    ),
    Rule(
        "mssql/connection-string-user-first",
        MSSQL,
        rb"(?<![A-Za-z])(?i:user id|uid|user(?:name)?)[ ]?=[ ]?(?P<user>[^;\"'\r\n=]{1,80});[ ]?" + _PAIRS + _PASSWORD + rb"(?=[;\"'\s\\&]|\Z)",
        anchor=_ANCHOR,
        specificity=STRUCTURAL,
        score=65,
        window=900,
        check=_check,
        examples=(
            text('"Db": "User ID=', part("user", "svc"), ";Password=", _SECRET, ';Data Source=orders"\n'),
            text("odbc = Driver={PostgreSQL};Uid=", part("user", "svc"), ";Pwd=", _SECRET, ";\n"),
            text('cs := "user id=', part("user", "svc"), ";password=", _SECRET, ';database=orders"\n'),
        ),
        near_misses=(
            text('"Db": "User ID=svc;Data Source=orders"\n'),
            text('"Db": "User ID=sa;Password=sa;Data Source=orders"\n'),
            text('"Db": "User ID=svc;Password=${PW};Data Source=orders"\n'),
        ),
    ),
    url_rule("mssql/url", MSSQL, rb"(?:mssql|sqlserver)(?:\+[a-z0-9_]{2,20})?", "mssql+pyodbc", names=("MSSQL_URL", "url"), port=":1433"),
    variable_rule("mssql/variable", MSSQL, rb"(?:(?i:MSSQL_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD)|SA_PASSWORD)|SQLCMDPASSWORD)", "MSSQL_SA_PASSWORD", "yourStrong(!)Password",
                  anchor=rb"(?i:MSSQL_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))[\"'\]\s:=]|(?i:SA_PASSWORD)[\"'\]\s:=]|SQLCMDPASSWORD"),
    form_rule("mssql/sqlcmd", MSSQL, rb"(?<![A-Za-z0-9_-])(?:sqlcmd|bcp|osql)(?:\.exe)? (?:[^\n|;]{0,160}? )?-P ?[\"']?" + WORD, 70,
              ("sqlcmd -S db3.corp.io -U svc -P {} -Q 'select 1'\n", "/opt/mssql-tools/bin/sqlcmd -U sa -P '{}'\n", "bcp orders out a.dat -U svc -P{}\n"),
              ("sqlcmd -S db3.corp.io -E\n", "sqlcmd -U sa -P $SA_PASSWORD\n", "sqlcmd -U sa -P secret\n"),
              anchor=rb"(?:sqlcmd|bcp|osql)(?:\.exe)? (?:[^\n|;]{0,160} )?-P"),
)  # fmt: skip
