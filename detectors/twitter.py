"""X (Twitter): API keys with their secrets, access token secrets, bearer and OAuth 2 tokens.

What it is: an app's API key (25 characters) with its secret (50), an account's access token with its secret (45), the app-only
  bearer token (about 110 characters that begin with many A), and OAuth 2 user tokens (base64 that ends in `:at:1` or `:rt:1`).
Where it is used: posting bots, research scripts, agents that read or post; `.env`, notebooks, configuration of libraries.
What an attacker can do: with the four OAuth 1 values or a user token act as the account: post, message, follow; with the bearer
  token or the app's pair use up its paid quota and read as the app.
How to replace it: regenerate the keys and tokens at the developer portal, Keys and tokens; the old ones end at once. A holder can
  end a bearer token with POST oauth2/invalidate_token and a user token with POST 2/oauth2/revoke.
References: https://docs.x.com/fundamentals/authentication/overview
"""

from __future__ import annotations

import base64
import re

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, an, b64url, concat, digits, part, text

from ._forms import random_looking
from ._saas import contexts, misses, named, named_contexts, secret, token, varied

API = Kind("twitter/api-key")
ACCESS = Kind("twitter/access-token")
BEARER = Kind("twitter/bearer-token")
OAUTH = Kind("twitter/oauth2-token")

_PORTAL = "https://developer.x.com/en/portal/dashboard"
_REFERENCES = ("https://docs.x.com/fundamentals/authentication/overview",)


def _regenerate(what: str) -> Manual:
    return Manual((f"Regenerate {what} at Keys and tokens; the old one ends at once.", "Update what uses it."), _PORTAL)


KINDS = (
    CredentialKind(API, "X (Twitter) API key", "high", public=("id",), manual=_regenerate("the API key and secret"), references=_REFERENCES),
    CredentialKind(ACCESS, "X (Twitter) access token", "high", public=("id",), manual=_regenerate("the access token and secret"), references=_REFERENCES),
    CredentialKind(BEARER, "X (Twitter) bearer token", "medium", manual=_regenerate("the bearer token"), references=_REFERENCES),
    CredentialKind(OAUTH, "X (Twitter) OAuth 2 token", "high",
                   manual=Manual(("End the token with POST https://api.x.com/2/oauth2/revoke.", "Authorise the app again."), "https://x.com/settings/connected_apps"),
                   references=_REFERENCES),
)  # fmt: skip


def _fields(parts: Parts) -> Signal:
    """Random text, milliseconds, numbers, and at (access) or rt (refresh), joined by colons."""
    decoded = decode_base64(parts["secret"]) or b""
    return structure(re.fullmatch(rb"[\w-]{45}:1[0-9]{12}:[0-9]:[01]:[ar]t:1", decoded) is not None, "base64 of the token's fields")


def _bearer(*, run: int = 21, tail: int = 80) -> Shape:
    return concat("A" * run, "M", an(4), "AAAAAAA", an(12), "%2B", an(tail - 30), "%3D", an(8))


def _oauth(kind: str, *, random: int = 45, end: str = ":1") -> Shape:
    return concat(b64url(random), ":16", digits(11), ":1:0:", kind, end).map(lambda raw: base64.b64encode(raw).rstrip(b"="))


RULES = (
    Rule(
        str(API),
        API,
        named(rb"(?:(?:twitter|(?<![a-z0-9])x)[_.-]?(?:app[_-]?)?(?:consumer|api)[_-]?(?:key[_-]?)?|consumer[_-]?(?:key[_-]?)?)secret(?:[_-]?key)?",
              secret(rb"[A-Za-z0-9]{50}")),
        score=65,
        check=varied(),
        companions=(Companion("id", rb"(?<![A-Za-z0-9/+_-])(?P<id>[A-Za-z0-9]{25})(?![A-Za-z0-9/+=_-])", within=200, optional=True, check=random_looking),),
        examples=(
            *named_contexts("TWITTER_API_SECRET", an(50)),
            text("consumer_key = '", part("id", an(25)), "'\nconsumer_secret = '", part("secret", an(50)), "'\n"),
            text("X_API_KEY=", part("id", an(25)), "\nX_API_KEY_SECRET=", part("secret", an(50)), "\n"),
        ),
        near_misses=(
            *misses("TWITTER_API_SECRET", an(49), an(51), concat(an(25), "-", an(24))),
            *misses("OTHER_VALUE", an(50)),
        ),
    ),
    Rule(
        str(ACCESS),
        ACCESS,
        named(rb"(?:twitter|(?<![a-z0-9])x|oauth|access)[\w.-]{0,14}token[_-]?secret", secret(rb"[A-Za-z0-9]{45}")),
        score=65,
        check=varied(),
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>[0-9]{6,20}-[A-Za-z0-9]{30,45})(?![A-Za-z0-9])", within=200, optional=True),),
        examples=(
            *named_contexts("TWITTER_ACCESS_TOKEN_SECRET", an(45)),
            text("access_token = '", part("id", concat(digits(18), "-", an(30))), "'\naccess_token_secret = '", part("secret", an(45)), "'\n"),
        ),
        near_misses=(
            *misses("TWITTER_ACCESS_TOKEN_SECRET", an(44), an(46), concat(an(22), "-", an(22))),
            *misses("OTHER_VALUE", an(45)),
        ),
    ),
    Rule(
        str(BEARER),
        BEARER,
        token(rb"A{20,22}[B-Za-z0-9%][A-Za-z0-9%]{75,120}", rb"(?![A-Za-z0-9%+/=])", rb"A-Za-z0-9+/%,_-"),
        score=75,
        check=varied(),
        examples=contexts("TWITTER_BEARER_TOKEN", _bearer()),
        near_misses=misses("TWITTER_BEARER_TOKEN", _bearer(run=19), _bearer(run=23), _bearer(tail=60), _bearer(tail=130), concat(_bearer(), "+")),
    ),
    Rule(
        str(OAUTH),
        OAUTH,
        token(rb"[A-Za-z0-9]{60}OjE[2-5][A-Za-z0-9]{12}[A-Za-z0-9]{4}MTo[wx]O(?:mF|nJ)0OjE", rb"(?![A-Za-z0-9+/])"),
        anchor=rb"MTo[wx]O(?:mF|nJ)0OjE",
        score=80,
        check=_fields,
        examples=(*contexts("TWITTER_ACCESS_TOKEN", _oauth("at")), *contexts("TWITTER_REFRESH_TOKEN", _oauth("rt"))),
        near_misses=misses("TWITTER_ACCESS_TOKEN", _oauth("at", random=42), _oauth("at", random=48), _oauth("ct"), _oauth("at", end=":2")),
    ),
)  # fmt: skip
