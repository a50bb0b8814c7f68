"""Mollie API keys.

What it is: a key of Mollie: `live_` and 30 letters and digits; test keys begin with `test_`, access tokens of
  organisations with `access_`. As others use such prefixes too, a key without its name counts only if letters of both
  cases and digits are mixed.
Where it is used: `MOLLIE_API_KEY`, shops' settings, header `Authorization: Bearer`.
What an attacker can do: with a live key read payments and customers and refund money.
How to replace it: roll the key in the dashboard, Developers, API keys; the old one works for a while longer.
References: https://docs.mollie.com/reference/authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, lower

from ._cloud import by_name, by_prefix, credential, vendor
from ._forms import mixed

KEY = Kind("mollie/api-key")
TEST = Kind("mollie/test-key")
ORGANISATION = Kind("mollie/access-token")

KINDS = (
    credential(
        KEY,
        "Mollie API key",
        "critical",
        "https://my.mollie.com/dashboard/developers/api-keys",
        see="https://docs.mollie.com/reference/authentication",
    ),
    credential(
        TEST,
        "Mollie test key",
        "low",
        "https://my.mollie.com/dashboard/developers/api-keys",
        see="https://docs.mollie.com/reference/authentication",
    ),
    credential(
        ORGANISATION,
        "Mollie organisation access token",
        "critical",
        "https://my.mollie.com/dashboard/developers/api-keys",
        see="https://docs.mollie.com/reference/authentication",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"live_" + mixed(30),
        "MOLLIE_API_KEY",
        concat("live_", an(30)),
        (concat("live_", an(29)), concat("live_", an(31)), concat("live-", an(30)), concat("live_", lower(30))),
        edge=rb"(?![A-Za-z0-9_])",
        score=65,
    ),
    by_name(
        TEST,
        vendor(b"mollie"),
        rb"test_[A-Za-z0-9]{30}",
        "MOLLIE_API_KEY",
        concat("test_", an(30)),
        (concat("test_", an(29)), concat("test_", an(31)), concat("best_", an(30))),
        score=40,
    ),
    by_name(
        ORGANISATION,
        vendor(b"mollie"),
        rb"access_[A-Za-z0-9]{30,40}",
        "MOLLIE_ACCESS_TOKEN",
        concat("access_", an(34)),
        (
            concat("access_", an(29)),
            concat("access_", an(41)),
            concat("excess_", an(34)),
        ),
        score=75,
    ),
)
