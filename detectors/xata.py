"""Xata API keys.

What it is: a key of a user (`xau_`) or organisation (`xao_`) of Xata: the prefix and 32 to 36 letters and digits, nearly
  always 33, as long as the vendor's command line shows it.
Where it is used: `XATA_API_KEY`, `.env`, `~/.config/xata/credentials`.
What an attacker can do: read, change and delete every database of the user's workspaces.
How to replace it: create a new key in the account settings and delete the old one there.
References: https://xata.io/docs
  https://github.com/xataio/client-ts (packages/cli/src/commands/init/index.ts: prefix and length)
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
        rb"xa[uo]_(?=[A-Za-z]{0,35}[0-9])[A-Za-z0-9]{32,36}",
        "XATA_API_KEY",
        concat("xau_", an(33)),
        (
            concat("xau_", an(31)),
            concat("xau_", an(37)),
            concat("xau-", an(33)),
            concat("xae_", an(33)),
        ),
        edge=rb"(?![A-Za-z0-9_])",
        score=75,
    ),
)
