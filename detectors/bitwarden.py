"""Bitwarden tokens.

What it is: the access token of a machine account of Bitwarden Secrets Manager: `0.`, a UUID, a dot, 30 letters and
  digits, a colon, and a key of 16 bytes in base64; and the client secret of the API (30 letters and digits) beside
  `user.` or `organization.` and a UUID.
Where it is used: `BWS_ACCESS_TOKEN`, `BW_CLIENTID` and `BW_CLIENTSECRET`, CI.
What an attacker can do: read (and change, if it may) the secrets of its projects; with a client secret and the master
  password the vault.
How to replace it: create a new token for the machine account and revoke the old one; rotate the client secret in the
  account's settings, Security, Keys. After a leak rotate every secret that it could read.
References: https://bitwarden.com/help/access-tokens/
  https://github.com/bitwarden/sdk-internal (access_token.rs: how one is read)
  https://github.com/bitwarden/server (CreateAccessTokenCommand.cs: 30 letters and digits)
  https://bitwarden.com/help/personal-api-key/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, b64, chars, concat, uuid4

from ._cloud import by_name, by_prefix, credential
from ._forms import UUID

TOKEN = Kind("bitwarden/access-token")
CLIENT = Kind("bitwarden/client-secret")

KINDS = (
    credential(
        TOKEN,
        "Bitwarden Secrets Manager access token",
        "critical",
        "https://vault.bitwarden.com/",
        see="https://bitwarden.com/help/access-tokens/",
    ),
    credential(
        CLIENT,
        "Bitwarden API client secret",
        "critical",
        "https://vault.bitwarden.com/",
        see="https://bitwarden.com/help/access-tokens/",
    ),
)

_KEY = concat(b64(21), chars("AQgw", 1), "==")
"""16 bytes, so that the last character has two bits."""

RULES = (
    by_prefix(
        TOKEN,
        rb"0\." + UUID + rb"\.[A-Za-z0-9]{30}:[A-Za-z0-9+/]{21}[AQgw]==",
        "BWS_ACCESS_TOKEN",
        concat("0.", uuid4(), ".", an(30), ":", _KEY),
        (
            concat("0.", uuid4(), ".", an(29), ":", _KEY),
            concat("0.", uuid4(), ".", an(30), ":", b64(20), "g=="),
            concat("0-", uuid4(), ".", an(30), ":", _KEY),
        ),
        anchor=rb":[A-Za-z0-9+/]{21}[AQgw]==",  # what it begins with is in every version number
        score=90,
    ),
    by_name(
        CLIENT,
        rb"bw_?client_?secret|bitwarden[a-z0-9_. -]{0,16}secret",
        rb"[A-Za-z0-9]{30}",
        "BW_CLIENTSECRET",
        an(30),
        (
            an(29),
            an(31),
            concat(an(29), "_"),
        ),
        score=75,
    ),
)
