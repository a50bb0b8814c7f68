"""HCP Terraform tokens and HashiCorp Cloud service principals.

What it is: API tokens of HCP Terraform (Terraform Cloud) and Terraform Enterprise, with `.atlasv1.` between an id and the
  secret; and client id and secret of a service principal of the HashiCorp Cloud Platform.
Where it is used: `~/.terraform.d/credentials.tfrc.json`, `.terraformrc`, `TFE_TOKEN`, `TF_TOKEN_app_terraform_io`, CI;
  `HCP_CLIENT_ID` and `HCP_CLIENT_SECRET`.
What an attacker can do: read state files, which hold the plain secrets of the infrastructure, and variables; start runs that
  change or destroy it; with an organisation token manage teams and workspaces. A service principal reaches what its role in
  the organisation or project allows, secret stores and clusters included.
How to replace it: create a new token at app.terraform.io, User settings, Tokens (or the team's and organisation's page) and
  delete the old one; for a service principal generate a second key at portal.cloud.hashicorp.com, then delete the first.
Whether it lives: GET /api/v2/account/details, at the US and the EU site; a team's or an organisation's token has no account
  and is answered with 404. Terraform Enterprise makes the same tokens: without the operator's base_url a refusal counts only
  where `host` names the public site.
References: https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens
  https://developer.hashicorp.com/hcp/docs/hcp/iam/service-principal
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, b64url, concat, json_member, part, text
from keyward.plugin.verifier import Answer, Case

from ._forms import SLUG, WORD, manual, named, token
from ._token_probe import at, public_or_own
from ._vendor_answers import Question, Said, asks, bearer, cases

TOKEN = Kind("terraform-cloud/api-token")
PRINCIPAL = Kind("hcp/service-principal")

KINDS = (
    CredentialKind(TOKEN, "HCP Terraform API token", "critical", manual=manual("https://app.terraform.io/app/settings/tokens"),
                   references=("https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",)),
    CredentialKind(PRINCIPAL, "HashiCorp Cloud service principal key", "critical", identity=("secret", "id"), public=("id",),
                   manual=manual("https://portal.cloud.hashicorp.com/access/service-principals", "Generate a second key.",
                                 "Update what uses the first.", "Delete the first."),
                   references=("https://developer.hashicorp.com/hcp/docs/hcp/iam/service-principal",)),
)  # fmt: skip

_TOKEN = concat(an(14), ".atlasv1.", b64url(67))
_ID = named(rb"hcp[_-]?client[_-]?id", rb"[A-Za-z0-9]{32}", WORD, b"id")

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}"),
        score=85,
        examples=(
            text('{"credentials": {"app.terraform.io": {"token": "', part("secret", _TOKEN), '"}}}\n'),
            text('credentials "app.terraform.io" {\n  token = "', part("secret", _TOKEN), '"\n}\n'),
            assigned("TFE_TOKEN", _TOKEN),
            assigned("TF_TOKEN_app_terraform_io", _TOKEN, form="export {name}={value}\n"),
        ),
        near_misses=(
            assigned("TFE_TOKEN", concat(an(13), ".atlasv1.", b64url(67))),
            assigned("TFE_TOKEN", concat(an(14), ".atlasv1.", b64url(59))),
            assigned("TFE_TOKEN", concat(an(14), ".atlasv1.", b64url(71))),
            assigned("TFE_TOKEN", concat(an(14), ".atlasv2.", b64url(67))),
        ),
    ),
    Rule(
        str(PRINCIPAL),
        PRINCIPAL,
        named(rb"hcp[_-]?client[_-]?secret", rb"[A-Za-z0-9_-]{64}", SLUG),
        score=70,
        companions=(Companion("id", _ID, optional=True),),
        examples=(
            text("HCP_CLIENT_ID=", part("id", an(32)), "\nHCP_CLIENT_SECRET=", part("secret", b64url(64)), "\n"),
            assigned("hcp_client_secret", b64url(64), form='{name} = "{value}"\n'),
            json_member("hcpClientSecret", b64url(64)),
        ),
        near_misses=(
            assigned("HCP_CLIENT_SECRET", b64url(63)),
            assigned("HCP_CLIENT_SECRET", b64url(65)),
            assigned("HCP_CLIENT_NAME", b64url(64)),
        ),
    ),
)

HOSTS = ("app.terraform.io", "app.eu.terraform.io")
VERIFIES = (TOKEN,)

_ASK = at(HOSTS, Question(
    "", "/api/v2/account/details", bearer, ("data.id",), dead=(Said(401, ('"title":"unauthorized"',)),),
    restricted=(Said(404, ('"title":"not found"',), "it is of a team or an organisation, which has no account to tell about"),),
    who=("data.attributes.username",), also={"accept": "application/vnd.api+json"},
))  # fmt: skip
verify = public_or_own("terraform-cloud", HOSTS, asks({TOKEN: _ASK}))

_INVALID = Answer(401, '{"errors":[{"status":"401","title":"unauthorized"}]}')
CASES = cases(
    TOKEN,
    '{"data":{"id":"user-V3R563qtJNcExAkN","type":"users","attributes":{"username":"admin"}}}',
    _INVALID,
    Case("perhaps of another server", TOKEN, (_INVALID,), "unknown"),
    restricted=Answer(404, '{"errors":[{"status":"404","title":"not found"}]}'),
    parts={"host": "app.terraform.io"},
)
