"""Pushbullet tokens.

What it is: an access token of Pushbullet: `o.` and 32 letters and digits.
Where it is used: `PUSHBULLET_TOKEN`, header `Access-Token`, home automation.
What an attacker can do: read and send pushes of the account, mirrored messages of its telephone included.
How to replace it: create a new token in the settings, which ends the old ones.
References: https://docs.pushbullet.com/#authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, lower

from ._cloud import by_prefix, credential
from ._forms import mixed

TOKEN = Kind("pushbullet/access-token")

KINDS = (
    credential(
        TOKEN,
        "Pushbullet access token",
        "medium",
        "https://www.pushbullet.com/#settings/account",
        see="https://docs.pushbullet.com/#authentication",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"o\." + mixed(32),
        "PUSHBULLET_TOKEN",
        concat("o.", an(32)),
        (concat("o.", an(31)), concat("o.", an(33)), concat("o_", an(32)), concat("o.", lower(32))),
        edge=rb"(?![A-Za-z0-9_.(-])",
        score=62,
    ),
)
