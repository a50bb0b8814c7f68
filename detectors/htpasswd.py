"""Password hashes.

What it is: hashes of passwords as crypt, bcrypt, yescrypt, scrypt, argon2, PBKDF2 and LDAP write them. A hash is no password, but
  a weak password behind it is found by trying.
Where it is used: `.htpasswd`, /etc/shadow, database dumps, LDIF files, Traefik and Nginx settings, cloud-init, test fixtures.
What an attacker can do: guess offline, without limit; old forms (`$1$`, `$apr1$`, `{SHA}`) fall fast.
How to replace it: change the password behind it, store it with bcrypt, argon2id or yescrypt, and keep the file out of the
  repository.
References: https://httpd.apache.org/docs/2.4/misc/password_encryptions.html  https://man7.org/linux/man-pages/man5/crypt.5.html
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule
from keyward.plugin.shapes import ALNUM, Shape, b64, chars, concat, part, text

HASH = Kind("password-hash/crypt")

_FORMS = (
    (b"$apr1$", "MD5 (Apache)"), (b"$1$", "MD5"), (b"$2", "bcrypt"), (b"$5$", "SHA-256 crypt"), (b"$6$", "SHA-512 crypt"), (b"$y$", "yescrypt"),
    (b"$7$", "scrypt"), (b"$argon2", "argon2"), (b"{SHA}", "SHA-1"), (b"{SSHA", "salted SHA"), (b"pbkdf2", "PBKDF2"), (b"$P$", "phpass"), (b"$H$", "phpass"),
    (b"SCRAM", "SCRAM (PostgreSQL)"),
)  # fmt: skip


def _describe(parts: Parts) -> Mapping[str, str]:
    facts = {"form": next((name for start, name in _FORMS if parts["secret"].startswith(start.removeprefix(b"$"))), "")}
    return {name: fact for name, fact in facts.items() if fact}


KINDS = (
    CredentialKind(
        HASH,
        "Password hash",
        "low",
        describe=_describe,
        manual=Manual(
            ("Change the password behind the hash.", "Keep the new hash out of the repository."),
            "https://httpd.apache.org/docs/2.4/programs/htpasswd.html",
        ),
        references=("https://man7.org/linux/man-pages/man5/crypt.5.html",),
    ),
)

_SALT64 = "./" + ALNUM
_BCRYPT = concat("$2b$12$", chars(_SALT64, 53))
_SHA512 = concat("$6$", chars(ALNUM, 16), "$", chars(_SALT64, 86))
_END = rb"(?![A-Za-z0-9./+=])"


def _rule(name: str, pattern: bytes, good: Shape, *bad: Shape) -> Rule:
    dollar = pattern.startswith(rb"\$")  # left out of the part, for what begins with a dollar reads as a variable
    sign = "$" if dollar else ""
    good = good.map(lambda value: value.removeprefix(b"$"))
    return Rule(
        f"password-hash/{name}",
        HASH,
        rb"(?<![A-Za-z0-9$])" + (rb"\$(?P<secret>" + pattern[2:] if dollar else rb"(?P<secret>" + pattern) + rb")" + _END,
        specificity=STRUCTURAL,
        score=35,
        examples=(
            text("svc:", sign, part("secret", good), "\n"),
            text("hash = '", sign, part("secret", good), "'\n"),
            text('{"password": "', sign, part("secret", good), '"}\n'),
        ),
        near_misses=[text("svc:", shape, "\n") for shape in bad],
    )


RULES = (
    _rule("bcrypt", rb"\$2[abxy]\$[0-3][0-9]\$[A-Za-z0-9./]{53}", _BCRYPT, concat("$2b$12$", chars(_SALT64, 52)), concat("$2b$12$", chars(_SALT64, 54)), concat("$2q$12$", chars(_SALT64, 53))),
    _rule("md5-crypt", rb"\$(?:apr1|1)\$[A-Za-z0-9./]{1,8}\$[A-Za-z0-9./]{22}", concat("$apr1$", chars(_SALT64, 8), "$", chars(_SALT64, 22)),
          concat("$apr1$", chars(_SALT64, 8), "$", chars(_SALT64, 21)), concat("$apr2$", chars(_SALT64, 8), "$", chars(_SALT64, 22)), concat("$apr1$", chars(_SALT64, 9), "$", chars(_SALT64, 22))),
    _rule("sha-crypt", rb"\$[56]\$(?:rounds=[0-9]{1,9}\$)?[A-Za-z0-9./]{1,16}\$(?:[A-Za-z0-9./]{86}|[A-Za-z0-9./]{43})", _SHA512,
          concat("$6$", chars(ALNUM, 16), "$", chars(_SALT64, 85)), concat("$8$", chars(ALNUM, 16), "$", chars(_SALT64, 86)), concat("$6$", chars(ALNUM, 17), "$", chars(_SALT64, 86))),
    _rule("yescrypt", rb"\$(?:y|7|gy)\$[A-Za-z0-9./]{1,40}\$[A-Za-z0-9./]{0,86}\$[A-Za-z0-9./]{43}", concat("$y$j9T$", chars(_SALT64, 22), "$", chars(_SALT64, 43)),
          concat("$y$j9T$", chars(_SALT64, 22), "$", chars(_SALT64, 42)), concat("$z$j9T$", chars(_SALT64, 22), "$", chars(_SALT64, 43)), concat("$y$j9T$", chars(_SALT64, 22))),
    _rule("argon2", rb"\$argon2(?:id|i|d)\$v=[0-9]{1,3}\$m=[0-9]{1,8},t=[0-9]{1,5},p=[0-9]{1,3}\$[A-Za-z0-9+/]{8,88}\$[A-Za-z0-9+/]{16,172}",
          concat("$argon2id$v=19$m=65536,t=3,p=4$", b64(22), "$", b64(43)), concat("$argon2id$v=19$m=65536,t=3,p=4$", b64(22)), concat("$argon3$v=19$m=65536,t=3,p=4$", b64(22), "$", b64(43)),
          concat("$argon2id$m=65536$", b64(22), "$", b64(43))),
    _rule("ldap", rb"\{(?:SHA|SSHA|SMD5)\}[A-Za-z0-9+/]{24,64}={0,2}", concat("{SSHA}", b64(32)), concat("{SSHA}", b64(20)), concat("{SSHB}", b64(32)), concat("SSHA:", b64(32))),
    _rule("pbkdf2", rb"pbkdf2_sha(?:1|256|512)\$[0-9]{3,8}\$[A-Za-z0-9./+]{4,64}\$[A-Za-z0-9+/]{26,88}={0,2}", concat("pbkdf2_sha256$600000$", chars(ALNUM, 22), "$", b64(43), "="),
          concat("pbkdf2_sha256$600000$", chars(ALNUM, 22)), concat("pbkdf2_md5$600000$", chars(ALNUM, 22), "$", b64(43), "="), concat("pbkdf2_sha256$x$", chars(ALNUM, 22), "$", b64(43), "=")),
    _rule("scram", rb"SCRAM-SHA-256\$[0-9]{3,7}:[A-Za-z0-9+/]{12,64}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=", concat("SCRAM-SHA-256$4096:", b64(22), "==$", b64(43), "=:", b64(43), "="),
          concat("SCRAM-SHA-256$4096:", b64(22), "==$", b64(43), "="), concat("SCRAM-SHA-1$4096:", b64(22), "==$", b64(43), "=:", b64(43), "="), concat("SCRAM-SHA-256$4096:", b64(22), "==$", b64(42), "=:", b64(43), "=")),
    _rule("phpass", rb"\$[PH]\$[A-Za-z0-9./]{31}", concat("$P$B", chars(_SALT64, 30)), concat("$P$B", chars(_SALT64, 29)), concat("$P$B", chars(_SALT64, 31)), concat("$Q$B", chars(_SALT64, 30))),
)  # fmt: skip
