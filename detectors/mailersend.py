"""MailerSend API tokens.

What it is: a token of MailerSend: `mlsn.` and 64 hex digits.
Where it is used: `MAILERSEND_API_KEY`, `MAILERSEND_API_TOKEN`, header `Authorization: Bearer`.
What an attacker can do: send mail in the name of the account's domains, read recipients and templates, as its rights
  allow.
How to replace it: create a new token at app.mailersend.com, Integrations, API tokens, and delete the old one.
References: https://developers.mailersend.com/general.html#authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_prefix, credential

TOKEN = Kind("mailersend/api-token")

KINDS = (
    credential(
        TOKEN,
        "MailerSend API token",
        "high",
        "https://app.mailersend.com/api-tokens",
        see="https://developers.mailersend.com/general.html#authentication",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"mlsn\.[0-9a-f]{64}",
        "MAILERSEND_API_KEY",
        concat("mlsn.", hexa(64)),
        (
            concat("mlsn.", hexa(63)),
            concat("mlsn.", hexa(65)),
            concat("mlsn_", hexa(64)),
        ),
        score=85,
    ),
)
