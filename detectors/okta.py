"""Okta API tokens and OAuth client secrets.

What it is: an API token: 00 and 40 characters, sent as `Authorization: SSWS …`; it has all the rights of the administrator who made
  it. And the secret of an OIDC application (40 or 64 characters).
Where it is used: provisioning scripts, Terraform, log collection; `.env`, okta.yaml.
What an attacker can do: with an administrator's token make users and administrators, reset passwords and second factors, and so enter
  every application behind the sign-on; with a client secret get tokens in the application's name.
How to replace it: Security, API, Tokens: create another (best by a service account with few rights), deploy it, revoke the old
  one. A holder can end a token with DELETE /api/v1/api-tokens/current. It ends by itself after 30 days without use.
Whether it lives: an API token: GET /api/v1/users/me at the organisation that the operator names. A client secret is not asked
  about: that would make a token.
References: https://developer.okta.com/docs/guides/create-an-api-token/main/
  The lengths of client secrets are unverified.
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import b64url, concat, lower, part, text
from keyward.plugin.verifier import Answer, Case

from ._saas import URLSAFE_EDGE, misses, named, named_contexts, replace, secret
from ._token_probe import own_server
from ._vendor_answers import Question, Said, asks, cases, in_header

TOKEN = Kind("okta/api-token")
CLIENT = Kind("okta/client-secret")

KINDS = (
    CredentialKind(TOKEN, "Okta API token", "critical", public=("host",),
                   manual=replace("a new token at Security, API, Tokens", "https://login.okta.com/", "Revoke the old one."),
                   references=("https://developer.okta.com/docs/guides/create-an-api-token/main/",)),
    CredentialKind(CLIENT, "Okta application client secret", "high", public=("host",),
                   manual=replace("a second secret at the application's Client Credentials", "https://login.okta.com/", "Deactivate, then delete the old one."),
                   references=("https://developer.okta.com/docs/guides/client-secret-rotation-key/main/",)),
)  # fmt: skip

_HOST = Companion("host", rb"(?<![A-Za-z0-9.-])(?P<host>[a-z0-9-]{1,60}\.okta(?:preview|-emea)?\.com)", optional=True)
_TOKEN = concat("00", b64url(40))

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        named(rb"okta[\w.-]{0,20}(?:token|key)", secret(rb"00[A-Za-z0-9_-]{40}"), URLSAFE_EDGE),
        score=75,
        companions=(_HOST,),
        examples=(
            *named_contexts("OKTA_API_TOKEN", _TOKEN),
            text("orgUrl: https://", part("host", "acme.okta.com"), "\noktaToken: ", part("secret", _TOKEN), "\n"),
        ),
        near_misses=(
            *misses("OKTA_API_TOKEN", concat("00", b64url(39)), concat("00", b64url(41)), concat("0x", b64url(40))),
            *misses("OTHER_VALUE", _TOKEN),
        ),
    ),
    Rule(
        "okta/api-token-header",
        TOKEN,
        rb"SSWS[ +]{1,2}(?:%20)?" + secret(rb"00[A-Za-z0-9_-]{40}") + URLSAFE_EDGE,
        score=85,
        companions=(_HOST,),
        examples=(
            text("curl -H 'Authorization: SSWS ", part("secret", _TOKEN), "' https://", part("host", "acme.okta.com"), "/api/v1/users\n"),
            text('"Authorization": "SSWS ', part("secret", _TOKEN), '"\n'),
            text("headers['Authorization'] = 'SSWS ", part("secret", _TOKEN), "'\n"),
        ),
        near_misses=(
            text("Authorization: SSWS 00", b64url(39), "\n"),
            text("Authorization: SSWS 00", b64url(41), "\n"),
            text("Authorization: SSWS 0x", b64url(40), "\n"),
            text("Authorization: Basic ", _TOKEN, "\n"),
        ),
    ),
    Rule(
        str(CLIENT),
        CLIENT,
        named(rb"okta[\w.-]{0,16}client[_-]?secret", secret(rb"(?:[A-Za-z0-9_-]{64}|[A-Za-z0-9_-]{40})"), URLSAFE_EDGE),
        score=68,
        companions=(_HOST,),
        examples=(*named_contexts("OKTA_CLIENT_SECRET", b64url(64)), *named_contexts("OKTA_OAUTH2_CLIENT_SECRET", b64url(40))),
        near_misses=(
            *misses("OKTA_CLIENT_SECRET", b64url(39), b64url(41), b64url(63), b64url(65), concat(b64url(20), "$", b64url(19))),
            *misses("OKTA_CLIENT_ID", concat("0oa", lower(17))),
            *misses("OTHER_VALUE", b64url(64)),
        ),
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a token is of one organisation, and only the operator says of which."""

VERIFIES = (TOKEN,)

_ASK = Question(
    "", "/api/v1/users/me", in_header("authorization", "SSWS "), ("id",), dead=(Said(401, ('"errorcode":"e0000011"',)),),
    restricted=(Said(403, ('"errorcode":"e0000006"',)),), who=("id",), used="lastLogin",
)  # fmt: skip
verify = own_server("okta", asks({TOKEN: _ASK}))

CASES = cases(
    TOKEN,
    '{"id":"00ub0oNGTSWTBKOLGLNR","status":"ACTIVE","lastLogin":"2026-01-01T12:00:00.000Z"}',
    Answer(
        401,
        '{"errorCode":"E0000011","errorSummary":"Invalid token provided","errorLink":"E0000011","errorId":"x","errorCauses":[]}',
    ),
    Case("none arrived", TOKEN, (Answer(403, '{"errorCode":"E0000005","errorSummary":"Invalid session"}'),), "unknown"),
    restricted=Answer(
        403, '{"errorCode":"E0000006","errorSummary":"You do not have permission to perform the requested action"}'
    ),
)
