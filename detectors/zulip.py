"""Zulip keys.

What it is: the key of a user or bot of Zulip: 32 letters and digits, in a file `zuliprc` beside the mail address and the
  site.
Where it is used: `zuliprc`, `ZULIP_API_KEY` beside `ZULIP_EMAIL` and `ZULIP_SITE`.
What an attacker can do: read and write as the user or bot.
How to replace it: POST /users/me/api_key/regenerate, or the button in the settings; the old one ends at once.
References: https://zulip.com/api/configuring-python-bindings
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import an, concat, part, text

from ._cloud import by_name, credential, vendor

KEY = Kind("zulip/api-key")

KINDS = (
    credential(
        KEY, "Zulip API key", "high", "https://zulip.com/api/api-keys", see="https://zulip.com/api/configuring-python-bindings"
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(b"zulip", rb"(?:key|token)"),
        rb"[A-Za-z0-9]{32}",
        "ZULIP_API_KEY",
        an(32),
        (
            an(31),
            an(33),
            concat(an(31), "_"),
        ),
        score=75,
    ),
    Rule(
        "zulip/zuliprc",
        KEY,
        rb"\[api\]\s{1,4}email\s?=\s?[^\s=]{3,100}\s{1,4}key\s?=\s?(?P<secret>[A-Za-z0-9]{32})(?![A-Za-z0-9])",
        score=88,
        examples=(
            text("[api]\nemail=bot@acme.io\nkey=", part("secret", an(32)), "\nsite=https://acme.zulipchat.com\n"),
            text("[api]\nemail = kim@acme.io\nkey = ", part("secret", an(32)), "\n"),
            text("cat zuliprc\n[api]\nemail=ci-bot@acme.io\nkey=", part("secret", an(32)), "\n"),
        ),
        near_misses=(
            text("[api]\nemail=bot@acme.io\nkey=", an(31), "\n"),
            text("[api]\nemail=bot@acme.io\nkey=", an(33), "\n"),
            text("[web]\nemail=bot@acme.io\nid=", an(32), "\n"),
        ),
    ),
)
