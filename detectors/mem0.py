"""Mem0 keys.

What it is: a key of Mem0: `m0-` and 40 letters and digits (24 to 44 accepted).
Where it is used: `MEM0_API_KEY`, `~/.mem0/config.json`, header `Authorization: Token`.
What an attacker can do: read and change what agents remember of their users.
How to replace it: create a new key at app.mem0.ai, API keys, and delete the old one.
References: https://docs.mem0.ai/api-reference
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, lower

from ._cloud import by_prefix, credential
from ._forms import SLUG, mixed

KEY = Kind("mem0/api-key")

KINDS = (
    credential(KEY, "Mem0 API key", "high", "https://app.mem0.ai/dashboard/api-keys", see="https://docs.mem0.ai/api-reference"),
)

RULES = (
    by_prefix(
        KEY,
        rb"m0-" + mixed(24) + rb"[A-Za-z0-9]{0,20}",
        "MEM0_API_KEY",
        concat("m0-", an(40)),
        (concat("m0-", an(23)), concat("m0-", an(45)), concat("m0_", an(40)), concat("m0-", lower(40))),
        edge=SLUG,
        score=78,
    ),
)
