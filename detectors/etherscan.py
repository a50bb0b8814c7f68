"""Etherscan keys.

What it is: a key of Etherscan or of a sister site: 34 capital letters and digits as public code has it, which only
  the name tells.
Where it is used: `ETHERSCAN_API_KEY`, `POLYGONSCAN_API_KEY`, `hardhat.config.js`, foundry.toml.
What an attacker can do: use up the account's requests.
How to replace it: create a new key at etherscan.io, API keys, and delete the old one.
References: https://docs.etherscan.io/getting-an-api-key
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import lower, upper

from ._cloud import by_name, credential, vendor

KEY = Kind("etherscan/api-key")

KINDS = (
    credential(
        KEY, "Etherscan API key", "low", "https://etherscan.io/myapikey", see="https://docs.etherscan.io/getting-an-api-key"
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(rb"(?:ether|polygon|bsc|arbi|base|ftm|optimistic_?ether|snow)scan", rb"(?:key|token)"),
        rb"[A-Z0-9]{34}",
        "ETHERSCAN_API_KEY",
        upper(34),
        (
            upper(33),
            upper(35),
            lower(34),
        ),
        score=75,
    ),
)
