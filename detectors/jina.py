"""Jina keys.

What it is: a key of Jina AI: `jina_`, 32 hex digits and 28 characters of URL-safe base64, as public code has it,
  unverified by the vendor.
Where it is used: `JINA_API_KEY`, header `Authorization: Bearer`, agents that read web pages.
What an attacker can do: use up the account's tokens.
How to replace it: create a new key at jina.ai, API dashboard, and delete the old one.
References: https://jina.ai/reader/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat, hexa

from ._cloud import by_prefix, credential
from ._forms import SLUG

KEY = Kind("jina/api-key")

KINDS = (credential(KEY, "Jina API key", "medium", "https://jina.ai/api-dashboard/key-manager", see="https://jina.ai/reader/"),)

RULES = (
    by_prefix(
        KEY,
        rb"jina_[0-9a-f]{32}[A-Za-z0-9_-]{28}",
        "JINA_API_KEY",
        concat("jina_", hexa(32), b64url(28)),
        (
            concat("jina_", hexa(32), b64url(27)),
            concat("jina_", hexa(32), b64url(29)),
            concat("jina-", hexa(32), b64url(28)),
        ),
        edge=SLUG,
        score=88,
    ),
)
