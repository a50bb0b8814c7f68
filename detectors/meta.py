"""Meta (Facebook, WhatsApp, Instagram, Threads): access tokens and app secrets.

What it is: an access token of a user, page or system user (EAA…), which WhatsApp and Marketing API use too; an Instagram (IGAA, IGQV)
  or Threads (THAA) token; an app access token (app id, `|`, 27 characters); an app secret (32 hex characters).
Where it is used: chat bots, WhatsApp senders, advertising and conversion tracking; `.env`, URLs with `access_token=`, n8n flows.
What an attacker can do: post and message as the page or business number, read leads and conversations, spend the advertising
  account's budget; with an app secret act as the app itself.
How to replace it: make a new token at Business Settings, System users, then revoke the old one there; a user's token ends with
  DELETE /me/permissions or a change of password. Reset the app secret at App settings, Basic.
References: https://developers.facebook.com/docs/facebook-login/guides/access-tokens
  Lengths, and the rule that Z is an escape before A to D, come from samples and are unverified by the vendor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.shapes import Shape, b64url, chars, concat, digits, hexa, part, text

from ._saas import URLSAFE_EDGE, contexts, misses, named, named_contexts, replace, secret, token

TOKEN = Kind("meta/access-token")
INSTAGRAM = Kind("meta/instagram-token")
APP_TOKEN = Kind("meta/app-access-token")
APP_SECRET = Kind("meta/app-secret")

_SYSTEM_USERS = "https://business.facebook.com/settings/system-users"
_APPS = "https://developers.facebook.com/apps/"
_REFERENCES = ("https://developers.facebook.com/docs/facebook-login/guides/access-tokens",)
_RESET = Manual(("Reset the app secret at App settings, Basic; app access tokens made from it end.", "Update what uses it."), _APPS)


def _app(parts: Parts) -> Mapping[str, str]:
    return {"app id": parts["id"].decode()} if "id" in parts else {}


KINDS = (
    CredentialKind(TOKEN, "Meta (Facebook, WhatsApp) access token", "high",
                   manual=replace("a new token for the same system user or page", _SYSTEM_USERS, "Revoke the old one."), references=_REFERENCES),
    CredentialKind(INSTAGRAM, "Instagram or Threads access token", "high",
                   manual=replace("a new token in the app's API setup", _APPS, "Remove the app's access in the account's settings."),
                   references=("https://developers.facebook.com/docs/instagram-platform/overview",)),
    CredentialKind(APP_TOKEN, "Meta app access token", "high", public=("id",), describe=_app, manual=_RESET, references=_REFERENCES),
    CredentialKind(APP_SECRET, "Meta app secret", "critical", public=("id",), describe=_app, manual=_RESET,
                   references=("https://developers.facebook.com/docs/facebook-login/security",)),
)  # fmt: skip


def _escapes(parts: Parts) -> Signal | None:
    """These tokens are base64 in which Z is an escape: it is always followed by A, B, C or D."""
    value = parts["secret"]
    if b"Z" not in value:
        return None
    return structure(re.search(rb"Z(?![A-D])", value) is None, "base64 with Z as an escape")


_WITHOUT_Z = "ABCDEFGHIJKLMNOPQRSTUVWXYabcdefghijklmnopqrstuvwxyz0123456789"
_PIPE = rb"(?:\||%7[Cc])"
_ID_ANCHOR = b"|".join((*(rb"[0-9]{12}%d[0-9]\|[A-Za-z0-9_-]{27}" % digit for digit in range(10)), rb"[0-9]{14}%7[Cc][A-Za-z0-9_-]{27}"))
"""A digit of the id spelled out, because without any literal the whole text would have to pass through an automaton."""


def _token(prefix: str, count: int = 180) -> Shape:
    return concat(prefix, chars(_WITHOUT_Z, count // 2), "ZC", chars(_WITHOUT_Z, count - count // 2 - 6), "ZDZD")


RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"EAA[A-Za-z0-9]{90,400}", rb"(?![A-Za-z0-9+/=_-])", rb"A-Za-z0-9+/_-"),
        score=70,
        check=_escapes,
        examples=(
            *contexts("WHATSAPP_TOKEN", _token("EAA")),
            text("GET https://graph.facebook.com/v19.0/me?access_token=", part("secret", _token("EAA", 150)), "&fields=id\n"),
        ),
        near_misses=misses("PAGE_TOKEN", _token("EAA", 89), _token("EAB"), _token("EA_"), concat(_token("EAA"), "=="), concat(_token("EAA"), "/")),
    ),
    Rule(
        str(INSTAGRAM),
        INSTAGRAM,
        token(rb"(?:IGAA|IGQV|THAA)[A-Za-z0-9_-]{100,400}", rb"(?![A-Za-z0-9+/=_-])", rb"A-Za-z0-9+/_-"),
        score=75,
        examples=(*contexts("INSTAGRAM_ACCESS_TOKEN", _token("IGAA")), *contexts("THREADS_ACCESS_TOKEN", _token("THAA"))),
        near_misses=misses("INSTAGRAM_ACCESS_TOKEN", _token("IGAA", 99), _token("IGBA"), _token("THAB"), concat(_token("IGAA"), "=")),
    ),
    Rule(
        str(APP_TOKEN),
        APP_TOKEN,
        rb"(?<![0-9A-Za-z])" + secret(rb"(?P<id>[0-9]{14,17})" + _PIPE + rb"[A-Za-z0-9_-]{27}") + URLSAFE_EDGE,
        anchor=_ID_ANCHOR,
        score=70,
        examples=(
            *contexts("FACEBOOK_APP_TOKEN", concat(part("id", digits(16)), "|", b64url(27))),
            *contexts("FB_TOKEN", concat(part("id", digits(15)), "%7C", b64url(27)), "x: https://graph.facebook.com/app?access_token="),
        ),
        near_misses=misses(
            "FACEBOOK_APP_TOKEN", concat(digits(16), "|", b64url(26)), concat(digits(16), "|", b64url(28)), concat(digits(12), "|", b64url(27)),
            concat(digits(16), "-", b64url(27)),
        ),
    ),
    Rule(
        str(APP_SECRET),
        APP_SECRET,
        named(
            rb"(?:facebook|(?<![a-z0-9])fb|(?<![a-z0-9])meta|instagram|whatsapp)[\w.-]{0,12}(?:app|client)[_-]?secret", secret(rb"[0-9a-f]{32}")
        ),
        score=65,
        companions=(Companion("id", rb"(?i:(?:app|client)[_-]?id)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<id>[0-9]{14,17})(?![0-9])", optional=True),),
        examples=(
            *named_contexts("FACEBOOK_APP_SECRET", hexa(32)),
            text("META_APP_ID=", part("id", digits(16)), "\nMETA_APP_SECRET=", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(
            *misses("FACEBOOK_APP_SECRET", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("FACEBOOK_CLIENT_TOKEN", hexa(32)),
            *misses("ASSET_DIGEST", hexa(32)),
        ),
    ),
    Rule(
        "meta/app-secret-token",
        APP_SECRET,
        rb"(?<![0-9A-Za-z])(?P<id>[0-9]{14,17})" + _PIPE + rb"(?P<secret>[0-9a-f]{32})(?![A-Za-z0-9_-])",
        anchor=_ID_ANCHOR,
        score=72,
        examples=(
            text("access_token=", part("id", digits(16)), "|", part("secret", hexa(32)), "\n"),
            text("GET https://graph.facebook.com/app?access_token=", part("id", digits(15)), "%7C", part("secret", hexa(32)), "\n"),
            text('{"token": "', part("id", digits(16)), "|", part("secret", hexa(32)), '"}\n'),
        ),
        near_misses=misses("access_token", concat(digits(16), "|", hexa(31)), concat(digits(16), "|", hexa(33)), concat(digits(11), "|", hexa(32)),
                           concat(digits(16), ":", hexa(32))),
    ),
)  # fmt: skip
