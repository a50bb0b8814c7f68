"""Zendesk API tokens.

What it is: a token of the API of a Zendesk account, 40 letters and digits without a prefix; it is used with a mail
  address and `/token`.
Where it is used: `ZENDESK_API_TOKEN`, `ZENDESK_TOKEN`, curl with `-u name/token:…`.
What an attacker can do: act as any user of the account: read and change tickets, users and settings.
How to replace it: add a new token in the Admin Center, Apps and integrations, Zendesk API, and delete the old one.
References: https://developer.zendesk.com/api-reference/introduction/security-and-auth/
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import an, concat, part, text

from ._cloud import by_name, credential, vendor

TOKEN = Kind("zendesk/api-token")

KINDS = (
    credential(
        TOKEN,
        "Zendesk API token",
        "high",
        "https://www.zendesk.com/admin/apps-integrations/apis/zendesk-api",
        see="https://developer.zendesk.com/api-reference/introduction/security-and-auth/",
    ),
)

RULES = (
    by_name(
        TOKEN,
        vendor(b"zendesk", rb"(?:token|key|secret)"),
        rb"[A-Za-z0-9]{40}",
        "ZENDESK_API_TOKEN",
        an(40),
        (
            an(39),
            an(41),
            concat(an(39), "_"),
        ),
        score=68,
    ),
    Rule(
        "zendesk/api-token-in-login",
        TOKEN,
        rb"@[A-Za-z0-9.-]{3,80}/token:(?P<secret>[A-Za-z0-9]{40})(?![A-Za-z0-9])",
        score=82,
        examples=(
            text("curl -u kim@acme.io/token:", part("secret", an(40)), " https://acme.zendesk.com/api/v2/users/me.json\n"),
            text("auth = 'kim@acme.io/token:", part("secret", an(40)), "'\n"),
            text('{"login": "kim@acme.io/token:', part("secret", an(40)), '"}\n'),
        ),
        near_misses=(
            text("curl -u kim@acme.io/token:", an(39), "\n"),
            text("curl -u kim@acme.io/token:", an(41), "\n"),
            text("curl -u kim@acme.io/other:", an(40), "\n"),
        ),
    ),
)
