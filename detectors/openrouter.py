"""OpenRouter keys.

What it is: an API key (`sk-or-v1-` and 64 hex digits). Management keys, which create and delete other keys, look the same.
Where it is used: agents and chat programs of every sort, `OPENROUTER_API_KEY`, the header `Authorization: Bearer`.
What an attacker can do: spend the account's credits on any model up to the key's limit (none by default); with a management key
  list, create and delete all keys.
How to replace it: create a new key with a spending limit at openrouter.ai/settings/keys and delete the old one; with a management
  key by POST /api/v1/keys and DELETE /api/v1/keys/{hash}. Management keys are made at openrouter.ai/settings/management-keys.
References: https://openrouter.ai/docs/api-reference/authentication
  https://openrouter.ai/docs/features/provisioning-api-keys
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat, hexa

from ._model_vendor import prefixed, prefixed_rule, replace

API_KEY = Kind("openrouter/api-key")

KINDS = (
    CredentialKind(API_KEY, "OpenRouter API key", "critical", manual=replace("https://openrouter.ai/settings/keys"),
                   references=("https://openrouter.ai/docs/api-reference/authentication",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"sk-or-v1-[0-9a-f]{64}"), concat("sk-or-v1-", hexa(64)), "OPENROUTER_API_KEY", "openrouter.ai/api/v1/key",
        (concat("sk-or-v1-", hexa(63)), concat("sk-or-v1-", hexa(65)), concat("sk-or_v1-", hexa(64)), concat("sk-or-v1-", an(63), "z")),
        score=85,
    ),
)  # fmt: skip
