"""Algolia API keys.

What it is: 32 hex characters, with the application's id of 10 capitals and digits. The name decides what the key is: an admin or write key
  is secret; a search-only key stands in web pages by design and is reported as low.
Where it is used: search of shops and documentation; `.env`, build scripts that fill the index, docsearch.json.
What an attacker can do: with an admin key read, change and delete all indices, make and delete keys; with a write key change records
  and so what visitors find.
How to replace it: API Keys: create another key with few rights, deploy it, delete the old one; an admin key is regenerated there and
  ends at once.
References: https://www.algolia.com/doc/guides/security/api-keys
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import concat, hexa, part, text, upper

from ._saas import misses, named, named_contexts, replace, secret

KEY = Kind("algolia/api-key")
SEARCH = Kind("algolia/search-key")

_KEYS = "https://dashboard.algolia.com/account/api-keys"
_REFERENCES = ("https://www.algolia.com/doc/guides/security/api-keys",)

KINDS = (
    CredentialKind(KEY, "Algolia API key", "high", public=("id",), manual=replace("a new key with the rights that are needed", _KEYS), references=_REFERENCES),
    CredentialKind(SEARCH, "Algolia search-only key", "low", public=("id",),
                   manual=replace("a new search-only key, if this one may do more than search", _KEYS), references=_REFERENCES),
)  # fmt: skip

_APP = Companion(
    "id", rb"(?i:app(?:lication)?[_-]?id)[\"']?\s{0,4}(?:=>|[:=])\s{0,4}[\"']?(?P<id>[A-Z0-9]{10})(?![A-Za-z0-9])", optional=True
)
_SECRET = secret(rb"[0-9a-f]{32}")

RULES = (
    Rule(
        str(KEY),
        KEY,
        named(rb"algolia[_.-]?(?:(?:admin|write|index(?:ing)?|monitoring|usage|private|secret|master)[_.-]?)?(?:api[_-]?)?(?:admin[_-]?)?(?:key|secret|token)", _SECRET),
        score=68,
        companions=(_APP,),
        examples=(
            *named_contexts("ALGOLIA_ADMIN_KEY", hexa(32)),
            text("ALGOLIA_APP_ID=", part("id", upper(10)), "\nALGOLIA_WRITE_API_KEY=", part("secret", hexa(32)), "\n"),
            text("curl -H 'X-Algolia-API-Key: ", part("secret", hexa(32)), "' https://host.test/1/indexes\n"),
        ),
        near_misses=(
            *misses("ALGOLIA_ADMIN_KEY", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("ALGOLIA_SEARCH_KEY", hexa(32)),
            *misses("ASSET_DIGEST", hexa(32)),
        ),
    ),
    Rule(
        str(SEARCH),
        SEARCH,
        named(rb"algolia[\w.-]{0,12}(?:search|public)[\w.-]{0,12}key", _SECRET),
        score=30,
        companions=(_APP,),
        examples=named_contexts("ALGOLIA_SEARCH_KEY", hexa(32)),
        near_misses=misses("ALGOLIA_SEARCH_KEY", hexa(31), hexa(33), concat(hexa(31), "g")),
    ),
)  # fmt: skip
