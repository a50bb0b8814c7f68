"""Azure DevOps personal access tokens.

What it is: a token of a user of Azure DevOps. Older form: 52 characters of base32 with a CRC32 spread over them, and no
  prefix. Newer ones (84 characters with `JQQJ99` and `AZDO`) are found as annotated Azure keys.
Where it is used: `AZURE_DEVOPS_EXT_PAT`, `SYSTEM_ACCESSTOKEN`, git remotes, `.npmrc` and `nuget.config` in base64,
  pipelines.
What an attacker can do: all that its scopes allow: read and change source, packages and pipelines, and with them reach
  what they deploy to.
How to replace it: create a new token with an end and fewer scopes at dev.azure.com, User settings, Personal access
  tokens, and revoke the old one.
References: https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
  https://github.com/microsoft/security-utilities (the constants of the checksum)
  https://github.com/microsoft/sarif-pattern-matcher (AdoPatValidator.cs: where its bytes are)
"""

from __future__ import annotations

import base64
import zlib

from keyward.plugin import Kind, Parts, Signal, checksum
from keyward.plugin.shapes import LOWER, UPPER, Shape, chars, raw

from ._cloud import by_name, credential

TOKEN = Kind("azure-devops/personal-access-token")

KINDS = (
    credential(
        TOKEN,
        "Azure DevOps personal access token",
        "critical",
        "https://dev.azure.com/_usersSettings/tokens",
        see="https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate",
    ),
)


_SUM = (2, 7, 8, 22)
_DATA = (0, 1, *range(3, 7), *range(9, 22), *range(23, 32))


def _spread_sum(parts: Parts) -> Signal | None:
    """Four of the 32 bytes are the CRC32 of the other 28, changed by a constant that says who made it: a user or an application.
    From the vendor's source; no published token to try it on, so that it only speaks for a token."""
    token = base64.b32decode(parts["secret"].upper() + b"====")
    crc = zlib.crc32(bytes(token[at] for at in _DATA))
    sums = (crc ^ 0xE0B9692D, crc ^ 0x1019F92E)
    return checksum(True, "CRC32") if int.from_bytes(bytes(token[at] for at in _SUM), "big") in sums else None


def _spread(data: bytes) -> bytes:
    token = bytearray(32)
    for at, byte in zip(_DATA, data, strict=True):
        token[at] = byte
    for at, byte in zip(_SUM, (zlib.crc32(data) ^ 0xE0B9692D).to_bytes(4, "big"), strict=True):
        token[at] = byte
    return base64.b32encode(bytes(token)).rstrip(b"=").lower()


_TOKEN = raw(28).map(_spread)


def _flat(count: int) -> Shape:
    return chars(LOWER + "234567", count)


RULES = (
    by_name(
        TOKEN,
        rb"(?:azure_?devops|ado|vsts|vss|tfs|devops)[a-z0-9_. -]{0,20}(?:pat|token|key|password)|system_?accesstoken",
        rb"[a-z2-7]{52}",
        "AZURE_DEVOPS_EXT_PAT",
        _TOKEN,
        (
            _flat(51),
            _flat(53),
            chars(UPPER, 52),
        ),
        score=60,
        check=_spread_sum,
    ),
)
