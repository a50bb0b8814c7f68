"""Cohere keys.

What it is: a trial or production API key: 40 letters and digits in both cases, without a prefix. Only the name beside it tells.
Where it is used: embedding, reranking and chat in search and retrieval programs; `COHERE_API_KEY`, `CO_API_KEY`.
What an attacker can do: run models at the owner's cost (production keys), use up the limits (trial keys), read data sets and
  fine-tuned models of the organisation.
How to replace it: create a new key at dashboard.cohere.com/api-keys and delete the old one there.
References: https://docs.cohere.com/reference/about
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, hexa
from keyward.plugin.verifier import Answer

from ._model_vendor import key_of, mixed, named, named_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("cohere/api-key")

KINDS = (
    CredentialKind(API_KEY, "Cohere API key", "critical", manual=replace("https://dashboard.cohere.com/api-keys"),
                   references=("https://docs.cohere.com/reference/about",)),
)  # fmt: skip

RULES = (
    named_rule(
        API_KEY, named(rb"(?:" + key_of(rb"cohere") + rb"|(?<![a-z0-9])co_api_key)", rb"[A-Za-z0-9]{40}"), an(40), "COHERE_API_KEY",
        (an(39), an(41), hexa(40), an(20) + "-" + an(19)), check=mixed(), rule_id=str(API_KEY),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.cohere.com",)
_REFUSED = Said(401, ('"message":"invalid api token"',))
QUESTIONS = {API_KEY: Question("https://api.cohere.com", "/v1/models?page_size=1", bearer, ("models",), (_REFUSED,))}
"""Lists the models, which costs nothing (https://docs.cohere.com/reference/list-models)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(API_KEY, '{"models":[]}', Answer(401, '{"id":"x","message":"invalid api token"}'))
