"""Firecrawl keys.

What it is: an API key of a team, `fc-` and 32 hex digits, which are a version 4 UUID without its dashes.
Where it is used: scraping and crawling by agents and MCP servers; `FIRECRAWL_API_KEY`, MCP URLs with the key in their path.
What an attacker can do: spend the team's credits and browser time, read the results of its crawls and extractions.
How to replace it: create a new key at firecrawl.dev/app/api-keys and delete the old one there.
Whether it lives: GET /v2/team/credit-usage, which costs no credits. `target.base_url`: a server of one's own.
References: https://docs.firecrawl.dev/api-reference/introduction
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Parts, Signal, structure
from keyward.plugin.shapes import Shape, concat, hexa, upper_hex
from keyward.plugin.verifier import Answer

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("firecrawl/api-key")

KINDS = (
    CredentialKind(API_KEY, "Firecrawl API key", "medium", manual=replace("https://www.firecrawl.dev/app/api-keys"),
                   references=("https://docs.firecrawl.dev/api-reference/introduction",)),
)  # fmt: skip


def _uuid(parts: Parts) -> Signal | None:
    """A test that fifteen of sixteen other strings fail; older or self-hosted keys may fail it too, which lowers and no more."""
    return structure(parts["secret"][15:16] == b"4", "a version 4 UUID")


def _key(first: int = 12, last: int = 19, prefix: str = "fc-") -> Shape:
    return concat(prefix, hexa(first), "4", hexa(last))


RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"fc-[0-9a-f]{32}", left=rb"(?<![A-Za-z0-9_-])"), _key(), "FIRECRAWL_API_KEY", "api.firecrawl.dev/v2/team/credit-usage",
        (_key(last=18), _key(last=20), _key(prefix="fc_"), concat("fc-", upper_hex(32))), score=75, check=_uuid,
    ),
)  # fmt: skip

HOSTS = ("api.firecrawl.dev",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.firecrawl.dev", "/v2/team/credit-usage", bearer, ("data",), dead=(Said(401, ('"error":"unauthorized: invalid token"',)),),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"success":true,"data":{"remainingCredits":1000,"planCredits":500000}}',
    Answer(401, '{"success":false,"error":"Unauthorized: Invalid token"}'),
)
