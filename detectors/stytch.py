"""Stytch secrets.

What it is: the secret of a Stytch project: `secret-live-` or `secret-test-` and 36 characters of URL-safe base64 and a
  `=`; the project's id `project-live-…` beside it is no secret.
Where it is used: `STYTCH_SECRET`, back ends that log users in.
What an attacker can do: with a live secret read and change every user of the project, and make sessions for them.
How to replace it: create a second secret in the dashboard, API keys, switch over, and delete the old one.
References: https://stytch.com/docs/resources/workspace-management/api-keys
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat

from ._cloud import by_prefix, credential

SECRET = Kind("stytch/secret")
TEST = Kind("stytch/test-secret")

KINDS = (
    credential(
        SECRET,
        "Stytch secret",
        "critical",
        "https://stytch.com/dashboard/api-keys",
        see="https://stytch.com/docs/resources/workspace-management/api-keys",
    ),
    credential(
        TEST,
        "Stytch test secret",
        "low",
        "https://stytch.com/dashboard/api-keys",
        see="https://stytch.com/docs/resources/workspace-management/api-keys",
    ),
)

RULES = (
    by_prefix(
        SECRET,
        rb"secret-live-[A-Za-z0-9_-]{35,36}=",
        "STYTCH_SECRET",
        concat("secret-live-", b64url(36), "="),
        (
            concat("secret-live-", b64url(33), "="),
            concat("secret-live-", b64url(38), "="),
            concat("secret-like-", b64url(36), "="),
        ),
        score=88,
    ),
    by_prefix(
        TEST,
        rb"secret-test-[A-Za-z0-9_-]{35,36}=",
        "STYTCH_SECRET",
        concat("secret-test-", b64url(36), "="),
        (
            concat("secret-test-", b64url(33), "="),
            concat("secret-test-", b64url(38), "="),
            concat("secret-rest-", b64url(36), "="),
        ),
        score=40,
    ),
)
