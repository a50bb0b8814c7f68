"""Infura keys.

What it is: the secret of an API key of Infura (32 hex digits; also 44 or 54 characters of base64, unverified by the
  vendor), and the key itself,
  which is part of the address of a node and is enough where no secret is required.
Where it is used: `INFURA_API_KEY_SECRET`, `INFURA_PROJECT_SECRET`, `https://mainnet.infura.io/v3/…` in settings of
  wallets and contracts.
What an attacker can do: use up the account's requests; with a secret also where it is required.
How to replace it: create a new key in the dashboard, require its secret, and delete the old one.
References: https://docs.metamask.io/developer-tools/dashboard/how-to/secure-an-api/api-key-secret
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import hexa, part, text, upper_hex

from ._cloud import by_name, credential

SECRET = Kind("infura/api-key-secret")
ADDRESS = Kind("infura/node-address")

KINDS = (
    credential(
        SECRET,
        "Infura API key secret",
        "medium",
        "https://app.infura.io/",
        see="https://docs.metamask.io/developer-tools/dashboard/how-to/secure-an-api/api-key-secret",
    ),
    credential(
        ADDRESS,
        "Infura node address",
        "low",
        "https://app.infura.io/",
        see="https://docs.metamask.io/developer-tools/dashboard/how-to/secure-an-api/api-key-secret",
    ),
)

RULES = (
    by_name(
        SECRET,
        rb"infura[a-z0-9_. -]{0,16}secret",
        rb"(?:[0-9a-f]{32}|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{54})",
        "INFURA_PROJECT_SECRET",
        hexa(32),
        (
            hexa(31),
            hexa(33),
            upper_hex(32),
        ),
        edge=rb"(?![A-Za-z0-9+/=])",
        score=72,
    ),
    Rule(
        str(ADDRESS),
        ADDRESS,
        rb"[a-z]{3,20}\.infura\.io/(?:ws/)?v3/(?P<secret>[0-9a-f]{32})(?![A-Za-z0-9])",
        score=55,
        examples=tuple(
            text(before, "https://mainnet.infura.io/v3/", part("secret", hexa(32)), after)
            for before, after in (("RPC_URL=", "\n"), ('{"url": "', '"}\n'), ("url: '", "',\n"))
        ),
        near_misses=(
            text("RPC_URL=https://mainnet.infura.io/v3/", hexa(31), "\n"),
            text("RPC_URL=https://mainnet.infura.io/v3/", hexa(33), "\n"),
            text("RPC_URL=https://mainnet.infura.io/v4/", hexa(32), "\n"),
        ),
    ),
)
