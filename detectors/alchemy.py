"""Alchemy keys.

What it is: a key of Alchemy: 32 characters of URL-safe base64, newer ones 21 as public code has them, mostly as the end of
  a node's address, which is enough to use it.
Where it is used: `https://eth-mainnet.g.alchemy.com/v2/…`, `ALCHEMY_API_KEY`, settings of wallets and contracts.
What an attacker can do: use up the account's requests, which a paid plan bills.
How to replace it: create a new app at dashboard.alchemy.com, switch over, and delete the old one.
References: https://www.alchemy.com/docs/create-an-api-key
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import b64url, lower, part, text

from ._cloud import by_name, credential, vendor
from ._forms import SLUG, mixed

KEY = Kind("alchemy/api-key")

KINDS = (
    credential(
        KEY,
        "Alchemy API key",
        "low",
        "https://dashboard.alchemy.com/apps",
        see="https://www.alchemy.com/docs/create-an-api-key",
    ),
)

RULES = (
    Rule(
        str(KEY),
        KEY,
        rb"[a-z0-9-]{3,30}\.g\.alchemy(?:api)?\.(?:com|io)/v2/(?P<secret>[A-Za-z0-9_-]{32}|"
        + mixed(21, b"A-Za-z0-9_-")
        + rb")(?![A-Za-z0-9_-])",
        score=75,
        anchor=rb"\.g\.alchemy(?:api)?\.(?:com|io)/v2/[A-Za-z0-9_-]{21}",
        examples=tuple(
            text(before, "https://eth-mainnet.g.alchemy.com/v2/", part("secret", b64url(count)), after)
            for before, count, after in (
                ("RPC_URL=", 32, "\n"),
                ('{"url": "', 32, '"}\n'),
                ("url: '", 32, "',\n"),
                ("url: '", 21, "',\n"),
            )
        ),
        near_misses=(
            text("RPC_URL=https://eth-mainnet.g.alchemy.com/v2/", b64url(20), "\n"),
            text("RPC_URL=https://eth-mainnet.g.alchemy.com/v2/", b64url(22), "\n"),
            text("RPC_URL=https://eth-mainnet.g.alchemy.com/v2/", lower(21), "\n"),
            text("RPC_URL=https://eth-mainnet.g.alchemy.com/v2/", b64url(31), "\n"),
            text("RPC_URL=https://eth-mainnet.g.alchemy.com/v2/", b64url(33), "\n"),
            text("RPC_URL=https://eth-mainnet.g.alchemy.com/v3/", b64url(32), "\n"),
        ),
    ),
    by_name(
        KEY,
        vendor(b"alchemy", rb"(?:key|token)"),
        rb"(?:" + mixed(32, b"A-Za-z0-9_-") + rb"|" + mixed(21, b"A-Za-z0-9_-") + rb")",
        "ALCHEMY_API_KEY",
        b64url(32),
        (b64url(20), b64url(22), lower(21), b64url(31), b64url(33), lower(32)),
        edge=SLUG,
        score=72,
        id="alchemy/api-key-by-name",
    ),
)
