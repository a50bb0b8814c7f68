"""Linode (Akamai Cloud) personal access tokens.

What it is: a token of 64 hex digits; the shape is that of any SHA-256 sum, so it is found by its name only. Also the access
  keys of Linode Object Storage, by their names.
Where it is used: linode-cli (`~/.config/linode-cli`), Terraform, the Kubernetes cloud controller, DNS challenges of certbot
  and lego, external-dns.
What an attacker can do: what the token's scopes allow: create and destroy servers, read backups and kubeconfigs, change DNS,
  at the owner's cost.
How to replace it: create a new token under My Profile, API Tokens, deploy it, revoke the old one (or DELETE
  /v4/profile/tokens/{id}).
Whether it lives: GET /v4/profile, which every token may ask that has the scope account:read_only; one without is refused in
  other words than an unknown one.
References: https://techdocs.akamai.com/linode-api/reference/get-personal-access-tokens
  https://techdocs.akamai.com/cloud-computing/docs/manage-personal-access-tokens
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, assigned, concat, hexa, part, text, upper
from keyward.plugin.verifier import Answer

from ._cloud import beside, block, by_name, credential, mixed
from ._vendor_answers import Question, Said, asks, bearer, cases

TOKEN = Kind("linode/personal-access-token")
OBJECT_KEY = Kind("linode/object-storage-key")

KINDS = (
    credential(TOKEN, "Linode personal access token", "critical", "https://cloud.linode.com/profile/tokens",
               see="https://techdocs.akamai.com/cloud-computing/docs/manage-personal-access-tokens"),
    credential(OBJECT_KEY, "Linode Object Storage access key", "high", "https://cloud.linode.com/object-storage/access-keys",
               see="https://techdocs.akamai.com/cloud-computing/docs/manage-access-keys", public=("id",)),
)  # fmt: skip

RULES = (
    by_name(
        TOKEN, rb"linode[\w.-]{0,16}(?:token|key)|" + block(rb"linode", rb"token"), rb"[0-9a-f]{64}", "LINODE_TOKEN", hexa(64), (hexa(63), hexa(65), concat(hexa(60), "wxyz")),
        more=(
            assigned("dns_linode_key", hexa(64), form="{name} = {value}\n"),
            text('provider "linode" {\n  token = "', part("secret", hexa(64)), '"\n}\n'),
        ),
    ),
    by_name(
        OBJECT_KEY, rb"linode[\w.-]{0,24}secret[\w.-]{0,12}", mixed(40), "LINODE_OBJ_SECRET_KEY", an(40), (an(39), an(41), hexa(40)), score=75,
        companions=(beside("id", rb"access_?key(?:_?id)?", rb"[A-Z0-9]{20}"),),
        more=(text("LINODE_OBJ_ACCESS_KEY=", part("id", upper(20)), "\nLINODE_OBJ_SECRET_KEY=", part("secret", an(40)), "\n"),),
    ),
)  # fmt: skip

HOSTS = ("api.linode.com",)
VERIFIES = (TOKEN,)

_ASK = Question(
    "https://api.linode.com", "/v4/profile", bearer, ("username",),
    dead=(Said(401, ('"reason":"invalid token"', '"reason":"invalid oauth token"')),),
    restricted=(Said(401, ("not authorized to use this endpoint",)), Said(403, ('"reason":"unauthorized"',))),
    who=("username",), scopes="header:x-oauth-scopes",
)  # fmt: skip
verify = asks({TOKEN: _ASK})

CASES = cases(
    TOKEN,
    '{"username":"exampleUser","restricted":false}',
    Answer(401, '{"errors":[{"reason":"Invalid Token"}]}'),
    restricted=Answer(401, '{"errors":[{"reason":"Your OAuth token is not authorized to use this endpoint."}]}'),
    headers={"x-oauth-scopes": "linodes:read_only account:read_only"},
)
