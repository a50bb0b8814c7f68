"""Opsgenie API keys.

What it is: a key of an integration or of the API of Opsgenie: a UUID, so that only the name or the header tells it.
Where it is used: `OPSGENIE_API_KEY`, `opsgenie_api_key` in alertmanager.yml, header `Authorization: GenieKey`.
What an attacker can do: create and close alerts; with a key of the API read and change teams, schedules and users'
  telephone numbers.
How to replace it: create a new key in the integration's settings or API key management, and delete the old one.
References: https://docs.opsgenie.com/docs/api-key-management
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa, uuid4

from ._cloud import by_name, credential, header, vendor
from ._forms import UUID

KEY = Kind("opsgenie/api-key")

KINDS = (
    credential(
        KEY,
        "Opsgenie API key",
        "high",
        "https://app.opsgenie.com/settings/api-key-management",
        see="https://docs.opsgenie.com/docs/api-key-management",
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(b"opsgenie") + rb"|geniekey",
        UUID,
        "OPSGENIE_API_KEY",
        uuid4(),
        (concat(uuid4(), "a"), concat("a", uuid4()), hexa(32)),
        score=70,
        more=(header("Authorization: GenieKey ", uuid4()),),
    ),
)
