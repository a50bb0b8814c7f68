"""Chroma Cloud keys.

What it is: a key of Chroma Cloud: `ck-` and 44 characters of base58, as public code has it, unverified by the
  vendor.
Where it is used: `CHROMA_API_KEY` beside `CHROMA_TENANT` and `CHROMA_DATABASE`, header `x-chroma-token`.
What an attacker can do: read and change the collections of the tenant.
How to replace it: create a new key at trychroma.com, Settings, and delete the old one.
References: https://docs.trychroma.com/cloud/getting-started
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import Shape, chars, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG, mixed

KEY = Kind("chroma/api-key")

KINDS = (
    credential(
        KEY,
        "Chroma Cloud API key",
        "high",
        "https://www.trychroma.com/",
        see="https://docs.trychroma.com/cloud/getting-started",
    ),
)


def _body(count: int) -> Shape:
    return chars("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", count)


RULES = (
    by_prefix(
        KEY,
        rb"ck-" + mixed(44, b"1-9A-HJ-NP-Za-km-z"),
        "CHROMA_API_KEY",
        concat("ck-", _body(44)),
        (concat("ck-", _body(43)), concat("ck-", _body(45)), concat("ck_", _body(44))),
        edge=SLUG,
        score=75,
    ),
)
