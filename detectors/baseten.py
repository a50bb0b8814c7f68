"""Baseten keys.

What it is: a key of Baseten: `b10_`, 8 letters and digits, a dot, and 32 more. Those made before October 2026 have no
  prefix; their shape is common, so that the name or the header must tell it.
Where it is used: `BASETEN_API_KEY`, `~/.trussrc`, header `Authorization: Api-Key`.
What an attacker can do: call and change the workspace's models, on its bill.
How to replace it: create a new key in the workspace's settings, API keys, and revoke the old one.
References: https://docs.baseten.co/organization/api-keys
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import an, concat, part, text

from ._cloud import by_name, by_prefix, credential, vendor
from ._forms import SLUG

KEY = Kind("baseten/api-key")

KINDS = (
    credential(
        KEY,
        "Baseten API key",
        "high",
        "https://app.baseten.co/settings/api_keys",
        see="https://docs.baseten.co/organization/api-keys",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"b10_[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}",
        "BASETEN_API_KEY",
        concat("b10_", an(8), ".", an(32)),
        (
            concat("b10_", an(7), ".", an(32)),
            concat("b10_", an(9), ".", an(32)),
            concat("b10_", an(8), ".", an(31)),
            concat("b10_", an(8), ".", an(33)),
            concat("b10-", an(8), "-", an(32)),
        ),
        edge=SLUG,
        score=90,
    ),
    by_name(
        KEY,
        vendor(b"baseten"),
        rb"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}",
        "BASETEN_API_KEY",
        concat(an(8), ".", an(32)),
        (concat(an(7), ".", an(32)), concat(an(8), ".", an(31)), concat(an(8), ".", an(33))),
        score=80,
        id="baseten/api-key-old",
    ),
    Rule(
        "baseten/api-key-header",
        KEY,
        rb"(?i:authorization)[\"']?\s{0,2}[:=,]\s{0,2}[\"']?Api-Key (?P<secret>[A-Za-z0-9]{8}\.[A-Za-z0-9]{32})(?![A-Za-z0-9])",
        score=75,
        examples=(
            text(
                "curl -H 'Authorization: Api-Key ",
                part("secret", concat(an(8), ".", an(32))),
                "' https://model-1.api.baseten.co/\n",
            ),
            text('headers = {"Authorization": "Api-Key ', part("secret", concat(an(8), ".", an(32))), '"}\n'),
            text("> authorization: Api-Key ", part("secret", concat(an(8), ".", an(32))), "\n"),
        ),
        near_misses=(
            text("curl -H 'Authorization: Api-Key ", concat(an(8), ".", an(31)), "'\n"),
            text("curl -H 'Authorization: Api-Key ", concat(an(9), ".", an(32)), "'\n"),
            text("curl -H 'Authorization: Api-Token ", concat(an(8), ".", an(32)), "'\n"),
        ),
    ),
)
