"""Snyk tokens.

What it is: API tokens of a Snyk user or service account: a UUID, or in the newer form `snyk_uat.` (user) and `snyk_sat.`
  (service account) with a key id, a payload that names the host and the expiry, and a signature.
Where it is used: `SNYK_TOKEN` in CI, `~/.config/configstore/snyk.json`, `snyk auth`.
What an attacker can do: read the list of unfixed vulnerabilities of every project the token reaches, and much of their
  dependency graphs; with rights on the organisation change projects, ignore findings and manage members.
How to replace it: revoke and regenerate it at app.snyk.io, Account settings, General (personal access tokens have a tab of
  their own); a service account's token is replaced in the organisation's settings.
References: https://docs.snyk.io/snyk-api/authentication-for-api
  https://github.com/snyk/go-application-framework
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, hexa, json_member, part, text, uuid4

from ._forms import UUID, manual, named, token

TOKEN = Kind("snyk/api-token")


def _payload(parts: Parts) -> dict[str, object]:
    """The payload of a token of the newer form: `h` the host, `e` the expiry; empty for a UUID."""
    pieces = parts["secret"].split(b".")
    found = json.loads(decode_base64(pieces[2]) or b"null") if len(pieces) == 4 else None
    return found if isinstance(found, dict) else {}


def _describe(parts: Parts) -> Mapping[str, str]:
    payload = _payload(parts)
    return {shown: str(payload[key])[:80] for key, shown in (("h", "host"), ("e", "expires at")) if key in payload}


def _check(parts: Parts) -> Signal | None:
    return structure("h" in _payload(parts), "payload that names a host")


KINDS = (
    CredentialKind(TOKEN, "Snyk API token", "high", describe=_describe, references=("https://docs.snyk.io/snyk-api/authentication-for-api",),
                   manual=manual("https://app.snyk.io/account")),
)  # fmt: skip


def _signed(kind: str) -> Shape:
    payload = concat('{"e":1790000000,"h":"snyk.io","j":"', b64url(22), '"}')
    return concat("snyk_", kind, ".", hexa(8), ".", payload.map(lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")), ".", b64url(86))


RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"snyk_[us]at\.[0-9a-f]{8}\.eyJ[A-Za-z0-9_-]{20,600}\.[A-Za-z0-9_-]{60,200}"),
        score=80,
        check=_check,
        window=1000,
        examples=(
            assigned("SNYK_TOKEN", _signed("uat")),
            text("snyk auth ", part("secret", _signed("sat")), "\n"),
            json_member("api", _signed("uat")),
        ),
        near_misses=(
            assigned("SNYK_TOKEN", concat("snyk_uat.", hexa(7), ".eyJ", b64url(80), ".", b64url(86))),
            assigned("SNYK_TOKEN", concat("snyk_uat.", hexa(8), ".eyJ", b64url(80), ".", b64url(50))),
            assigned("SNYK_TOKEN", concat("snyk_xat.", hexa(8), ".eyJ", b64url(80), ".", b64url(86))),
            assigned("SNYK_TOKEN", concat("snyk_uat.", hexa(8), ".", b64url(80))),
        ),
    ),
    Rule(
        "snyk/api-token-uuid",
        TOKEN,
        named(rb"snyk[_.-]?(?:(?:api|auth|oauth|cfg)[_.-]?){0,2}(?:token|key|api)|snyk auth", UUID),
        score=65,
        examples=(
            assigned("SNYK_TOKEN", uuid4()),
            text("snyk auth ", part("secret", uuid4()), "\n"),
            assigned("SNYK_API_KEY", uuid4(), form="      {name}: {value}\n"),
            text("- name: SNYK_TOKEN\n  value: ", part("secret", uuid4()), "\n"),
        ),
        near_misses=(
            assigned("SNYK_TOKEN", concat(uuid4(), "0")),
            assigned("SNYK_ORG_ID", uuid4()),
            assigned("SNYK_TOKEN", an(36)),
        ),
    ),
)
