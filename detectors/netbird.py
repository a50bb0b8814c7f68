"""NetBird access tokens.

What it is: a token of a user or service user of NetBird: `nbp_`, 30 letters and digits and their CRC32 as six digits of
  base 62. A token whose sum fails is still reported.
Where it is used: `NETBIRD_TOKEN`, `NB_API_TOKEN`, Terraform, scripts with `Authorization: Token`.
What an attacker can do: read and change peers, groups and access policies of the private network; make setup keys and
  join it.
How to replace it: create a new token on the user's page at app.netbird.io and delete the old one.
References: https://docs.netbird.io/how-to/access-netbird-public-api
  https://github.com/netbirdio/netbird (management/server/types/personal_access_token.go: form and checksum)
"""

from __future__ import annotations

from keyward.plugin import Kind, Parts, Signal, checksum
from keyward.plugin.checksums import crc32_base62
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential

TOKEN = Kind("netbird/access-token")

KINDS = (
    credential(
        TOKEN,
        "NetBird access token",
        "critical",
        "https://app.netbird.io/team/users",
        see="https://docs.netbird.io/how-to/access-netbird-public-api",
    ),
)


def _crc(parts: Parts) -> Signal | None:
    """The sum may only speak for a token: servers are run by anybody, and a mistyped token is still somebody's."""
    body = parts["secret"][4:]
    return checksum(True, "CRC32") if crc32_base62(body[:30]) == body[30:] else None


RULES = (
    by_prefix(
        TOKEN,
        rb"nbp_[A-Za-z0-9]{36}",
        "NETBIRD_TOKEN",
        concat("nbp_", an(30)).tail(lambda token: crc32_base62(token[4:])),
        (
            concat("nbp_", an(35)),
            concat("nbp_", an(37)),
            concat("nbp-", an(36)),
        ),
        score=75,
        check=_crc,
    ),
)
