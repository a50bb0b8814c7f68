"""Weights & Biases keys.

What it is: an API key, today `wandb_v1_` and 77 characters; older ones are 40 hex digits (`local-…-` before them on a private
  server), which only their name or the login file gives away.
Where it is used: experiment tracking and model registries, by `wandb login` in `~/.netrc` (machine api.wandb.ai), CI, notebooks, Weave
  traces; `WANDB_API_KEY`.
What an attacker can do: all that its owner may do: read runs, data sets, models and traces of their teams, change or delete them.
How to replace it: create a new key in the user settings (or at wandb.ai/authorize), delete the old one there.
References: https://docs.wandb.ai/support/find_api_key/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, concat, hexa, part, text, upper_hex

from ._model_vendor import key_of, named, named_rule, prefixed, prefixed_rule, replace

API_KEY = Kind("wandb/api-key")

KINDS = (
    CredentialKind(API_KEY, "Weights & Biases API key", "high", manual=replace("https://wandb.ai/settings#api"),
                   references=("https://docs.wandb.ai/support/find_api_key/",)),
)  # fmt: skip

_OLD = rb"(?:local-[A-Za-z0-9]{1,40}-)?[0-9a-f]{40}"
_EDGE = rb"(?![0-9A-Za-z])"

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"wandb_v1_[A-Za-z0-9_]{77}"), concat("wandb_v1_", an(77)), "WANDB_API_KEY", "api.wandb.ai/graphql",
        (concat("wandb_v1_", an(76)), concat("wandb_v1_", an(78)), concat("wandb-v1-", an(77)), concat("wandb_v_", an(77))), score=90,
    ),
    named_rule(
        API_KEY, named(rb"(?:" + key_of(rb"(?:wandb|weights_?(?:and_?)?biases)") + rb"|wandb\.login\([^)\n]{0,30}key|wandb[ \t]login)", _OLD), hexa(40), "WANDB_API_KEY",
        (hexa(39), hexa(41), upper_hex(40)), score=70,
    ),
    Rule(
        "wandb/api-key-in-netrc",
        API_KEY,
        rb"wandb[a-z0-9.-]{0,30}\s{1,16}login\s{1,4}user\s{1,16}password\s{1,4}(?P<secret>" + _OLD + rb")" + _EDGE,
        score=80,
        examples=(
            text("machine api.wandb.ai\n  login user\n  password ", part("secret", hexa(40)), "\n"),
            text("machine api.wandb.ai login user password ", part("secret", hexa(40)), "\n"),
            text("machine wandb.example.org\n\tlogin user\n\tpassword ", part("secret", concat("local-user-", hexa(40))), "\n"),
        ),
        near_misses=(
            text("machine api.wandb.ai login user password ", hexa(39), "\n"), text("machine api.wandb.ai login user password ", hexa(41), "\n"),
            text("machine api.example.org login user password ", hexa(40), "\n"), text("machine api.wandb.ai login user account ", hexa(40), "\n"),
        ),
    ),
)  # fmt: skip
