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

from typing import TYPE_CHECKING, Any

from keyward.errors import MissingExtra
from keyward.plugin import STRUCTURAL, Kind, Rule
from keyward.plugin.shapes import assigned, hexa, part, text
from keyward.plugin.verifier import Case, Dead, Live, Unknown, Verdict

from ._logins import TIMEOUT, NoTls, first_alive, login_evidence, spellings, tls_mode
from ._passwords import PASSWORD, WORD, database_kind, form_rule, judge, url_rule, variable_rule

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

REDIS = Kind("redis/password")

KINDS = (
    database_kind(REDIS, "Redis password", "CONFIG SET requirepass …, or ACL SETUSER … >new <old.",
                  "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/", "high")._replace(rotates=True),
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
        anchor=rb",password=[^\s\"',]{4}",
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

HOSTS: tuple[str, ...] = ()
"""None: a server of one's own, which the lane's target names."""

VERIFIES = (REDIS,)

CASES: tuple[Case, ...] = ()
"""A login is not HTTP: the verdicts are tested against a real server."""


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """One AUTH. Without a user it is the server's own password (`requirepass`)."""
    user = credential.text("user") or target.user or "default"
    ports.tcp(target.host, target.port)

    def ask(password: bytes) -> Verdict:
        try:
            mode = tls_mode(target)
        except NoTls as error:
            return Unknown(str(error))
        said = ports.call("redis login", target.host, lambda: _auth(target, mode, user, password), changes=False)
        proof = login_evidence("AUTH", target, ports, said, user)
        if said == "OK":
            return Live(proof, user)
        if said == "WRONGPASS":
            return Dead(proof)
        return Unknown(f"{target.host}:{target.port} does not answer the login: {said}")

    return first_alive(spellings(credential.parts["secret"].reveal()), ask)


def _auth(target: Target, mode: str, user: str, password: bytes) -> str:
    """`OK`, `WRONGPASS`, or a few words of our own for whatever else came."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise MissingExtra("redis", "redis") from None
    tls: dict[str, Any] = {}
    if mode not in ("disable", "prefer"):
        tls = {"ssl": True, "ssl_cert_reqs": "none" if mode == "require" else "required", "ssl_check_hostname": mode == "verify-full"}
        tls["ssl_ca_certs"] = target.options.get("tls_ca") or None
    login: dict[str, Any] = {"username": None if user == "default" else user, "password": password}
    client: Any = None
    try:
        # with a single connection, making the client logs in; servers before version 6 know no user names
        client = redis.Redis(
            host=target.host, port=target.port, single_connection_client=True, retry=Retry(NoBackoff(), 0), protocol=2,
            socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT,
            **login, **tls,
        )  # fmt: skip
        return "OK"
    except redis.exceptions.AuthenticationError as error:
        return "no password is set" if "without any password" in str(error) else "WRONGPASS"
    except redis.ConnectionError as error:
        return "it holds as many clients as it may" if "max number of clients" in str(error) else type(error).__name__
    except redis.RedisError as error:
        return "no password is set" if "no password is set" in str(error) else type(error).__name__
    finally:
        if client is not None:
            client.close()
