"""Passwords in JDBC URLs and Java data sources.

What it is: `jdbc:…` with the password as a parameter (`?password=`, `;password=`), Oracle's `jdbc:oracle:thin:user/password@…`, or the
  password property of a Spring, Quarkus or Hibernate data source.
Where it is used: application.properties and application.yml, persistence.xml, context.xml, Gradle and Maven settings, scripts.
What an attacker can do: read and change what the account may in that database.
How to replace it: change the account's password on the database server, then the setting; restart what holds pooled connections.
References: https://docs.oracle.com/en/java/javase/21/docs/api/java.sql/java/sql/DriverManager.html
  https://docs.spring.io/spring-boot/appendix/application-properties/index.html
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, Kind, Rule
from keyward.plugin.shapes import part, text

from ._passwords import HOST, PASSWORD, WORD, database_kind, form_rule, judge

JDBC = Kind("jdbc/password")

KINDS = (
    database_kind(JDBC, "Password in a JDBC URL or data source", "ALTER USER or ALTER ROLE, as the database calls it.",
                  "https://docs.oracle.com/en/java/javase/21/docs/api/java.sql/java/sql/DriverManager.html"),
)  # fmt: skip

_SECRET = part("secret", PASSWORD)

RULES = (
    Rule(
        "jdbc/parameter",
        JDBC,
        rb"(?<![A-Za-z0-9])jdbc:[a-z0-9]{2,20}:(?:[a-z0-9:]{0,30}//(?P<host>[A-Za-z0-9_.-]{1,200}))?[^\s\"'<>]{0,300}?[?&;:](?:amp;)?(?i:password|pwd)=(?P<secret>[^&;\"'\s<>\\{}$(),\]]{1,128})",
        anchor=rb"jdbc:[a-z0-9]{2,20}:[^\s\"'<>]{1,300}(?i:password|pwd)=",
        specificity=STRUCTURAL,
        score=75,
        window=800,
        check=judge,
        examples=(
            text("spring.datasource.url=jdbc:postgresql://", part("host", "db3.corp.io"), ":5432/orders?user=svc&password=", _SECRET, "\n"),
            text('url = "jdbc:sqlserver://', part("host", "db3.corp.io"), ":1433;databaseName=orders;user=svc;password=", _SECRET, ';encrypt=true"\n'),
            text("<url>jdbc:mysql://", part("host", "10.2.0.9"), "/orders?user=svc&amp;password=", _SECRET, "</url>\n"),
        ),
        near_misses=(
            text("url=jdbc:postgresql://db3.corp.io:5432/orders?user=svc\n"),
            text("url=jdbc:postgresql://db3.corp.io:5432/orders?user=svc&password=${PW}\n"),
            text("url=jdbc:postgresql://localhost:5432/test?user=test&password=test\n"),
        ),
    ),
    Rule(
        "jdbc/oracle-thin",
        JDBC,
        rb"(?<![A-Za-z0-9])jdbc:oracle:(?:thin|oci):(?P<user>[A-Za-z0-9_$#.-]{1,64})/(?P<secret>[^\s/\"'@<>{}]{1,128})@(?://)?" + HOST,
        specificity=STRUCTURAL,
        score=75,
        check=judge,
        examples=tuple(
            text(before, "jdbc:oracle:thin:", part("user", "svc"), "/", _SECRET, at, part("host", "db3.corp.io"), after)
            for before, at, after in (("url=", "@", ":1521:ORCL\n"), ('"', "@//", ':1521/orders"\n'), ("<url>", "@//", ":1521/orders</url>\n"))
        ),
        near_misses=(
            text("url=jdbc:oracle:thin:@//db3.corp.io:1521/orders\n"),
            text("url=jdbc:oracle:thin:scott/tiger@localhost:1521:ORCL\n"),
            text("url=jdbc:oracle:thin:svc/${PW}@db3.corp.io:1521:ORCL\n"),
        ),
    ),
    form_rule("jdbc/data-source", JDBC, rb"(?<![A-Za-z0-9])(?i:(?:spring[._]|quarkus[._]|hibernate[._]|javax[._]persistence[._]|jakarta[._]persistence[._]|druid[._]|flyway[._]|liquibase[._])"
              rb"(?:[a-z0-9-]{1,24}[._]){0,4}password)[\"']?\s{0,3}(?:[:=]|\" value=\")\s{0,3}[\"']?" + WORD, 65,
              ("spring.datasource.password={}\n", "SPRING_DATASOURCE_PASSWORD={}\n", "quarkus.datasource.password = {}\n", '<property name="javax.persistence.jdbc.password" value="{}"/>\n'),
              ("spring.datasource.password=secret\n", "spring.datasource.password=${DB_PASSWORD}\n", "spring.datasource.username={}\n")),
)  # fmt: skip
