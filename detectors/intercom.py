"""Intercom access tokens.

What it is: 60 base64 characters that decode to `tok:`, an id, and `:1:0`.
Where it is used: support automation, CRM synchronisation, agents that answer customers; `.env`, back ends.
What an attacker can do: read and export conversations and contacts, write to customers in the company's name, change articles.
How to replace it: Developer Hub, the app, Authentication: regenerate the token; the old one ends at once. Update what uses it.
References: https://developers.intercom.com/docs/build-an-integration/learn-more/authentication
  What stands between `tok:` and the last numbers comes from samples and is unverified.
"""

from __future__ import annotations

import base64
import re

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, concat, uuid4

from ._saas import contexts, misses, token

TOKEN = Kind("intercom/access-token")

KINDS = (
    CredentialKind(TOKEN, "Intercom access token", "high",
                   manual=Manual(("Regenerate the token at the app's Authentication page; the old one ends at once.", "Update what uses it."),
                                 "https://app.intercom.com/a/apps/_/developer-hub"),
                   references=("https://developers.intercom.com/docs/build-an-integration/learn-more/authentication",)),
)  # fmt: skip


def _fields(parts: Parts) -> Signal:
    decoded = decode_base64(parts["secret"]) or b""
    return structure(re.fullmatch(rb"tok:[0-9a-zA-Z_-]{20,60}:[0-9]+:[0-9]+", decoded) is not None, "base64 of tok:…")


def _token(start: str = "tok:", tail: str = ":1:0", cut: int = 60) -> Shape:
    plain = concat(start, uuid4().map(lambda raw: raw.replace(b"-", b"_")), tail)
    return plain.map(lambda raw: base64.b64encode(raw)[:cut])


RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"dG9rO[g-v][A-Za-z0-9+/]{53}=", rb"(?![A-Za-z0-9+/=])", rb"A-Za-z0-9+/"),
        score=82,
        check=_fields,
        examples=contexts("INTERCOM_ACCESS_TOKEN", _token()),
        near_misses=misses("INTERCOM_ACCESS_TOKEN", _token(cut=59), concat(_token(), "A"), _token("tak:"), _token(tail=""), _token("tok-")),
    ),
)
