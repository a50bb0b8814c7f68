"""Composio keys.

What it is: a project's API key, `ak_` and 20 characters, and an organisation's key, `oak_` (its length is unverified).
Where it is used: agents that act in other services (mail, calendars, GitHub, Slack); `COMPOSIO_API_KEY`, the header `x-api-key`.
What an attacker can do: run tools in every account that the project's users have connected: read mail, write to repositories,
  send messages. An organisation's key also manages projects.
How to replace it: create a new key in the project's settings at app.composio.dev and delete the old one; connected accounts stay.
References: https://docs.composio.dev/api-reference
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, chars, concat

from ._model_vendor import key_of, mixed, named, named_rule, prefixed, prefixed_rule, replace

API_KEY = Kind("composio/api-key")

KINDS = (
    CredentialKind(API_KEY, "Composio API key", "critical", manual=replace("https://app.composio.dev/developers"),
                   references=("https://docs.composio.dev/api-reference",)),
)  # fmt: skip

_KEY = concat("ak_", an(20))

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"ak_[A-Za-z0-9_-]{20}", left=rb"(?<![A-Za-z0-9_-])"), _KEY, "TOOLS_KEY", "backend.composio.dev/api/v3/toolkits",
        (concat("ak_", an(19)), concat("ak_", an(21)), concat("ak-", an(20)), concat("ak_", chars("abcdefghijklmnopqrstuvwxyz_", 20))),
        score=55, check=mixed(), header="x-api-key: ",
    ),
    named_rule(
        API_KEY, named(key_of(rb"composio"), rb"o?ak_[A-Za-z0-9_-]{20,40}"), concat("oak_", an(24)), "COMPOSIO_API_KEY",
        (concat("oak_", an(19)), concat("oak_", an(41)), concat("oak-", an(24)), concat("pak_", an(24))), score=80,
    ),
)  # fmt: skip
