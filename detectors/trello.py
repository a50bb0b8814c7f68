"""Trello tokens.

What it is: a token that a Trello user gave to an application: `ATTA`, 64 hex digits and 8 capital ones. Before 2022 it
  was 64 hex digits, which only the name tells. The application's key beside it (32 hex digits) is public.
Where it is used: `TRELLO_TOKEN`, `TRELLO_API_TOKEN`, addresses with `?key=…&token=…`.
What an attacker can do: read and, if it may write, change the user's boards.
How to replace it: DELETE /1/tokens/TOKEN with itself ends it; the user may also revoke it on the account's page.
References: https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa, upper_hex

from ._cloud import by_name, by_prefix, credential, vendor

TOKEN = Kind("trello/api-token")

KINDS = (
    credential(
        TOKEN,
        "Trello token",
        "high",
        "https://trello.com/my/account",
        see="https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"ATTA[0-9a-f]{64}[0-9A-F]{8}",
        "TRELLO_TOKEN",
        concat("ATTA", hexa(64), upper_hex(8)),
        (
            concat("ATTA", hexa(63), upper_hex(8)),
            concat("ATTA", hexa(64), upper_hex(7)),
            concat("ATTB", hexa(64), upper_hex(8)),
        ),
        score=88,
    ),
    by_name(
        TOKEN,
        vendor(b"trello", rb"token"),
        rb"[0-9a-f]{64}",
        "TRELLO_TOKEN",
        hexa(64),
        (
            hexa(63),
            hexa(65),
            upper_hex(64),
        ),
        score=72,
        id="trello/api-token-old",
    ),
)
