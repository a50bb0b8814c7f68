"""Mattermost tokens.

What it is: a personal or bot token of a Mattermost server: 26 characters of an alphabet without l, v, 0 and 2; ids of
  channels and users look alike, so that the name must tell it. An incoming webhook's address is enough to post.
Where it is used: `MATTERMOST_TOKEN`, `MM_TOKEN`, bots' settings; `https://HOST/hooks/…`.
What an attacker can do: read and write as the user or bot; with a webhook post to its channel.
How to replace it: create a new token in the profile's security settings and delete the old one; webhooks under
  Integrations.
References: https://developers.mattermost.com/integrate/reference/personal-access-token/
  https://github.com/mattermost/mattermost (server/public/model/utils.go: the alphabet and the length)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import Shape, chars, upper

from ._cloud import by_name, credential

TOKEN = Kind("mattermost/access-token")

KINDS = (
    credential(
        TOKEN,
        "Mattermost access token",
        "high",
        "https://docs.mattermost.com/",
        see="https://developers.mattermost.com/integrate/reference/personal-access-token/",
    ),
)


def _id(count: int) -> Shape:
    return chars("ybndrfg8ejkmcpqxot1uwisza345h769", count)


RULES = (
    by_name(
        TOKEN,
        rb"mattermost[a-z0-9_. -]{0,20}(?:token|password)|(?<![a-z0-9])mm_[a-z0-9_]{0,12}token",
        rb"[a-km-uw-z13-9]{26}",
        "MATTERMOST_TOKEN",
        _id(26),
        (
            _id(25),
            _id(27),
            upper(26),
        ),
        score=75,
    ),
)
