"""Typeform personal access tokens.

What it is: tfp_ and 59 characters.
Where it is used: scripts that collect answers, automation, MCP servers; `.env`, n8n and Make flows.
What an attacker can do: read all forms and answers of the account (often names, addresses, applications), change forms and webhooks.
How to replace it: Account, Personal tokens: generate another with the same scopes, deploy it, delete or regenerate the old one.
References: https://www.typeform.com/developers/get-started/personal-access-token/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, b64url, concat

from ._saas import contexts, misses, replace, token

TOKEN = Kind("typeform/token")

KINDS = (
    CredentialKind(TOKEN, "Typeform personal access token", "high",
                   manual=replace("a new token with the same scopes", "https://admin.typeform.com/user/tokens"),
                   references=("https://www.typeform.com/developers/get-started/personal-access-token/",)),
)  # fmt: skip

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"tfp_[A-Za-z0-9_.=-]{59}", rb"(?![A-Za-z0-9_.=-])"),
        score=82,
        examples=contexts("TYPEFORM_TOKEN", concat("tfp_", b64url(44), "_", an(14))),
        near_misses=misses(
            "TYPEFORM_TOKEN", concat("tfp_", b64url(58)), concat("tfp_", b64url(60)), concat("tfp-", b64url(59)), concat("tfq_", b64url(59)),
            concat("tfp_", b64url(30), "/", b64url(28)),
        ),
    ),
)  # fmt: skip
