"""Plaid secrets and access tokens.

What it is: an access token of one person's linked bank (`access-production-` and a UUID), and a client's secret (30 hex characters)
  with its client id (24 hex characters). Each environment has its own secret.
Where it is used: finance apps; `.env`, back ends, databases of linked accounts.
What an attacker can do: with secret, client id and access token read balances, transactions and account numbers of that person; with
  the first two make and read link sessions.
How to replace it: Dashboard, Developers, Keys: add a second secret, deploy it, delete the old one. An access token is replaced with
  POST /item/access_token/invalidate.
References: https://plaid.com/docs/api/items/#itemaccess_tokeninvalidate https://plaid.com/docs/account/security/
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import concat, hexa, part, text, uuid4

from ._saas import URLSAFE_EDGE, UUID, contexts, misses, named, named_contexts, replace, secret, token

ACCESS = Kind("plaid/access-token")
SANDBOX = Kind("plaid/sandbox-access-token")
SECRET = Kind("plaid/secret")

_KEYS = "https://dashboard.plaid.com/developers/keys"
_INVALIDATE = Manual(
    ("Call POST /item/access_token/invalidate; the answer holds the new token, the old one ends.", "Store the new token."), _KEYS
)
_REFERENCES = ("https://plaid.com/docs/api/items/#itemaccess_tokeninvalidate",)

KINDS = (
    CredentialKind(ACCESS, "Plaid access token", "high", manual=_INVALIDATE, references=_REFERENCES),
    CredentialKind(SANDBOX, "Plaid sandbox access token", "low", manual=_INVALIDATE, references=_REFERENCES),
    CredentialKind(SECRET, "Plaid secret", "critical", public=("id",), manual=replace("a second secret", _KEYS),
                   references=("https://plaid.com/docs/account/security/",)),
)  # fmt: skip


def _rule(kind: Kind, environments: tuple[str, ...], score: int) -> Rule:
    first = f"access-{environments[0]}-"
    return Rule(
        str(kind),
        kind,
        token(rb"access-(?:" + "|".join(environments).encode() + rb")-" + UUID, URLSAFE_EDGE),
        score=score,
        examples=tuple(
            shape for name in environments for shape in contexts("PLAID_ACCESS_TOKEN", concat(f"access-{name}-", uuid4()), "X-Token: ")
        ),
        near_misses=misses(
            "PLAID_ACCESS_TOKEN", concat(first, hexa(32)), concat(first, uuid4(), "0"), concat("access-staging-", uuid4()),
            concat("public" + first[6:], uuid4()), concat(first.replace("-", "_"), uuid4()),
        ),
    )  # fmt: skip


RULES = (
    _rule(ACCESS, ("production", "development"), 85),
    _rule(SANDBOX, ("sandbox",), 40),
    Rule(
        str(SECRET),
        SECRET,
        named(rb"plaid[\w.-]{0,20}secret(?:[_-]?(?:key|production|sandbox|development))?", secret(rb"[0-9a-f]{30}")),
        score=70,
        companions=(Companion("id", rb"(?i:client[_-]?id)[\"']?\s{0,4}(?:=>|[:=])\s{0,4}[\"']?(?P<id>[0-9a-f]{24})(?![0-9A-Za-z])", optional=True),),
        examples=(
            *named_contexts("PLAID_SECRET", hexa(30)),
            text("PLAID_CLIENT_ID=", part("id", hexa(24)), "\nPLAID_SECRET_PRODUCTION=", part("secret", hexa(30)), "\n"),
        ),
        near_misses=(
            *misses("PLAID_SECRET", hexa(29), hexa(31), concat(hexa(29), "g")),
            *misses("OBJECT_DIGEST", hexa(30)),
        ),
    ),
)  # fmt: skip
