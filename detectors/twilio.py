"""Twilio auth tokens and API keys.

What it is: the account's auth token (32 hex characters) with the account SID (AC…), or an API key: its SID (SK…) with a secret of
  32 letters and digits that is shown once.
Where it is used: text messages, calls and WhatsApp from back ends, alert managers, agents; `.env`, the Twilio command line.
What an attacker can do: send messages and place calls on the account's bill (toll fraud), read message logs with one-time
  codes, buy numbers; with the auth token or a Main key, make further keys.
How to replace it: for the auth token create a secondary token in the Console, deploy it, promote it; the old one ends. An API
  key is deleted by its SID at Account, API keys and tokens, after a new one is in use.
Whether it lives: an auth token: GET /2010-04-01/Accounts/SID.json, in each region, since a region has tokens of its own. An
  API key is not asked about: which account it belongs to is seldom known, and which refusal would mean what is not
  documented.
References: https://www.twilio.com/docs/iam/api-keys https://www.twilio.com/docs/iam/api/authtoken
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import an, concat, hexa, part, text
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._forms import random_looking
from ._saas import misses, named, named_contexts, replace, secret, varied
from ._token_probe import at
from ._vendor_answers import Question, Said, basic, cases, put_everywhere

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

AUTH = Kind("twilio/auth-token")
KEY = Kind("twilio/api-key")

_KEYS = "https://console.twilio.com/us1/account/keys-credentials/api-keys"

KINDS = (
    CredentialKind(AUTH, "Twilio auth token", "critical", identity=("secret", "id"), public=("id",),
                   manual=Manual(("Create a secondary auth token in the Console.", "Update what uses the primary one.",
                                  "Promote the secondary token; the old one ends."), _KEYS),
                   references=("https://www.twilio.com/docs/iam/api/authtoken",)),
    CredentialKind(KEY, "Twilio API key", "high", identity=("secret", "id"), public=("id",),
                   manual=replace("a new API key with the same or fewer rights", _KEYS, "Delete the old key; the SID names it."),
                   references=("https://www.twilio.com/docs/iam/api-keys",)),
)  # fmt: skip

_SID = concat("AC", hexa(32))
_KEY_SID = concat("SK", hexa(32))
_HEX = rb"(?<![A-Za-z0-9])(?P<secret>[0-9a-f]{32})(?![A-Za-z0-9])"
_ALNUM = rb"(?<![A-Za-z0-9/+])(?P<secret>[A-Za-z0-9]{32})(?![A-Za-z0-9/+=])"

RULES = (
    Rule(
        "twilio/account-sid",
        AUTH,
        rb"(?<![A-Za-z0-9])(?P<id>AC[0-9a-f]{32})(?![A-Za-z0-9])",
        companions=(Companion("secret", _HEX, within=200),),
        alone=-40,
        examples=(
            text("TWILIO_ACCOUNT_SID=", part("id", _SID), "\nTWILIO_AUTH_TOKEN=", part("secret", hexa(32)), "\n"),
            text('client = Client("', part("id", _SID), '", "', part("secret", hexa(32)), '")\n'),
            text("curl -u ", part("id", _SID), ":", part("secret", hexa(32)), " https://api.twilio.com/2010-04-01/Accounts.json\n"),
        ),
        near_misses=(
            *misses("TWILIO_ACCOUNT_SID", _SID),
            text("TWILIO_ACCOUNT_SID=AC", hexa(31), "\nVALUE=", hexa(32), "\n"),
            text("TWILIO_ACCOUNT_SID=AC", hexa(33), "\nVALUE=", hexa(32), "\n"),
            text("TWILIO_ACCOUNT_SID=", _SID, "\nVALUE=", hexa(40), "\n"),
        ),
    ),
    Rule(
        str(AUTH),
        AUTH,
        named(rb"twilio[\w.-]{0,16}token", secret(rb"[0-9a-f]{32}")),
        score=70,
        examples=named_contexts("TWILIO_AUTH_TOKEN", hexa(32)),
        near_misses=(
            *misses("TWILIO_AUTH_TOKEN", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("ASSET_DIGEST", hexa(32)),
        ),
    ),
    Rule(
        "twilio/api-key-sid",
        KEY,
        rb"(?<![A-Za-z0-9])(?P<id>SK[0-9a-f]{32})(?![A-Za-z0-9])",
        companions=(Companion("secret", _ALNUM, within=200, check=random_looking),),
        alone=-40,
        examples=(
            text("TWILIO_API_KEY=", part("id", _KEY_SID), "\nTWILIO_API_SECRET=", part("secret", an(32)), "\n"),
            text('new AccessToken(sid, "', part("id", _KEY_SID), '", "', part("secret", an(32)), '")\n'),
            text("curl -u ", part("id", _KEY_SID), ":", part("secret", an(32)), " https://api.twilio.com/2010-04-01/Accounts.json\n"),
        ),
        near_misses=(
            *misses("TWILIO_API_KEY", _KEY_SID),
            text("TWILIO_API_KEY=SK", hexa(31), "\nVALUE=", an(32), "\n"),
            text("TWILIO_API_KEY=SK", hexa(33), "\nVALUE=", an(32), "\n"),
            text("TWILIO_API_KEY=", _KEY_SID, "\nVALUE=", an(40), "\n"),
        ),
    ),
    Rule(
        str(KEY),
        KEY,
        named(rb"twilio[\w.-]{0,16}(?:key[_-]?secret|api[_-]?secret)", secret(rb"[A-Za-z0-9]{32}")),
        score=68,
        check=varied(),
        examples=named_contexts("TWILIO_API_KEY_SECRET", an(32)),
        near_misses=(
            *misses("TWILIO_API_KEY_SECRET", an(31), an(33), concat(an(15), "-", an(16))),
            *misses("OTHER_VALUE", an(32)),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.twilio.com", "api.dublin.ie1.twilio.com", "api.sydney.au1.twilio.com")
VERIFIES = (AUTH,)

_ASK = at(HOSTS, Question(
    "", "", basic(user_part="id"), ("sid",), dead=(Said(401, ('"code":20003,', '"code":20003}')),), restricted=(Said(403, ('"code":20008,', '"code":20008}')),),
    who=("friendly_name", "status"),
))  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks for the account."""
    id = credential.text("id")
    if not re.fullmatch("AC[0-9a-fA-F]{32}", id):
        return Unknown("the account's SID, to which the token belongs, is not known")
    return put_everywhere([each._replace(path=f"/2010-04-01/Accounts/{id}.json") for each in _ASK], credential, target, ports)


CASES = cases(
    AUTH,
    '{"sid":"AC0","friendly_name":"Acme","status":"active","type":"Full"}',
    Answer(401, '{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}'),
    Case("no account", AUTH, (Answer(200, "{}"),), "unknown", {"id": ""}),
    restricted=Answer(403, '{"code":20008,"message":"Resource not accessible with Test Account Credentials","status":403}'),
)
