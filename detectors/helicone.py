"""Helicone keys.

What it is: a key of Helicone: `sk-helicone-` or `pk-helicone-` (with `eu-`, with `rl-`) and four groups of seven small
  letters and digits; a proxy key is `sk-helicone-proxy-`, four such groups and a UUID.
Where it is used: `HELICONE_API_KEY`, header `Helicone-Auth: Bearer`.
What an attacker can do: read the logged prompts and answers; a proxy key also spends on the models behind it.
How to replace it: create a new key at us.helicone.ai, Settings, API keys, and delete the old one.
References: https://docs.helicone.ai/helicone-headers/helicone-auth
  https://github.com/Helicone/helicone (worker/src/lib/util/apiKeyRegex.ts; KeyManager.ts: the proxy key)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import Shape, assigned, concat, hexa, lower, uuid4

from ._cloud import by_prefix, credential
from ._forms import SLUG, UUID

KEY = Kind("helicone/api-key")

KINDS = (
    credential(
        KEY,
        "Helicone API key",
        "high",
        "https://us.helicone.ai/settings/api-keys",
        see="https://docs.helicone.ai/helicone-headers/helicone-auth",
    ),
)


def _groups(count: int) -> Shape:
    return concat(lower(7), *(concat("-", lower(7)) for _ in range(count - 1)))


RULES = (
    by_prefix(
        KEY,
        rb"(?:[sp]k-helicone-(?:eu-)?(?:rl-)?[a-z0-9]{7}(?:-[a-z0-9]{7}){3}|sk-helicone-proxy-(?:[a-z0-9]{7}-){4}"
        + UUID
        + rb")",
        "HELICONE_API_KEY",
        concat("sk-helicone-", _groups(4)),
        (
            concat("sk-helicone-", _groups(3)),
            concat("sk-helicone-", _groups(5)),
            concat("sk-helicone-", _groups(3), "-", lower(6)),
            concat("sk-helicopter-", _groups(4)),
            concat("sk-helicone-rl-eu-", _groups(4)),
            concat("sk-helicone-proxy-", _groups(4)),
            concat("sk-helicone-proxy-", _groups(4), "-", hexa(32)),
        ),
        edge=SLUG,
        score=88,
        more=(
            assigned("HELICONE_API_KEY", concat("pk-helicone-eu-rl-", _groups(4))),
            assigned("HELICONE_PROXY_KEY", concat("sk-helicone-proxy-", _groups(4), "-", uuid4())),
        ),
    ),
)
