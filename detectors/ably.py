"""Ably keys.

What it is: a key of Ably: the app's id of 6 characters, a dot, the key's id of 6, a colon, and the secret of 43
  characters of URL-safe base64.
Where it is used: `ABLY_API_KEY`, web and mobile applications, addresses with `key=`.
What an attacker can do: read and send what passes through the app's channels, as the key's capabilities allow.
How to replace it: create a new key on the app's page, API keys, and revoke the old one.
References: https://ably.com/docs/ids-and-keys
  https://ably.com/docs/auth/basic (how SDKs take it)
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import an, b64url, concat, part, text

from ._cloud import by_name, credential, vendor
from ._forms import SLUG

KEY = Kind("ably/api-key")

KINDS = (
    credential(
        KEY, "Ably API key", "high", "https://ably.com/accounts/any/apps/any/app_keys", see="https://ably.com/docs/ids-and-keys"
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(rb"(?<![a-z])ably", rb"(?:key|token|secret)"),
        rb"[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43}",
        "ABLY_API_KEY",
        concat(an(6), ".", an(6), ":", b64url(43)),
        (
            concat(an(6), ".", an(5), ":", b64url(43)),
            concat(an(6), ".", an(6), ":", b64url(42)),
            concat(an(6), ".", an(6), ":", b64url(44)),
        ),
        edge=SLUG,
        score=82,
    ),
    Rule(
        "ably/api-key-in-code",
        KEY,
        rb"Ably(?:\.|::)?(?:Realtime|Rest)(?:\.Promise|\.new)?\(\s{0,12}(?:\{\s{0,12})?(?:key\s?[:=]\s?)?[\"'`](?P<secret>[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])",
        score=85,
        examples=(
            text("const ably = new Ably.Realtime('", part("secret", concat(an(6), ".", an(6), ":", b64url(43))), "');\n"),
            text("const ably = new Ably.Rest({ key: '", part("secret", concat(an(6), ".", an(6), ":", b64url(43))), "' });\n"),
            text("new Ably.Realtime.Promise('", part("secret", concat(an(6), ".", an(6), ":", b64url(43))), "');\n"),
            text("client = AblyRest(key='", part("secret", concat(an(6), ".", an(6), ":", b64url(43))), "')\n"),
            text("rest = Ably::Rest.new(key: '", part("secret", concat(an(6), ".", an(6), ":", b64url(43))), "')\n"),
        ),
        near_misses=(
            text("new Ably.Realtime('", concat(an(6), ".", an(6), ":", b64url(42)), "');\n"),
            text("new Ably.Realtime('", concat(an(6), ".", an(6), ":", b64url(44)), "');\n"),
            text("new Able.Realtime('", concat(an(6), ".", an(6), ":", b64url(43)), "');\n"),
        ),
    ),
)
