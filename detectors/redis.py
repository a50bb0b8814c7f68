"""Redis and Valkey passwords.

What it is: the password of a Redis server or of an ACL user: in a `redis://` or `rediss://` URL, `requirepass` and `user … >password`
  in a configuration, `redis-cli -a`, or StackExchange's `host:port,password=…`.
Where it is used: `REDIS_URL`, Celery broker settings, redis.conf, compose files, shell histories.
What an attacker can do: read and change sessions, queues and caches; with CONFIG SET also write files on the server, which has
  often meant a shell there.
How to replace it: CONFIG SET requirepass, or ACL SETUSER with a second password (`>new`) and later `<old` to take the first away.
References: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/  https://www.iana.org/assignments/uri-schemes/prov/redis
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, Kind, Rule
from keyward.plugin.shapes import assigned, hexa, part, text

from ._passwords import PASSWORD, WORD, database_kind, form_rule, judge, url_rule, variable_rule

REDIS = Kind("redis/password")

KINDS = (
    database_kind(REDIS, "Redis password", "CONFIG SET requirepass …, or ACL SETUSER … >new <old.",
                  "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/", "high"),
)  # fmt: skip

RULES = (
    url_rule("redis/url", REDIS, rb"(?:rediss?|valkeys?)(?:\+[a-z]{2,12})?", "rediss", names=("REDIS_URL", "broker_url"), port=":6379", tail="/0"),
    form_rule(
        "redis/requirepass",
        REDIS,
        rb"(?<![A-Za-z0-9_-])(?:--)?(?:requirepass|masterauth|sentinel auth-pass [A-Za-z0-9_.-]{1,40})[ \t:=]{1,4}[\"']?" + WORD,
        65,
        ("requirepass {}\n", "command: redis-server --requirepass {} --appendonly yes\n", "masterauth \"{}\"\n"),
        ("# requirepass is the password of the server\n", "requirepass ${REDIS_PASSWORD}\n", "requirepass yes\n", "requirepass foobared\n"),
    ),
    Rule(
        "redis/acl",
        REDIS,
        rb"(?<![A-Za-z0-9_-])(?i:user|ACL SETUSER) (?P<user>[A-Za-z0-9_.-]{1,60}) (?:(?:on|off|reset\w{0,8}|[~&+%-][^\s]{1,40}) ){1,8}>(?P<secret>[^\s\"'<>]{4,128})",
        specificity=STRUCTURAL,
        score=75,
        check=judge,
        examples=(
            text("user ", part("user", "worker"), " on >", part("secret", PASSWORD), " ~jobs:* +@all\n"),
            text("ACL SETUSER ", part("user", "worker"), " on >", part("secret", PASSWORD), " allkeys\n"),
            text("user ", part("user", "default"), " on ~* &* +@all >", part("secret", PASSWORD), "\n"),
        ),
        near_misses=(
            text("user worker on #", hexa(64), " ~jobs:* +@all\n"),
            text("user worker on nopass ~* +@all\n"),
            text("user default on >password ~* +@all\n"),
        ),
    ),
    form_rule(
        "redis/command-line",
        REDIS,
        rb"(?<![A-Za-z0-9_-])(?:redis-cli|valkey-cli) (?:[^\n|;&#]{0,120}? )?(?:-a|--pass) [\"']?" + WORD,
        65,
        ("redis-cli -h cache.corp.io -a {} ping\n", "redis-cli -a '{}' --bigkeys\n", "    test: redis-cli --pass {} ping\n"),
        ("redis-cli -h cache.corp.io ping\n", "redis-cli -a $REDIS_PASSWORD ping\n", "redis-cli -a password ping\n"),
        anchor=rb"(?:redis-cli|valkey-cli) (?:[^\n|;&#]{0,120} )?(?:-a|--pass) ",
    ),
    variable_rule("redis/variable", REDIS, rb"(?i:(?:REDIS|VALKEY)(?:CLI)?_(?:[a-z]{2,12}_)?(?:AUTH|PASSWORD|PASS|PWD))", "REDIS_PASSWORD", "redis"),
    Rule(
        "redis/stackexchange",
        REDIS,
        rb"(?<![A-Za-z0-9_.-])(?P<host>[A-Za-z0-9_.-]{3,200}):(?:6379|6380|[12][0-9]{4}),(?:[a-zA-Z]{2,20}=[^,\s\"']{1,60},){0,5}password=(?P<secret>[^\s\"',]{4,128})",
        anchor=rb":(?:6379|6380|[12][0-9]{4}),(?:[a-zA-Z]{2,20}=[^,\s\"']{1,60},){0,5}password=",
        specificity=STRUCTURAL,
        score=75,
        check=judge,
        examples=(
            text('"Redis": "', part("host", "cache.corp.io"), ":6380,password=", part("secret", PASSWORD), ',ssl=True,abortConnect=False"\n'),
            text("REDIS=", part("host", "10.2.0.9"), ":6379,ssl=true,password=", part("secret", PASSWORD), "\n"),
            text("Connect(\"", part("host", "cache.corp.io"), ":6380,password=", part("secret", PASSWORD), "\");\n"),
        ),
        near_misses=(
            text('"Redis": "cache.corp.io:6380,ssl=True,abortConnect=False"\n'),
            text('"Redis": "localhost:6379,password=secret"\n'),
            assigned("Redis", PASSWORD, form='"{name}": "cache.corp.io:80,password={value}"\n'),
        ),
    ),
)  # fmt: skip
