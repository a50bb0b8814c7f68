"""LINE Messaging API: channel access tokens and channel secrets.

What it is: a long-lived channel access token (about 172 base64 characters that always end in the same 21 and `=`), and the
  channel secret (32 hex characters), which signs webhook events and can issue short-lived tokens.
Where it is used: LINE bots and agents, mostly in Japan, Taiwan and Thailand; `.env`, Arduino sketches, PHP and Apps Script files.
What an attacker can do: message everybody who follows the bot (the bill is the owner's), read their profiles; with the secret forge
  events and issue tokens.
How to replace it: press Reissue at the channel's Messaging API tab; the old token ends at once or after a chosen time. The holder
  of a token can end it with POST /v2/oauth/revoke. The channel secret is issued anew at Basic settings.
Whether it lives: a channel's access token: GET /v2/bot/info. A channel's secret is not asked about: that would make a token.
References: https://developers.line.biz/en/docs/messaging-api/channel-access-tokens/
  https://developers.line.biz/en/reference/messaging-api/#revoke-longlived-or-shortlived-channel-access-token
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import b64, concat, digits, hexa, part, text
from keyward.plugin.verifier import Answer

from ._saas import contexts, misses, named, named_contexts, replace, secret
from ._vendor_answers import Question, Said, asks, bearer, cases

TOKEN = Kind("line/channel-access-token")
SECRET = Kind("line/channel-secret")

_CONSOLE = "https://developers.line.biz/console/"

KINDS = (
    CredentialKind(TOKEN, "LINE channel access token", "high",
                   manual=replace("a new token with Reissue at the Messaging API tab", _CONSOLE, "End the old one with /v2/oauth/revoke."),
                   references=("https://developers.line.biz/en/docs/messaging-api/channel-access-tokens/",)),
    CredentialKind(SECRET, "LINE channel secret", "high", public=("id",),
                   manual=replace("a new channel secret with Issue at Basic settings", _CONSOLE, "The old one ends at once."),
                   references=("https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/",)),
)  # fmt: skip

_TAIL = "dB04t89" + "/1O/w1cDnyilFU="
_TAIL_PATTERN = _TAIL.encode()

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        rb"(?<![A-Za-z0-9+/])" + secret(rb"[A-Za-z0-9+/]{100,220}" + _TAIL_PATTERN) + rb"(?![A-Za-z0-9+/=])",
        anchor=_TAIL_PATTERN,
        score=90,
        examples=contexts("LINE_CHANNEL_ACCESS_TOKEN", concat(b64(150), _TAIL)),
        near_misses=misses(
            "LINE_CHANNEL_ACCESS_TOKEN", concat(b64(90), _TAIL), concat(b64(230), _TAIL), concat(b64(150), _TAIL, "="), b64(172),
            concat(b64(75), "-", b64(74), _TAIL),
        ),
    ),
    Rule(
        str(SECRET),
        SECRET,
        named(rb"(?:line[\w.-]{0,16}secret|channel[_-]?secret)", secret(rb"[0-9a-f]{32}")),
        score=62,
        companions=(Companion("id", rb"(?i:channel[_-]?id)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<id>[0-9]{10})(?![0-9])", optional=True),),
        examples=(
            *named_contexts("LINE_CHANNEL_SECRET", hexa(32)),
            text("LINE_CHANNEL_ID=", part("id", digits(10)), "\nLINE_CHANNEL_SECRET=", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(
            *misses("LINE_CHANNEL_SECRET", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("ASSET_DIGEST", hexa(32)),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.line.me",)
VERIFIES = (TOKEN,)

_ASK = Question(
    "https://api.line.me", "/v2/bot/info", bearer, ("userId",),
    dead=(Said(401, ("confirm that the access token in the authorization header is valid",)),),
    restricted=(Said(403, ("authorized to use the api",)),), who=("displayName", "basicId"),
)  # fmt: skip
verify = asks({TOKEN: _ASK})

CASES = cases(
    TOKEN,
    '{"userId":"Ub9952f8","basicId":"@216ru","displayName":"Example name","chatMode":"chat"}',
    Answer(401, '{"message":"Authentication failed. Confirm that the access token in the authorization header is valid."}'),
    restricted=Answer(403, '{"message":"The account can not be authorized to use the API."}'),
)
