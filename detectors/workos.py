"""WorkOS API keys.

What it is: a key of WorkOS: `sk_live_` or `sk_test_` and base64 of `key_…` with the key's id and the secret.
Where it is used: `WORKOS_API_KEY`, back ends with single sign-on.
What an attacker can do: with a live key read and change organisations, users and directories, and log in as users.
How to replace it: create a new key in the dashboard, API keys, and delete the old one.
References: https://workos.com/docs/reference/api-keys
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat

from ._cloud import by_prefix, credential

KEY = Kind("workos/api-key")

KINDS = (
    credential(
        KEY,
        "WorkOS API key",
        "critical",
        "https://dashboard.workos.com/api-keys",
        see="https://workos.com/docs/reference/api-keys",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"sk_(?:live|test)_a2V5X[A-Za-z0-9+/_-]{40,120}={0,2}",
        "WORKOS_API_KEY",
        concat("sk_live_", "a2V5X", b64url(69)),
        (
            concat("sk_live_", "a2V5X", b64url(30)),
            concat("sk_live_", "a2V6X", b64url(69)),
            concat("sk_life_", "a2V5X", b64url(69)),
        ),
        edge=rb"(?![A-Za-z0-9+/=_-])",
        score=85,
    ),
)
