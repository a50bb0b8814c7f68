"""Octopus Deploy API keys.

What it is: a key of a user of an Octopus Deploy server: `API-` and 25 to 32 capital letters and digits.
Where it is used: `OCTOPUS_API_KEY`, header `X-Octopus-ApiKey`, `octo` on the command line, CI plug-ins.
What an attacker can do: all that the user may do: read variables, run scripts on deployment targets, deploy.
How to replace it: create a new key on the profile page, My API Keys, and revoke the old one.
References: https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, lower, upper

from ._cloud import by_prefix, credential
from ._forms import SLUG

KEY = Kind("octopus/api-key")

KINDS = (
    credential(
        KEY,
        "Octopus Deploy API key",
        "critical",
        "https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key",
        see="https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"(?<!/)API-(?=[A-Z]{0,25}[0-9])(?=[0-9]{0,25}[A-Z])[A-Z0-9]{25,32}",
        "OCTOPUS_API_KEY",
        concat("API-", upper(26)),
        (
            concat("API-", upper(24)),
            concat("API-", upper(33)),
            concat("API_", upper(26)),
            concat("API-", lower(26)),
        ),
        edge=SLUG,
        score=70,
    ),
)
