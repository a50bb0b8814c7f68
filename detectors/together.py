"""Together AI keys.

What it is: an API key, today `tgp_v1_` and 43 characters; older ones are 64 hex digits, which only their name gives away.
Where it is used: open models, fine-tuning and GPU clusters by OpenAI-compatible SDKs; `TOGETHER_API_KEY`, `TOGETHERAI_API_KEY`.
What an attacker can do: run models and start fine-tuning jobs or dedicated endpoints at the owner's cost, read uploaded data sets.
How to replace it: create a new key for the project in Together's settings and revoke the old one there.
References: https://docs.together.ai/docs/api-keys-authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import b64url, concat, hexa, upper_hex
from keyward.plugin.verifier import Answer

from ._model_vendor import key_of, named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("together/api-key")

KINDS = (
    CredentialKind(API_KEY, "Together AI API key", "critical", manual=replace("https://api.together.ai/settings/api-keys"),
                   references=("https://docs.together.ai/docs/api-keys-authentication",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"tgp_v1_[A-Za-z0-9_-]{43}"), concat("tgp_v1_", b64url(43)), "TOGETHER_API_KEY", "api.together.xyz/v1/models",
        (concat("tgp_v1_", b64url(42)), concat("tgp_v1_", b64url(44)), concat("tgp-v1-", b64url(43)), concat("tgp_v_", b64url(43))), score=85,
    ),
    named_rule(
        API_KEY, named(key_of(rb"together(?:_?ai)?"), rb"[0-9a-f]{64}"), hexa(64), "TOGETHER_API_KEY",
        (hexa(63), hexa(65), upper_hex(64)), score=65,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.together.xyz",)
_REFUSED = Said(401, ('"code":"invalid_api_key"', "invalid api key provided"))
QUESTIONS = {API_KEY: Question("https://api.together.xyz", "/v1/models", bearer, ("", "data"), (_REFUSED,))}
"""Lists the models, which costs nothing (https://docs.together.ai/reference/models-1)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_KEY,
    "[]",
    Answer(401, '{"error":{"message":"Invalid API key provided.","type":"invalid_request_error","code":"invalid_api_key"}}'),
)
