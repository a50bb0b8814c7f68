"""Brevo (Sendinblue) API and SMTP keys.

What it is: an API key: xkeysib-, 64 hex characters, a hyphen and 16 characters; an SMTP key has the prefix xsmtpsib-.
Where it is used: newsletters and transactional mail; `.env`, WordPress and shop plug-ins, n8n flows.
What an attacker can do: export contacts, send mail and text messages in the owner's name and from its quota; with an SMTP key only
  send mail.
How to replace it: generate another key at SMTP & API, deploy it, delete the old one; allow only known IP addresses there.
Whether it lives: GET /v3/account. An address that Brevo does not know is refused with 401 as well, in other words. An SMTP
  key opens the mail server alone.
References: https://developers.brevo.com/docs/getting-started https://help.brevo.com/hc/en-us/articles/209467485
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, an, concat, hexa
from keyward.plugin.verifier import Answer

from ._saas import contexts, misses, replace, token
from ._vendor_answers import Question, Said, asks, cases, in_header

API_KEY = Kind("brevo/api-key")
SMTP_KEY = Kind("brevo/smtp-key")

KINDS = (
    CredentialKind(API_KEY, "Brevo API key", "high", manual=replace("a new API key", "https://app.brevo.com/settings/keys/api"),
                   references=("https://developers.brevo.com/docs/getting-started",)),
    CredentialKind(SMTP_KEY, "Brevo SMTP key", "high", manual=replace("a new SMTP key", "https://app.brevo.com/settings/keys/smtp"),
                   references=("https://help.brevo.com/hc/en-us/articles/209467485",)),
)  # fmt: skip


def _key(prefix: str, first: int = 64, last: int = 16, dash: str = "-") -> Shape:
    return concat(prefix, hexa(first), dash, an(last))


def _rule(kind: Kind, prefix: str, name: str, header: str) -> Rule:
    return Rule(
        str(kind),
        kind,
        token(prefix.encode() + rb"[0-9a-f]{64}-[A-Za-z0-9]{16}"),
        score=90,
        examples=contexts(name, _key(prefix), header),
        near_misses=misses(
            name, _key(prefix, 63), _key(prefix, 65), _key(prefix, last=15), _key(prefix, last=17), _key(prefix, dash="_"),
            _key(prefix.replace("-", "_")),
        ),
    )  # fmt: skip


RULES = (
    _rule(API_KEY, "xkeysib-", "BREVO_API_KEY", "api-key: "),
    _rule(SMTP_KEY, "xsmtpsib-", "BREVO_SMTP_KEY", "smtp-key: "),
)

HOSTS = ("api.brevo.com",)
VERIFIES = (API_KEY,)

_ADDRESS = ("unrecognised ip address", "unrecognized ip address", "authorised_ips", "authorized_ips")
_ASK = Question(
    "https://api.brevo.com", "/v3/account", in_header("api-key"), ("plan",), dead=(Said(401, ('"message":"key not found"',)),),
    restricted=(Said(401, _ADDRESS, "it may not be used from this address"), Said(403, ('"code":"permission_denied"',))), who=("companyName",),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"companyName":"Acme","plan":[{"type":"free","credits":300}]}',
    Answer(401, '{"code":"unauthorized","message":"Key not found"}'),
    restricted=Answer(
        401, '{"code":"unauthorized","message":"We have detected you are using an unrecognised IP address 192.0.2.1."}'
    ),
)
