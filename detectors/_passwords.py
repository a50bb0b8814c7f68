"""What packs for passwords in URLs and connection strings share: the rule, and a judgement of password and host."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from keyward.plugin import STRUCTURAL, Companion, CredentialKind, Kind, Manual, Parts, Rule, Signal, letters
from keyward.plugin.shapes import Shape, an, concat, part

WEAK = frozenset(
    b"password passwd pass pwd pw secret secretpassword secretpass mysecret mypassword mypass mypwd mysecretpassword dbpassword "
    b"userpass userpassword user username test testing tests test123 testpass testpassword tester root rootpassword rootpass "
    b"admin adminpass admin123 postgres postgresql pgpassword mysql mariadb mongo mongodb redis guest rabbitmq rabbit clickhouse "
    b"neo4j sa default demo dev development local localhost token key apikey api_key p pwd123 password1 password123 pass123 "
    b"passw0rd p@ssw0rd p@ssword secret123 s3cr3t 123 1234 12345 123456 letmein hunter2 foo bar baz x y z abc abc123 qwerty "
    b"scott tiger scott/tiger example airflow docker django app string value your_password my_password db_password db_pass "
    b"mysecretkey mytoken some_password somepassword strongpassword strong_password hackme bob alice joe jane wherever anonymous "
    b"minioadmin changeit passwort kennwort contrasena senha wachtwoord motdepasse haslo parola required optional hello world open sesame opensesame nopass none null undefined true false encrypted hidden masked".split()
)
"""Passwords of documentation and of local set-ups, in lower case."""

_FILLING = frozenset(b"my your our the a an some new old db".split())
_LOOKS_LIKE = bytes.maketrans(b"@$031!457", b"asoeliast")

_LOCAL = frozenset(
    b"localhost 127.0.0.1 ::1 0.0.0.0 host.docker.internal db database postgres postgresql pg mysql mariadb redis mongo mongodb "
    b"rabbitmq rabbit nats mqtt clickhouse neo4j cassandra elasticsearch mssql sqlserver".split()
)
_DOCUMENTATION = frozenset(
    b"host hostname server servername myhost dbhost db_host db-host hostspec domain domain.com mydomain.com mydomain company.com "
    b"foo bar foo.com bar.com foo.bar address ip host1 host2 host.com url uri netloc proxy proxyhost proxy.com somehost remote "
    b"remotehost remote_host site.com website.com mysite.com acme.com test.com google.com www.google.com httpbin.org some.host "
    b"a.com b.com x.com my.host your.host hub.com proxy-server proxyserver proxy.server myproxy machine repo.com".split()
)
_RESERVED = (b".example", b".invalid", b".test", b".example.com", b".example.org", b".example.net", b"yourdomain.com")
_MARKS = (b"%s", b"%(", b"%d", b"***", b"...", b"$(", b"#{", b"<", b"\xe2\x80\xa6", b"[", b"&lt;")


_IDENTIFIER = re.compile(
    rb"(?:[A-Za-z_]\w*(?:\.|->|::))+[A-Za-z_][A-Za-z_]*\Z|[A-Z]+(?:_[A-Z]+)+\Z|[a-z]+(?:_[a-z]+)+\Z|default=|(?:self|this|config|settings)\.|\w+=\Z|"
    rb"[a-z]*(?:pass|passwd|[pP]assword|[sS]ecret|[tT]oken|Pass|Pwd)\Z|[\w.:>-]*\(\)?\Z"
)

_PHRASE = re.compile(rb"[A-Za-z]{3,}(?:[-_/][A-Za-z]{3,}){1,6}\Z|[a-z]{3,}(?:[A-Z][a-z]{2,}){1,5}\Z")
_NO_PASSWORD = re.compile(rb"[a-z]{2,10}://|v?\d+(?:[.:]\d+){2,}|[\w.+-]+@[\w-]+\.[a-z]{2,6}\Z")
"""A URL, a version, an address."""


def is_weak(value: bytes) -> bool:
    """Whether a password is one of documentation or of a local set-up, or only a few characters long."""
    lowered = value.lower()
    if len(value) < 4 or lowered in WEAK or lowered.strip(b"0123456789!_-") in WEAK or lowered.endswith((b"_here", b"-here")):
        return True
    words = re.findall(rb"[a-z]+", lowered)
    return lowered.translate(_LOOKS_LIKE) in WEAK or (len(words) > 1 and all(word in WEAK or word in _FILLING for word in words))


def is_local(host: bytes) -> bool:
    lowered = host.lower().strip(b"[]")
    return lowered in _LOCAL or lowered.startswith(b"127.") or lowered.endswith(b".localhost")


def is_documentation(host: bytes) -> bool:
    lowered = host.lower().strip(b"[]")
    return lowered in _DOCUMENTATION or b"example" in lowered or f".{lowered.decode('latin-1')}".encode("latin-1").endswith(_RESERVED)


def is_strong(value: bytes) -> bool:
    """At least twelve characters of at least three classes, or sixteen of two with digits."""
    classes = sum((any(65 <= c <= 90 for c in value), any(97 <= c <= 122 for c in value), any(48 <= c <= 57 for c in value),
                   any(not chr(c).isalnum() for c in value)))  # fmt: skip
    return (len(value) >= 12 and classes >= 3) or (len(value) >= 16 and classes >= 2 and any(48 <= c <= 57 for c in value))


def _is_no_word(value: bytes) -> bool:
    """Whether five letters or more are none that people would think of."""
    return len(value) >= 5 and value.isalpha() and letters.fluency(value) < letters.UNREADABLE


def _pronounceable(word: bytes) -> bool:
    vowels = sum(c in b"aeiouAEIOU" for c in word)
    return 0.2 <= vowels / len(word) <= 0.65


def judge(parts: Parts) -> Signal | None:
    """One signal for a password with its user and host, as far as they are there."""
    secret = unquote_to_bytes(parts["secret"])
    user, host = parts.get("user", b""), parts.get("host", b"")
    if any(mark in secret for mark in _MARKS):
        return Signal("context", -100, "the password is a template")
    if _IDENTIFIER.match(secret):
        return Signal("context", -60, "the name of a variable")
    weight = 0
    reasons: list[str] = []
    drawn = letters.is_drawn(secret) or letters.is_random(secret) or _is_no_word(secret)
    if _NO_PASSWORD.match(secret) or (
        _PHRASE.match(secret) and all(_pronounceable(word) for word in re.findall(rb"[A-Z]?[a-z]+|[A-Z]+", secret))
    ):
        weight, reasons = -25, ["words, a version or an address"]
    weak = is_weak(secret)
    if weak:
        weight, reasons = weight - 30, [*reasons, "a password of documentation or local set-ups"]
    if user and secret.lower() == user.lower():
        weight, reasons = weight - 30, [*reasons, "password and user name are the same"]
    if host and is_documentation(host):
        weight, reasons = weight - (20 if drawn and not weak else 30), [*reasons, "a host of documentation"]
    elif host and is_local(host):
        weight, reasons = weight - (15 if weak or not (drawn or is_strong(secret)) else 0), [*reasons, "a local host"]
    if not weak and not drawn and secret.isalpha() and (secret.islower() or secret.isupper()) and len(secret) < 20:
        weight, reasons = weight - 15, [*reasons, "letters alone"]
    if not reasons and is_strong(secret):
        return Signal("context", 10, "a strong password")
    return Signal("context", max(weight, -60), "; ".join(reasons)) if weight else None


USER = rb"(?P<user>[^\s:@/\"'`<>(){}\[\]\\,;|^*]{1,80})"
SECRET = rb"(?P<secret>[^\s/\"'`<>(){}\[\]\\|^]{1,200})"
HOST = rb"(?:(?P<host>[A-Za-z0-9_.-]{1,200}|\[[0-9A-Fa-f:.]{2,45}\])|(?=[/$\[{%(]))"
USERINFO = rb"(?:" + USER + rb")?:" + SECRET + rb"@" + HOST

PASSWORD = concat(an(7), "q4W", an(8))
"""A password of 18 letters and digits, for samples."""


def url(scheme: str, *, user: str = "svc_orders", host: str = "db3.prod.corp.io", tail: str = ":5432/orders", secret: Shape = PASSWORD) -> Shape:
    """A sample URL, labelled."""
    return concat(scheme, "://", part("user", user), ":", part("secret", secret), "@", part("host", host), tail)


def url_rule(
    id: str,
    kind: Kind,
    schemes: bytes,
    scheme: str,
    *,
    names: tuple[str, str] = ("DATABASE_URL", "database_url"),
    port: str = ":5432",
    tail: str = "/orders",
    score: int = 75,
    anchor: bytes | None = None,
    check: Callable[[Parts], Signal | None] = judge,
    companions: tuple[Companion, ...] = (),
) -> Rule:
    """The rule for `scheme://user:password@host`. `schemes`: the expression; `scheme`: the one that samples use."""
    good, end = url(scheme, tail=port + tail), port + tail
    return Rule(
        id,
        kind,
        rb"(?<![A-Za-z0-9])(?i:" + schemes + rb")://" + USERINFO,
        anchor=anchor,
        score=score,
        specificity=STRUCTURAL,
        check=check,
        companions=companions,
        examples=(
            concat(names[0], "=", good, "\n"),
            concat('{"', names[1], '": "', good, '"}\n'),
            concat("      - ", names[0], "=", url(scheme, user="app", host="10.3.0.17", tail=tail), "\n"),
            concat("connect(\"", scheme, "://:", part("secret", PASSWORD), "@", part("host", "cache.corp.io"), end, "\")\n"),
        ),
        near_misses=(
            concat(names[0], "=", scheme, "://svc_orders@db3.prod.corp.io", end, "\n"),
            concat(names[0], "=", scheme, "://svc_orders:${DB_PASSWORD}@db3.prod.corp.io", end, "\n"),
            concat(names[0], "=", scheme, "://user:password@localhost", end, "\n"),
            concat(names[0], "=", scheme, "://db3.prod.corp.io", end, "\n"),
            concat(names[0], "=", scheme, "://svc_orders:<password>@db3.prod.corp.io", end, "\n"),
        ),
    )


WORD = rb"(?P<secret>[^\s\"'`,;(){}<>\[\]\\]{4,128})(?=[\s\"'`,;\\}]|\Z)"
"""A password as one word, with or without quotes around it."""


_OPENED = rb"(?:[\"'](?![^\"'\s]{1,128} [^\"'\n]{1,120}[\"']))?"
"""The quotation mark before it. Several words in quotes are a passphrase, which another rule takes whole."""


def form_rule(
    id: str,
    kind: Kind,
    pattern: bytes,
    score: int,
    forms: tuple[str, ...],
    misses: tuple[str, ...],
    *,
    anchor: bytes | None = None,
    check: Callable[[Parts], Signal | None] = judge,
    companions: tuple[Companion, ...] = (),
    value: Shape = PASSWORD,
    window: int = 600,
) -> Rule:
    """A rule for one way to write a password. `forms`: sample texts with `{}` for it; `misses`: near misses, alike."""

    def filled(form: str, piece: Shape) -> Shape:
        before, _, after = form.partition("{}")
        return concat(before, piece, after)

    return Rule(
        id,
        kind,
        pattern,
        anchor=anchor,
        specificity=STRUCTURAL,
        score=score,
        check=check,
        companions=companions,
        window=window,
        examples=[filled(form, part("secret", value)) for form in forms],
        near_misses=[filled(miss, value) if "{}" in miss else concat(miss) for miss in misses],
    )


def variable_rule(id: str, kind: Kind, names: bytes, name: str, weak: str, *, companions: tuple[Companion, ...] = (), score: int = 60, anchor: bytes | None = None) -> Rule:
    """The rule for a password in a variable or setting. `names`: the expression; `name`: for samples; `weak`: a common default."""
    return form_rule(
        id,
        kind,
        rb"(?<![A-Za-z0-9])" + names + rb"(?:[\"']?\]?[ \t]{0,20}\s{0,3}(?::=|=>|=|:(?!\?))|[\"']\s{0,3},)(?:[ \t]{0,20}|\s{1,30}(?=[\"']))" + _OPENED + WORD,  # on the next line in quotes alone
        score,
        (f"{name}={{}}\n", f"      {name}: '{{}}'\n", f'{{"{name}": "{{}}"}}\n', f"export {name}={{}} && run\n"),
        (f"{name}={weak}\n", f"{name}=${{PASSWORD}}\n", f"{name}_FILE=/run/secrets/app\n", f"{name}=$(cat file)\n", f"{name}=<password>\n", f"{name}: ${{{name}:?must-be-set}}\n"),
        anchor=anchor,
        companions=companions,
    )


def database_kind(name: Kind, title: str, statement: str, reference: str, severity: str = "critical") -> CredentialKind:
    """A kind for a database's password. `statement`: how its server changes it."""
    return CredentialKind(
        name,
        title,
        severity,
        public=("user", "host"),
        describe=where,
        canonical=unquote_to_bytes,
        manual=Manual(
            (
                f"Set a new password on the server: {statement}",
                "Update what connects with it.",
                "End the sessions that still use the old one, and read the server's log for foreign addresses.",
            ),
            reference,
        ),
        references=(reference,),
    )


def where(parts: Parts) -> dict[str, str]:
    """User and host, as facts to show."""
    return {name: parts[name].decode("ascii", "replace")[:80] for name in ("user", "host") if name in parts}
