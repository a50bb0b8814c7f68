"""Atlassian API tokens.

What it is: API tokens of an Atlassian account (`ATATT3…`, ending in a checksum; 24 letters and digits in the older form),
  and personal access tokens of Jira and Confluence Data Center.
Where it is used: scripts and CI for Jira, Confluence, Bitbucket and Opsgenie, as the password beside the account's e-mail
  address; `.netrc`, jira-cli configuration, `JIRA_API_TOKEN`, settings of MCP servers.
What an attacker can do: everything the account may do in every Atlassian product of every site it belongs to: read and
  change issues, pages and, where Bitbucket is included, source code. A token with scopes is limited to these.
How to replace it: create a new one at id.atlassian.com, Security, API tokens, and revoke the old one there; it lives one
  year at most. Data Center tokens are replaced in the user's profile.
References: https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/
  https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html
"""

from __future__ import annotations

import base64

from keyward.plugin import Companion, CredentialKind, Kind, Parts, Rule, Signal, checksum, structure
from keyward.plugin.checksums import crc32_hex_upper, decode_base64
from keyward.plugin.shapes import an, assigned, b64, b64url, concat, digits, json_member, part, raw, text, upper_hex

from ._atlassian import CRC_TAIL, crc_holds, unescape
from ._forms import WORD, manual, mixed, named, token

API = Kind("atlassian/api-token")
DATA_CENTER = Kind("atlassian/data-center-token")

_DOCS = "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/"
_DC_DOCS = "https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html"

KINDS = (
    CredentialKind(API, "Atlassian API token", "critical", public=("email", "site"), canonical=unescape, references=(_DOCS,),
                   manual=manual("https://id.atlassian.com/manage-profile/security/api-tokens")),
    CredentialKind(DATA_CENTER, "Jira or Confluence Data Center personal access token", "high", references=(_DC_DOCS,),
                   manual=manual(_DC_DOCS)),
)  # fmt: skip

_EMAIL = Companion("email", rb"(?<![A-Za-z0-9._%+-])(?P<email>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,63}){1,4})", within=200, optional=True)
_SITE = Companion("site", rb"(?P<site>[a-z0-9-]{2,63}\.atlassian\.net)", within=300, optional=True)


def _crc(parts: Parts) -> Signal | None:
    return checksum(crc_holds(parts["secret"]), "CRC32")


def _data_center(parts: Parts) -> Signal | None:
    number, colon, rest = (decode_base64(parts["secret"]) or b"").partition(b":")
    return structure(bool(colon) and number.isdigit() and len(rest) >= 16, "number and random bytes")


_BODY = concat("ATATT3xFfGF0", b64url(171), "=")
_TOKEN = _BODY.tail(crc32_hex_upper)
_OLD = concat("q7W", an(21))
_NUMBERED = concat(digits(12), ":", raw(20)).map(base64.b64encode)

RULES = (
    Rule(
        str(API),
        API,
        token(rb"ATATT3[A-Za-z0-9_-]{60,400}" + CRC_TAIL, WORD),
        score=80,
        check=_crc,
        companions=(_EMAIL, _SITE),
        examples=(
            assigned("JIRA_API_TOKEN", _TOKEN),
            text("curl -u ", part("email", "dev@acme.org"), ":", part("secret", _TOKEN), " https://", part("site", "acme.atlassian.net"), "/rest/api/3/myself\n"),
            text("machine ", part("site", "acme.atlassian.net"), "\nlogin ", part("email", "dev@acme.org"), "\npassword ", part("secret", _TOKEN), "\n"),
            json_member("CONFLUENCE_API_TOKEN", _TOKEN),
        ),
        near_misses=(
            assigned("JIRA_API_TOKEN", concat("ATATT3xFfGF0", b64url(171), "=", upper_hex(7))),
            assigned("JIRA_API_TOKEN", concat("ATATT3xFfGF0", b64url(171), "=", upper_hex(9))),
            assigned("JIRA_API_TOKEN", concat("ATATT3xFfGF0", b64url(171), "+", upper_hex(8))),
            assigned("JIRA_API_TOKEN", concat("ATATT3xFfGF0", b64url(40), "=", upper_hex(8))),
        ),
    ),
    Rule(
        "atlassian/api-token-older",
        API,
        named(rb"(?:jira|confluence|atlassian)[_.-]?(?:cloud[_.-]?|user[_.-]?)?(?:api[_.-]?)?(?:token|key|password)", mixed(24), rb"(?![A-Za-z0-9=+/_-])"),
        score=60,
        companions=(_EMAIL, _SITE),
        examples=(
            assigned("JIRA_API_TOKEN", _OLD),
            text("JIRA_USER=", part("email", "dev@acme.org"), "\nJIRA_PASSWORD=", part("secret", _OLD), "\n"),
            json_member("atlassianApiToken", _OLD),
        ),
        near_misses=(
            assigned("JIRA_API_TOKEN", concat("q7W", an(20))),
            assigned("JIRA_API_TOKEN", concat("q7W", an(22))),
            assigned("JIRA_PROJECT", _OLD),
        ),
    ),
    Rule(
        str(DATA_CENTER),
        DATA_CENTER,
        named(rb"(?:jira|confluence|atlassian)[_.-]?(?:server[_.-]?)?(?:api[_.-]?|bearer[_.-]?|personal[_.-]?|access[_.-]?){0,2}(?:pat|token)", rb"[MNO][A-Za-z0-9+/]{43}", rb"(?![A-Za-z0-9+/=])"),
        score=65,
        check=_data_center,
        examples=(
            assigned("JIRA_PAT", _NUMBERED),
            assigned("CONFLUENCE_PERSONAL_TOKEN", _NUMBERED, form='  "{name}": "{value}",\n'),
            assigned("jira.token", _NUMBERED, form="{name} = {value}\n"),
        ),
        near_misses=(
            assigned("JIRA_PAT", concat("N", b64(42))),
            assigned("JIRA_PAT", concat("N", b64(44))),
            assigned("JIRA_PAT", concat("a", b64(43))),
            assigned("JIRA_PROJECT", _NUMBERED),
        ),
    ),
)  # fmt: skip
