"""PayPal REST credentials.

What it is: the client secret of a REST application (80 characters, mostly beginning with E) with its client id (80 characters,
  beginning with A), and the access tokens made from them (A21AA…, nine hours).
Where it is used: shops and payout back ends; `.env`, PHP configuration, WordPress settings. Live and sandbox look the same.
What an attacker can do: with a live pair read transactions, refund, send payouts from the balance, change subscriptions and webhooks.
How to replace it: Apps & Credentials, the application: add a second secret, deploy it, then disable and delete the old one.
References: https://developer.paypal.com/api/rest/authentication/
  That ids begin with A and secrets with E comes from other scanners and is unverified by the vendor.
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import b64url, concat, part, text

from ._saas import URLSAFE_EDGE, contexts, misses, named, named_contexts, replace, secret, token

CLIENT = Kind("paypal/client-secret")
ACCESS = Kind("paypal/access-token")

_APPS = "https://developer.paypal.com/dashboard/applications/live"

KINDS = (
    CredentialKind(CLIENT, "PayPal client secret", "critical", public=("id",),
                   manual=replace("a second secret for the application", _APPS, "Disable the old secret, watch, then delete it."),
                   references=("https://developer.paypal.com/api/rest/authentication/",)),
    CredentialKind(ACCESS, "PayPal access token", "medium",
                   manual=Manual(("Replace the client secret; the token itself ends within nine hours.",), _APPS),
                   references=("https://developer.paypal.com/api/rest/authentication/",)),
)  # fmt: skip

_ID = rb"(?<![A-Za-z0-9_-])(?P<id>A[A-Za-z0-9_-]{79})(?![A-Za-z0-9_-])"

RULES = (
    Rule(
        str(CLIENT),
        CLIENT,
        named(rb"(?:paypal|(?<![a-z0-9])pp)[\w.-]{0,20}secret(?:[_-]?key)?", secret(rb"E[A-Za-z0-9_-]{79}"), URLSAFE_EDGE),
        score=75,
        companions=(Companion("id", _ID, within=400, optional=True),),
        examples=(
            *named_contexts("PAYPAL_CLIENT_SECRET", concat("E", b64url(79))),
            text("PAYPAL_CLIENT_ID=", part("id", concat("A", b64url(79))), "\nPAYPAL_SECRET=", part("secret", concat("E", b64url(79))), "\n"),
        ),
        near_misses=(
            *misses("PAYPAL_CLIENT_SECRET", concat("E", b64url(78)), concat("E", b64url(80)), concat("F", b64url(79))),
            *misses("PAYLOAD", concat("E", b64url(79))),
        ),
    ),
    Rule(
        "paypal/client-id",
        CLIENT,
        rb"(?i:(?:paypal[\w.-]{0,16})?client_?id)[\"'\]]{0,2}\s{0,4}(?:=>|[:=,])\s{0,4}[\"']?" + _ID.replace(rb"(?<![A-Za-z0-9_-])", b""),
        companions=(Companion("secret", rb"(?<![A-Za-z0-9_-])(?P<secret>E[A-Za-z0-9_-]{79})(?![A-Za-z0-9_-])", within=400),),
        alone=-40,
        score=70,
        examples=(
            text('{"client_id": "', part("id", concat("A", b64url(79))), '", "client_secret": "', part("secret", concat("E", b64url(79))), '"}\n'),
            text("'clientId' => '", part("id", concat("A", b64url(79))), "',\n'secret' => '", part("secret", concat("E", b64url(79))), "',\n"),
            text("client_id: ", part("id", concat("A", b64url(79))), "\nclient_secret: ", part("secret", concat("E", b64url(79))), "\n"),
        ),
        near_misses=(
            *misses("PAYPAL_CLIENT_ID", concat("A", b64url(79))),
            text("client_id=A", b64url(78), "\nvalue=E", b64url(79), "\n"),
            text("client_id=A", b64url(79), "\nvalue=E", b64url(78), "\n"),
        ),
    ),
    Rule(
        str(ACCESS),
        ACCESS,
        token(rb"A21AA[A-Za-z0-9_-]{80,110}", rb"(?![A-Za-z0-9+/=_-])", rb"A-Za-z0-9+/_-"),
        score=75,
        examples=contexts("PAYPAL_ACCESS_TOKEN", concat("A21AA", b64url(92))),
        near_misses=misses(
            "PAYPAL_ACCESS_TOKEN", concat("A21AA", b64url(79)), concat("A21AA", b64url(111)), concat("A21BA", b64url(92)), concat("A21AA", b64url(92), "=")
        ),
    ),
)  # fmt: skip
