"""Square access tokens and application secrets.

What it is: an access token (64 characters that begin with EAAA, or sq0atp- and 22 characters), an application secret (sq0csp- and 43
  characters), and the same for the sandbox (sandbox-sq0…).
Where it is used: shops, booking and point-of-sale integrations; `.env`, PHP and Node back ends.
What an attacker can do: read and make payments and refunds, read customers and cards on file, within the token's permissions; with
  the application secret turn stolen codes into tokens and revoke those of all sellers.
How to replace it: Developer Console, the application, Credentials or OAuth: replace the token or secret; the old one ends. An OAuth
  token is ended with POST /oauth2/revoke.
Whether it lives: GET /v2/merchants/me, in production and in the sandbox, whose tokens look alike and which do not know each
  other's.
References: https://developer.squareup.com/docs/build-basics/access-tokens
  Facebook's tokens begin with EAA too. The form of sandbox tokens is unverified.
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.shapes import b64url, concat
from keyward.plugin.verifier import Answer

from ._forms import random_looking
from ._saas import URLSAFE_EDGE, contexts, misses, named, named_contexts, secret, token
from ._token_probe import at
from ._vendor_answers import Question, Said, asks, bearer, cases

TOKEN = Kind("square/access-token")
SECRET = Kind("square/application-secret")
SANDBOX = Kind("square/sandbox-credential")

_CONSOLE = "https://developer.squareup.com/apps"


def _manual(what: str) -> Manual:
    return Manual((f"Replace the {what} in the Developer Console; the old one ends.", "Update what uses it."), _CONSOLE)


KINDS = (
    CredentialKind(TOKEN, "Square access token", "critical", manual=_manual("access token"),
                   references=("https://developer.squareup.com/docs/build-basics/access-tokens",)),
    CredentialKind(SECRET, "Square application secret", "critical", manual=_manual("application secret"),
                   references=("https://developer.squareup.com/docs/oauth-api/overview",)),
    CredentialKind(SANDBOX, "Square sandbox credential", "low", manual=_manual("sandbox credential"),
                   references=("https://developer.squareup.com/docs/devtools/sandbox/overview",)),
)  # fmt: skip


def _random(parts: Parts) -> Signal | None:
    """Binary data in base64 may begin with EAAA too; it has more zero bytes."""
    value = parts["secret"]
    return None if random_looking(value) and b"AAA" not in value[4:] else Signal("shape", -30, "looks like binary data")


_EAAA = concat("EAAA", b64url(60))

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        rb"(?<=[\"'=: ])" + secret(rb"EAAA[A-Za-z0-9_-]{60}") + rb"(?![A-Za-z0-9+/=_-])",
        score=65,
        check=_random,
        examples=contexts("SQUARE_ACCESS_TOKEN", _EAAA),
        near_misses=(
            *misses("SQUARE_ACCESS_TOKEN", concat("EAAA", b64url(59)), concat("EAAA", b64url(61)), concat("EABA", b64url(60)), concat(_EAAA, "=")),
            concat("icon:\n", _EAAA, "\n"),
        ),
    ),
    Rule(
        "square/access-token-named",
        TOKEN,
        named(rb"square[\w.-]{0,16}token", secret(rb"EAAA[A-Za-z0-9_-]{60}"), rb"(?![A-Za-z0-9+/=_-])"),
        score=80,
        examples=named_contexts("SQUARE_ACCESS_TOKEN", _EAAA),
        near_misses=misses("SQUARE_ACCESS_TOKEN", concat("EAAA", b64url(59)), concat("EAAA", b64url(61)), concat("EABA", b64url(60))),
    ),
    Rule(
        "square/access-token-old",
        TOKEN,
        token(rb"sq0atp-[A-Za-z0-9_-]{22}", URLSAFE_EDGE, rb"A-Za-z0-9_-"),
        score=80,
        examples=contexts("SQUARE_TOKEN", concat("sq0atp-", b64url(22))),
        near_misses=misses(
            "SQUARE_TOKEN", concat("sq0atp-", b64url(21)), concat("sq0atp-", b64url(23)), concat("sq0atp_", b64url(22)), concat("sq0idp-", b64url(22))
        ),
    ),
    Rule(
        str(SECRET),
        SECRET,
        token(rb"sq0csp-[A-Za-z0-9_-]{43}", URLSAFE_EDGE, rb"A-Za-z0-9_-"),
        score=85,
        examples=contexts("SQUARE_APPLICATION_SECRET", concat("sq0csp-", b64url(43)), "X-Client: "),
        near_misses=misses(
            "SQUARE_SECRET", concat("sq0csp-", b64url(42)), concat("sq0csp-", b64url(44)), concat("sq0csp_", b64url(43)), concat("sq0isp-", b64url(43))
        ),
    ),
    Rule(
        str(SANDBOX),
        SANDBOX,
        token(rb"sandbox-sq0(?:atb-[A-Za-z0-9_-]{22}|csb-[A-Za-z0-9_-]{43})", URLSAFE_EDGE),
        anchor=rb"sandbox-sq0[ac][ts]b-",
        score=40,
        examples=(
            *contexts("SQUARE_TOKEN", concat("sandbox-sq0atb-", b64url(22))), *contexts("SQUARE_SECRET", concat("sandbox-sq0csb-", b64url(43)))
        ),
        near_misses=misses("SQUARE_TOKEN", concat("sandbox-sq0atb-", b64url(21)), concat("sandbox-sq0csb-", b64url(44)), concat("sandbox-sq0idb-", b64url(22))),
    ),
)  # fmt: skip

HOSTS = ("connect.squareup.com", "connect.squareupsandbox.com")
VERIFIES = (TOKEN,)

_CODES = tuple(
    f'"category":"authentication_error","code":"{code}"'
    for code in ("unauthorized", "access_token_expired", "access_token_revoked")
)
_ASK = at(HOSTS, Question(
    "", "/v2/merchants/me", bearer, ("merchant.id",), dead=(Said(401, _CODES),),
    restricted=(Said(403, ('"code":"insufficient_scopes"', '"code":"forbidden"')),), who=("merchant.business_name", "merchant.id"),
    also={"square-version": "2025-01-23"},
))  # fmt: skip
verify = asks({TOKEN: _ASK})

CASES = cases(
    TOKEN,
    '{"merchant":{"id":"DM7VKY8Q63GNP","business_name":"Apple A Day","country":"US","status":"ACTIVE"}}',
    Answer(401, '{"errors":[{"category":"AUTHENTICATION_ERROR","code":"UNAUTHORIZED","detail":"This request could not be authorized."}]}'),
    restricted=Answer(403, '{"errors":[{"category":"AUTHENTICATION_ERROR","code":"INSUFFICIENT_SCOPES","detail":"x"}]}'),
)  # fmt: skip
