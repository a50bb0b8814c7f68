"""Cursor keys.

What it is: a key of Cursor for users, admins or background agents: `key_` and 64 hex digits; newer ones `crsr_` and 64
  hex digits. The lengths are as public code has them.
Where it is used: `CURSOR_API_KEY`, CI that runs agents.
What an attacker can do: run agents in the connected repositories, on the team's bill; an admin key reads members and
  usage.
How to replace it: create a new key at cursor.com, Dashboard, Integrations, and revoke the old one.
References: https://docs.cursor.com/en/background-agent/api/overview
  https://cursor.com/docs/cli/reference/authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_prefix, credential

KEY = Kind("cursor/api-key")

KINDS = (
    credential(
        KEY,
        "Cursor API key",
        "high",
        "https://cursor.com/dashboard/integrations",
        see="https://docs.cursor.com/en/background-agent/api/overview",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"key_[0-9a-f]{64}",
        "CURSOR_API_KEY",
        concat("key_", hexa(64)),
        (
            concat("key_", hexa(63)),
            concat("key_", hexa(65)),
            concat("kay_", hexa(64)),
        ),
        score=75,
    ),
    by_prefix(
        KEY,
        rb"crsr_[0-9a-f]{64}",
        "CURSOR_API_KEY",
        concat("crsr_", hexa(64)),
        (
            concat("crsr_", hexa(63)),
            concat("crsr_", hexa(65)),
            concat("crsr-", hexa(64)),
        ),
        score=85,
        id="cursor/api-key-new",
    ),
)
