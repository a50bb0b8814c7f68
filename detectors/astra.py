"""DataStax Astra tokens.

What it is: an application token of Astra DB: `AstraCS:`, 24 letters and digits (the client id), a colon and 64 hex
  digits.
Where it is used: `ASTRA_DB_APPLICATION_TOKEN`, as the password beside the user `token` in drivers.
What an attacker can do: all that the token's role allows: read, change and delete databases and keyspaces.
How to replace it: generate a new token at astra.datastax.com, Settings, Tokens, and delete the old one.
References: https://docs.datastax.com/en/astra-db-serverless/administration/manage-application-tokens.html
  https://github.com/datastax/astra-cli (AstraToken.java: 97 characters, 24 in the middle)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, hexa

from ._cloud import by_prefix, credential

TOKEN = Kind("astra/application-token")

KINDS = (
    credential(
        TOKEN,
        "DataStax Astra application token",
        "critical",
        "https://astra.datastax.com/settings/tokens",
        see="https://docs.datastax.com/en/astra-db-serverless/administration/manage-application-tokens.html",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"AstraCS:[A-Za-z0-9]{24}:[0-9a-f]{64}",
        "ASTRA_DB_APPLICATION_TOKEN",
        concat("AstraCS:", an(24), ":", hexa(64)),
        (
            concat("AstraCS:", an(24), ":", hexa(63)),
            concat("AstraCS:", an(24), ":", hexa(65)),
            concat("AstraCS:", an(23), ":", hexa(64)),
            concat("AstraCS:", an(25), ":", hexa(64)),
        ),
        score=88,
    ),
)
