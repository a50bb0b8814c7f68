"""SendGrid API keys.

What it is: a key in three parts, `SG.` with 22 and 43 characters. The first 22 are the key's id, which the API and the web page
  use to name it; they are not secret.
Where it is used: mail from applications, over the Web API or over SMTP with the user name `apikey`; `.env`, CI, Terraform.
What an attacker can do: send mail in the name of the sender's domain with its good reputation (phishing), read and export
  contacts, statistics and suppression lists, within the key's scopes.
How to replace it: create a key with the same scopes at Settings, API Keys, deploy it, delete the old one; by API that is
  DELETE /v3/api_keys/{id} with another key that may do so.
References: https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys
  https://www.twilio.com/docs/sendgrid/api-reference/api-keys
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, b64url, concat, part, text
from keyward.plugin.verifier import Answer

from ._saas import URLSAFE_EDGE, contexts, misses, replace, secret, whole
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("sendgrid/api-key")

KINDS = (
    CredentialKind(API_KEY, "SendGrid API key", "high", public=("id",),
                   manual=replace("a new key with the same or fewer scopes", "https://app.sendgrid.com/settings/api_keys",
                                  "Delete the old key; its middle part is the id shown there."),
                   references=("https://www.twilio.com/docs/sendgrid/api-reference/api-keys",)),
)  # fmt: skip


def _key(*, first: int = 22, second: int = 43, prefix: str = "SG.", dot: str = ".") -> Shape:
    return concat(prefix, part("id", b64url(first)), dot, b64url(second))


RULES = (
    Rule(
        str(API_KEY),
        API_KEY,
        rb"(?<![A-Za-z0-9])" + secret(rb"SG\.(?P<id>[A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}") + URLSAFE_EDGE,
        score=85,
        examples=(
            *contexts("SENDGRID_API_KEY", _key()),
            text("smtp_auth_username: apikey\nsmtp_auth_password: '", whole("secret", _key()), "'\n"),
        ),
        near_misses=misses(
            "SENDGRID_API_KEY", _key(first=21), _key(first=23), _key(second=42), _key(second=44), _key(dot="_"), _key(prefix="SG_"),
            _key(prefix="SH."),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.sendgrid.com", "api.eu.sendgrid.com")
_REFUSED = Said(401, ("authorization grant is invalid, expired, or revoked",))
_CLOSED = Said(
    403, ('"message":"access forbidden"',), "this address is not on the account's list, or the key may not read its scopes"
)
QUESTIONS = {
    API_KEY: Question("https://api.sendgrid.com", "/v3/scopes", bearer, ("scopes",), (_REFUSED,), (_CLOSED,), scopes="scopes")
}
"""Asks for the key's own scopes (https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = cases(
    API_KEY,
    '{"scopes":["mail.send","alerts.read"]}',
    Answer(401, '{"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked","field":null}]}'),
    restricted=Answer(403, '{"errors":[{"field":null,"message":"access forbidden"}]}'),
)
