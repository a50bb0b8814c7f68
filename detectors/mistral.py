"""Mistral AI keys.

What it is: an API key of La Plateforme, or of the separate Codestral endpoint: 32 letters and digits, without a prefix. Only the
  name beside it tells.
Where it is used: Mistral's SDKs, editors' code completion, agents; `MISTRAL_API_KEY`, `CODESTRAL_API_KEY`.
What an attacker can do: run models at the workspace's cost, read its uploaded files, fine-tuned models, agents and conversations.
How to replace it: create a new key at console.mistral.ai/api-keys and delete the old one there; a workspace may have several keys.
References: https://docs.mistral.ai/getting-started/quickstart
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an

from ._model_vendor import has_digit, key_of, named, named_rule, replace

API_KEY = Kind("mistral/api-key")

KINDS = (
    CredentialKind(API_KEY, "Mistral API key", "critical", manual=replace("https://console.mistral.ai/api-keys"),
                   references=("https://docs.mistral.ai/getting-started/quickstart",)),
)  # fmt: skip

RULES = (
    named_rule(
        API_KEY, named(key_of(rb"(?:mistral|codestral)"), rb"[A-Za-z0-9]{32}"), an(32), "MISTRAL_API_KEY", (an(31), an(33), an(16) + "_" + an(15)),
        check=has_digit, rule_id=str(API_KEY),
    ),
)  # fmt: skip
