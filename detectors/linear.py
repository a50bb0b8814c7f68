"""Linear API keys, OAuth tokens and webhook signing secrets.

What it is: a person's API key (lin_api_ and 40 characters), an OAuth access token (lin_oauth_ and 64 hex characters), the secret
  that signs a webhook's requests (lin_wh_; its length is unverified).
Where it is used: scripts and agents that read and write issues, MCP servers, CI; `.env`, MCP client configurations.
What an attacker can do: read and change issues, comments, documents and customers of the workspace as that person; issues often
  hold further secrets. With a signing secret, forge events.
How to replace it: create another key at Settings, Security & access, deploy it, revoke the old one. An OAuth token is ended with
  POST https://api.linear.app/oauth/revoke. A webhook's secret is rotated at its page.
Whether it lives: the GraphQL query `viewer`. Linear answers an error with 200, 400 or 401; its code decides.
References: https://linear.app/developers/graphql#personal-api-keys https://linear.app/developers/oauth-2-0-authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, concat, hexa
from keyward.plugin.verifier import Answer, Case

from ._saas import contexts, misses, replace, token
from ._token_probe import for_all
from ._vendor_answers import Question, Said, asks, bearer, cases, in_header

API_KEY = Kind("linear/api-key")
OAUTH = Kind("linear/oauth-token")
WEBHOOK = Kind("linear/webhook-secret")

_SECURITY = "https://linear.app/settings/account/security"

KINDS = (
    CredentialKind(API_KEY, "Linear API key", "high", manual=replace("a new API key", _SECURITY, "Revoke the old one."),
                   references=("https://linear.app/developers/graphql#personal-api-keys",)),
    CredentialKind(OAUTH, "Linear OAuth token", "high",
                   manual=replace("a new authorisation", _SECURITY, "Revoke the application's access."),
                   references=("https://linear.app/developers/oauth-2-0-authentication",)),
    CredentialKind(WEBHOOK, "Linear webhook signing secret", "medium",
                   manual=replace("a new signing secret at the webhook", "https://linear.app/settings/api"),
                   references=("https://linear.app/developers/webhooks",)),
)  # fmt: skip

RULES = (
    Rule(
        str(API_KEY),
        API_KEY,
        token(rb"lin_api_[A-Za-z0-9]{40}"),
        score=85,
        examples=contexts("LINEAR_API_KEY", concat("lin_api_", an(40)), "Authorization: "),
        near_misses=misses(
            "LINEAR_API_KEY", concat("lin_api_", an(39)), concat("lin_api_", an(41)), concat("lin_api-", an(40)), concat("lin_app_", an(40))
        ),
    ),
    Rule(
        str(OAUTH),
        OAUTH,
        token(rb"lin_oauth_[0-9a-f]{64}"),
        score=85,
        examples=contexts("LINEAR_ACCESS_TOKEN", concat("lin_oauth_", hexa(64))),
        near_misses=misses(
            "LINEAR_ACCESS_TOKEN", concat("lin_oauth_", hexa(63)), concat("lin_oauth_", hexa(65)), concat("lin_oauth-", hexa(64)),
            concat("lin_oauth_", hexa(63), "g"),
        ),
    ),
    Rule(
        str(WEBHOOK),
        WEBHOOK,
        token(rb"lin_wh_[A-Za-z0-9_-]{32,64}", rb"(?![A-Za-z0-9_-])"),
        anchor=rb"lin_wh_[A-Za-z0-9_-]{8}",
        examples=contexts("LINEAR_WEBHOOK_SECRET", concat("lin_wh_", an(43)), "X-Secret: "),
        near_misses=misses(
            "LINEAR_WEBHOOK_SECRET", concat("lin_wh_", an(31)), concat("lin_wh_", an(65)), concat("lin-wh-", an(43)), concat("lin_wk_", an(43))
        ),
    ),
)  # fmt: skip

HOSTS = ("api.linear.app",)
VERIFIES = (API_KEY, OAUTH)

_CODE = ('"code":"authentication_error"',)
_ASK = Question(
    "https://api.linear.app", "/graphql", in_header("authorization"), ("data.viewer.id",),
    dead=(Said(401, _CODE), Said(400, _CODE), Said(200, _CODE)), restricted=(Said(403, ('"code":"forbidden"',)), Said(200, ('"code":"forbidden"',))),
    who=("data.organization.urlKey", "data.viewer.name"), method="POST", json={"query": "{ viewer { id name } organization { urlKey } }"},
)  # fmt: skip
verify = asks({API_KEY: _ASK, OAUTH: _ASK._replace(headers=bearer)})

_REFUSED = (
    '{"errors":[{"message":"Authentication required, not authenticated",'
    '"extensions":{"type":"authentication error","code":"AUTHENTICATION_ERROR"}}]}'
)
CASES = for_all(
    VERIFIES,
    cases(
        API_KEY,
        '{"data":{"viewer":{"id":"1","name":"Ada"},"organization":{"urlKey":"acme"}}}',
        Answer(401, _REFUSED),
        Case("refused with 200", API_KEY, (Answer(200, _REFUSED),), "dead"),
        Case("an error of the query", API_KEY, (Answer(400, '{"errors":[{"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}'),), "unknown"),
        restricted=Answer(403, '{"errors":[{"message":"Forbidden","extensions":{"type":"forbidden","code":"FORBIDDEN"}}]}'),
    ),
)  # fmt: skip
