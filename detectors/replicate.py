"""Replicate tokens.

What it is: an API token, `r8_` and 37 characters (40 in all).
Where it is used: image, video and audio models, `cog login`, web back ends, notebooks; `REPLICATE_API_TOKEN`.
What an attacker can do: run any model and start trainings and deployments at the owner's cost, read all predictions with their
  inputs and outputs, push new versions of the owner's models.
How to replace it: create a new token at replicate.com/account/api-tokens and disable the old one there.
References: https://replicate.com/docs/reference/http#authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, b64url, concat
from keyward.plugin.verifier import Answer

from ._model_vendor import has_digit, prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_TOKEN = Kind("replicate/api-token")

KINDS = (
    CredentialKind(API_TOKEN, "Replicate API token", "critical", manual=replace("https://replicate.com/account/api-tokens"),
                   references=("https://replicate.com/docs/reference/http#authentication",)),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_TOKEN, prefixed(rb"r8_[A-Za-z0-9_-]{37}", left=rb"(?<![A-Za-z0-9_])"), concat("r8_", an(37)), "REPLICATE_API_TOKEN",
        "api.replicate.com/v1/account",
        (concat("r8_", b64url(36)), concat("r8_", b64url(38)), concat("r8-", an(37)), concat("r9_", an(37))), score=75, check=has_digit,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.replicate.com",)
_REFUSED = Said(401, ("did not pass a valid authentication token",))
_ACCOUNT = Question("https://api.replicate.com", "/v1/account", bearer, ("username",), (_REFUSED,), who=("type", "username"))
QUESTIONS = {API_TOKEN: _ACCOUNT}
"""Asks whose token it is (https://replicate.com/docs/reference/http#account.get)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_TOKEN,
    '{"type":"organization","username":"acme","name":"Acme"}',
    Answer(401, '{"title":"Unauthenticated","detail":"You did not pass a valid authentication token","status":401}'),
)
