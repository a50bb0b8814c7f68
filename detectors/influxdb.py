"""InfluxDB tokens.

What it is: a token of InfluxDB 2 or its cloud: 64 bytes in base64, 88 characters that end in `==`; only the name tells
  it.
Where it is used: `INFLUX_TOKEN`, `INFLUXDB_TOKEN`, `~/.influxdbv2/configs`, telegraf.conf, header `Authorization: Token`.
What an attacker can do: read and write the buckets that the token reaches; an all-access token also changes users and
  tokens.
How to replace it: create a new token in the interface, Load Data, API Tokens, or with `influx auth create`, and delete
  the old one.
References: https://docs.influxdata.com/influxdb/v2/admin/tokens/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64, concat

from ._cloud import by_name, credential, vendor

TOKEN = Kind("influxdb/token")

KINDS = (
    credential(
        TOKEN,
        "InfluxDB token",
        "high",
        "https://cloud2.influxdata.com/",
        see="https://docs.influxdata.com/influxdb/v2/admin/tokens/",
    ),
)

RULES = (
    by_name(
        TOKEN,
        vendor(rb"influx(?:db)?", rb"token"),
        rb"[A-Za-z0-9+/_-]{86}==",
        "INFLUX_TOKEN",
        concat(b64(86), "=="),
        (
            concat(b64(85), "=="),
            concat(b64(87), "=="),
            concat(b64(86), "="),
        ),
        edge=rb"(?![A-Za-z0-9+/=])",
        score=78,
    ),
)
