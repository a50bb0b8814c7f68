"""Novita keys.

What it is: a key of Novita AI: `sk_` and 43 characters of URL-safe base64, as samples in public code have it, unverified
  by the vendor. Others begin with `sk_` too: a key without its name counts less.
Where it is used: `NOVITA_API_KEY`, header `Authorization: Bearer`.
What an attacker can do: call models and rent machines on the account's bill.
How to replace it: create a new key at novita.ai, Settings, Key management, and delete the old one.
References: https://novita.ai/docs/guides/quickstart
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat, hexa

from ._cloud import by_prefix, credential
from ._forms import SLUG, mixed

KEY = Kind("novita/api-key")

KINDS = (
    credential(
        KEY,
        "Novita API key",
        "high",
        "https://novita.ai/settings/key-management",
        see="https://novita.ai/docs/guides/quickstart",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"sk_" + mixed(43, b"A-Za-z0-9_-"),
        "NOVITA_API_KEY",
        concat("sk_", b64url(43)),
        (concat("sk_", b64url(42)), concat("sk_", b64url(44)), concat("sk_", hexa(43))),
        edge=SLUG,
        score=62,
    ),
)
