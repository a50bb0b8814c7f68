"""ClickUp API tokens.

What it is: a personal token of ClickUp: `pk_`, the user's number, `_` and 32 capital letters and digits.
Where it is used: `CLICKUP_API_TOKEN`, header `Authorization` without a word before it, MCP settings.
What an attacker can do: all that the user may do: read and change tasks, documents and comments.
How to replace it: regenerate the token in the user's settings, Apps; the old one ends at once.
References: https://developer.clickup.com/docs/authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, digits, upper

from ._cloud import by_prefix, credential

TOKEN = Kind("clickup/api-token")

KINDS = (
    credential(
        TOKEN,
        "ClickUp API token",
        "high",
        "https://app.clickup.com/settings/apps",
        see="https://developer.clickup.com/docs/authentication",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"pk_[0-9]{5,12}_[0-9A-Z]{32}",
        "CLICKUP_API_TOKEN",
        concat("pk_", digits(8), "_", upper(32)),
        (
            concat("pk_", digits(8), "_", upper(31)),
            concat("pk_", digits(8), "_", upper(33)),
            concat("pk_", digits(4), "_", upper(32)),
        ),
        score=88,
    ),
)
