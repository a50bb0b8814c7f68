"""InfluxDB tokens.

What it is: a token of InfluxDB 2 or its cloud: 64 bytes in URL-safe base64, 88 characters that end in `==`; only the name
  tells it. One of InfluxDB 3: `apiv3_` and 86 characters of URL-safe base64, that many in public code.
Where it is used: `INFLUX_TOKEN`, `INFLUXDB_TOKEN`, `~/.influxdbv2/configs`, telegraf.conf, header `Authorization: Token`;
  `INFLUXDB3_AUTH_TOKEN`, the file of `--admin-token-file`, header `Authorization: Bearer`.
What an attacker can do: read and write the buckets that the token reaches; an all-access token also changes users and
  tokens.
How to replace it: create a new token in the interface, Load Data, API Tokens, or with `influx auth create`, and delete
  the old one; InfluxDB 3: `influxdb3 create token`, then `influxdb3 delete token`.
References: https://docs.influxdata.com/influxdb/v2/admin/tokens/
  https://github.com/influxdata/influxdb (rand/token.go: how one of version 2 is made)
  https://docs.influxdata.com/influxdb3/core/admin/tokens/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64, b64url, concat

from ._cloud import by_name, by_prefix, credential, vendor
from ._forms import SLUG

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
    by_prefix(
        TOKEN,
        rb"apiv3_[A-Za-z0-9_-]{86}",
        "INFLUXDB3_AUTH_TOKEN",
        concat("apiv3_", b64url(86)),
        (
            concat("apiv3_", b64url(85)),
            concat("apiv3_", b64url(87)),
            concat("apiv2_", b64url(86)),
        ),
        edge=SLUG,
        score=88,
        id="influxdb/token-3",
    ),
)
