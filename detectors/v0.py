"""v0 keys.

What it is: a key of v0 by Vercel: `v1:` and twice 24 letters and digits, joined by colons; a team's has `team_` before
  the first, as samples in public code have it, unverified by the vendor.
Where it is used: `V0_API_KEY`, header `Authorization: Bearer`.
What an attacker can do: make and read the user's chats and projects, on the account's bill.
How to replace it: create a new key at v0.app, Settings, Keys, and delete the old one.
References: https://v0.app/docs/api/platform/overview
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential

KEY = Kind("v0/api-key")

KINDS = (
    credential(
        KEY, "v0 API key", "medium", "https://v0.app/chat/settings/keys", see="https://v0.app/docs/api/platform/overview"
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"v1:(?:team_)?[A-Za-z0-9]{24}:[A-Za-z0-9]{24}",
        "V0_API_KEY",
        concat("v1:", an(24), ":", an(24)),
        (
            concat("v1:", an(23), ":", an(24)),
            concat("v1:", an(24), ":", an(25)),
            concat("v1-", an(24), "-", an(24)),
        ),
        score=82,
    ),
)
