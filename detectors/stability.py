"""Stability AI keys.

What it is: an API key of the Stability platform, `sk-` and 48 letters and digits. Moonshot, SiliconFlow, Hunyuan and relays use the
  same shape: the name or the base URL beside it decides.
Where it is used: image, video, audio and 3D generation in web back ends, bots and plug-ins; `STABILITY_API_KEY`, `STABILITY_KEY`.
What an attacker can do: spend the account's credits on generations, read the account's mail address and organisations.
How to replace it: create a new key at platform.stability.ai/account/keys and delete the old one there.
References: https://platform.stability.ai/docs/getting-started/authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat

from ._model_vendor import by_url_rules, key_of, named, named_rule, replace

API_KEY = Kind("stability/api-key")

KINDS = (
    CredentialKind(API_KEY, "Stability AI API key", "critical", public=("base_url",), manual=replace("https://platform.stability.ai/account/keys"),
                   references=("https://platform.stability.ai/docs/getting-started/authentication",)),
)  # fmt: skip

_BODY = rb"sk-[A-Za-z0-9]{48}"
_KEY = concat("sk-", an(48))
_MISSES = (concat("sk-", an(47)), concat("sk-", an(49)), concat("sk_", an(48)), concat("sk-", an(24), "-", an(23)))

RULES = (
    named_rule(API_KEY, named(key_of(rb"(?:stability|dreamstudio)"), _BODY), _KEY, "STABILITY_API_KEY", _MISSES, score=80),
    *by_url_rules(API_KEY, _BODY, _KEY, "api.stability.ai", rb"(?:api|grpc)\.stability\.ai", _MISSES),
)
