"""Tavily keys.

What it is: an API key, `tvly-` and 32 characters; `tvly-dev-` or `tvly-prod-` and 32, or two groups of about 6 and 42.
Where it is used: web search by agents and MCP servers; `TAVILY_API_KEY`, also in MCP URLs as `?tavilyApiKey=`.
What an attacker can do: spend the account's search credits, which a paid plan bills on. There is nothing to read with it.
How to replace it: create a new key at app.tavily.com and delete the old one there.
Whether it lives: GET /usage, which costs no credits.
References: https://docs.tavily.com/documentation/quickstart
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat, one_of
from keyward.plugin.verifier import Answer

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("tavily/api-key")

KINDS = (
    CredentialKind(API_KEY, "Tavily API key", "medium", manual=replace("https://app.tavily.com/home"),
                   references=("https://docs.tavily.com/documentation/quickstart",)),
)  # fmt: skip

_PATTERN = prefixed(rb"tvly-(?:(?:dev|prod)-)?(?:[A-Za-z0-9]{32}|[A-Za-z0-9]{5,6}-[A-Za-z0-9]{40,44})")
_MISSES = (concat("tvly-", an(31)), concat("tvly-", an(33)), concat("tvly_", an(32)), concat("tvly-dev-", an(31)), concat("tvly-test-", an(32)),
           concat("tvly-dev-", an(6), "-", an(39)))  # fmt: skip
_KEY = one_of(concat("tvly-", an(32)), concat("tvly-dev-", an(32)), concat("tvly-prod-", an(6), "-", an(42)))

RULES = (prefixed_rule(API_KEY, _PATTERN, _KEY, "TAVILY_API_KEY", "api.tavily.com/usage", _MISSES, score=85),)

HOSTS = ("api.tavily.com",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.tavily.com", "/usage", bearer, ("key", "account"), dead=(Said(401, ("missing or invalid api key",)),), who=("account.current_plan",)
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"key":{"usage":150,"limit":1000},"account":{"current_plan":"Bootstrap","plan_usage":500}}',
    Answer(401, '{"detail":{"error":"Unauthorized: missing or invalid API key."}}'),
)
