"""Letta keys.

What it is: a key of Letta Cloud: `sk-let-` and base64 of two UUIDs joined by a colon.
Where it is used: `LETTA_API_KEY`, header `Authorization: Bearer`.
What an attacker can do: read and change the account's agents and what they remember, run them on its bill.
How to replace it: create a new key at app.letta.com, API keys, and delete the old one.
References: https://docs.letta.com/api-reference/overview
"""

from __future__ import annotations

import base64
import re

from keyward.plugin import Kind, Parts, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import b64url, concat, uuid4

from ._cloud import by_prefix, credential
from ._forms import UUID

KEY = Kind("letta/api-key")

KINDS = (
    credential(
        KEY, "Letta API key", "high", "https://app.letta.com/api-keys", see="https://docs.letta.com/api-reference/overview"
    ),
)


def _two_ids(parts: Parts) -> Signal | None:
    """Inside are two UUIDs."""
    inner = decode_base64(parts["secret"][7:])
    return structure(inner is not None and re.fullmatch(UUID + rb":" + UUID, inner) is not None, "two UUIDs inside")


RULES = (
    by_prefix(
        KEY,
        rb"sk-let-[A-Za-z0-9+/_-]{98,100}={0,2}",
        "LETTA_API_KEY",
        concat("sk-let-", concat(uuid4(), ":", uuid4()).map(base64.b64encode)),
        (
            concat("sk-let-", b64url(97)),
            concat("sk-let-", b64url(101)),
            concat("sk-lat-", b64url(98), "=="),
        ),
        edge=rb"(?![A-Za-z0-9+/=_-])",
        score=75,
        check=_two_ids,
    ),
)
