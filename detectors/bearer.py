"""Opaque bearer tokens in HTTP headers.

What it is: `Authorization: Bearer` or `Token` with a random value of a form that no other pack knows.
Where it is used: curl commands, HTTP clients' settings, API collections, MCP server settings, logs.
What an attacker can do: call the API of the host in the same command as the token's owner, until the token is revoked.
How to replace it: find the service by the URL beside it, revoke the token there and make a new one.
References: https://datatracker.ietf.org/doc/html/rfc6750
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.letters import is_random
from keyward.plugin.shapes import an, b64url, hexa, part, text

TOKEN = Kind("bearer/token")

KINDS = (
    CredentialKind(
        TOKEN,
        "Bearer token",
        "high",
        manual=Manual(
            ("Find the service by the URL or name beside the token.", "Revoke the token there and make a new one.", "Read it from a variable."),
            "https://datatracker.ietf.org/doc/html/rfc6750",
        ),
        references=("https://datatracker.ietf.org/doc/html/rfc6750",),
    ),
)


def _check(parts: Parts) -> Signal | None:
    return Signal("random", 10, "looks random") if is_random(parts["secret"]) else Signal("random", -40, "does not look random")


_NO_JWT = rb"(?!eyJ[A-Za-z0-9_-]{8,1200}\.eyJ)"
"""A JSON Web Token says more about itself than its place does, for instance that it has expired."""

_VALUE = rb"(?P<secret>[A-Za-z0-9._~+/-]{16,2000}={0,2})(?![A-Za-z0-9._~+/=-])"

RULES = (
    Rule(
        "bearer/header",
        TOKEN,
        rb"(?<![A-Za-z0-9_])(?i:bearer)(?:[ ]{1,2}|[\"'], ?[\"'])" + _NO_JWT + _VALUE,
        specificity=STRUCTURAL,
        score=50,
        window=2100,
        check=_check,
        examples=(
            text("curl -H 'Authorization: Bearer ", part("secret", an(40)), "' https://api.corp.io/\n"),
            text('{"Authorization": "Bearer ', part("secret", b64url(43)), '"}\n'),
            text("authorization: bearer ", part("secret", hexa(40)), "\n"),
            text('new AuthenticationHeaderValue("Bearer", "', part("secret", hexa(48)), '");\n'),
        ),
        near_misses=(
            text("curl -H 'Authorization: Bearer ", an(15), "' https://api.corp.io/\n"),
            text("curl -H 'Authorization: Bearer $ACCESS_TOKEN' https://api.corp.io/\n"),
            text("the Bearer authentication-scheme of OAuth\n"),
        ),
    ),
    Rule(
        "bearer/token-scheme",
        TOKEN,
        rb"(?<![A-Za-z0-9])(?i:authorization)[\"']?\]?\s{0,3}(?:[:=,]|=>)\s{0,3}[\"'`]?(?i:token|apikey|api-key|key|apitoken|oauth|private-token)[ =:]{1,2}(?:token=)?[\"']?" + _VALUE,
        specificity=STRUCTURAL,
        score=50,
        window=2100,
        check=_check,
        examples=(
            text("curl -H 'Authorization: Token ", part("secret", hexa(40)), "' https://api.corp.io/\n"),
            text('{"Authorization": "ApiKey ', part("secret", an(48)), '"}\n'),
            text("Authorization: token ", part("secret", an(32)), "\n"),
        ),
        near_misses=(
            text("Authorization: Token ", an(15), "\n"),
            text("Authorization: Token authentication-required\n"),
            text("Authorization: Token ${TOKEN}\n"),
        ),
    ),
)  # fmt: skip
