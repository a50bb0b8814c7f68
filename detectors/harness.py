"""Harness API keys.

What it is: a personal (`pat.`) or service account (`sat.`) token: account id of 22 characters, 24 hex digits and 20
  letters and digits, joined by dots; older ones without the account id, as examples of the vendor's pages have it.
Where it is used: `HARNESS_API_KEY`, header `x-api-key`, Terraform, the `harness` command line.
What an attacker can do: all that the user or service account may do: read connectors and secrets' names, change pipelines
  and run them, and so reach what they deploy to.
How to replace it: create a new token under the profile's or the service account's API keys, with an end, and delete the
  old one; Rotate keeps both for a while.
References: https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, assigned, b64url, concat, hexa

from ._cloud import by_prefix, credential

KEY = Kind("harness/api-key")

KINDS = (
    credential(
        KEY,
        "Harness API key",
        "critical",
        "https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/",
        see="https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"[ps]at\.(?:[A-Za-z0-9_-]{22}\.)?[0-9a-f]{24}\.[A-Za-z0-9]{20}",
        "HARNESS_API_KEY",
        concat("pat.", b64url(22), ".", hexa(24), ".", an(20)),
        (
            concat("pat.", b64url(21), ".", hexa(24), ".", an(20)),
            concat("pat.", b64url(22), ".", hexa(23), ".", an(20)),
            concat("pat.", b64url(22), ".", hexa(24), ".", an(21)),
            concat("pat.", hexa(23), ".", an(20)),
            concat("pat.", hexa(24), ".", an(19)),
            concat("pat.", hexa(24), ".", an(21)),
        ),
        score=80,
        more=(assigned("HARNESS_API_KEY", concat("pat.", hexa(24), ".", an(20))),),
    ),
)
