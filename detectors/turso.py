"""Turso tokens.

What it is: a token of a database or group of Turso: a JSON Web Token signed with EdDSA, beside a `libsql://` address;
  only the name tells it from others.
Where it is used: `TURSO_AUTH_TOKEN`, `LIBSQL_AUTH_TOKEN`, `DATABASE_AUTH_TOKEN`.
What an attacker can do: read and change the database, or only read it, as its claims say.
How to replace it: `turso db tokens invalidate` ends all tokens of the database and of its group; then make new ones.
References: https://docs.turso.tech/sdk/authorization/tokens
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat, jwt

from ._cloud import by_name, credential
from ._forms import SLUG

TOKEN = Kind("turso/auth-token")

KINDS = (
    credential(
        TOKEN, "Turso database token", "high", "https://app.turso.tech/", see="https://docs.turso.tech/sdk/authorization/tokens"
    ),
)


_TOKEN = jwt('{"a":"rw","iat":1790000000,"id":"5f1c4a9e"}', algorithm="EdDSA", signature=86)


RULES = (
    by_name(
        TOKEN,
        rb"(?:turso|libsql)[a-z0-9_. -]{0,24}token",
        rb"eyJ[A-Za-z0-9_-]{20,200}\.eyJ[A-Za-z0-9_-]{20,400}\.[A-Za-z0-9_-]{86}",
        "TURSO_AUTH_TOKEN",
        _TOKEN,
        (
            concat(_TOKEN, "a"),
            concat("eyJ", b64url(30), ".", b64url(60), ".", b64url(86)),
            concat("eyJ", b64url(33), ".eyJ", b64url(60), ".", b64url(43)),
        ),
        edge=SLUG,
        score=75,
        window=1200,
    ),
)
