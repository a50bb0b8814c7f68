"""MessageBird keys.

What it is: a key of MessageBird (Bird): 25 letters and digits, test keys with `test_` before them; only the name or the
  header tells it.
Where it is used: `MESSAGEBIRD_API_KEY`, header `Authorization: AccessKey`.
What an attacker can do: send messages and make calls on the account's bill, read them.
How to replace it: add a new key in the dashboard, Developers, API access, and delete the old one.
References: https://developers.messagebird.com/api/#authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_name, credential, header, vendor

KEY = Kind("messagebird/api-key")

KINDS = (
    credential(
        KEY,
        "MessageBird API key",
        "high",
        "https://dashboard.messagebird.com/en/developers/access",
        see="https://developers.messagebird.com/api/#authentication",
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(b"message_?bird", rb"(?:key|token|secret)") + rb"|accesskey",
        rb"[A-Za-z0-9]{25}",
        "MESSAGEBIRD_API_KEY",
        an(25),
        (an(24), an(26), concat(an(24), "_")),
        score=74,
        more=(header("Authorization: AccessKey ", an(25)),),
    ),
)
