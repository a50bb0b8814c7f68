"""Fastly API tokens.

What it is: a token of 32 URL-safe characters without a prefix, so that it is found by its name or by its header only.
Where it is used: the fastly command line (`~/.config/fastly/config.toml`), purge scripts and CI (header `Fastly-Key`),
  Terraform, content management systems.
What an attacker can do: what the token's scope allows: purge caches, or with global scope change services, their origins and
  VCL, and so read or replace all traffic.
How to replace it: create a new token with the same scope and services, deploy it, then delete the old one in the account, or
  with DELETE /tokens/self, which needs only the token itself.
References: https://www.fastly.com/documentation/reference/api/auth-tokens/
  https://www.fastly.com/documentation/guides/account-info/account-management/using-api-tokens/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import assigned, b64url, hexa

from ._cloud import SLUG, block, by_name, credential, header, mixed

TOKEN = Kind("fastly/api-token")

KINDS = (
    credential(TOKEN, "Fastly API token", "critical", "https://manage.fastly.com/account/personal/tokens", see="https://www.fastly.com/documentation/reference/api/auth-tokens/"),
)  # fmt: skip

RULES = (
    by_name(
        TOKEN, rb"fastly[\w.-]{0,12}(?:key|token)|" + block(rb"fastly", rb"api_key"), mixed(32, b"A-Za-z0-9_-"), "FASTLY_API_TOKEN", b64url(32), (b64url(31), b64url(33), hexa(32)), edge=SLUG,
        more=(assigned("api_key", b64url(32), form='provider "fastly" {\n  {name} = "{value}"\n}\n'), header("Fastly-Key: ", b64url(32)), assigned("fastly_api_key", b64url(32), form='{name} = "{value}"\n')),
    ),
)  # fmt: skip
