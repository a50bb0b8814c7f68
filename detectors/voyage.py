"""Voyage AI keys.

What it is: an API key, `pa-` and 43 characters, or `al-` and 43 where MongoDB Atlas issued it.
Where it is used: embeddings and reranking for search and retrieval; `VOYAGE_API_KEY`.
What an attacker can do: run models at the owner's cost and use up the organisation's rate limits. There is nothing to read with it.
How to replace it: create a new key in the Voyage dashboard (or, for `al-`, in Atlas under AI models) and delete the old one there.
References: https://docs.voyageai.com/docs/api-key-and-installation
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import b64url, chars, concat
from keyward.plugin.verifier import Answer

from ._model_vendor import key_of, mixed, named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("voyage/api-key")

KINDS = (
    CredentialKind(API_KEY, "Voyage AI API key", "high", manual=replace("https://dashboard.voyageai.com/organization/api-keys"),
                   references=("https://docs.voyageai.com/docs/api-key-and-installation",)),
)  # fmt: skip

_BODY = rb"(?:pa|al)-[A-Za-z0-9_-]{43}"
_KEY = concat("pa-", b64url(43))
_MISSES = (concat("pa-", b64url(42)), concat("pa-", b64url(44)), concat("pa_", b64url(43)))

RULES = (
    prefixed_rule(
        API_KEY, prefixed(_BODY, left=rb"(?<![A-Za-z0-9_/.-])"), _KEY, "EMBEDDING_KEY", "api.voyageai.com/v1/embeddings",
        (*_MISSES, concat("pa-", chars("abcdefghijklmnopqrstuvwxyz-", 43))), score=60, check=mixed(),
    ),
    named_rule(
        API_KEY, named(key_of(rb"voyage(?:_?ai)?"), _BODY), concat("al-", b64url(43)), "VOYAGE_API_KEY", _MISSES, score=80, other_name="",
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.voyageai.com",)
_REFUSED = Said(401, ("provided api key is invalid", "api key has expired"))
QUESTIONS = {API_KEY: Question("https://api.voyageai.com", "/v1/files", bearer, ("data",), (_REFUSED,))}
"""Lists the files of batches, because the other calls cost money (https://docs.voyageai.com/reference)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(API_KEY, '{"object":"list","data":[]}', Answer(401, '{"detail":"Provided API key is invalid."}'))
