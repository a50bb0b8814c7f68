"""Flutterwave keys.

What it is: the secret key of a Flutterwave account: `FLWSECK-` and 32 hex digits and `-X`, newer ones with a longer body
  and `vt` in it; test keys have `_TEST`.
Where it is used: `FLW_SECRET_KEY`, `FLUTTERWAVE_SECRET_KEY`, shops' settings.
What an attacker can do: with a live key read customers and payments, refund, and transfer money out of the balance.
How to replace it: generate new keys in the dashboard, Settings, API; the old ones end at once.
References: https://developer.flutterwave.com/v3.0.0/docs/authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_prefix, credential

KEY = Kind("flutterwave/secret-key")
TEST = Kind("flutterwave/test-key")

KINDS = (
    credential(
        KEY,
        "Flutterwave secret key",
        "critical",
        "https://app.flutterwave.com/dashboard/settings/apis",
        see="https://developer.flutterwave.com/v3.0.0/docs/authentication",
    ),
    credential(
        TEST,
        "Flutterwave test key",
        "low",
        "https://app.flutterwave.com/dashboard/settings/apis",
        see="https://developer.flutterwave.com/v3.0.0/docs/authentication",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"FLWSECK-[0-9a-f]{32}(?:-[0-9a-z]{11}vt)?-X",
        "FLW_SECRET_KEY",
        concat("FLWSECK-", hexa(32), "-X"),
        (
            concat("FLWSECK-", hexa(31), "-X"),
            concat("FLWSECK-", hexa(33), "-X"),
            concat("FLWPUBK-", hexa(32), "-X"),
        ),
        score=88,
    ),
    by_prefix(
        TEST,
        rb"FLWSECK_TEST-[0-9a-f]{12,32}(?:-X)?",
        "FLW_SECRET_KEY",
        concat("FLWSECK_TEST-", hexa(32), "-X"),
        (
            concat("FLWSECK_TEST-", hexa(11)),
            concat("FLWPUBK_TEST-", hexa(32), "-X"),
            concat("FLWSECK_TEST_", hexa(32)),
        ),
        score=40,
    ),
)
