"""Xata API keys.

What it is: a key of Xata: `xau_` and letters and digits, 37 in samples (30 to 48 accepted; unverified by the vendor).
Where it is used: `XATA_API_KEY`, `.env`, `~/.config/xata/credentials`.
What an attacker can do: read, change and delete every database of the user's workspaces.
How to replace it: create a new key in the account settings and delete the old one there.
References: https://xata.io/docs
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential

KEY = Kind("xata/api-key")

KINDS = (credential(KEY, "Xata API key", "critical", "https://app.xata.io/settings", see="https://xata.io/docs"),)

RULES = (
    by_prefix(
        KEY,
        rb"xau_(?=[A-Za-z]{0,40}[0-9])[A-Za-z0-9]{30,48}",
        "XATA_API_KEY",
        concat("xau_", an(37)),
        (
            concat("xau_", an(29)),
            concat("xau_", an(49)),
            concat("xau-", an(37)),
        ),
        edge=rb"(?![A-Za-z0-9_])",
        score=75,
    ),
)
