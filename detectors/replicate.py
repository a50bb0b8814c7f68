"""Replicate tokens.

What it is: an API token, `r8_` and 37 characters (40 in all).
Where it is used: image, video and audio models, `cog login`, web back ends, notebooks; `REPLICATE_API_TOKEN`.
What an attacker can do: run any model and start trainings and deployments at the owner's cost, read all predictions with their
  inputs and outputs, push new versions of the owner's models.
How to replace it: create a new token at replicate.com/account/api-tokens and disable the old one there.
References: https://replicate.com/docs/reference/http#authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, b64url, concat

from ._model_vendor import has_digit, prefixed, prefixed_rule, replace

API_TOKEN = Kind("replicate/api-token")

KINDS = (
    CredentialKind(API_TOKEN, "Replicate API token", "critical", manual=replace("https://replicate.com/account/api-tokens"),
                   references=("https://replicate.com/docs/reference/http#authentication",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_TOKEN, prefixed(rb"r8_[A-Za-z0-9_-]{37}", left=rb"(?<![A-Za-z0-9_])"), concat("r8_", an(37)), "REPLICATE_API_TOKEN",
        "api.replicate.com/v1/account",
        (concat("r8_", b64url(36)), concat("r8_", b64url(38)), concat("r8-", an(37)), concat("r9_", an(37))), score=75, check=has_digit,
    ),
)  # fmt: skip
