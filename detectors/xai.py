"""xAI (Grok) keys.

What it is: an API key (`xai-` and about 80 characters) and a management key (`xai-token-`; its prefix and length are unverified).
Where it is used: the Grok models by OpenAI-compatible SDKs, agents, voice and image programs; `XAI_API_KEY`, `XAI_MANAGEMENT_API_KEY`.
What an attacker can do: spend the team's credits on models; with a management key create, change and delete the team's API keys.
How to replace it: create a new key at console.x.ai and delete the old one, or do the same by the management API. A key that xAI
  finds leaked is blocked by the vendor itself.
References: https://docs.x.ai/docs/api-reference
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat

from ._model_vendor import prefixed, prefixed_rule, replace

API_KEY = Kind("xai/api-key")
MANAGEMENT = Kind("xai/management-key")

_DOCS = ("https://docs.x.ai/docs/api-reference",)

KINDS = (
    CredentialKind(API_KEY, "xAI API key", "critical", manual=replace("https://console.x.ai/team/default/api-keys"), references=_DOCS),
    CredentialKind(MANAGEMENT, "xAI management key", "critical", manual=replace("https://console.x.ai/team/default/management-keys"),
                   references=_DOCS),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"xai-[A-Za-z0-9_]{70,120}"), concat("xai-", an(80)), "XAI_API_KEY", "api.x.ai/v1/api-key",
        (concat("xai-", an(69)), concat("xai-", an(121)), concat("xai_", an(80)), concat("xai-", an(40), "-", an(40))), score=80,
    ),
    prefixed_rule(
        MANAGEMENT, prefixed(rb"xai-token-[A-Za-z0-9_]{50,120}"), concat("xai-token-", an(80)), "XAI_MANAGEMENT_API_KEY",
        "management-api.x.ai/auth/teams",
        (concat("xai-token-", an(49)), concat("xai-token-", an(121)), concat("xai-token_", an(40)), concat("xai_token-", an(80))), score=80,
    ),
)  # fmt: skip
