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

from ._model_vendor import key_of, mixed, named, named_rule, replace

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
