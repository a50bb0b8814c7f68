"""Braintree access tokens and API keys.

What it is: an access token that names its environment and merchant (`access_token$production$…`), or the private key (32 hex
  characters) of an API key with its public key and merchant id (16 characters each).
Where it is used: shops and marketplaces that take cards and PayPal; `.env`, Rails and Java configuration.
What an attacker can do: in production make, refund and void transactions, read customers and stored payment methods.
How to replace it: Control Panel, Settings, API: generate another key, deploy it, delete the old one.
References: https://developer.paypal.com/braintree/articles/control-panel/important-gateway-credentials
  The lengths of the merchant id and public key are unverified.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.plugin import Companion, CredentialKind, Kind, Parts, Rule
from keyward.plugin.shapes import Shape, concat, hexa, lower, part, text

from ._saas import contexts, misses, named, named_contexts, replace, secret, token

TOKEN = Kind("braintree/access-token")
SANDBOX = Kind("braintree/sandbox-token")
KEY = Kind("braintree/private-key")

_REFERENCES = ("https://developer.paypal.com/braintree/articles/control-panel/important-gateway-credentials",)


def _merchant(parts: Parts) -> Mapping[str, str]:
    return {"merchant": parts["secret"].split(b"$")[2].decode()}


KINDS = (
    CredentialKind(TOKEN, "Braintree access token", "critical", describe=_merchant,
                   manual=replace("a new authorisation of the merchant", "https://www.braintreegateway.com/login"), references=_REFERENCES),
    CredentialKind(SANDBOX, "Braintree sandbox access token", "low", describe=_merchant,
                   manual=replace("a new token", "https://sandbox.braintreegateway.com/login"), references=_REFERENCES),
    CredentialKind(KEY, "Braintree private key", "critical", public=("id",),
                   manual=replace("a new API key at Settings, API", "https://www.braintreegateway.com/login"), references=_REFERENCES),
)  # fmt: skip


def _token(environment: str, merchant: int = 16, size: int = 32, sign: str = "$") -> Shape:
    return concat(f"access_token{sign}{environment}{sign}", lower(merchant), sign, hexa(size))


def _rule(kind: Kind, environment: str, score: int) -> Rule:
    return Rule(
        str(kind),
        kind,
        token(rb"access_token\$" + environment.encode() + rb"\$[0-9a-z]{16}\$[0-9a-f]{32}"),
        score=score,
        examples=contexts("BRAINTREE_ACCESS_TOKEN", _token(environment)),
        near_misses=misses(
            "BRAINTREE_ACCESS_TOKEN", _token(environment, 15), _token(environment, 17), _token(environment, size=31),
            _token(environment, size=33), _token("staging"), _token(environment, sign="#"),
        ),
    )  # fmt: skip


RULES = (
    _rule(TOKEN, "production", 90),
    _rule(SANDBOX, "sandbox", 40),
    Rule(
        str(KEY),
        KEY,
        named(rb"(?:braintree|(?<![a-z0-9])bt)[\w.-]{0,16}private[_-]?key", secret(rb"[0-9a-f]{32}")),
        score=70,
        companions=(Companion("id", rb"(?i:public[_-]?key)[\"']?\s{0,4}(?:=>|[:=])\s{0,4}[\"']?(?P<id>[0-9a-z]{16})(?![0-9A-Za-z])", optional=True),),
        examples=(
            *named_contexts("BRAINTREE_PRIVATE_KEY", hexa(32)),
            text("BT_PUBLIC_KEY=", part("id", lower(16)), "\nBT_PRIVATE_KEY=", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(
            *misses("BRAINTREE_PRIVATE_KEY", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("ASSET_DIGEST", hexa(32)),
        ),
    ),
)  # fmt: skip
