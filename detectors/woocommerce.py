"""WooCommerce keys.

What it is: a key of a shop's REST API: the consumer secret `cs_` and 40 hex digits, with the consumer key `ck_` and 40
  hex digits beside it.
Where it is used: `WC_CONSUMER_SECRET`, integrations, addresses with `?consumer_key=…&consumer_secret=…`.
What an attacker can do: read and, if the key may write, change the shop's orders, customers and products.
How to replace it: add a new key in the shop's settings, Advanced, REST API, and revoke the old one.
References: https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_prefix, credential

SECRET = Kind("woocommerce/consumer-secret")

KINDS = (
    credential(
        SECRET,
        "WooCommerce consumer secret",
        "high",
        "https://woocommerce.com/document/woocommerce-rest-api/",
        see="https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication",
        public=("id",),
    ),
)

RULES = (
    by_prefix(
        SECRET,
        rb"cs_[0-9a-f]{40}",
        "WC_CONSUMER_SECRET",
        concat("cs_", hexa(40)),
        (
            concat("cs_", hexa(39)),
            concat("cs_", hexa(41)),
            concat("cs-", hexa(40)),
        ),
        score=80,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>ck_[0-9a-f]{40})(?![A-Za-z0-9])", within=300, optional=True),),
    ),
)
