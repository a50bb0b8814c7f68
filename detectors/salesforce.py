"""Salesforce tokens.

What it is: a session or access token, the organisation's id `00D…` of 15 characters, `!` and about 96 more; a login
  address of the command line, `force://client:secret:refresh-token@host`; the consumer secret of a connected app, 64
  capital hex digits or 19 digits.
Where it is used: `SF_ACCESS_TOKEN`, `SFDX_AUTH_URL` in CI, `~/.sfdx`, `SALESFORCE_CLIENT_SECRET`.
What an attacker can do: all that the user may do in the organisation: read and change customers' data, run code.
How to replace it: end the session under Setup, Session Management; revoke the refresh token under the user's OAuth
  connected apps; rotate the consumer secret in the connected app.
References: https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_auth_view_info.htm
  https://github.com/forcedotcom/sfdx-core (its expressions for access tokens and login addresses)
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import Piece, Shape, an, concat, digits, part, text, upper_hex

from ._cloud import by_name, by_prefix, credential

ACCESS = Kind("salesforce/access-token")
LOGIN = Kind("salesforce/auth-url")
SECRET = Kind("salesforce/client-secret")

KINDS = (
    credential(
        ACCESS,
        "Salesforce access token",
        "high",
        "https://login.salesforce.com/",
        see="https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_auth_view_info.htm",
    ),
    credential(
        LOGIN,
        "Salesforce login address",
        "critical",
        "https://login.salesforce.com/",
        see="https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_auth_view_info.htm",
    ),
    credential(
        SECRET,
        "Salesforce consumer secret",
        "high",
        "https://login.salesforce.com/",
        see="https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_auth_view_info.htm",
    ),
)


def _login(before: str, after: str, client_secret: Piece = "", tail: str = "") -> Shape:
    token = part("secret", concat("5Aep861", an(80), tail))
    return text(before, "force://PlatformCLI:", client_secret, ":", token, "@acme.my.salesforce.com", after)


RULES = (
    by_prefix(
        ACCESS,
        rb"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?(?:\\)?!A[A-Za-z0-9._]{79,120}",
        "SF_ACCESS_TOKEN",
        concat("00D", an(12), "!AQ", an(94)),
        (
            concat("00D", an(11), "!AQ", an(94)),
            concat("00E", an(12), "!AQ", an(94)),
            concat("00D", an(12), "!AQ", an(60)),
        ),
        edge=rb"(?![A-Za-z0-9._])",
        score=85,
    ),
    Rule(
        str(LOGIN),
        LOGIN,
        rb"force://[A-Za-z0-9._=%-]{3,200}:[A-Za-z0-9._-]{0,80}:(?P<secret>5Aep[A-Za-z0-9._%-]{40,200}={0,2})@",
        score=88,
        examples=(
            _login("SFDX_AUTH_URL=", "\n"),
            _login('{"sfdxAuthUrl": "', '"}\n'),
            _login("echo ", " > auth.txt\n"),
            _login("SFDX_AUTH_URL=", "\n", concat(an(12), ".", an(8)), "=="),
        ),
        near_misses=(
            text("SFDX_AUTH_URL=force://PlatformCLI::", an(60), "@acme.my.salesforce.com\n"),
            text("SFDX_AUTH_URL=force://PlatformCLI::5Aep", an(30), "@acme.my.salesforce.com\n"),
            text("SFDX_AUTH_URL=forge://PlatformCLI::5Aep", an(80), "@acme.my.salesforce.com\n"),
            text("SFDX_AUTH_URL=force://PlatformCLI::5Aep", an(80), "===@acme.my.salesforce.com\n"),
        ),
    ),
    by_name(
        SECRET,
        rb"(?:salesforce|sfdc|(?<![a-z0-9])sf)[a-z0-9_. -]{0,16}secret",
        rb"(?:[0-9A-F]{64}|[0-9]{19})",
        "SALESFORCE_CLIENT_SECRET",
        upper_hex(64),
        (
            upper_hex(63),
            upper_hex(65),
            digits(18),
        ),
        score=72,
    ),
)
