"""Modal tokens.

What it is: a token of Modal, in two parts: the id `ak-` and 22 letters and digits, the secret `as-` and 22, as samples in
  public code have it, unverified by the vendor; proxy tokens, which web endpoints ask for, are
  `wk-` and `ws-`.
Where it is used: `MODAL_TOKEN_ID` and `MODAL_TOKEN_SECRET`, `~/.modal.toml`, `modal token set`; headers `Modal-Key` and
  `Modal-Secret`.
What an attacker can do: run code on the workspace's bill, read its secrets and volumes.
How to replace it: create a new token at modal.com, Settings, API tokens, and delete the old one; proxy tokens have a page of their
  own there.
References: https://modal.com/docs/reference/modal.config
  https://modal.com/docs/guide/webhook-proxy-auth (proxy tokens)
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind
from keyward.plugin.shapes import an, concat, lower

from ._cloud import by_prefix, credential
from ._forms import SLUG, mixed

TOKEN = Kind("modal/token")
PROXY = Kind("modal/proxy-token")

KINDS = (
    credential(
        TOKEN,
        "Modal token",
        "critical",
        "https://modal.com/settings/tokens",
        see="https://modal.com/docs/reference/modal.config",
        public=("id",),
    ),
    credential(
        PROXY,
        "Modal proxy token",
        "high",
        "https://modal.com/settings/proxy-auth-tokens",
        see="https://modal.com/docs/guide/webhook-proxy-auth",
        public=("id",),
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"as-" + mixed(22),
        "MODAL_TOKEN_SECRET",
        concat("as-", an(22)),
        (concat("as-", an(21)), concat("as-", an(23)), concat("as_", an(22)), concat("as-", lower(22))),
        edge=SLUG,
        score=62,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>ak-[A-Za-z0-9]{22})(?![A-Za-z0-9])", within=300, optional=True),),
    ),
    by_prefix(
        PROXY,
        rb"ws-" + mixed(22),
        "MODAL_PROXY_TOKEN_SECRET",
        concat("ws-", an(22)),
        (concat("ws-", an(21)), concat("ws-", an(23)), concat("ws_", an(22)), concat("ws-", lower(22))),
        edge=SLUG,
        score=62,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>wk-[A-Za-z0-9]{22})(?![A-Za-z0-9])", within=300, optional=True),),
    ),
)
