"""ClickHouse Cloud API keys.

What it is: a key of the ClickHouse Cloud API: an id of some 20 letters and digits, and a secret of 42 that begins with
  `4b1d`, as an employee of the vendor says and examples of its Terraform provider show.
Where it is used: `CLICKHOUSE_CLOUD_API_SECRET`, `CLICKHOUSE_TOKEN_SECRET`, Terraform.
What an attacker can do: all that the key's roles allow: create, read, stop and delete services and backups.
How to replace it: create a new key at console.clickhouse.cloud, API keys, and delete the old one.
References: https://clickhouse.com/docs/cloud/manage/openapi
  https://github.com/gitleaks/gitleaks/pull/1826 (the stem and the length)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, hexa

from ._cloud import by_prefix, credential

SECRET = Kind("clickhouse-cloud/api-secret")

KINDS = (
    credential(
        SECRET,
        "ClickHouse Cloud API secret",
        "critical",
        "https://console.clickhouse.cloud/",
        see="https://clickhouse.com/docs/cloud/manage/openapi",
    ),
)

RULES = (
    by_prefix(
        SECRET,
        rb"4b1d(?=[A-Za-z0-9]{0,37}[A-Z])[A-Za-z0-9]{38}",
        "CLICKHOUSE_CLOUD_API_SECRET",
        concat("4b1d", an(38)),
        (
            concat("4b1d", an(37)),
            concat("4b1d", an(39)),
            concat("4b1d", hexa(38)),
        ),
        score=70,
    ),
)
