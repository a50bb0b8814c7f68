"""Brave Search keys.

What it is: a key of the search API of Brave: `BSA` and 24 to 40 characters of URL-safe base64 (28 or 40 in public code).
Where it is used: `BRAVE_API_KEY`, `BRAVE_SEARCH_API_KEY`, header `X-Subscription-Token`, MCP settings.
What an attacker can do: use up the account's searches, on its bill.
How to replace it: add a new key at api-dashboard.search.brave.com and delete the old one.
References: https://api-dashboard.search.brave.com/documentation/guides/authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat, upper

from ._cloud import by_prefix, credential
from ._forms import SLUG, mixed

KEY = Kind("brave/api-key")

KINDS = (
    credential(
        KEY,
        "Brave Search API key",
        "low",
        "https://api-dashboard.search.brave.com/app/keys",
        see="https://api-dashboard.search.brave.com/documentation/guides/authentication",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"BSA" + mixed(24, b"A-Za-z0-9_-") + rb"[A-Za-z0-9_-]{0,16}",
        "BRAVE_API_KEY",
        concat("BSA", b64url(28)),
        (concat("BSA", b64url(23)), concat("BSA", b64url(41)), concat("BSB", b64url(28)), concat("BSA", upper(28))),
        edge=SLUG,
        score=70,
    ),
)
