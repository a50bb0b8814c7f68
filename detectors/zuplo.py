"""Zuplo keys.

What it is: a key that a consumer of an API behind Zuplo holds: `zpka_`, 32 letters and digits, `_` and the CRC32 of these
  32 as 8 hex digits.
Where it is used: `.env` of the API's consumers, header `Authorization: Bearer`.
What an attacker can do: call the API as that consumer.
How to replace it: roll the consumer's key in the portal or with the developer API.
References: https://zuplo.com/docs/articles/api-key-management
"""

from __future__ import annotations

from keyward.plugin import Kind, Parts, Signal, checksum
from keyward.plugin.checksums import crc32_hex
from keyward.plugin.shapes import an, concat, hexa

from ._cloud import by_prefix, credential

KEY = Kind("zuplo/api-key")

KINDS = (
    credential(
        KEY, "Zuplo consumer key", "high", "https://portal.zuplo.com/", see="https://zuplo.com/docs/articles/api-key-management"
    ),
)


def _crc(parts: Parts) -> Signal | None:
    body = parts["secret"]
    return checksum(crc32_hex(body[5:37]) == body[38:], "CRC32")


RULES = (
    by_prefix(
        KEY,
        rb"zpka_[A-Za-z0-9]{32}_[0-9a-f]{8}",
        "ZUPLO_API_KEY",
        concat("zpka_", an(32)).tail(lambda key: b"_" + crc32_hex(key[5:])),
        (
            concat("zpka_", an(31), "_", hexa(8)),
            concat("zpka_", an(32), "_", hexa(9)),
            concat("zpkb_", an(32), "_", hexa(8)),
        ),
        score=78,
        check=_crc,
    ),
)
