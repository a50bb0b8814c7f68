"""ElevenLabs keys.

What it is: an API key, `sk_` and 48 hex digits; older ones are 32 hex digits, which only their name or header gives away.
Where it is used: speech and voice cloning, voice agents, telephony; `ELEVENLABS_API_KEY`, `XI_API_KEY`, the header `xi-api-key`.
What an attacker can do: spend the subscription's characters, speak with the owner's cloned voices, read the history of generated
  speech and of agents' calls. Keys may be limited to some of this.
How to replace it: create a new key with only the rights it needs at elevenlabs.io/app/settings/api-keys, delete the old one.
References: https://elevenlabs.io/docs/api-reference/authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import concat, hexa, upper_hex

from ._model_vendor import key_of, named, named_rule, prefixed, prefixed_rule, replace

API_KEY = Kind("elevenlabs/api-key")

KINDS = (
    CredentialKind(API_KEY, "ElevenLabs API key", "critical", manual=replace("https://elevenlabs.io/app/settings/api-keys"),
                   references=("https://elevenlabs.io/docs/api-reference/authentication",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"sk_[0-9a-f]{48}", edge=rb"(?![A-Za-z0-9_])"), concat("sk_", hexa(48)), "ELEVENLABS_API_KEY", "api.elevenlabs.io/v1/user",
        (concat("sk_", hexa(47)), concat("sk_", hexa(49)), concat("sk-", hexa(48)), concat("sk_", upper_hex(48))), header="xi-api-key: ",
    ),
    named_rule(
        API_KEY, named(rb"(?:" + key_of(rb"(?:eleven_?labs|(?<![a-z0-9])eleven)") + rb"|(?<![a-z0-9])xi[_-]api[_-]key)", rb"[0-9a-f]{32}"), hexa(32), "XI_API_KEY",
        (hexa(31), hexa(33), upper_hex(32)),
    ),
)  # fmt: skip
