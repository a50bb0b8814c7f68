"""Postman API keys.

What it is: API keys of a Postman user (`PMAK-` with two groups of hex digits) and access keys of a single collection
  (`PMAT-` and 26 capitals and digits).
Where it is used: `POSTMAN_API_KEY`, newman in CI, `X-Api-Key` headers; collection keys stand in addresses (`access_key=`).
What an attacker can do: with an API key read and change the user's workspaces, collections and environments, which often hold
  other services' keys; a collection key reads one collection.
How to replace it: generate a new key at go.postman.co, Settings, API keys, and delete the old one; revoke a collection's key
  in the collection's share dialog. After a leak rotate the keys that the environments hold.
Whether it lives: GET /me, at the US and the EU site, which do not know each other's keys. A collection's key opens that
  collection alone, so it is not asked about.
References: https://learning.postman.com/docs/developer/postman-api/authentication/
  https://learning.postman.com/docs/collaborating-in-postman/sharing/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import assigned, concat, hexa, json_member, part, text, upper
from keyward.plugin.verifier import Answer

from ._forms import manual, token
from ._token_probe import at
from ._vendor_answers import Question, Said, asks, cases, in_header

KEY = Kind("postman/api-key")
COLLECTION = Kind("postman/collection-key")

_DOCS = "https://learning.postman.com/docs/developer/postman-api/authentication/"

KINDS = (
    CredentialKind(KEY, "Postman API key", "high", manual=manual("https://go.postman.co/settings/me/api-keys"), references=(_DOCS,)),
    CredentialKind(COLLECTION, "Postman collection access key", "medium", references=(_DOCS,),
                   manual=manual("https://learning.postman.com/docs/collaborating-in-postman/sharing/", "Revoke the key in the collection's share dialog.",
                                 "Generate a new one.", "Update the addresses that hold it.")),
)  # fmt: skip

_KEY = concat("PMAK-", hexa(24), "-", hexa(34))
_COLLECTION = concat("PMAT-", upper(26))

RULES = (
    Rule(
        str(KEY),
        KEY,
        token(rb"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
        score=85,
        examples=(
            assigned("POSTMAN_API_KEY", _KEY),
            text("curl -H 'X-Api-Key: ", part("secret", _KEY), "' https://api.getpostman.com/me\n"),
            text("postman login --with-api-key ", part("secret", _KEY), "\n"),
            json_member("postmanApiKey", _KEY),
        ),
        near_misses=(
            assigned("POSTMAN_API_KEY", concat("PMAK-", hexa(23), "-", hexa(34))),
            assigned("POSTMAN_API_KEY", concat("PMAK-", hexa(24), "-", hexa(35))),
            assigned("POSTMAN_API_KEY", concat("PMAK-", hexa(24), "_", hexa(34))),
        ),
    ),
    Rule(
        str(COLLECTION),
        COLLECTION,
        token(rb"PMAT-[A-Z0-9]{26}"),
        examples=(
            text("https://api.postman.com/collections/123-", hexa(8), "?access_key=", part("secret", _COLLECTION), "\n"),
            assigned("COLLECTION_KEY", _COLLECTION),
            json_member("access_key", _COLLECTION),
        ),
        near_misses=(
            assigned("COLLECTION_KEY", concat("PMAT-", upper(25))),
            assigned("COLLECTION_KEY", concat("PMAT-", upper(27))),
            assigned("COLLECTION_KEY", concat("PMAT_", upper(26))),
        ),
    ),
)

HOSTS = ("api.getpostman.com", "api.eu.postman.com")
VERIFIES = (KEY,)

_ASK = at(HOSTS, Question(
    "", "/me", in_header("x-api-key"), ("user.id",), dead=(Said(401, ("invalid api key. every request requires",)),), who=("user.username", "user.teamName"),
))  # fmt: skip
verify = asks({KEY: _ASK})

CASES = cases(
    KEY,
    '{"user":{"id":12345678,"username":"taylor-lee","teamName":"Acme"}}',
    Answer(401, '{"error":{"name":"AuthenticationError","message":"Invalid API Key. Every request requires a valid API Key to be sent."}}'),
)  # fmt: skip
