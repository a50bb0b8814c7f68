"""Paystack secret keys.

What it is: sk_live_ or sk_test_ and 40 hex characters. Stripe's keys have the same beginning, but capitals and other lengths. The public
  keys (pk_) are not secret.
Where it is used: shops and apps in Nigeria, Ghana, Kenya and South Africa; `.env`, Laravel and Node back ends.
What an attacker can do: with a live key read transactions and customers, charge stored cards, refund, send transfers from the balance;
  the key also signs webhooks, so events can be forged.
How to replace it: Settings, API Keys & Webhooks: generate a new secret key; the old one ends. Limit its use to known IP addresses.
References: https://paystack.com/docs/api/authentication/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import concat, hexa

from ._saas import contexts, misses, token

KEY = Kind("paystack/secret-key")
TEST = Kind("paystack/test-key")

_MANUAL = Manual(
    ("Generate a new secret key at API Keys & Webhooks; the old one ends.", "Update what uses it, webhooks too."),
    "https://dashboard.paystack.com/#/settings/developers",
)
_REFERENCES = ("https://paystack.com/docs/api/authentication/",)

KINDS = (
    CredentialKind(KEY, "Paystack secret key", "critical", manual=_MANUAL, references=_REFERENCES),
    CredentialKind(TEST, "Paystack test key", "low", manual=_MANUAL, references=_REFERENCES),
)


def _rule(kind: Kind, prefix: str, score: int) -> Rule:
    return Rule(
        str(kind),
        kind,
        token(prefix.encode() + rb"[0-9a-f]{40}"),
        score=score,
        examples=contexts("PAYSTACK_SECRET_KEY", concat(prefix, hexa(40))),
        near_misses=misses(
            "PAYSTACK_SECRET_KEY", concat(prefix, hexa(39)), concat(prefix, hexa(41)), concat(prefix, hexa(39), "g"),
            concat(prefix.replace("_", "-"), hexa(40)), concat("p" + prefix[1:], hexa(40)),
        ),
    )  # fmt: skip


RULES = (_rule(KEY, "sk_live_", 85), _rule(TEST, "sk_test_", 40))
