"""PlanetScale service tokens, OAuth tokens and database passwords.

What it is: service tokens (pscale_tkn_), which are used with their id; OAuth tokens of users (pscale_oauth_); passwords of a
  database branch (pscale_pw_), which stand in connection strings with a user name and a host.
Where it is used: the pscale command line, CI migrations, Terraform; `DATABASE_URL` of applications.
What an attacker can do: with a password, read and change the branch's data; with a service token, what its grants allow:
  create passwords, deploy schema changes, delete branches.
How to replace it: create a new service token with the same grants, or a new password for the branch, deploy it, delete the
  old one.
References: https://planetscale.com/docs/api/reference/service-tokens
  https://planetscale.com/docs/vitess/connecting/connection-strings
"""

from __future__ import annotations

from typing import Any

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import b64url, concat, lower, part, text

from ._cloud import SLUG, beside, by_prefix, credential

SERVICE_TOKEN = Kind("planetscale/service-token")
OAUTH = Kind("planetscale/oauth-token")
PASSWORD = Kind("planetscale/password")

_SETTINGS = "https://app.planetscale.com/"

KINDS = (
    credential(SERVICE_TOKEN, "PlanetScale service token", "critical", _SETTINGS, "Create a new service token with the same grants: organization settings, Service tokens.",
               "Update what uses the old one.", "Delete the old one.", see="https://planetscale.com/docs/api/reference/service-tokens", public=("id",)),
    credential(OAUTH, "PlanetScale OAuth token", "critical", _SETTINGS, "Revoke the application's access in the account's settings.", "Sign in again.",
               see="https://planetscale.com/docs/api/reference/oauth"),
    credential(PASSWORD, "PlanetScale database password", "critical", _SETTINGS, "Create a new password for the branch.", "Update what connects with the old one.", "Delete the old one.",
               see="https://planetscale.com/docs/vitess/connecting/connection-strings", public=("user", "host")),
)  # fmt: skip

_ID = beside("id", rb"(?:service[_-]?)?token[_-]?(?:id|name)", rb"[a-z0-9]{12}")
_HOST = Companion("host", rb"(?<![A-Za-z0-9.-])(?P<host>[a-z0-9][a-z0-9.-]{1,60}\.(?:psdb\.cloud|pscale\.com|pscale-eu\.com))", optional=True)
_USER = Companion("user", rb"://(?P<user>[a-z0-9]{16,24}):", optional=True)


def _rule(kind: Kind, prefix: str, name: str, **options: Any) -> Rule:
    value = concat(prefix, b64url(43))
    return by_prefix(
        kind, prefix.encode() + rb"[A-Za-z0-9_-]{32,64}", name, value,
        (concat(prefix, b64url(31)), concat(prefix, b64url(65)), concat(prefix.replace("pscale_", "pscale-"), b64url(43))), edge=SLUG, score=85, **options,
    )  # fmt: skip


RULES = (
    _rule(SERVICE_TOKEN, "pscale_tkn_", "PLANETSCALE_SERVICE_TOKEN", companions=(_ID,),
          more=(text("PLANETSCALE_SERVICE_TOKEN_ID=", part("id", lower(12)), "\nPLANETSCALE_SERVICE_TOKEN=", part("secret", concat("pscale_tkn_", b64url(43))), "\n"),)),
    _rule(OAUTH, "pscale_oauth_", "PLANETSCALE_TOKEN"),
    _rule(PASSWORD, "pscale_pw_", "DATABASE_PASSWORD", companions=(_HOST, _USER),
          more=(text("DATABASE_URL=mysql://", part("user", lower(20)), ":", part("secret", concat("pscale_pw_", b64url(43))), "@", part("host", "aws.connect.psdb.cloud"), "/orders?sslaccept=strict\n"),)),
)  # fmt: skip
