"""Hetzner Cloud and DNS API tokens.

What it is: a token of a Hetzner Cloud project, 64 letters and digits; a token of Hetzner DNS, 32 letters and digits. Neither
  has a prefix, so they are found by their names. The length is of tokens seen, not of documentation.
Where it is used: the hcloud command line (`~/.config/hcloud/cli.toml`), Terraform, the Kubernetes cloud controller and CSI
  driver, ACME clients.
What an attacker can do: with a read and write token, everything in its project: servers, volumes, snapshots, firewalls; with
  a DNS token, change all zones and so get certificates.
How to replace it: create a new token in the project under Security, API Tokens, deploy it, delete the old one. Tokens cannot
  be made or deleted by API.
Whether it lives: GET /v1/locations, which every token of a project may read. A DNS token is not asked about: its service was
  moved into the cloud API.
References: https://docs.hetzner.com/cloud/api/getting-started/generating-api-token/  https://docs.hetzner.cloud/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, assigned, hexa, part, text
from keyward.plugin.verifier import Answer

from ._cloud import block, by_name, credential, mixed
from ._vendor_answers import Question, Said, asks, bearer, cases

TOKEN = Kind("hetzner/cloud-token")
DNS = Kind("hetzner/dns-token")

KINDS = (
    credential(TOKEN, "Hetzner Cloud API token", "critical", "https://console.hetzner.cloud/projects",
               see="https://docs.hetzner.com/cloud/api/getting-started/generating-api-token/"),
    credential(DNS, "Hetzner DNS API token", "high", "https://dns.hetzner.com/settings/api-token", see="https://dns.hetzner.com/api-docs"),
)  # fmt: skip

RULES = (
    by_name(
        TOKEN, rb"(?:hcloud|hetzner)[\w.-]{0,16}(?:token|key)|" + block(rb"hcloud", rb"token") + rb"|active_context[^\n]{1,40}\n\s{0,4}\[\[contexts\]\]\s{1,6}name[^\n]{1,40}\n\s{1,6}token", mixed(64),
        "HCLOUD_TOKEN", an(64), (an(63), an(65), hexa(64)),
        more=(
            text('provider "hcloud" {\n  token = "', part("secret", an(64)), '"\n}\n'),
            text('active_context = "prod"\n\n[[contexts]]\n  name = "prod"\n  token = "', part("secret", an(64)), '"\n'),
        ),
    ),
    by_name(
        DNS, rb"hetzner[\w.-]{0,8}dns[\w.-]{0,8}(?:token|key)|hetzner_(?:api_)?(?:token|key)|auth-api-token", mixed(32), "HETZNER_DNS_API_TOKEN", an(32), (an(31), an(33), hexa(32)),
        more=(assigned("HETZNER_API_KEY", an(32), form='export {name}="{value}"\n'),),
    ),
)  # fmt: skip

HOSTS = ("api.hetzner.cloud",)
VERIFIES = (TOKEN,)

_ASK = Question(
    "https://api.hetzner.cloud", "/v1/locations?per_page=1", bearer, ("locations",),
    dead=(Said(401, ("unable to authenticate",)),), restricted=(Said(403, ('"code":"forbidden"',)),),
)  # fmt: skip
verify = asks({TOKEN: _ASK})

CASES = cases(
    TOKEN,
    '{"locations":[{"id":1,"name":"fsn1"}],"meta":{"pagination":{"page":1}}}',
    Answer(401, '{"error":{"code":"unauthorized","message":"unable to authenticate","details":null}}'),
    restricted=Answer(
        403, '{"error":{"code":"forbidden","message":"insufficient permissions for this request","details":null}}'
    ),
)
