"""Databricks personal access tokens and OAuth secrets.

What it is: personal access tokens of users and service principals (dapi), and the OAuth secrets of service principals (dose),
  which are used with a client id.
Where it is used: `~/.databrickscfg`, the command line and SDKs, JDBC and ODBC strings, dbt profiles, Terraform, CI.
What an attacker can do: run notebooks and jobs, read and change tables, files and secrets scopes, as the owner of the token
  may in that workspace, and pay for clusters with it.
How to replace it: create a new token in User Settings, Developer (or POST /api/2.0/token/create), deploy it, delete the old
  one. A service principal's secret is added and removed in the account console.
References: https://docs.databricks.com/aws/en/dev-tools/auth/pat  https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind
from keyward.plugin.shapes import assigned, concat, hexa, part, text, uuid4

from ._cloud import SLUG, UUID, beside, by_prefix, credential, header

PAT = Kind("databricks/personal-access-token")
OAUTH = Kind("databricks/oauth-secret")

_DOC = "https://docs.databricks.com/aws/en/dev-tools/auth/"

KINDS = (
    credential(PAT, "Databricks personal access token", "critical", "https://accounts.cloud.databricks.com/",
               "Create a new token in the workspace: Settings, Developer, Access tokens.", "Update what uses the old one.", "Revoke the old one in the same place.",
               see=_DOC + "pat", public=("host",)),
    credential(OAUTH, "Databricks OAuth secret of a service principal", "critical", "https://accounts.cloud.databricks.com/user-management/serviceprincipals",
               "Generate a second secret for the service principal (five at most).", "Update what uses the old one.", "Delete the old secret.",
               see=_DOC + "oauth-m2m", public=("client_id", "host")),
)  # fmt: skip

_HOST = Companion("host", rb"(?<![A-Za-z0-9.-])(?P<host>[a-z0-9][a-z0-9.-]{2,60}\.(?:databricks\.com|azuredatabricks\.net|databricks\.azure\.us))", within=500, optional=True)
_PAT, _OAUTH = concat("dapi", hexa(32)), concat("dose", hexa(32))

RULES = (
    by_prefix(
        PAT, rb"dapi[0-9a-f]{32}(?:-[0-9])?", "DATABRICKS_TOKEN", _PAT, (concat("dapi", hexa(31)), concat("dapi", hexa(33)), concat("dapj", hexa(32)), concat("dapi-", hexa(32))),
        edge=SLUG, score=80, companions=(_HOST,),
        more=(
            assigned("token", concat("dapi", hexa(32), "-2"), form="[DEFAULT]\n{name} = {value}\n"),
            text("[prod]\nhost = https://", part("host", "dbc-a1b2.cloud.databricks.com"), "\ntoken = ", part("secret", _PAT), "\n"),
            header("Authorization: Bearer ", _PAT),
        ),
    ),
    by_prefix(
        OAUTH, rb"dose[0-9a-f]{32}", "DATABRICKS_CLIENT_SECRET", _OAUTH, (concat("dose", hexa(31)), concat("dose", hexa(33)), concat("dosf", hexa(32))),
        companions=(_HOST, beside("client_id", rb"client[_-]?id", UUID)),
        more=(text("DATABRICKS_CLIENT_ID=", part("client_id", uuid4()), "\nDATABRICKS_CLIENT_SECRET=", part("secret", _OAUTH), "\n"),),
    ),
)  # fmt: skip
