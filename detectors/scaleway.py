"""Scaleway API keys.

What it is: an access key (SCW and seventeen capitals or digits) with a secret key, which is a UUID and means nothing without
  its name or its partner.
Where it is used: the scw command line (`~/.config/scw/config.yaml`), Terraform, S3 clients for Object Storage, CI.
What an attacker can do: what the IAM policies of the key's user or application allow: servers, databases, buckets, DNS.
How to replace it: create a new API key for the same user or application under IAM, deploy it, delete the old one (or DELETE
  /iam/v1alpha1/api-keys/{access_key}).
Whether it lives: GET /iam/v1alpha1/api-keys/ID, what IAM says of the key itself; the access key (the id) must be known.
References: https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/  https://www.scaleway.com/en/developers/api/iam/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, assigned, concat, hexa, part, text, upper, uuid4
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._cloud import UUID, credential, named
from ._vendor_answers import Question, Said, cases, in_header, put

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

API_KEY = Kind("scaleway/api-key")

KINDS = (
    credential(API_KEY, "Scaleway API key", "critical", "https://console.scaleway.com/iam/api-keys", see="https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/",
               identity=("secret", "id"), public=("id",)),
)  # fmt: skip


def _pair(first: str, second: str, last: str = "\n") -> Shape:
    return text(first, part("id", concat("SCW", upper(17))), second, part("secret", uuid4()), last)


RULES = (
    Rule(
        "scaleway/access-key",
        API_KEY,
        rb"(?<![A-Za-z0-9])(?P<id>SCW[A-Z0-9]{17})(?![A-Za-z0-9_])",
        alone=-40,
        companions=(Companion("secret", named(rb"secret_?-?(?:access_?)?key", UUID), within=300),),
        examples=(
            _pair("SCW_ACCESS_KEY=", "\nSCW_SECRET_KEY="),
            _pair("access_key: ", "\nsecret_key: "),
            _pair('provider "scaleway" {\n  access_key = "', '"\n  secret_key = "', '"\n}\n'),
        ),
        near_misses=(
            text("access_key: SCW", upper(16), "\nsecret_key: ", uuid4(), "\n"),
            text("access_key: SCW", upper(18), "\nsecret_key: ", uuid4(), "\n"),
            text("access_key: SCW", upper(17), "\nproject_id: ", uuid4(), "\n"),
        ),
    ),
    Rule(
        "scaleway/secret-key",
        API_KEY,
        named(rb"(?:scaleway|(?<![A-Za-z0-9])scw)[\w.-]{0,8}(?:secret[_-]?key|token)", UUID),
        score=65,
        examples=(
            assigned("SCW_SECRET_KEY", uuid4()),
            assigned("SCW_SECRET_KEY", uuid4(), form="        - name: {name}\n          value: {value}\n"),
            assigned("scaleway_token", uuid4(), form='{name} = "{value}"\n'),
        ),
        near_misses=(
            assigned("SCW_SECRET_KEY", hexa(32)),
            assigned("SCW_DEFAULT_PROJECT_ID", uuid4()),
            assigned("SCW_SECRET_KEY", concat(hexa(8), "-", hexa(4), "-", hexa(4), "-", hexa(4), "-", hexa(11))),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.scaleway.com",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.scaleway.com", "", in_header("x-auth-token"), ("access_key",),
    dead=(Said(401, ('"reason":"not_found"', '"reason":"expired"')),), restricted=(Said(403, ('"type":"permissions_denied"',)),),
    who=("application_id", "user_id"), until="expires_at",
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks IAM about the key."""
    id = credential.text("id")
    if not re.fullmatch("SCW[A-Z0-9]{17}", id):
        return Unknown("the access key, to which the secret key belongs, is not known")
    return put(_ASK._replace(path=f"/iam/v1alpha1/api-keys/{id}"), credential, target, ports)


CASES = cases(
    API_KEY,
    '{"access_key":"SCW0","application_id":"6170692e-7363-616c-6577-61792e636f6d","expires_at":"2027-01-01T00:00:00Z"}',
    Answer(401, '{"type":"denied_authentication","method":"api_key","reason":"not_found"}'),
    Case("expired", API_KEY, (Answer(401, '{"type":"denied_authentication","method":"api_key","reason":"expired"}'),), "dead"),
    Case("no secret key at all", API_KEY, (Answer(401, '{"type":"denied_authentication","method":"api_key","reason":"invalid_argument"}'),), "unknown"),
    Case("no access key", API_KEY, (Answer(200, "{}"),), "unknown", {"id": ""}),
    restricted=Answer(403, '{"type":"permissions_denied","details":[{"resource":"api_key","action":"read"}]}'),
)  # fmt: skip
