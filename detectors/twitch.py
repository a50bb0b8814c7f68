"""Twitch secrets.

What it is: the client secret of an application and the tokens of its users (30 small letters and digits; chat clients
  write `oauth:` before them), and stream keys (`live_`, digits, `_` and 30).
Where it is used: `TWITCH_CLIENT_SECRET`, `TMI_OAUTH`, chat bots, `config.json` of streaming programs.
What an attacker can do: act as the application, or in chat as the user; with a stream key broadcast on the channel.
How to replace it: new secret in the developer console; POST /oauth2/revoke ends a token; reset the stream key in the
  creator dashboard.
References: https://dev.twitch.tv/docs/authentication/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, digits, lower, upper

from ._cloud import by_name, by_prefix, credential

SECRET = Kind("twitch/client-secret")
TOKEN = Kind("twitch/user-token")
STREAM = Kind("twitch/stream-key")

KINDS = (
    credential(
        SECRET,
        "Twitch client secret",
        "medium",
        "https://dev.twitch.tv/console/apps",
        see="https://dev.twitch.tv/docs/authentication/",
    ),
    credential(
        TOKEN,
        "Twitch user token",
        "medium",
        "https://dev.twitch.tv/console/apps",
        see="https://dev.twitch.tv/docs/authentication/",
    ),
    credential(
        STREAM,
        "Twitch stream key",
        "medium",
        "https://dev.twitch.tv/console/apps",
        see="https://dev.twitch.tv/docs/authentication/",
    ),
)

RULES = (
    by_name(
        SECRET,
        rb"twitch[a-z0-9_. -]{0,20}secret",
        rb"[a-z0-9]{30}",
        "TWITCH_CLIENT_SECRET",
        lower(30),
        (
            lower(29),
            lower(31),
            upper(30),
        ),
        score=75,
    ),
    by_prefix(
        TOKEN,
        rb"oauth:(?=[a-z]{0,29}[0-9])[a-z0-9]{30}",
        "TMI_OAUTH",
        concat("oauth:", lower(30)),
        (
            concat("oauth:", lower(29)),
            concat("oauth:", lower(31)),
            concat("oauth-", lower(30)),
        ),
        score=75,
    ),
    by_prefix(
        STREAM,
        rb"live_[0-9]{6,12}_[A-Za-z0-9]{28,32}",
        "STREAM_KEY",
        concat("live_", digits(9), "_", an(30)),
        (
            concat("live_", digits(9), "_", an(27)),
            concat("live_", digits(9), "_", an(33)),
            concat("live-", digits(9), "-", an(30)),
        ),
        score=82,
    ),
)
