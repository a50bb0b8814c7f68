"""Mailchimp Marketing API keys and Mailchimp Transactional (Mandrill) keys.

What it is: a Marketing API key is 32 hex characters, a hyphen and the data centre (us1 to us99), which is also the API's host name. A
  Transactional key is 22 characters, newer ones with `md-` before them.
Where it is used: shops, sign-up forms and CRM synchronisation; Mandrill keys as SMTP passwords; `.env`, WordPress settings.
What an attacker can do: export the audiences (names, addresses, behaviour), send campaigns in the owner's name and on the owner's
  bill; with a Transactional key send any mail from the verified domains.
How to replace it: create another key at Account, Extras, API keys, deploy it, revoke the old one. Mandrill keys are made and
  deleted at its own settings page.
Whether it lives: GET /3.0/ at the data centre that the key itself names. A transactional key is refused with 500, which
  cannot be told from a fault.
References: https://mailchimp.com/help/about-api-keys/ https://mailchimp.com/developer/transactional/docs/fundamentals/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Parts, Rule
from keyward.plugin.shapes import b64url, concat, hexa
from keyward.plugin.verifier import Answer, Unknown, Verdict

from ._saas import URLSAFE_EDGE, contexts, misses, named, named_contexts, replace, secret, token
from ._vendor_answers import Question, Said, basic, cases, put

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

API_KEY = Kind("mailchimp/api-key")
MANDRILL = Kind("mailchimp/transactional-key")


def _data_centre(parts: Parts) -> Mapping[str, str]:
    return {"data centre": parts["secret"].rpartition(b"-")[2].decode()}


KINDS = (
    CredentialKind(API_KEY, "Mailchimp API key", "high", describe=_data_centre,
                   manual=replace("a new API key", "https://us1.admin.mailchimp.com/account/api/", "Revoke the old one."),
                   references=("https://mailchimp.com/help/about-api-keys/",)),
    CredentialKind(MANDRILL, "Mailchimp Transactional (Mandrill) key", "high",
                   manual=replace("a new API key", "https://mandrillapp.com/settings"),
                   references=("https://mailchimp.com/developer/transactional/docs/fundamentals/",)),
)  # fmt: skip

RULES = (
    Rule(
        str(API_KEY),
        API_KEY,
        token(rb"[0-9a-f]{32}-us[0-9]{1,2}", URLSAFE_EDGE, rb"A-Za-z0-9_-"),
        score=78,
        examples=contexts("MAILCHIMP_API_KEY", concat(hexa(32), "-us14")),
        near_misses=misses(
            "MAILCHIMP_API_KEY", concat(hexa(31), "-us14"), concat(hexa(33), "-us14"), concat(hexa(32), "-us"), concat(hexa(32), "_us14"),
            concat(hexa(32), "-eu14"),
        ),
    ),
    Rule(
        str(MANDRILL),
        MANDRILL,
        named(rb"(?:mandrill[\w.-]{0,16}(?:key|password|secret|token)|mailchimp[_-]?transactional[\w.-]{0,8}key)", secret(rb"(?:md-)?[A-Za-z0-9_-]{22}"), URLSAFE_EDGE),
        score=65,
        examples=(*named_contexts("MANDRILL_API_KEY", b64url(22)), *named_contexts("MANDRILL_API_KEY", concat("md-", b64url(22)))),
        near_misses=(
            *misses("MANDRILL_API_KEY", b64url(21), b64url(23), concat(b64url(10), "$", b64url(11))),
            *misses("VIDEO_ID", b64url(22)),
        ),
    ),
)  # fmt: skip

HOSTS = ("*.api.mailchimp.com",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "", "/3.0/?fields=account_id,account_name,role", basic("keyward"), ("account_id",), dead=(Said(401, ('"title":"api key invalid"',)),),
    restricted=(Said(403, ('"title":"user disabled"',)),), who=("account_name", "account_id"), scopes="role",
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks for the account, at the key's own data centre (its end)."""
    centre = re.search("-(us[0-9]{1,2})$", credential.text("secret"))
    if centre is None:
        return Unknown("the key does not end with its data centre")
    return put(_ASK._replace(base=f"https://{centre[1]}.api.mailchimp.com"), credential, target, ports)


CASES = cases(
    API_KEY,
    '{"account_id":"8d3a3db4d97663a9074efcc16","account_name":"Freddie","role":"owner"}',
    Answer(401, '{"type":"https://mailchimp.com/developer/marketing/docs/errors/","title":"API Key Invalid","status":401,"detail":"x"}'),
    restricted=Answer(403, '{"type":"x","title":"User Disabled","status":403,"detail":"This account has been disabled."}'),
)  # fmt: skip
