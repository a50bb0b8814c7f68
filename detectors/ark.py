"""Volcengine Ark keys.

What it is: a key of the model platform Ark (Doubao) of Volcengine: `ark-` and a UUID, a short tail may follow; older ones
  are a bare UUID, which only the name tells.
Where it is used: `ARK_API_KEY`, `VOLCENGINE_API_KEY`, `DOUBAO_API_KEY`, settings of agents.
What an attacker can do: call models on the account's bill.
How to replace it: create a new key at console.volcengine.com, Ark, API keys, and delete the old one.
References: https://www.volcengine.com/docs/82379/1541594
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa, uuid4

from ._cloud import by_name, by_prefix, credential
from ._forms import SLUG, UUID

KEY = Kind("volcengine/ark-api-key")

KINDS = (
    credential(
        KEY,
        "Volcengine Ark API key",
        "high",
        "https://console.volcengine.com/ark/region:ark+cn-beijing/apiKey",
        see="https://www.volcengine.com/docs/82379/1541594",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"ark-" + UUID + rb"(?:-[a-z0-9]{4,8})?",
        "ARK_API_KEY",
        concat("ark-", uuid4()),
        (concat("ark-", uuid4(), "a"), concat("ark_", uuid4()), concat("ark-", hexa(32))),
        edge=SLUG,
        score=85,
    ),
    by_name(
        KEY,
        rb"(?:(?<![a-z0-9])ark|volc(?:engine)?|doubao)[a-z0-9_. -]{0,8}api_?-?key",
        UUID,
        "ARK_API_KEY",
        uuid4(),
        (concat(uuid4(), "a"), concat("a", uuid4()), hexa(32)),
        score=65,
        id="volcengine/ark-api-key-old",
    ),
)
