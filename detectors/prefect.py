"""Prefect keys.

What it is: a key of a user (`pnu_`) or service account (`pnb_`) of Prefect Cloud: the prefix and 36 letters and digits.
Where it is used: `PREFECT_API_KEY`, `~/.prefect/profiles.toml`, CI that deploys flows.
What an attacker can do: read and run the workspace's flows, read its blocks, which hold credentials.
How to replace it: create a new key in the profile's settings, API keys, and delete the old one.
References: https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential

KEY = Kind("prefect/api-key")

KINDS = (
    credential(
        KEY,
        "Prefect API key",
        "high",
        "https://app.prefect.cloud/my/api-keys",
        see="https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"pn[ub]_[A-Za-z0-9]{36}",
        "PREFECT_API_KEY",
        concat("pnu_", an(36)),
        (
            concat("pnu_", an(35)),
            concat("pnu_", an(37)),
            concat("pnx_", an(36)),
        ),
        score=85,
    ),
)
