"""CockroachDB Cloud API keys.

What it is: a key of a service account of CockroachDB Cloud: `CCDB1_`, 22 letters and digits (the id), `_`, and 40 (the
  secret).
Where it is used: `COCKROACH_API_KEY`, Terraform, the `ccloud` command line.
What an attacker can do: all that the service account's roles allow: read and change clusters, their users and backups.
How to replace it: create a new key for the service account at cockroachlabs.cloud, Access Management, and delete the old
  one.
References: https://www.cockroachlabs.com/docs/cockroachcloud/managing-access
  https://github.com/cockroachdb/terraform-provider-cockroach (api_key_resource.go: both lengths)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential

KEY = Kind("cockroachdb/api-key")

KINDS = (
    credential(
        KEY,
        "CockroachDB Cloud API key",
        "critical",
        "https://cockroachlabs.cloud/",
        see="https://www.cockroachlabs.com/docs/cockroachcloud/managing-access",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"CCDB1_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}",
        "COCKROACH_API_KEY",
        concat("CCDB1_", an(22), "_", an(40)),
        (
            concat("CCDB1_", an(21), "_", an(40)),
            concat("CCDB1_", an(22), "_", an(39)),
            concat("CCDB2_", an(22), "_", an(41)),
        ),
        score=85,
    ),
)
