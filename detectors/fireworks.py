"""Fireworks AI keys.

What it is: an API key, `fw_` and 22 to 40 letters and digits (the length varies in the wild and is unverified), also `fpk_`.
Where it is used: open models and fine-tuning by OpenAI-compatible SDKs; `FIREWORKS_API_KEY`.
What an attacker can do: run models and deployments at the owner's cost, read data sets and fine-tuned models of the account.
How to replace it: create a new key at app.fireworks.ai/settings/users/api-keys (or `firectl create api-key`) and delete the old one.
References: https://docs.fireworks.ai/api-reference/introduction
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, chars, concat
from keyward.plugin.verifier import Answer

from ._model_vendor import key_of, mixed, named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("fireworks/api-key")

KINDS = (
    CredentialKind(API_KEY, "Fireworks AI API key", "critical", manual=replace("https://app.fireworks.ai/settings/users/api-keys"),
                   references=("https://docs.fireworks.ai/api-reference/introduction",)),
)  # fmt: skip

_BODY = rb"(?:fw|fpk)_[A-Za-z0-9]{22,40}"
_KEY = concat("fw_", an(24))

RULES = (
    prefixed_rule(
        API_KEY, prefixed(_BODY, left=rb"(?<![A-Za-z0-9_-])"), _KEY, "MODEL_KEY", "api.fireworks.ai/inference/v1/models",
        (concat("fw_", an(21)), concat("fw_", an(41)), concat("fw:", an(24)), concat("fw_", chars("abcdefghijklmnopqrstuvwxyz", 24))),
        score=65, check=mixed(),
    ),
    named_rule(
        API_KEY, named(key_of(rb"fireworks(?:_?ai)?"), _BODY), _KEY, "FIREWORKS_API_KEY", (concat("fw_", an(21)), concat("fw_", an(41)), concat("fw:", an(24))),
        score=80, other_name="",
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.fireworks.ai",)
_REFUSED = Said(401, ('"code":"invalid_api_key"', "the api key you provided is invalid"))
QUESTIONS = {API_KEY: Question("https://api.fireworks.ai", "/inference/v1/models", bearer, ("data",), (_REFUSED,))}
"""Lists the models, which costs nothing (https://docs.fireworks.ai/tools-sdks/openai-compatibility). For some accounts the vendor
answers that with 500, which says nothing."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_KEY,
    '{"object":"list","data":[]}',
    Answer(401, '{"error":{"object":"error","type":"invalid_request_error","code":"invalid_api_key","message":"x"}}'),
)
