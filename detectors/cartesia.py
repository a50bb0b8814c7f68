"""Cartesia keys.

What it is: a key of Cartesia: `sk_car_` (`sk_car_admin_` for an organisation's usage and keys) and 22 letters and digits, 21
  with underscores for older ones, as public code has them; a dot and a secret may follow, as the vendor's own code says.
Where it is used: `CARTESIA_API_KEY`, header `X-API-Key`, voice agents.
What an attacker can do: make speech on the account's bill, use its voices.
How to replace it: create a new key at play.cartesia.ai, Keys, and delete the old one.
References: https://docs.cartesia.ai/use-the-api/api-conventions
  https://github.com/cartesia-ai/cartesia-mcp (sdk_setup.py: the id and the secret)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, assigned, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG

KEY = Kind("cartesia/api-key")

KINDS = (
    credential(
        KEY,
        "Cartesia API key",
        "medium",
        "https://play.cartesia.ai/keys",
        see="https://docs.cartesia.ai/use-the-api/api-conventions",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"sk_car_(?:admin_)?[A-Za-z0-9_]{20,24}(?:\.[A-Za-z0-9_-]{32,44})?",
        "CARTESIA_API_KEY",
        concat("sk_car_", an(22)),
        (
            concat("sk_car_", an(19)),
            concat("sk_car_", an(25)),
            concat("sk_car_admin_", an(25)),
            concat("sk_cat_", an(20)),
        ),
        edge=SLUG,
        score=85,
        more=(
            assigned("CARTESIA_API_KEY", concat("sk_car_", an(22), ".", an(36))),
            assigned("CARTESIA_ADMIN_API_KEY", concat("sk_car_admin_", an(22), ".", an(36))),
        ),
    ),
)
