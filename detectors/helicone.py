"""Helicone keys.

What it is: a key of Helicone: `sk-helicone-` (`sk-helicone-eu-`, `pk-helicone-`, `sk-helicone-proxy-`) and four groups of
  seven small letters and digits.
Where it is used: `HELICONE_API_KEY`, header `Helicone-Auth: Bearer`.
What an attacker can do: read the logged prompts and answers; a proxy key also spends on the models behind it.
How to replace it: create a new key at us.helicone.ai, Settings, API keys, and delete the old one.
References: https://docs.helicone.ai/helicone-headers/helicone-auth
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, lower

from ._cloud import by_prefix, credential
from ._forms import SLUG

KEY = Kind("helicone/api-key")

KINDS = (
    credential(
        KEY,
        "Helicone API key",
        "high",
        "https://us.helicone.ai/settings/api-keys",
        see="https://docs.helicone.ai/helicone-headers/helicone-auth",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"[sp]k-helicone-(?:eu-|proxy-)?[a-z0-9]{7}(?:-[a-z0-9]{7}){3}",
        "HELICONE_API_KEY",
        concat("sk-helicone-", lower(7), "-", lower(7), "-", lower(7), "-", lower(7)),
        (
            concat("sk-helicone-", lower(7), "-", lower(7), "-", lower(7)),
            concat("sk-helicone-", lower(7), "-", lower(7), "-", lower(7), "-", lower(6)),
            concat("sk-helicopter-", lower(7), "-", lower(7), "-", lower(7), "-", lower(7)),
        ),
        edge=SLUG,
        score=88,
    ),
)
