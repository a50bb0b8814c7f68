"""Groq keys.

What it is: an API key of GroqCloud: `gsk_`, twenty characters, `WGdyb3FY` (base64, it spells the vendor's name) and 24 more.
Where it is used: SDKs and agents that want fast open models, voice pipelines; `GROQ_API_KEY`, the header `Authorization: Bearer`.
What an attacker can do: run models at the owner's cost or use up the organisation's rate limits; read uploaded files and batches.
How to replace it: create a new key at console.groq.com/keys and delete the old one. There is no API for it.
References: https://console.groq.com/docs/api-reference
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import Shape, an, concat
from keyward.plugin.verifier import Answer

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("groq/api-key")

KINDS = (
    CredentialKind(API_KEY, "Groq API key", "critical", manual=replace("https://console.groq.com/keys"),
                   references=("https://console.groq.com/docs/api-reference",)),
)  # fmt: skip


def _key(left: int = 20, right: int = 24, marker: str = "WGdyb3FY", prefix: str = "gsk_") -> Shape:
    return concat(prefix, an(left), marker, an(right))


RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"gsk_[A-Za-z0-9]{20}WGdyb3FY[A-Za-z0-9]{24}", edge=rb"(?![A-Za-z0-9_])"), _key(), "GROQ_API_KEY",
        "api.groq.com/openai/v1/models", (_key(19), _key(21), _key(right=23), _key(right=25), _key(marker="WGdyb3FZ"), _key(prefix="gsk-")),
        score=90,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.groq.com",)
_REFUSED = Said(401, ('"code":"invalid_api_key"', '"code":"expired_api_key"'))
_CLOSED = Said(400, ('"code":"organization_restricted"',), "the organisation is closed")
_MODELS = Question("https://api.groq.com", "/openai/v1/models", bearer, ("data",), (_REFUSED,), (_CLOSED,))
QUESTIONS = {API_KEY: _MODELS}
"""Lists the models, which costs nothing (https://console.groq.com/docs/errors)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_KEY,
    '{"object":"list","data":[]}',
    Answer(401, '{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}'),
    restricted=Answer(400, '{"error":{"message":"x","code":"organization_restricted"}}'),
)
