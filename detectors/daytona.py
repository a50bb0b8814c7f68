"""Daytona keys.

What it is: a key of Daytona: `dtn_` and 64 hex digits.
Where it is used: `DAYTONA_API_KEY`, header `Authorization: Bearer`.
What an attacker can do: create and read sandboxes of the organisation, run code in them on its bill.
How to replace it: create a new key at app.daytona.io, Keys, and delete the old one.
References: https://www.daytona.io/docs/api-keys
  https://github.com/daytonaio/daytona (apps/api/src/common/utils/api-key.ts: how one is made)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_prefix, credential

KEY = Kind("daytona/api-key")

KINDS = (
    credential(
        KEY, "Daytona API key", "high", "https://app.daytona.io/dashboard/keys", see="https://www.daytona.io/docs/api-keys"
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"dtn_[0-9a-f]{64}",
        "DAYTONA_API_KEY",
        concat("dtn_", hexa(64)),
        (
            concat("dtn_", hexa(63)),
            concat("dtn_", hexa(65)),
            concat("dtn-", hexa(64)),
        ),
        score=88,
    ),
)
