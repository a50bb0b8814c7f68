"""Klaviyo private keys.

What it is: a private key of Klaviyo: `pk_` and 34 hex digits. The letters stand for private: other vendors' `pk_` keys
  are public, and have another length.
Where it is used: `KLAVIYO_PRIVATE_KEY`, `KLAVIYO_API_KEY`, header `Authorization: Klaviyo-API-Key`.
What an attacker can do: read and change customers' profiles, lists and campaigns, as its scopes allow.
How to replace it: create a new private key in the account's settings, API keys, and delete the old one.
References: https://developers.klaviyo.com/en/docs/retrieve_api_credentials
  https://developers.klaviyo.com/en/docs/authenticate_
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_prefix, credential

KEY = Kind("klaviyo/private-key")

KINDS = (
    credential(
        KEY,
        "Klaviyo private key",
        "high",
        "https://www.klaviyo.com/settings/account/api-keys",
        see="https://developers.klaviyo.com/en/docs/retrieve_api_credentials",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"pk_[0-9a-f]{34}",
        "KLAVIYO_PRIVATE_KEY",
        concat("pk_", hexa(34)),
        (
            concat("pk_", hexa(33)),
            concat("pk_", hexa(35)),
            concat("pk-", hexa(34)),
        ),
        edge=rb"(?![A-Za-z0-9_])",
        score=75,
    ),
)
