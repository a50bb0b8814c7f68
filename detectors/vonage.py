"""Vonage secrets.

What it is: the secret of a Vonage (Nexmo) account, 16 letters and digits, beside its key of 8 hex digits; and the secret
  that signs messages.
Where it is used: `VONAGE_API_SECRET`, `NEXMO_API_SECRET`, addresses with `api_key=…&api_secret=…`.
What an attacker can do: send messages and make calls on the account's bill, read them.
How to replace it: add a second secret in the dashboard's settings, switch over, and delete the old one.
References: https://developer.vonage.com/en/account/secret-management
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import an, concat, hexa, part, text

from ._cloud import by_name, credential

SECRET = Kind("vonage/api-secret")

KINDS = (
    credential(
        SECRET,
        "Vonage API secret",
        "high",
        "https://dashboard.nexmo.com/settings",
        see="https://developer.vonage.com/en/account/secret-management",
    ),
)

RULES = (
    by_name(
        SECRET,
        rb"(?:vonage|nexmo)[a-z0-9_. -]{0,20}secret",
        rb"[A-Za-z0-9]{16}",
        "VONAGE_API_SECRET",
        an(16),
        (
            an(15),
            an(17),
            concat(an(15), "_"),
        ),
        score=74,
    ),
    Rule(
        "vonage/api-secret-in-address",
        SECRET,
        rb"(?:nexmo|vonage)\.com/[^\s\"'`<>]{1,200}?[?&]api_secret=(?P<secret>[A-Za-z0-9]{16})(?![A-Za-z0-9])",
        score=82,
        examples=tuple(
            text(before, "https://rest.nexmo.com/sms/json?api_key=", hexa(8), "&api_secret=", part("secret", an(16)), after)
            for before, after in (("curl '", "'\n"), ('{"url": "', '"}\n'), ("url = '", "&to=1'\n"))
        ),
        near_misses=(
            text("curl https://rest.nexmo.com/sms/json?api_secret=", an(15), "\n"),
            text("curl https://rest.nexmo.com/sms/json?id=", an(16), "\n"),
            text("curl https://rest.corp.io/sms/json?api_secret=", an(16), "\n"),
        ),
    ),
)
