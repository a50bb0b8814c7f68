"""Apify tokens.

What it is: a token of Apify: `apify_api_` and 36 letters and digits as public code has it (the vendor states no length); the
  proxy's password begins with `apify_proxy_`.
Where it is used: `APIFY_TOKEN`, `~/.apify/auth.json`, addresses with `?token=`, MCP settings.
What an attacker can do: read and change actors, runs and stored data of the account, on its bill.
How to replace it: create a new token at console.apify.com, Settings, API & Integrations, and delete the old one.
References: https://docs.apify.com/platform/integrations/api
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential

TOKEN = Kind("apify/api-token")
PROXY = Kind("apify/proxy-password")

KINDS = (
    credential(
        TOKEN,
        "Apify API token",
        "high",
        "https://console.apify.com/settings/integrations",
        see="https://docs.apify.com/platform/integrations/api",
    ),
    credential(
        PROXY,
        "Apify proxy password",
        "medium",
        "https://console.apify.com/settings/integrations",
        see="https://docs.apify.com/platform/integrations/api",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"apify_api_[A-Za-z0-9]{34,38}",
        "APIFY_TOKEN",
        concat("apify_api_", an(36)),
        (
            concat("apify_api_", an(33)),
            concat("apify_api_", an(39)),
            concat("apify_app_", an(36)),
        ),
        score=90,
    ),
    by_prefix(
        PROXY,
        rb"apify_proxy_[A-Za-z0-9]{28,38}",
        "APIFY_PROXY_PASSWORD",
        concat("apify_proxy_", an(36)),
        (
            concat("apify_proxy_", an(27)),
            concat("apify_proxy_", an(39)),
            concat("apify_proxi_", an(36)),
        ),
        score=85,
    ),
)
