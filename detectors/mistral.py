"""Mistral AI keys.

What it is: an API key of La Plateforme, or of the separate Codestral endpoint: 32 letters and digits, without a prefix. Only the
  name beside it tells.
Where it is used: Mistral's SDKs, editors' code completion, agents; `MISTRAL_API_KEY`, `CODESTRAL_API_KEY`.
What an attacker can do: run models at the workspace's cost, read its uploaded files, fine-tuned models, agents and conversations.
How to replace it: create a new key at console.mistral.ai/api-keys and delete the old one there; a workspace may have several keys.
References: https://docs.mistral.ai/getting-started/quickstart
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import has_digit, key_of, named, named_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("mistral/api-key")

KINDS = (
    CredentialKind(API_KEY, "Mistral API key", "critical", manual=replace("https://console.mistral.ai/api-keys"),
                   references=("https://docs.mistral.ai/getting-started/quickstart",)),
)  # fmt: skip

RULES = (
    named_rule(
        API_KEY, named(key_of(rb"(?:mistral|codestral)"), rb"[A-Za-z0-9]{32}"), an(32), "MISTRAL_API_KEY", (an(31), an(33), an(16) + "_" + an(15)),
        check=has_digit, rule_id=str(API_KEY),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.mistral.ai",)
_REFUSED = Said(401, ('"detail":"unauthorized"', '"message":"unauthorized"'))
QUESTIONS = {API_KEY: Question("https://api.mistral.ai", "/v1/models", bearer, ("data",), (_REFUSED,))}
"""Lists the models, which costs nothing (https://docs.mistral.ai/api/endpoint/models)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = (
    *cases(API_KEY, '{"object":"list","data":[]}', Answer(401, '{"detail":"Unauthorized"}')),
    Case("refused, as the gate says it", API_KEY, (Answer(401, '{"message":"Unauthorized","request_id":"x"}'),), "dead"),
)
