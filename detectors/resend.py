"""Resend API keys.

What it is: re_ and two groups of 8 and 24 letters and digits.
Where it is used: mail from web applications, over the API or over SMTP with the user name `resend`; `.env.local`, Vercel settings, agents.
What an attacker can do: send mail from the verified domains; with full access also read sent mail, contacts and domains and make
  further keys.
How to replace it: create another key at API Keys, with sending access only if that is enough, deploy it, delete the old one
  (DELETE /api-keys/{id} with a key that has full access).
Whether it lives: GET /domains. A key that may only send is refused with 401 in other words; an unknown key is refused with
  400.
References: https://resend.com/docs/dashboard/api-keys/introduction
  The lengths of the two groups are unverified by the vendor.
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, concat
from keyward.plugin.verifier import Answer, Case

from ._saas import contexts, misses, replace, token, varied
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("resend/api-key")

KINDS = (
    CredentialKind(API_KEY, "Resend API key", "high", manual=replace("a new API key", "https://resend.com/api-keys"),
                   references=("https://resend.com/docs/dashboard/api-keys/introduction",)),
)  # fmt: skip

RULES = (
    Rule(
        str(API_KEY),
        API_KEY,
        token(rb"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}", rb"(?![A-Za-z0-9_-])", rb"A-Za-z0-9_"),
        score=75,
        check=varied(),
        examples=contexts("RESEND_API_KEY", concat("re_", an(8), "_", an(24))),
        near_misses=misses(
            "RESEND_API_KEY", concat("re_", an(8), "_", an(23)), concat("re_", an(8), "_", an(25)), concat("re_", an(7), "_", an(24)),
            concat("re-", an(8), "_", an(24)), concat("re_", an(8), "-", an(24)), concat("core_", an(8), "_", an(24)),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.resend.com",)
VERIFIES = (API_KEY,)

_WORDS = ('"message":"api key is invalid',)
_ASK = Question(
    "https://api.resend.com", "/domains", bearer, ("data",), dead=(Said(400, _WORDS), Said(401, _WORDS), Said(403, _WORDS)),
    restricted=(Said(401, ('"name":"restricted_api_key"',), "it may only send mail"),),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"object":"list","data":[]}',
    Answer(400, '{"statusCode":400,"name":"validation_error","message":"API key is invalid"}'),
    Case(
        "none arrived",
        API_KEY,
        (Answer(401, '{"statusCode":401,"name":"missing_api_key","message":"Missing API Key"}'),),
        "unknown",
    ),
    restricted=Answer(
        401, '{"statusCode":401,"name":"restricted_api_key","message":"This API key is restricted to only send emails"}'
    ),
)
