"""Stripe secret keys, restricted keys and webhook signing secrets.

What it is: a secret key (sk_live_), a restricted key with chosen permissions (rk_live_), the same for test data (sk_test_,
  rk_test_), and the secret that signs a webhook endpoint's events (whsec_; services that use Svix have the same form).
Where it is used: shops and billing back ends, the Stripe command line (`~/.config/stripe/config.toml`), serverless settings.
What an attacker can do: with a live key read customers and payments, refund, pay out to new accounts; with a test key read test
  data; with a signing secret forge events such as a payment that never was.
How to replace it: Dashboard, Developers, API keys, Roll key; the old key can end at once or within seven days. A signing secret
  is rolled at the webhook endpoint's page.
References: https://docs.stripe.com/keys https://docs.stripe.com/webhooks/signature
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule
from keyward.plugin.shapes import Shape, an, b64, concat, hexa
from keyward.plugin.verifier import Answer, Case

from ._saas import contexts, misses, replace, token
from ._vendor_answers import Question, Said, asks, bearer, cases

SECRET = Kind("stripe/secret-key")
RESTRICTED = Kind("stripe/restricted-key")
TEST = Kind("stripe/test-key")
WEBHOOK = Kind("stripe/webhook-secret")

_KEYS = "https://dashboard.stripe.com/apikeys"
_REFERENCES = ("https://docs.stripe.com/keys",)
_ROLL = Manual(
    ("Press Roll key in the menu of the key, and choose when the old one ends.", "Update what uses the old one.",
     "Read the key's request log for calls that are not yours."), _KEYS,
)  # fmt: skip


def _account(parts: Parts) -> Mapping[str, str]:
    """Long keys begin with 5 and then the account's id without `acct_`."""
    body = parts["secret"].split(b"_", 2)[2]
    return {"account": f"acct_{body[1:17].decode()}"} if len(body) >= 80 and body.startswith(b"51") else {}


KINDS = (
    CredentialKind(SECRET, "Stripe secret key", "critical", describe=_account, manual=_ROLL, references=_REFERENCES),
    CredentialKind(RESTRICTED, "Stripe restricted key", "critical", describe=_account, manual=_ROLL,
                   references=("https://docs.stripe.com/keys/restricted-api-keys",)),
    CredentialKind(TEST, "Stripe test key", "low", describe=_account,
                   manual=replace("a new test key with Roll key", "https://dashboard.stripe.com/test/apikeys"), references=_REFERENCES),
    CredentialKind(WEBHOOK, "Stripe webhook signing secret", "medium",
                   manual=Manual(("Open the webhook endpoint and press Roll secret; the old one may stay valid up to a day.",
                                  "Update the receiver."), "https://dashboard.stripe.com/webhooks"),
                   references=("https://docs.stripe.com/webhooks/signature",)),
)  # fmt: skip

_BODY = rb"_(?!a2V5X)(?:[A-Za-z0-9]{80,120}|[A-Za-z0-9]{24,34})"
"""Not `a2V5X…`, which is WorkOS; not 40 hex characters, which is Paystack; not 42 to 50, which is Clerk."""


def _long(prefix: str, count: int = 99) -> Shape:
    return concat(prefix, "51", an(count - 2))


def _rule(kind: Kind, prefixes: tuple[str, ...], name: str, score: int) -> Rule:
    first = prefixes[0]
    return Rule(
        str(kind),
        kind,
        token(rb"(?:" + "|".join(p[:-1] for p in prefixes).encode() + rb")" + _BODY),
        score=score,
        examples=(
            *contexts(name, _long(first)),
            *(shape for prefix in prefixes for shape in contexts(name, concat(prefix, an(24)), "-u ")),
        ),
        near_misses=misses(
            name, concat(first, an(23)), concat(first, an(35)), concat(first, an(79)), concat(first, an(121)),
            concat(first, hexa(40)), concat(first[:-1], "-", an(24)), concat(first.replace("_", "-"), an(24)),
        ),
    )  # fmt: skip


RULES = (
    _rule(SECRET, ("sk_live_", "sk_prod_"), "STRIPE_SECRET_KEY", 85),
    _rule(RESTRICTED, ("rk_live_", "rk_prod_"), "STRIPE_RESTRICTED_KEY", 85),
    _rule(TEST, ("sk_test_", "rk_test_"), "STRIPE_TEST_KEY", 40),
    Rule(
        str(WEBHOOK),
        WEBHOOK,
        token(rb"whsec_[A-Za-z0-9+/]{32,64}={0,2}", rb"(?![A-Za-z0-9+/=_-])"),
        score=70,
        examples=(*contexts("STRIPE_WEBHOOK_SECRET", concat("whsec_", an(32))), *contexts("WEBHOOK_SECRET", concat("whsec_", b64(43), "="))),
        near_misses=misses(
            "STRIPE_WEBHOOK_SECRET", concat("whsec_", an(31)), concat("whsec_", an(65)), concat("whsec-", an(32)), concat("whsek_", an(32)),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.stripe.com",)
_ACCOUNT = Question(
    "https://api.stripe.com", "/v1/account", bearer, ("id",),
    (Said(401, ("invalid api key provided", "expired api key provided", '"code":"api_key_expired"')),),
    (Said(403, ("required permissions", '"code":"more_permissions_required"', "ip address")),),
    who=("id", "settings.dashboard.display_name", "country"),
)  # fmt: skip
QUESTIONS = {SECRET: _ACCOUNT, RESTRICTED: _ACCOUNT, TEST: _ACCOUNT}
"""Asks whose key it is; a restricted key that may not know is still a good one (https://docs.stripe.com/api/errors)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = tuple(
    case
    for kind in VERIFIES
    for case in (
        *cases(
            kind,
            '{"id":"acct_1","object":"account","country":"DE","settings":{"dashboard":{"display_name":"Acme"}}}',
            Answer(401, '{"error":{"message":"Invalid API Key provided: sk_****","type":"invalid_request_error"}}'),
            restricted=Answer(
                403,
                '{"error":{"message":"The provided key does not have the required permissions","code":"more_permissions_required"}}',
            ),
        ),
        Case("expired", kind, (Answer(401, '{"error":{"code":"api_key_expired","message":"x"}}'),), "dead"),
    )
)
