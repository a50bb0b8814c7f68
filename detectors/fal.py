"""fal keys.

What it is: a key of fal: an id (a UUID), a colon, and the secret of 32 hex digits, as public code has it.
Where it is used: `FAL_KEY`, or its halves `FAL_KEY_ID` and `FAL_KEY_SECRET`, header `Authorization: Key …`, web applications.
What an attacker can do: call models on the account's bill; an admin key also deploys.
How to replace it: create a new key at fal.ai, Dashboard, Keys, and delete the old one.
References: https://docs.fal.ai/documentation/model-apis/authentication/key-based
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import concat, hexa, part, text, upper_hex, uuid4

from ._cloud import by_name, credential
from ._forms import UUID

KEY = Kind("fal/api-key")

KINDS = (
    credential(
        KEY,
        "fal API key",
        "high",
        "https://fal.ai/dashboard/keys",
        see="https://docs.fal.ai/documentation/model-apis/authentication/key-based",
    ),
)

RULES = (
    by_name(
        KEY,
        rb"(?<![a-z0-9])fal(?:[_. -]|ai|api|access|auth|client|key|token|secret|credentials)[a-z0-9_. -]{0,16}",
        UUID + rb":[0-9a-f]{32}",
        "FAL_KEY",
        concat(uuid4(), ":", hexa(32)),
        (concat(uuid4(), ":", hexa(31)), concat(uuid4(), ":", hexa(33)), concat(uuid4(), "/", hexa(32))),
        score=82,
    ),
    by_name(
        KEY,
        rb"(?<![a-z0-9])fal_?-?key_?-?secret",
        rb"[0-9a-f]{32}",
        "FAL_KEY_SECRET",
        hexa(32),
        (hexa(31), hexa(33), upper_hex(32)),
        score=72,
        id="fal/api-key-secret",
    ),
    Rule(
        "fal/api-key-header",
        KEY,
        rb"(?i:authorization)[\"']?\s{0,2}[:=,]\s{0,2}[\"'`]?Key (?P<secret>" + UUID + rb":[0-9a-f]{32})(?![A-Za-z0-9])",
        score=80,
        examples=(
            text("curl -H 'Authorization: Key ", part("secret", concat(uuid4(), ":", hexa(32))), "' https://fal.run/x\n"),
            text('headers = {"Authorization": "Key ', part("secret", concat(uuid4(), ":", hexa(32))), '"}\n'),
            text("> authorization: Key ", part("secret", concat(uuid4(), ":", hexa(32))), "\n"),
        ),
        near_misses=(
            text("curl -H 'Authorization: Key ", concat(uuid4(), ":", hexa(31)), "'\n"),
            text("curl -H 'Authorization: Key ", concat(uuid4(), ":", hexa(33)), "'\n"),
            text("curl -H 'Authorization: Kay ", concat(uuid4(), ":", hexa(32)), "'\n"),
        ),
    ),
)
