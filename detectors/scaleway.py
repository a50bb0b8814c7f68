"""Scaleway API keys.

What it is: an access key (SCW and seventeen capitals or digits) with a secret key, which is a UUID and means nothing without
  its name or its partner.
Where it is used: the scw command line (`~/.config/scw/config.yaml`), Terraform, S3 clients for Object Storage, CI.
What an attacker can do: what the IAM policies of the key's user or application allow: servers, databases, buckets, DNS.
How to replace it: create a new API key for the same user or application under IAM, deploy it, delete the old one (or DELETE
  /iam/v1alpha1/api-keys/{access_key}).
References: https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/  https://www.scaleway.com/en/developers/api/iam/
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, assigned, concat, hexa, part, text, upper, uuid4

from ._cloud import UUID, credential, named

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
