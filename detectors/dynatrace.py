"""Dynatrace tokens.

What it is: a token in three parts joined by dots: what it is (`dt0c01` API and agents, `dt0s01` SCIM, `dt0s02`, `dt0s08`
  OAuth clients, `dt0s16` platform), 24 capital letters and digits that are public (8 for some), and 64 that are secret.
Where it is used: `DT_API_TOKEN`, `DYNATRACE_API_TOKEN`, agents' installation commands, header `Authorization: Api-Token`.
What an attacker can do: what its scopes allow: read metrics and traces with what stands in them, change settings, install
  agents' configuration.
How to replace it: create a new token on the Access tokens page of the environment and delete the old one.
References: https://docs.dynatrace.com/docs/shortlink/token
  https://docs.dynatrace.com/docs/shortlink/api-authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, upper

from ._cloud import by_prefix, credential

TOKEN = Kind("dynatrace/api-token")

KINDS = (
    credential(
        TOKEN,
        "Dynatrace token",
        "high",
        "https://docs.dynatrace.com/docs/shortlink/token",
        see="https://docs.dynatrace.com/docs/shortlink/token",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"dt0[a-z][0-9]{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}",
        "DT_API_TOKEN",
        concat("dt0c01.", upper(24), ".", upper(64)),
        (
            concat("dt0c01.", upper(24), ".", upper(63)),
            concat("dt0c01.", upper(24), ".", upper(65)),
            concat("dt0c01.", upper(25), ".", upper(64)),
        ),
        score=90,
    ),
)
