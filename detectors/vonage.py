"""Vonage secrets.

What it is: the secret of a Vonage (Nexmo) account beside its key of 8 hex digits: 16 letters and digits as the vendor makes
  it, or 8 to 25 characters that its owner chose, with small and capital letters and digits in it.
Where it is used: `VONAGE_API_SECRET`, `NEXMO_API_SECRET`, addresses with `api_key=…&api_secret=…`.
What an attacker can do: send messages and make calls on the account's bill, read them.
How to replace it: add a second secret in the dashboard's settings, switch over, and delete the old one.
References: https://developer.vonage.com/en/account/secret-management
  https://developer.vonage.com/account/code-snippets/create-a-secret (length and rules)
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import an, concat, hexa, lower, part, text

from ._cloud import by_name, credential
from ._forms import SLUG

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

_CHOSEN = (
    rb"(?=[A-Z0-9]{0,24}[a-z])(?=[a-z0-9]{0,24}[A-Z])(?=[A-Za-z]{0,24}[0-9])"
    rb"(?:[A-Za-z0-9]{17,25}|[A-Za-z0-9]{8,15})"
)
"""What the vendor lets its customers choose."""


RULES = (
    by_name(
        SECRET,
        rb"(?:vonage|nexmo)[a-z0-9_. -]{0,20}secret",
        rb"[A-Za-z0-9]{16}",
        "VONAGE_API_SECRET",
        an(16),
        (
            lower(15),
            lower(17),
            concat(lower(15), "_"),
        ),
        score=74,
    ),
    by_name(
        SECRET,
        rb"(?:vonage|nexmo)[a-z0-9_. -]{0,20}secret",
        _CHOSEN,
        "NEXMO_API_SECRET",
        an(20),
        (
            an(7),
            an(26),
            lower(20),
            concat(an(11), "_"),
        ),
        edge=SLUG,
        score=68,
        id="vonage/api-secret-chosen",
    ),
    Rule(
        "vonage/api-secret-in-address",
        SECRET,
        rb"(?:nexmo|vonage)\.com/[^\s\"'`<>]{1,200}?[?&]api_secret=(?P<secret>[A-Za-z0-9]{16}|"
        + _CHOSEN
        + rb")(?![A-Za-z0-9])",
        score=82,
        examples=tuple(
            text(before, "https://rest.nexmo.com/sms/json?api_key=", hexa(8), "&api_secret=", part("secret", an(16)), after)
            for before, after in (("curl '", "'\n"), ('{"url": "', '"}\n'), ("url = '", "&to=1'\n"))
        ),
        near_misses=(
            text("curl https://rest.nexmo.com/sms/json?api_secret=", lower(15), "\n"),
            text("curl https://rest.nexmo.com/sms/json?api_secret=", an(26), "\n"),
            text("curl https://rest.nexmo.com/sms/json?id=", an(16), "\n"),
            text("curl https://rest.corp.io/sms/json?api_secret=", an(16), "\n"),
        ),
    ),
)
