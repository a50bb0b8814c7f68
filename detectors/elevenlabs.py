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
from keyward.plugin.verifier import Answer

from ._model_vendor import key_of, named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import FORBIDDEN, Question, Said, asks, cases, in_header

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

# ---- asking the vendor

HOSTS = ("api.elevenlabs.io",)
_USER = Question(
    "https://api.elevenlabs.io", "/v1/user", in_header("xi-api-key"), ("subscription",),
    (Said(401, ('"status":"invalid_api_key"', '"detail":"invalid api key"')),),
    (Said(401, ('"status":"missing_permissions"',)), Said(403, ('"status":"missing_permissions"',), FORBIDDEN)),
    who=("user_id", "subscription.tier"),
)  # fmt: skip
QUESTIONS = {API_KEY: _USER}
"""Asks whose key it is. 401 is the answer to a wrong key and to a good one that may not read its user: the status inside tells
(https://elevenlabs.io/docs/api-reference/user/get)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_KEY,
    '{"user_id":"u1","subscription":{"tier":"creator"}}',
    Answer(401, '{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}'),
    restricted=Answer(401, '{"detail":{"status":"missing_permissions","message":"missing the permission user_read"}}'),
)
