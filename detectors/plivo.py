"""Plivo tokens.

What it is: the auth token of a Plivo account, 40 letters, digits, dashes and underscores, beside its auth id (`MA` or
  `SA` and 18 capital letters and digits).
Where it is used: `PLIVO_AUTH_TOKEN` beside `PLIVO_AUTH_ID`.
What an attacker can do: send messages and make calls on the account's bill, read them.
How to replace it: regenerate the token in the console; the old one ends at once.
References: https://www.plivo.com/docs/account/api/authentication
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_name, credential, vendor
from ._forms import SLUG

TOKEN = Kind("plivo/auth-token")

KINDS = (
    credential(
        TOKEN,
        "Plivo auth token",
        "high",
        "https://console.plivo.com/accounts/authentication/",
        see="https://www.plivo.com/docs/account/api/authentication",
        public=("id",),
    ),
)

RULES = (
    by_name(
        TOKEN,
        vendor(b"plivo", rb"(?:token|secret)"),
        rb"[A-Za-z0-9_-]{40}",
        "PLIVO_AUTH_TOKEN",
        an(40),
        (
            an(39),
            an(41),
            concat(an(39), "+"),
        ),
        edge=SLUG,
        score=74,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>[MS]A[A-Z0-9]{18})(?![A-Za-z0-9])", within=300, optional=True),),
    ),
)
