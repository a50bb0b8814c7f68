"""Neon API keys and database passwords.

What it is: keys of the Neon API (napi_) for a user, an organisation or a project, and the passwords that Neon makes for
  database roles (npg_), which stand in connection strings. The length of the passwords is of those seen, not documented.
Where it is used: CI that branches databases, Terraform, the neonctl command line; `DATABASE_URL` and `PGPASSWORD`.
What an attacker can do: with a password, read and change the role's databases; with an API key, read all connection strings,
  create and delete branches and projects.
How to replace it: create a new key under Account or Organization settings, deploy it, revoke the old one; reset the password
  of the role on its branch.
Whether it lives: GET /api/v2/users/me. A key of an organisation is a person's only by half: what the request answers to it is
  not documented, and then means nothing.
References: https://neon.com/docs/manage/api-keys  https://neon.com/docs/manage/roles
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind
from keyward.plugin.shapes import an, concat, lower, part, text
from keyward.plugin.verifier import Answer

from ._cloud import by_prefix, credential, header
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("neon/api-key")
PASSWORD = Kind("neon/role-password")

KINDS = (
    credential(API_KEY, "Neon API key", "critical", "https://console.neon.tech/app/settings/api-keys", see="https://neon.com/docs/manage/api-keys"),
    credential(PASSWORD, "Neon database password", "critical", "https://console.neon.tech/app/projects", "Reset the role's password on its branch.",
               "Update what connects with it.", see="https://neon.com/docs/manage/roles", public=("user", "host")),
)  # fmt: skip

_USER = Companion("user", rb"://(?P<user>[A-Za-z0-9_-]{1,60}):", optional=True)
_HOST = Companion(
    "host", rb"(?<![A-Za-z0-9.-])(?P<host>ep-[a-z0-9-]{4,60}\.[a-z0-9.-]{1,40}neon\.(?:tech|build))", optional=True
)
_KEY, _PASSWORD = concat("napi_", lower(64)), concat("npg_", an(12))

RULES = (
    by_prefix(
        API_KEY, rb"napi_[A-Za-z0-9]{64}", "NEON_API_KEY", _KEY, (concat("napi_", lower(63)), concat("napi_", lower(65)), concat("napi-", lower(64))), score=85,
        more=(header("Authorization: Bearer ", _KEY),),
    ),
    by_prefix(
        PASSWORD, rb"npg_[A-Za-z0-9]{10,16}", "PGPASSWORD", _PASSWORD, (concat("npg_", an(9)), concat("npg_", an(17)), concat("npg-", an(12))), edge=rb"(?![A-Za-z0-9_])",
        score=65, companions=(_USER, _HOST),
        more=(text("DATABASE_URL=postgresql://", part("user", "neondb_owner"), ":", part("secret", _PASSWORD), "@", part("host", "ep-calm-tree-123456-pooler.eu-central-1.aws.neon.tech"), "/neondb?sslmode=require\n"),),
    ),
)  # fmt: skip

HOSTS = ("console.neon.tech",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://console.neon.tech", "/api/v2/users/me", bearer, ("id",), dead=(Said(401, ("supplied credentials do not pass authentication",)),), who=("login", "id"),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"id":"629982cc-de05-43db-ae16-28f2399c4910","login":"ada","plan":"launch"}',
    Answer(401, '{"code":"","message":"supplied credentials do not pass authentication"}'),
)
