"""Postmark server and account tokens.

What it is: a UUID. A server token sends mail and reads one server's messages; an account token manages servers, domains and senders.
Where it is used: mail from applications, over the API (X-Postmark-Server-Token) or over SMTP, where the token is both user name and
  password; `.env`, Rails and Laravel settings.
What an attacker can do: send mail from the verified domains, read the stored messages of the last 45 days with their bodies
  (password resets); with an account token make servers and delete domains.
How to replace it: a server can have three tokens: generate another at API Tokens, deploy it, delete the old one. The account
  token is made at Account, API Tokens.
References: https://postmarkapp.com/developer/api/overview
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import concat, hexa, part, text, uuid4

from ._saas import URLSAFE_EDGE, UUID, misses, named, named_contexts, replace, secret

TOKEN = Kind("postmark/token")

KINDS = (
    CredentialKind(TOKEN, "Postmark token", "high", manual=replace("another token at the server's API Tokens", "https://account.postmarkapp.com/servers"),
                   references=("https://postmarkapp.com/developer/api/overview",)),
)  # fmt: skip

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        named(rb"postmark[\w.-]{0,20}(?:token|key|password)", secret(UUID), URLSAFE_EDGE),
        score=72,
        examples=(
            *named_contexts("POSTMARK_SERVER_TOKEN", uuid4()),
            text('curl -H "X-Postmark-Account-Token: ', part("secret", uuid4()), '" https://api.postmarkapp.com/servers\n'),
        ),
        near_misses=(
            *misses("POSTMARK_SERVER_TOKEN", hexa(32), concat(uuid4(), "0"), concat(uuid4(), "-", hexa(4))),
            *misses("POSTMARK_SERVER_ID", uuid4()),
            *misses("REQUEST_TOKEN", uuid4()),
        ),
    ),
)  # fmt: skip
