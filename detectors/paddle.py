"""Paddle API keys.

What it is: a key of Paddle Billing: `pdl_live_apikey_`, 26 small letters and digits (the id), 22 and 3 letters and
  digits; `pdl_sdbx_apikey_` for the sandbox.
Where it is used: `PADDLE_API_KEY`, shops' back ends.
What an attacker can do: with a live key read customers, transactions and payouts, refund, and change prices and
  subscriptions.
How to replace it: create a new key in the dashboard, Developer tools, Authentication, and revoke the old one.
References: https://developer.paddle.com/api-reference/about/api-keys
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, lower

from ._cloud import by_prefix, credential

KEY = Kind("paddle/api-key")
SANDBOX = Kind("paddle/sandbox-key")

KINDS = (
    credential(
        KEY,
        "Paddle API key",
        "critical",
        "https://vendors.paddle.com/authentication-v2",
        see="https://developer.paddle.com/api-reference/about/api-keys",
    ),
    credential(
        SANDBOX,
        "Paddle sandbox key",
        "low",
        "https://vendors.paddle.com/authentication-v2",
        see="https://developer.paddle.com/api-reference/about/api-keys",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"pdl_live_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
        "PADDLE_API_KEY",
        concat("pdl_live_apikey_", lower(26), "_", an(22), "_", an(3)),
        (
            concat("pdl_live_apikey_", lower(25), "_", an(22), "_", an(3)),
            concat("pdl_live_apikey_", lower(26), "_", an(21), "_", an(3)),
            concat("pdl_live_apikey_", lower(26), "_", an(22), "_", an(4)),
        ),
        score=90,
    ),
    by_prefix(
        SANDBOX,
        rb"pdl_sdbx_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
        "PADDLE_API_KEY",
        concat("pdl_sdbx_apikey_", lower(26), "_", an(22), "_", an(3)),
        (
            concat("pdl_sdbx_apikey_", lower(25), "_", an(22), "_", an(3)),
            concat("pdl_sdbx_apikey_", lower(26), "_", an(21), "_", an(3)),
            concat("pdl_sdbx_apikey_", lower(26), "_", an(22), "_", an(4)),
        ),
        score=40,
    ),
)
