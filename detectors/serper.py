"""Serper keys.

What it is: a key of Serper: 40 hex digits, which only the name tells from a hash.
Where it is used: `SERPER_API_KEY`, header `X-API-KEY`, agents that search.
What an attacker can do: use up the account's searches.
How to replace it: create a new key at serper.dev, API keys, and delete the old one.
References: https://serper.dev/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import hexa, upper_hex

from ._cloud import by_name, credential, vendor

KEY = Kind("serper/api-key")

KINDS = (credential(KEY, "Serper API key", "low", "https://serper.dev/api-keys", see="https://serper.dev/"),)

RULES = (
    by_name(
        KEY,
        vendor(rb"serper(?:_?dev)?", rb"(?:key|token)"),
        rb"[0-9a-f]{40}",
        "SERPER_API_KEY",
        hexa(40),
        (
            hexa(39),
            hexa(41),
            upper_hex(40),
        ),
        score=72,
    ),
)
