"""Tailscale keys.

What it is: auth keys that add a machine (`tskey-auth-`), API keys (`tskey-api-`), OAuth client secrets (`tskey-client-`),
  keys for SCIM and webhooks: the type, the key's id, and the secret. Keys older than 2022 name no type.
Where it is used: `TS_AUTHKEY` in containers and cloud-init, `TAILSCALE_API_KEY`, Terraform, `tailscale up --authkey`.
What an attacker can do: with an auth key join the private network as a machine with the key's tags; with an API key or
  client read and change devices, access rules and DNS.
How to replace it: make a new one at login.tailscale.com, Settings, Keys (or OAuth clients), and revoke the old one;
  remove machines that nobody knows.
References: https://tailscale.com/kb/1277/key-prefixes
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG

AUTH = Kind("tailscale/auth-key")
API = Kind("tailscale/api-key")
CLIENT = Kind("tailscale/client-secret")

KINDS = (
    credential(
        AUTH,
        "Tailscale auth key",
        "critical",
        "https://login.tailscale.com/admin/settings/keys",
        see="https://tailscale.com/kb/1277/key-prefixes",
    ),
    credential(
        API,
        "Tailscale API key",
        "critical",
        "https://login.tailscale.com/admin/settings/keys",
        see="https://tailscale.com/kb/1277/key-prefixes",
    ),
    credential(
        CLIENT,
        "Tailscale OAuth client secret",
        "critical",
        "https://login.tailscale.com/admin/settings/keys",
        see="https://tailscale.com/kb/1277/key-prefixes",
    ),
)

RULES = (
    by_prefix(
        AUTH,
        rb"tskey-auth-[A-Za-z0-9]{10,24}-[A-Za-z0-9]{24,40}",
        "TS_AUTHKEY",
        concat("tskey-auth-k", an(10), "CNTRL-", an(32)),
        (
            concat("tskey-auth-k", an(8), "-", an(32)),
            concat("tskey-auth-k", an(10), "CNTRL-", an(20)),
            concat("tskey_auth_k", an(10), "CNTRL_", an(32)),
        ),
        edge=SLUG,
        score=85,
    ),
    by_prefix(
        API,
        rb"tskey-(?:api-)?[A-Za-z0-9]{10,24}-[A-Za-z0-9]{20,40}",
        "TAILSCALE_API_KEY",
        concat("tskey-api-k", an(10), "CNTRL-", an(32)),
        (
            concat("tskey-api-k", an(8), "-", an(32)),
            concat("tskey-api-k", an(10), "CNTRL-", an(16)),
            concat("tskey_api_k", an(10), "CNTRL_", an(32)),
        ),
        edge=SLUG,
        score=85,
    ),
    by_prefix(
        CLIENT,
        rb"tskey-(?:client|scim|webhook)-[A-Za-z0-9]{10,24}-[A-Za-z0-9]{24,40}",
        "TS_API_CLIENT_SECRET",
        concat("tskey-client-k", an(10), "CNTRL-", an(32)),
        (
            concat("tskey-client-k", an(8), "-", an(32)),
            concat("tskey-client-k", an(10), "CNTRL-", an(20)),
            concat("tskey-other-k", an(10), "CNTRL-", an(32)),
        ),
        edge=SLUG,
        score=85,
    ),
)
