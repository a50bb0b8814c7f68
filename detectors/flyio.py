"""Fly.io tokens.

What it is: macaroons (`fm2_`, `fm1r_`, `fm1a_` and base64, several of them joined with commas, often after the word `FlyV1`)
  and OAuth session tokens (`fo1_`). A macaroon is MessagePack inside and names api.fly.io as its place.
Where it is used: `FLY_API_TOKEN` and `FLY_ACCESS_TOKEN` in CI, `~/.fly/config.yml`.
What an attacker can do: a deploy token deploys one app, can run commands in its machines and so read its secrets; an
  organisation token does that for all apps, and by default lives twenty years; a session token is the user.
How to replace it: `fly tokens list`, `fly tokens revoke ID`, then `fly tokens create deploy` with an expiry; a session token
  ends with `fly auth logout`. After a leak set the apps' secrets anew.
References: https://fly.io/docs/security/tokens/
  https://github.com/superfly/macaroon
"""

from __future__ import annotations

import base64

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, assigned, b64url, concat, json_member, part, raw, text

from ._forms import manual, token

MACAROON = Kind("flyio/access-token")
SESSION = Kind("flyio/session-token")

_DOCS = ("https://fly.io/docs/security/tokens/",)

KINDS = (
    CredentialKind(MACAROON, "Fly.io access token", "critical", references=_DOCS,
                   manual=manual("https://fly.io/user/personal_access_tokens", "Create a new token with the least rights and an expiry.",
                                 "Update what uses the old one.", "Revoke the old one.", "Set the apps' secrets anew.")),
    CredentialKind(SESSION, "Fly.io session token", "critical", references=_DOCS,
                   manual=manual("https://fly.io/user/personal_access_tokens", "Run `fly auth logout`, or revoke the token.", "Sign in again.")),
)  # fmt: skip


def _check(parts: Parts) -> Signal | None:
    """The first macaroon is a MessagePack array of four, and its place is an address of fly.io."""
    data = decode_base64(parts["secret"].split(b",")[0].partition(b"_")[2]) or b""
    return structure(data[:1] == b"\x94" and b".fly.io/" in data, "macaroon of fly.io")


_ONE = rb"fm(?:2|1r|1a)_[A-Za-z0-9+/_-]{80,1500}={0,2}"


def _macaroon(prefix: str = "fm2_", size: int = 150) -> Shape:
    packed = concat(b"\x94\x93\xc4\x10", raw(16), b"\xce\x00\x01\x02\x03\xc0\xb5https://api.fly.io/v1\x92\x00\x93\xc4", raw(size))
    return concat(prefix, packed.map(base64.b64encode))


RULES = (
    Rule(
        str(MACAROON),
        MACAROON,
        token(_ONE + rb"(?:,f(?:m2|m1r|m1a|o1)_[A-Za-z0-9+/_-]{40,1500}={0,2}){0,6}", rb"(?![A-Za-z0-9+/_=-])"),
        score=80,
        check=_check,
        window=12000,
        examples=(
            assigned("FLY_API_TOKEN", _macaroon(), form='{name}="FlyV1 {value}"\n'),
            text("access_token: ", part("secret", concat(_macaroon("fm1r_"), ",", _macaroon("fm1a_"), ",", _macaroon())), "\n"),
            text("Authorization: FlyV1 ", part("secret", _macaroon()), "\n"),
            json_member("flyToken", _macaroon()),
        ),
        near_misses=(
            assigned("FLY_API_TOKEN", concat("fm3_", _macaroon(""))),
            assigned("FLY_API_TOKEN", concat("fm2-", _macaroon(""))),
            assigned("FLY_API_TOKEN", concat("fm2_", b64url(79))),
        ),
    ),
    Rule(
        str(SESSION),
        SESSION,
        token(rb"fo1_[A-Za-z0-9_-]{43}"),
        examples=(
            assigned("FLY_ACCESS_TOKEN", concat("fo1_", b64url(43))),
            text("access_token: ", part("secret", concat("fo1_", b64url(43))), "\n"),
            text("Authorization: Bearer ", part("secret", concat("fo1_", b64url(43))), "\n"),
        ),
        near_misses=(
            assigned("FLY_ACCESS_TOKEN", concat("fo1_", b64url(42))),
            assigned("FLY_ACCESS_TOKEN", concat("fo1_", b64url(44))),
            assigned("FLY_ACCESS_TOKEN", concat("fo1-", b64url(43))),
        ),
    ),
)
