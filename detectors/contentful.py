"""Contentful tokens.

What it is: a personal token of the management API, `CFPAT-` and 43 characters; tokens of the delivery API (43 characters)
  are meant to be read by apps and are not looked for.
Where it is used: `CONTENTFUL_MANAGEMENT_TOKEN`, CI that migrates content.
What an attacker can do: read and change the content, models and settings of the user's spaces.
How to replace it: generate a new token in the settings, CMA tokens, and revoke the old one.
References: https://www.contentful.com/developers/docs/references/authentication/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG

TOKEN = Kind("contentful/management-token")

KINDS = (
    credential(
        TOKEN,
        "Contentful management token",
        "high",
        "https://app.contentful.com/account/profile/cma_tokens",
        see="https://www.contentful.com/developers/docs/references/authentication/",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"CFPAT-[A-Za-z0-9_-]{43}",
        "CONTENTFUL_MANAGEMENT_TOKEN",
        concat("CFPAT-", b64url(43)),
        (
            concat("CFPAT-", b64url(42)),
            concat("CFPAT-", b64url(44)),
            concat("CFPAT_", b64url(43)),
        ),
        edge=SLUG,
        score=88,
    ),
)
