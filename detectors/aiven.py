"""Aiven passwords and tokens.

What it is: the password of a user of a database at Aiven, `AVNS_` and 19 characters of URL-safe base64 as public code has
  it (managed databases of DigitalOcean have the same passwords), and API tokens, whose 372 characters of base64 are known
  by name only; that length is unverified by the vendor.
Where it is used: service URIs in `.env`, `AIVEN_TOKEN`, `AIVEN_API_TOKEN`, Terraform.
What an attacker can do: with a password log in to the database; with a token read and change every service of the
  account, their passwords included.
How to replace it: reset the password of the service user, or create a new token and revoke the old one, at
  console.aiven.io; a database at DigitalOcean: reset its user's password at cloud.digitalocean.com.
References: https://aiven.io/docs/platform/howto/create_authentication_token
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64, b64url, concat

from ._cloud import by_name, by_prefix, credential, vendor
from ._forms import SLUG

PASSWORD = Kind("aiven/service-password")
TOKEN = Kind("aiven/api-token")

KINDS = (
    credential(
        PASSWORD,
        "Aiven service password",
        "critical",
        "https://console.aiven.io/",
        see="https://aiven.io/docs/platform/howto/create_authentication_token",
    ),
    credential(
        TOKEN,
        "Aiven API token",
        "critical",
        "https://console.aiven.io/",
        see="https://aiven.io/docs/platform/howto/create_authentication_token",
    ),
)

RULES = (
    by_prefix(
        PASSWORD,
        rb"AVNS_[A-Za-z0-9_-]{19}",
        "AIVEN_PASSWORD",
        concat("AVNS_", b64url(19)),
        (
            concat("AVNS_", b64url(18)),
            concat("AVNS_", b64url(20)),
            concat("AVNS-", b64url(19)),
        ),
        edge=SLUG,
        score=82,
    ),
    by_name(
        TOKEN,
        vendor(b"aiven"),
        rb"[A-Za-z0-9+/]{372}",
        "AIVEN_TOKEN",
        b64(372),
        (
            b64(371),
            b64(373),
            concat(b64(371), "_"),
        ),
        edge=rb"(?![A-Za-z0-9+/])",
        score=75,
        window=1200,
    ),
)
