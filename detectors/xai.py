"""xAI (Grok) keys.

What it is: an API key (`xai-` and about 80 characters) and a management key (`xai-token-`; its prefix and length are unverified).
Where it is used: the Grok models by OpenAI-compatible SDKs, agents, voice and image programs; `XAI_API_KEY`, `XAI_MANAGEMENT_API_KEY`.
What an attacker can do: spend the team's credits on models; with a management key create, change and delete the team's API keys.
How to replace it: create a new key at console.x.ai and delete the old one, or do the same by the management API. A key that xAI
  finds leaked is blocked by the vendor itself.
References: https://docs.x.ai/docs/api-reference
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("xai/api-key")
MANAGEMENT = Kind("xai/management-key")

_DOCS = ("https://docs.x.ai/docs/api-reference",)

KINDS = (
    CredentialKind(API_KEY, "xAI API key", "critical", manual=replace("https://console.x.ai/team/default/api-keys"), references=_DOCS),
    CredentialKind(MANAGEMENT, "xAI management key", "critical", manual=replace("https://console.x.ai/team/default/management-keys"),
                   references=_DOCS),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"xai-[A-Za-z0-9_]{70,120}"), concat("xai-", an(80)), "XAI_API_KEY", "api.x.ai/v1/api-key",
        (concat("xai-", an(69)), concat("xai-", an(121)), concat("xai_", an(80)), concat("xai-", an(40), "-", an(40))), score=80,
    ),
    prefixed_rule(
        MANAGEMENT, prefixed(rb"xai-token-[A-Za-z0-9_]{50,120}"), concat("xai-token-", an(80)), "XAI_MANAGEMENT_API_KEY",
        "management-api.x.ai/auth/teams",
        (concat("xai-token-", an(49)), concat("xai-token-", an(121)), concat("xai-token_", an(40)), concat("xai_token-", an(80))), score=80,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.x.ai", "management-api.x.ai")
_WRONG = ("incorrect api key provided",)
_KEY = Question(
    "https://api.x.ai", "/v1/api-key", bearer, ("redacted_api_key", "api_key_id"), (Said(400, _WRONG), Said(401, _WRONG)),
    (
        Said(200, ('"api_key_blocked":true',), "the key is blocked"),
        Said(200, ('"api_key_disabled":true',), "the key is disabled, and can be enabled again"),
        Said(200, ('"team_blocked":true',), "the team is blocked"),
    ),
    who=("name", "user_id", "team_id"), scopes="acls",
)  # fmt: skip
_MANAGEMENT = Question(
    "https://management-api.x.ai", "/auth/management-keys/validation", bearer, ("apiKeyId", "scopeId", "teamId"),
    (*(Said(status, _WRONG) for status in (400, 401)), Said(401, ('"code":16',))),
    who=("name", "ownerUserId", "teamId", "scopeId"), scopes="acls",
)  # fmt: skip
QUESTIONS = {API_KEY: _KEY, MANAGEMENT: _MANAGEMENT}
"""Asks the key about itself; a wrong one is answered with 400, not 401 (https://docs.x.ai/developers/rest-api-reference,
https://docs.x.ai/docs/key-information/using-management-api). A management key's refusal is known from gRPC's code 16 only."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_REFUSAL = Answer(
    400, '{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***. You can obtain one"}'
)
_MINE = '{"redacted_api_key":"xai-...x","user_id":"u","team_id":"t","api_key_blocked":%s,"api_key_disabled":false,"acls":["api-key:model:*"]}'
CASES = (
    *cases(API_KEY, _MINE % "false", _REFUSAL, restricted=Answer(200, _MINE % "true")),
    Case(
        "another invalid argument",
        API_KEY,
        (Answer(400, '{"code":"Client specified an invalid argument","error":"x"}'),),
        "unknown",
    ),
    *cases(MANAGEMENT, '{"apiKeyId":"k","teamId":"t","acls":[]}', Answer(401, '{"code":16,"message":"Invalid bearer token"}')),
)
