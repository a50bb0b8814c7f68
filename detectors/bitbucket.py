"""Bitbucket credentials.

What it is: access tokens of a Bitbucket Cloud repository, project or workspace (`ATCTT3…`; keys of the Atlassian
  organisation API have the same form), app passwords (`ATBB…`), OAuth consumers, and HTTP access tokens of Bitbucket Data
  Center (`BBDC-…`).
Where it is used: git remotes (`x-token-auth:TOKEN@bitbucket.org`), CI, `.netrc`, deployment scripts.
What an attacker can do: read and push to the repositories, change pipelines and read what they deploy; an organisation key
  manages users and domains.
How to replace it: create a new token in the repository's, project's or workspace's settings under Access tokens and revoke
  the old one. App passwords are being withdrawn (during 2026, unverified); use an API token of the account in their place.
References: https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/
  https://confluence.atlassian.com/bitbucketserver/http-access-tokens-939515499.html
"""

from __future__ import annotations

import base64

from keyward.plugin import Companion, CredentialKind, Kind, Parts, Rule, Signal, checksum, structure
from keyward.plugin.checksums import crc32_hex_upper, decode_base64
from keyward.plugin.shapes import an, assigned, b64, b64url, concat, digits, json_member, part, raw, text, upper_hex

from ._atlassian import CRC_TAIL, crc_holds, unescape
from ._forms import WORD, manual, named, token

ACCESS = Kind("bitbucket/access-token")
APP_PASSWORD = Kind("bitbucket/app-password")
DATA_CENTER = Kind("bitbucket/data-center-token")
CONSUMER = Kind("bitbucket/oauth-consumer")

_DOCS = "https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/"
_DC_DOCS = "https://confluence.atlassian.com/bitbucketserver/http-access-tokens-939515499.html"
_OAUTH_DOCS = "https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/"

KINDS = (
    CredentialKind(ACCESS, "Bitbucket access token", "critical", canonical=unescape, manual=manual(_DOCS), references=(_DOCS,)),
    CredentialKind(APP_PASSWORD, "Bitbucket app password", "high", public=("user",), references=(_DOCS,),
                   manual=manual("https://bitbucket.org/account/settings/app-passwords/", "Create an API token of the account.",
                                 "Update what uses the app password.", "Revoke the app password.")),
    CredentialKind(DATA_CENTER, "Bitbucket Data Center HTTP access token", "critical", manual=manual(_DC_DOCS), references=(_DC_DOCS,)),
    CredentialKind(CONSUMER, "Bitbucket OAuth consumer", "high", identity=("secret", "id"), public=("id",), references=(_OAUTH_DOCS,),
                   manual=manual(_OAUTH_DOCS, "Add a new consumer in the workspace settings.", "Update the application.",
                                 "Delete the old consumer.")),
)  # fmt: skip


def _crc(parts: Parts) -> Signal | None:
    return checksum(crc_holds(parts["secret"]), "CRC32")


def _numbered(parts: Parts) -> Signal | None:
    number, colon, rest = (decode_base64(parts["secret"][5:]) or b"").partition(b":")
    return structure(bool(colon) and number.isdigit() and len(rest) >= 16, "number and random bytes")


_TOKEN = concat("ATCTT3xFfGN0", b64url(171), "=").tail(crc32_hex_upper)
_APP = concat("ATBB", an(24)).tail(crc32_hex_upper)
_DC = concat("BBDC-", concat(digits(12), ":", raw(20)).map(base64.b64encode))
_SECRET_NAME = rb"bitbucket[_.-]?(?:oauth[_.-]?|consumer[_.-]?|client[_.-]?){0,2}secret"
_KEY = named(rb"bitbucket[_.-]?(?:oauth[_.-]?|consumer[_.-]?|client[_.-]?){0,2}(?:key|id)", rb"[A-Za-z0-9]{18}", WORD, b"id")

RULES = (
    Rule(
        str(ACCESS),
        ACCESS,
        token(rb"ATCTT3[A-Za-z0-9_-]{60,400}" + CRC_TAIL, WORD),
        score=80,
        check=_crc,
        examples=(
            text("git clone https://x-token-auth:", part("secret", _TOKEN), "@bitbucket.org/acme/app.git\n"),
            assigned("BITBUCKET_TOKEN", _TOKEN),
            json_member("accessToken", _TOKEN),
        ),
        near_misses=(
            assigned("BITBUCKET_TOKEN", concat("ATCTT3xFfGN0", b64url(171), "=", upper_hex(7))),
            assigned("BITBUCKET_TOKEN", concat("ATCTT3xFfGN0", b64url(171), "=", upper_hex(9))),
            assigned("BITBUCKET_TOKEN", concat("ATCTT3xFfGN0", b64url(40), "=", upper_hex(8))),
            assigned("BITBUCKET_TOKEN", concat("ATCTX3xFfGN0", b64url(171), "=", upper_hex(8))),
        ),
    ),
    Rule(
        str(APP_PASSWORD),
        APP_PASSWORD,
        token(rb"ATBB[A-Za-z0-9]{24}[0-9A-F]{8}", rb"(?![A-Za-z0-9_])"),
        check=_crc,
        companions=(Companion("user", rb"(?<![A-Za-z0-9_-])(?P<user>[A-Za-z0-9_-]{2,40}):(?=ATBB)", within=60, optional=True),),
        examples=(
            text("https://", part("user", "devacme"), ":", part("secret", _APP), "@bitbucket.org/acme/app.git\n"),
            assigned("BITBUCKET_APP_PASSWORD", _APP),
            json_member("password", _APP),
        ),
        near_misses=(
            assigned("BITBUCKET_APP_PASSWORD", concat("ATBB", an(23), upper_hex(8))),
            assigned("BITBUCKET_APP_PASSWORD", concat("ATBB", an(25), upper_hex(8))),
            assigned("BITBUCKET_APP_PASSWORD", concat("ATBB", an(24), "g", upper_hex(7))),
        ),
    ),
    Rule(
        str(DATA_CENTER),
        DATA_CENTER,
        token(rb"BBDC-[MNO][A-Za-z0-9+/@_-]{43}", rb"(?![A-Za-z0-9+/@_-])"),
        check=_numbered,
        examples=(
            assigned("BITBUCKET_TOKEN", _DC),
            text("curl -H 'Authorization: Bearer ", part("secret", _DC), "' https://git.acme.org/rest/api/1.0/projects\n"),
            json_member("bitbucketToken", _DC),
        ),
        near_misses=(
            assigned("BITBUCKET_TOKEN", concat("BBDC-N", b64(42))),
            assigned("BITBUCKET_TOKEN", concat("BBDC-N", b64(44))),
            assigned("BITBUCKET_TOKEN", concat("BBDC_N", b64(43))),
            assigned("BITBUCKET_TOKEN", concat("BBDC-a", b64(43))),
        ),
    ),
    Rule(
        str(CONSUMER),
        CONSUMER,
        named(_SECRET_NAME, rb"[A-Za-z0-9]{32}", WORD),
        score=65,
        companions=(Companion("id", _KEY, optional=True),),
        examples=(
            text("BITBUCKET_CLIENT_ID=", part("id", an(18)), "\nBITBUCKET_CLIENT_SECRET=", part("secret", an(32)), "\n"),
            assigned("bitbucket_oauth_consumer_secret", an(32), form='{name}: "{value}"\n'),
            json_member("bitbucketClientSecret", an(32)),
        ),
        near_misses=(
            assigned("BITBUCKET_CLIENT_SECRET", an(31)),
            assigned("BITBUCKET_CLIENT_SECRET", an(33)),
            assigned("BITBUCKET_CLIENT_NAME", an(32)),
        ),
    ),
)  # fmt: skip
