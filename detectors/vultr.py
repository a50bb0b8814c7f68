"""Vultr API keys.

What it is: a key of an account or sub-user of Vultr: 36 capital letters and digits without a prefix, so that only the
  name tells it.
Where it is used: `VULTR_API_KEY`, `~/.vultr-cli.yaml`, Terraform, Packer.
What an attacker can do: create and destroy servers, read their passwords and snapshots, all on the owner's bill, from the
  addresses that the key's access list allows.
How to replace it: add a second key among the user access tokens at my.vultr.com, switch over and delete the old one, or
  regenerate the account's key, which ends the old one at once.
References: https://www.vultr.com/api/
  https://docs.vultr.com/platform/other/api/current-user/rotate-api-key
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import lower, upper

from ._cloud import by_name, credential, vendor

KEY = Kind("vultr/api-key")

KINDS = (
    credential(
        KEY, "Vultr API key", "critical", "https://my.vultr.com/settings/#settingsapi", see="https://www.vultr.com/api/"
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(b"vultr"),
        rb"[A-Z0-9]{36}",
        "VULTR_API_KEY",
        upper(36),
        (
            upper(35),
            upper(37),
            lower(36),
        ),
        score=68,
    ),
)
