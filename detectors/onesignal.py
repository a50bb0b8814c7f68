"""OneSignal keys.

What it is: a key of an app (`os_v2_app_`) or organisation (`os_v2_org_`) of OneSignal: the prefix and 103 characters of
  base32; older app keys are base64 of a UUID, which only the name tells.
Where it is used: `ONESIGNAL_API_KEY`, `ONESIGNAL_REST_API_KEY`, header `Authorization: Key`.
What an attacker can do: send messages to everybody who uses the app, read and change subscriptions.
How to replace it: create a new key in the app's settings, Keys & IDs, and delete the old one.
References: https://documentation.onesignal.com/docs/keys-and-ids
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import LOWER, b64, chars, concat

from ._cloud import by_name, by_prefix, credential

KEY = Kind("onesignal/api-key")

KINDS = (
    credential(
        KEY,
        "OneSignal API key",
        "high",
        "https://dashboard.onesignal.com/",
        see="https://documentation.onesignal.com/docs/keys-and-ids",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"os_v2_(?:app|org)_[a-z2-7]{103}",
        "ONESIGNAL_API_KEY",
        concat("os_v2_app_", chars(LOWER + "234567", 103)),
        (
            concat("os_v2_app_", chars(LOWER + "234567", 102)),
            concat("os_v2_app_", chars(LOWER + "234567", 104)),
            concat("os_v2_abc_", chars(LOWER + "234567", 103)),
        ),
        score=90,
    ),
    by_name(
        KEY,
        rb"onesignal[a-z0-9_. -]{0,16}(?:api_?-?key|rest_?-?key|auth_?-?key)",
        rb"[A-Za-z0-9+/]{48}",
        "ONESIGNAL_REST_API_KEY",
        b64(48),
        (
            b64(47),
            b64(49),
            concat(b64(47), "_"),
        ),
        edge=rb"(?![A-Za-z0-9+/=])",
        score=72,
        id="onesignal/api-key-old",
    ),
)
