"""Razorpay API keys.

What it is: a key id (rzp_live_ or rzp_test_ and 14 characters), which is public, with its secret of 24 letters and digits.
Where it is used: shops and apps in India; `.env`, PHP and Node back ends, and by mistake in mobile apps.
What an attacker can do: with a live pair read payments and customers, refund, make payment links and, with RazorpayX, payouts.
How to replace it: Account & Settings, API Keys: regenerate the key; the old one can stay valid for 24 hours.
References: https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.shapes import an, concat, part, text

from ._forms import random_looking
from ._saas import misses, named, named_contexts, secret

KEY = Kind("razorpay/api-key")
TEST = Kind("razorpay/test-key")

_MANUAL = Manual(
    ("Regenerate the key at API Keys, and keep the old one valid for 24 hours if needed.", "Update what uses it."),
    "https://dashboard.razorpay.com/app/website-app-settings/api-keys",
)
_REFERENCES = ("https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/",)

KINDS = (
    CredentialKind(KEY, "Razorpay API key", "critical", identity=("secret", "id"), public=("id",), manual=_MANUAL, references=_REFERENCES),
    CredentialKind(TEST, "Razorpay test key", "low", identity=("secret", "id"), public=("id",), manual=_MANUAL, references=_REFERENCES),
)  # fmt: skip

_SECRET = rb"(?<![A-Za-z0-9/+_-])(?P<secret>[A-Za-z0-9]{24})(?![A-Za-z0-9/+=_-])"


def _check(parts: Parts) -> Signal | None:
    if parts.get("id", b"").startswith(b"rzp_test_"):
        return Signal("test key", -30, "its id says that it is for tests")
    return None if random_looking(parts["secret"]) else Signal("shape", -40, "lacks a case or a digit")


def _pair(kind: Kind, prefix: str, score: int) -> Rule:
    key_id = concat(prefix, an(14))
    return Rule(
        f"{kind}-id",
        kind,
        rb"(?<![A-Za-z0-9])(?P<id>" + prefix.encode() + rb"[A-Za-z0-9]{14})(?![A-Za-z0-9])",
        companions=(Companion("secret", _SECRET, within=200, check=random_looking),),
        alone=-40,
        score=score,
        examples=(
            text("RAZORPAY_KEY_ID=", part("id", key_id), "\nVALUE=", part("secret", an(24)), "\n"),
            text("new Razorpay({ key_id: '", part("id", key_id), "', key_secret: '", part("secret", an(24)), "' })\n"),
            text("curl -u ", part("id", key_id), ":", part("secret", an(24)), " https://api.razorpay.com/v1/payments\n"),
        ),
        near_misses=(
            *misses("RAZORPAY_KEY_ID", key_id),
            text("KEY_ID=", prefix, an(13), "\nVALUE=", an(24), "\n"),
            text("KEY_ID=", prefix, an(15), "\nVALUE=", an(24), "\n"),
            text("KEY_ID=", key_id, "\nVALUE=", an(25), "\n"),
            text("KEY_ID=", prefix.replace("_", "-"), an(14), "\nVALUE=", an(24), "\n"),
        ),
    )


RULES = (
    _pair(KEY, "rzp_live_", 80),
    _pair(TEST, "rzp_test_", 35),
    Rule(
        str(KEY),
        KEY,
        named(rb"(?:razorpay|rzp)[\w.-]{0,16}secret", secret(rb"[A-Za-z0-9]{24}")),
        score=65,
        check=_check,
        companions=(Companion("id", rb"(?P<id>rzp_(?:live|test)_[A-Za-z0-9]{14})(?![A-Za-z0-9])", within=200, optional=True),),
        examples=named_contexts("RAZORPAY_KEY_SECRET", an(24)),
        near_misses=(
            *misses("RAZORPAY_KEY_SECRET", an(23), an(25), concat(an(12), "-", an(11))),
            *misses("OTHER_VALUE", an(24)),
            text("RAZORPAY_KEY_ID=rzp_test_", an(14), "\nRAZORPAY_KEY_SECRET=", an(24), "\n"),
        ),
    ),
)
