"""Telnyx keys.

What it is: a key of Telnyx: `KEY`, 32 capital hex digits (an id that begins with the time), `_` and 22 letters and
  digits.
Where it is used: `TELNYX_API_KEY`, header `Authorization: Bearer`.
What an attacker can do: send messages and make calls on the account's bill, read them, change numbers.
How to replace it: create a new key at portal.telnyx.com, API keys, and delete the old one.
References: https://developers.telnyx.com/development/api-fundamentals/authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, upper_hex

from ._cloud import by_prefix, credential

KEY = Kind("telnyx/api-key")

KINDS = (
    credential(
        KEY,
        "Telnyx API key",
        "high",
        "https://portal.telnyx.com/#/api-keys",
        see="https://developers.telnyx.com/development/api-fundamentals/authentication",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"KEY0[0-9A-F]{31}_[A-Za-z0-9]{22}",
        "TELNYX_API_KEY",
        concat("KEY01", upper_hex(30), "_", an(22)),
        (
            concat("KEY01", upper_hex(29), "_", an(22)),
            concat("KEY01", upper_hex(30), "_", an(21)),
            concat("KEX01", upper_hex(30), "_", an(22)),
        ),
        score=88,
    ),
)
