"""SerpApi keys.

What it is: a key of SerpApi: 64 hex digits, known by its name or by the address that it stands in.
Where it is used: `SERPAPI_API_KEY`, `SERPAPI_KEY`, addresses with `api_key=`.
What an attacker can do: use up the account's searches.
How to replace it: regenerate the key in the dashboard; the old one ends at once.
References: https://serpapi.com/search-api
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import hexa, part, text, upper_hex

from ._cloud import by_name, credential, vendor

KEY = Kind("serpapi/api-key")

KINDS = (credential(KEY, "SerpApi key", "low", "https://serpapi.com/manage-api-key", see="https://serpapi.com/search-api"),)

RULES = (
    by_name(
        KEY,
        vendor(rb"serp_?api", rb"(?:key|token)"),
        rb"[0-9a-f]{64}",
        "SERPAPI_API_KEY",
        hexa(64),
        (
            hexa(63),
            hexa(65),
            upper_hex(64),
        ),
        score=72,
    ),
    Rule(
        "serpapi/api-key-in-address",
        KEY,
        rb"serpapi\.com/[^\s\"'`<>]{1,200}?[?&]api_key=(?P<secret>[0-9a-f]{64})(?![A-Za-z0-9])",
        score=80,
        examples=tuple(
            text(before, "https://serpapi.com/search.json?q=x&api_key=", part("secret", hexa(64)), after)
            for before, after in (("curl '", "'\n"), ('{"url": "', '"}\n'), ("url = '", "&hl=en'\n"))
        ),
        near_misses=(
            text("curl https://serpapi.com/search.json?api_key=", hexa(63), "\n"),
            text("curl https://serpapi.com/search.json?id=", hexa(64), "\n"),
            text("curl https://corp.io/search.json?api_key=", hexa(64), "\n"),
        ),
    ),
)
