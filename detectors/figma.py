"""Figma access tokens.

What it is: a personal access token (figd_ and 40 characters), OAuth access and refresh tokens (figu_, figur_, figo_, figor_), or an older
  token without a prefix.
Where it is used: design synchronisation, code generators and MCP servers of agents; `.env`, MCP client configurations, CI.
What an attacker can do: read the design files and comments of all teams that the person belongs to, unpublished products among them;
  write comments, variables and webhooks where the scopes allow.
How to replace it: Settings, Security, Personal access tokens: generate another, deploy it, revoke the old one.
Whether it lives: GET /v1/me. A token without the scope current_user:read is refused in other words than an unknown one
  (documented with 403, answered with 401).
References: https://developers.figma.com/docs/rest-api/personal-access-tokens/
  The OAuth prefixes and the older form are unverified.
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import b64url, concat, digits, hexa, uuid4
from keyward.plugin.verifier import Answer, Case

from ._saas import URLSAFE_EDGE, UUID, contexts, misses, named, named_contexts, replace, secret, token
from ._token_probe import for_all
from ._vendor_answers import Question, Said, asks, bearer, cases, in_header

PAT = Kind("figma/pat")
OAUTH = Kind("figma/oauth-token")

_SETTINGS = "https://www.figma.com/settings"

KINDS = (
    CredentialKind(PAT, "Figma personal access token", "high", manual=replace("a new token", _SETTINGS, "Revoke the old one."),
                   references=("https://developers.figma.com/docs/rest-api/personal-access-tokens/",)),
    CredentialKind(OAUTH, "Figma OAuth token", "high", manual=replace("a new authorisation", _SETTINGS, "Remove the connected app."),
                   references=("https://developers.figma.com/docs/rest-api/authentication/",)),
)  # fmt: skip

RULES = (
    Rule(
        str(PAT),
        PAT,
        token(rb"figd_[A-Za-z0-9_-]{40}", URLSAFE_EDGE),
        score=85,
        examples=contexts("FIGMA_TOKEN", concat("figd_", b64url(40)), "X-Figma-Token: "),
        near_misses=misses(
            "FIGMA_TOKEN", concat("figd_", b64url(39)), concat("figd_", b64url(41)), concat("figd-", b64url(40)), concat("figx_", b64url(40))
        ),
    ),
    Rule(
        "figma/pat-old",
        PAT,
        named(rb"figma[\w.-]{0,20}(?:token|key|pat)", secret(rb"[0-9]{4,7}-" + UUID), URLSAFE_EDGE),
        score=72,
        examples=named_contexts("FIGMA_ACCESS_TOKEN", concat(digits(6), "-", uuid4())),
        near_misses=(
            *misses("FIGMA_ACCESS_TOKEN", concat(digits(6), "-", hexa(32)), concat(digits(6), "_", uuid4()), concat(digits(6), "-", uuid4(), "0")),
            *misses("OTHER_VALUE", concat(digits(6), "-", uuid4())),
        ),
    ),
    Rule(
        str(OAUTH),
        OAUTH,
        token(rb"fig(?:ur?|or?)_[A-Za-z0-9_-]{36,64}", URLSAFE_EDGE),
        score=70,
        examples=contexts("FIGMA_OAUTH_TOKEN", concat("figu_", b64url(40))),
        near_misses=misses(
            "FIGMA_OAUTH_TOKEN", concat("figu_", b64url(35)), concat("figu_", b64url(65)), concat("figu-", b64url(40)), concat("figt_", b64url(40))
        ),
    ),
)  # fmt: skip

HOSTS = ("api.figma.com",)
VERIFIES = (PAT, OAUTH)

_WORDS = ('"err":"invalid token"', '"err":"token expired"')
_ASK = Question(
    "https://api.figma.com", "/v1/me", in_header("x-figma-token"), ("id",),
    dead=(Said(401, _WORDS), Said(403, _WORDS)), restricted=(Said(403, ("invalid scope",)), Said(401, ("invalid scope",))), who=("handle", "id"),
)  # fmt: skip
verify = asks({PAT: _ASK, OAUTH: _ASK._replace(headers=bearer)})

CASES = for_all(
    VERIFIES,
    cases(
        PAT,
        '{"id":"1234567890123456789","handle":"Ada","img_url":"https://example.com/a.png"}',
        Answer(401, '{"status":401,"err":"Invalid token"}'),
        Case("refused with 403", PAT, (Answer(403, '{"status":403,"err":"Invalid token"}'),), "dead"),
        Case("expired", PAT, (Answer(403, '{"status":403,"err":"Token expired"}'),), "dead"),
        Case("none arrived", PAT, (Answer(401, '{"status":401,"err":"Missing credentials"}'),), "unknown"),
        restricted=Answer(403, '{"status":403,"error":true,"message":"Invalid scope(s): files:read. This endpoint requires current_user:read"}'),
    ),
)  # fmt: skip
