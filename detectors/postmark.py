"""Postmark server and account tokens.

What it is: a UUID. A server token sends mail and reads one server's messages; an account token manages servers, domains and senders.
Where it is used: mail from applications, over the API (X-Postmark-Server-Token) or over SMTP, where the token is both user name and
  password; `.env`, Rails and Laravel settings.
What an attacker can do: send mail from the verified domains, read the stored messages of the last 45 days with their bodies
  (password resets); with an account token make servers and delete domains.
How to replace it: a server can have three tokens: generate another at API Tokens, deploy it, delete the old one. The account
  token is made at Account, API Tokens.
Whether it lives: GET /server, and if no server knows the token GET /servers as an account's: nothing in a token tells which
  it is.
References: https://postmarkapp.com/developer/api/overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import concat, hexa, part, text, uuid4
from keyward.plugin.verifier import Answer, Case, Dead, Verdict

from ._saas import URLSAFE_EDGE, UUID, misses, named, named_contexts, replace, secret
from ._vendor_answers import Question, Said, cases, in_header, put

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

TOKEN = Kind("postmark/token")

KINDS = (
    CredentialKind(TOKEN, "Postmark token", "high", manual=replace("another token at the server's API Tokens", "https://account.postmarkapp.com/servers"),
                   references=("https://postmarkapp.com/developer/api/overview",)),
)  # fmt: skip

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        named(rb"postmark[\w.-]{0,20}(?:token|key|password)", secret(UUID), URLSAFE_EDGE),
        score=72,
        examples=(
            *named_contexts("POSTMARK_SERVER_TOKEN", uuid4()),
            text('curl -H "X-Postmark-Account-Token: ', part("secret", uuid4()), '" https://api.postmarkapp.com/servers\n'),
        ),
        near_misses=(
            *misses("POSTMARK_SERVER_TOKEN", hexa(32), concat(uuid4(), "0"), concat(uuid4(), "-", hexa(4))),
            *misses("POSTMARK_SERVER_ID", uuid4()),
            *misses("REQUEST_TOKEN", uuid4()),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.postmarkapp.com",)
VERIFIES = (TOKEN,)

_BAD = (Said(401, ('"errorcode":10,', '"errorcode":10}')),)
_AS_SERVER = Question(
    "https://api.postmarkapp.com", "/server", in_header("x-postmark-server-token"), ("ID",), dead=_BAD, who=("Name",)
)
_AS_ACCOUNT = Question(
    "https://api.postmarkapp.com", "/servers?count=1&offset=0", in_header("x-postmark-account-token"), ("Servers",), dead=_BAD, who=("Servers.0.Name",)
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks with it as a server's token, then as an account's."""
    verdict = put(_AS_SERVER, credential, target, ports)
    return verdict if not isinstance(verdict, Dead) else put(_AS_ACCOUNT, credential, target, ports)


_NO = Answer(401, '{"ErrorCode":10,"Message":"Request does not contain a valid Server token."}')
CASES = cases(
    TOKEN,
    '{"ID":1,"Name":"Staging Testing","Color":"red"}',
    _NO,
    Case("an account's", TOKEN, (_NO, Answer(200, '{"TotalCount":0,"Servers":[]}')), "live"),
    Case("a gate at the second question", TOKEN, (_NO, Answer(401, "<html>")), "unknown"),
)
