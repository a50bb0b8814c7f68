"""Browserbase keys.

What it is: a key of Browserbase: `bb_live_` and 27 characters of URL-safe base64, as samples in public code have it,
  unverified by the vendor.
Where it is used: `BROWSERBASE_API_KEY`, header `X-BB-API-Key`, addresses with `?apiKey=`.
What an attacker can do: run browsers on the account's bill; read recordings of its sessions and what was typed there.
How to replace it: create a new key in the project's settings and delete the old one.
References: https://docs.browserbase.com/reference/api/overview
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat, lower

from ._cloud import by_prefix, credential
from ._forms import SLUG, mixed

KEY = Kind("browserbase/api-key")

KINDS = (
    credential(
        KEY,
        "Browserbase API key",
        "high",
        "https://www.browserbase.com/settings",
        see="https://docs.browserbase.com/reference/api/overview",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"bb_(?:live|test)_" + mixed(27, b"A-Za-z0-9_-"),
        "BROWSERBASE_API_KEY",
        concat("bb_live_", b64url(27)),
        (
            concat("bb_live_", b64url(26)),
            concat("bb_live_", b64url(28)),
            concat("bb-live-", b64url(27)),
            concat("bb_live_", lower(27)),
        ),
        edge=SLUG,
        score=80,
    ),
)
