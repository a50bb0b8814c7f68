"""Pinecone keys.

What it is: an API key of a project: `pcsk_`, five or six characters, `_` and 63; older ones are UUIDs, which only their name gives away.
Where it is used: the vector database behind search and retrieval; `PINECONE_API_KEY`, the header `Api-Key`.
What an attacker can do: read, change and delete all indexes of the project with the documents' texts in their metadata, create new
  ones at the owner's cost. Keys may be limited to reading.
How to replace it: create a new key in the project at app.pinecone.io and delete the old one there (or by the Admin API).
Whether it lives: GET /indexes. A key is refused in plain text or in JSON.
References: https://docs.pinecone.io/guides/projects/manage-api-keys
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat, hexa, uuid4
from keyward.plugin.verifier import Answer, Case, Verdict

from ._model_vendor import key_of, named, named_rule, prefixed, prefixed_rule, replace
from ._token_probe import put_plain
from ._vendor_answers import Question, Said, cases, in_header

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

API_KEY = Kind("pinecone/api-key")

KINDS = (
    CredentialKind(API_KEY, "Pinecone API key", "high", manual=replace("https://app.pinecone.io"),
                   references=("https://docs.pinecone.io/guides/projects/manage-api-keys",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63}"), concat("pcsk_", an(6), "_", an(63)), "PINECONE_API_KEY", "api.pinecone.io/indexes",
        (concat("pcsk_", an(6), "_", an(62)), concat("pcsk_", an(6), "_", an(64)), concat("pcsk_", an(4), "_", an(63)), concat("pcsk-", an(6), "_", an(63))),
        score=85, header="Api-Key: ",
    ),
    named_rule(
        API_KEY, named(key_of(rb"pinecone"), rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), uuid4(), "PINECONE_API_KEY",
        (concat(hexa(7), "-", hexa(4), "-4", hexa(3), "-a", hexa(3), "-", hexa(12)), concat(uuid4(), "a"),
         concat(hexa(8), "_", hexa(4), "_4", hexa(3), "_a", hexa(3), "_", hexa(12))),
        other_name="PINECONE_PROJECT_ID",
    ),
)  # fmt: skip

HOSTS = ("api.pinecone.io",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.pinecone.io", "/indexes", in_header("api-key"), ("indexes",), dead=(Said(401, ('"code":"unauthenticated"', "invalid api key")),),
    restricted=(Said(403, ('"code":"forbidden"', '"code":"permission_denied"')),), also={"x-pinecone-api-version": "2025-04"},
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Lists the indexes."""
    return put_plain(_ASK, "Invalid API Key", credential, target, ports)


CASES = cases(
    API_KEY,
    '{"indexes":[]}',
    Answer(401, '{"error":{"code":"UNAUTHENTICATED","message":"Invalid API key."},"status":401}'),
    Case("refused in plain text", API_KEY, (Answer(401, "Invalid API Key"),), "dead"),
    restricted=Answer(403, '{"error":{"code":"FORBIDDEN","message":"x"},"status":403}'),
)
