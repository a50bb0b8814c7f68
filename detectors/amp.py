"""Amp keys.

What it is: a key of the coding agent Amp: `sgamp_user_`, an id of 26 capital letters and digits, `_` and 64 hex digits,
  as public code has it, unverified by the vendor.
Where it is used: `AMP_API_KEY`, `~/.local/share/amp/secrets.json`.
What an attacker can do: run the agent on the account's bill, read its threads and with them source code.
How to replace it: create a new access token at ampcode.com, Settings, and delete the old one.
References: https://ampcode.com/manual
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa, upper

from ._cloud import by_prefix, credential

KEY = Kind("amp/api-key")

KINDS = (credential(KEY, "Amp API key", "high", "https://ampcode.com/settings", see="https://ampcode.com/manual"),)

RULES = (
    by_prefix(
        KEY,
        rb"sgamp_user_[0-9A-Z]{26}_[0-9a-f]{64}",
        "AMP_API_KEY",
        concat("sgamp_user_", upper(26), "_", hexa(64)),
        (
            concat("sgamp_user_", upper(25), "_", hexa(64)),
            concat("sgamp_user_", upper(26), "_", hexa(63)),
            concat("sgamp_team_", upper(26), "_", hexa(64)),
        ),
        score=90,
    ),
)
