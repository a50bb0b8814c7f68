"""Perplexity keys.

What it is: an API key of the Perplexity API platform, `pplx-` and 48 letters and digits.
Where it is used: the Sonar models and the search API in agents and MCP servers; `PERPLEXITY_API_KEY`, `PPLX_API_KEY`.
What an attacker can do: spend the account's prepaid credits, which may refill by themselves, on searches and models.
How to replace it: create a new key in the API settings of the account (or by POST /generate_auth_token) and revoke the old one.
References: https://docs.perplexity.ai/getting-started/api-groups
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat
from keyward.plugin.verifier import Answer

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("perplexity/api-key")

KINDS = (
    CredentialKind(API_KEY, "Perplexity API key", "critical", manual=replace("https://www.perplexity.ai/account/api/keys"),
                   references=("https://docs.perplexity.ai/getting-started/api-groups",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"pplx-[A-Za-z0-9]{48}"), concat("pplx-", an(48)), "PERPLEXITY_API_KEY", "api.perplexity.ai/chat/completions",
        (concat("pplx-", an(47)), concat("pplx-", an(49)), concat("pplx_", an(48)), concat("pplx-", an(24), "-", an(23))), score=85,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.perplexity.ai",)
_REFUSED = Said(401, ('"type":"invalid_api_key"',))
QUESTIONS = {API_KEY: Question("https://api.perplexity.ai", "/async/chat/completions", bearer, ("requests",), (_REFUSED,))}
"""Lists the key's asynchronous requests, which costs nothing (https://docs.perplexity.ai/api-reference/async-sonar-get)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_KEY,
    '{"requests":[],"next_token":null}',
    Answer(401, '{"error":{"message":"Invalid API key provided.","type":"invalid_api_key","code":401}}'),
)
