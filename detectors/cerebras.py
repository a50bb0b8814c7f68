"""Cerebras keys.

What it is: an API key of the Cerebras inference cloud, `csk-` and 48 lower-case letters and digits.
Where it is used: fast open models by OpenAI-compatible SDKs and agents; `CEREBRAS_API_KEY`.
What an attacker can do: run models at the owner's cost or use up the organisation's daily limits.
How to replace it: create a new key at cloud.cerebras.ai under API keys and delete the old one there.
References: https://inference-docs.cerebras.ai/quickstart
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import concat, lower, upper
from keyward.plugin.verifier import Answer

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("cerebras/api-key")

KINDS = (
    CredentialKind(API_KEY, "Cerebras API key", "critical", manual=replace("https://cloud.cerebras.ai/platform"),
                   references=("https://inference-docs.cerebras.ai/quickstart",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"csk-[a-z0-9]{48}"), concat("csk-", lower(48)), "CEREBRAS_API_KEY", "api.cerebras.ai/v1/models",
        (concat("csk-", lower(47)), concat("csk-", lower(49)), concat("csk_", lower(48)), concat("csk-", upper(48))), score=80,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.cerebras.ai",)
_REFUSED = Said(401, ('"code":"wrong_api_key"',))
QUESTIONS = {API_KEY: Question("https://api.cerebras.ai", "/v1/models", bearer, ("data",), (_REFUSED,))}
"""Lists the models, which costs nothing (https://inference-docs.cerebras.ai/api-reference/models)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_KEY,
    '{"object":"list","data":[]}',
    Answer(401, '{"message":"Wrong API Key","type":"invalid_request_error","param":"api_key","code":"wrong_api_key"}'),
)
