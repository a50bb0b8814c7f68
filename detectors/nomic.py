"""Nomic keys.

What it is: a key of Nomic Atlas: `nk-` and 43 characters of URL-safe base64, as samples in public code have it,
  unverified by the vendor.
Where it is used: `NOMIC_API_KEY`, `~/.nomic/credentials`, `nomic login`.
What an attacker can do: read and change the organisation's maps, embed text on its bill.
How to replace it: create a new key at atlas.nomic.ai, API keys, and delete the old one.
References: https://docs.nomic.ai/atlas/introduction/quick-start
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat, lower

from ._cloud import by_prefix, credential
from ._forms import SLUG, mixed

KEY = Kind("nomic/api-key")

KINDS = (
    credential(
        KEY,
        "Nomic API key",
        "medium",
        "https://atlas.nomic.ai/cli-login",
        see="https://docs.nomic.ai/atlas/introduction/quick-start",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"nk-" + mixed(43, b"A-Za-z0-9_-"),
        "NOMIC_API_KEY",
        concat("nk-", b64url(43)),
        (concat("nk-", b64url(42)), concat("nk-", b64url(44)), concat("nk_", b64url(43)), concat("nk-", lower(43))),
        edge=SLUG,
        score=72,
    ),
)
