"""Luma keys.

What it is: a key of Luma AI: `luma-` and two UUIDs joined by a dash, as samples in public code have it, unverified by the
  vendor.
Where it is used: `LUMAAI_API_KEY`, `LUMA_API_KEY`.
What an attacker can do: make videos and pictures on the account's bill.
How to replace it: create a new key at lumalabs.ai, API keys, and delete the old one.
References: https://docs.lumalabs.ai/docs/api
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, uuid4

from ._cloud import by_prefix, credential
from ._forms import SLUG, UUID

KEY = Kind("luma/api-key")

KINDS = (credential(KEY, "Luma API key", "medium", "https://lumalabs.ai/api/keys", see="https://docs.lumalabs.ai/docs/api"),)

RULES = (
    by_prefix(
        KEY,
        rb"luma-" + UUID + rb"-" + UUID,
        "LUMAAI_API_KEY",
        concat("luma-", uuid4(), "-", uuid4()),
        (concat("luma-", uuid4()), concat("luma-", uuid4(), "_", uuid4()), concat("luna-", uuid4(), "-", uuid4())),
        edge=SLUG,
        score=90,
    ),
)
