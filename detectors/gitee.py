"""Gitee tokens.

What it is: a token of a user of Gitee: 32 hex digits, known by its name or by the address that it stands in; the secret
  of an OAuth application has 64.
Where it is used: `GITEE_TOKEN`, `GITEE_ACCESS_TOKEN`, addresses with `?access_token=`, git remotes with
  `oauth2:TOKEN@gitee.com`.
What an attacker can do: read and change the user's repositories, as its scopes allow.
How to replace it: create a new token at gitee.com, Settings, Personal access tokens, and delete the old one.
References: https://gitee.com/api/v5/oauth_doc
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import hexa, part, text, upper_hex

from ._cloud import by_name, credential, vendor

TOKEN = Kind("gitee/access-token")
SECRET = Kind("gitee/oauth-secret")

KINDS = (
    credential(
        TOKEN,
        "Gitee access token",
        "critical",
        "https://gitee.com/profile/personal_access_tokens",
        see="https://gitee.com/api/v5/oauth_doc",
    ),
    credential(
        SECRET,
        "Gitee OAuth secret",
        "high",
        "https://gitee.com/profile/personal_access_tokens",
        see="https://gitee.com/api/v5/oauth_doc",
    ),
)

RULES = (
    by_name(
        TOKEN,
        vendor(b"gitee", rb"(?:token|pat|key)"),
        rb"[0-9a-f]{32}",
        "GITEE_TOKEN",
        hexa(32),
        (
            hexa(31),
            hexa(33),
            upper_hex(32),
        ),
        score=74,
    ),
    Rule(
        "gitee/access-token-in-address",
        TOKEN,
        rb"(?:gitee\.com/[^\s\"'`<>]{1,200}?[?&]access_token=(?P<secret>[0-9a-f]{32})(?![A-Za-z0-9]))",
        score=82,
        examples=tuple(
            text(before, "https://gitee.com/api/v5/user?access_token=", part("secret", hexa(32)), after)
            for before, after in (("curl '", "'\n"), ('{"url": "', '"}\n'), ("url = '", "&page=1'\n"))
        ),
        near_misses=(
            text("curl https://gitee.com/api/v5/user?access_token=", hexa(31), "\n"),
            text("curl https://gitee.com/api/v5/user?id=", hexa(32), "\n"),
            text("curl https://corp.io/api/v5/user?access_token=", hexa(32), "\n"),
        ),
    ),
    by_name(
        SECRET,
        rb"gitee[a-z0-9_. -]{0,20}secret",
        rb"[0-9a-f]{64}",
        "GITEE_CLIENT_SECRET",
        hexa(64),
        (
            hexa(63),
            hexa(65),
            upper_hex(64),
        ),
        score=74,
    ),
)
