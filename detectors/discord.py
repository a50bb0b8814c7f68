"""Discord bot and user tokens, webhooks, OAuth client secrets.

What it is: a token in three parts, of which the first is the account's id in base64; the URL of a webhook; the client secret of
  an application. The 64 hex characters of an application's public key are not secret and are not reported.
Where it is used: bots and agents in chat servers, CI notices; `config.json`, `.env`, source files of bots.
What an attacker can do: act as the bot in all its servers (read, delete, ban, within its roles); act as the person with a user
  token; write to one channel with a webhook, or delete the webhook.
How to replace it: reset the token at the developer portal, Bot; it ends at once. Anybody who holds a webhook's URL can end it
  with DELETE. A user token ends with a change of password.
References: https://discord.com/developers/docs/reference#authentication https://discord.com/developers/docs/resources/webhook
  The form of user tokens with the prefix mfa is unverified.
"""

from __future__ import annotations

import base64
import datetime
import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Parts, Rule
from keyward.plugin.shapes import Shape, b64url, chars, concat, digits, hexa, part, text
from keyward.plugin.verifier import Answer, Case

from ._saas import SLASH, URLSAFE_EDGE, contexts, misses, named, named_contexts, replace, secret, token
from ._vendor_answers import Question, Said, asks, basic, cases, in_header, nothing

if TYPE_CHECKING:
    from keyward.model.credential import Credential


BOT = Kind("discord/bot-token")
USER = Kind("discord/user-token")
WEBHOOK = Kind("discord/webhook")
CLIENT = Kind("discord/client-secret")

_PORTAL = "https://discord.com/developers/applications"
_EPOCH = 1_420_070_400


def created(snowflake: int) -> str:
    """The day on which an id was made."""
    return datetime.datetime.fromtimestamp(_EPOCH + (snowflake >> 22) / 1000, datetime.UTC).date().isoformat()


def _describe(parts: Parts) -> Mapping[str, str]:
    encoded = parts["secret"].split(b".")[0]
    account = base64.b64decode(encoded + b"=" * (-len(encoded) % 4)).decode("ascii")
    return {"account id": account, "account created": created(int(account))}


def _unescaped(value: bytes) -> bytes:
    return value.replace(b"\\", b"")


KINDS = (
    CredentialKind(BOT, "Discord bot token", "high", describe=_describe,
                   manual=Manual(("Open the application, Bot, and press Reset Token.", "Update what uses the old one; it ends at once."), _PORTAL),
                   references=("https://discord.com/developers/docs/reference#authentication",)),
    CredentialKind(USER, "Discord user token", "critical",
                   manual=Manual(("Change the account's password; that ends all its tokens.",), "https://discord.com/channels/@me"),
                   references=("https://discord.com/developers/docs/reference#authentication",)),
    CredentialKind(WEBHOOK, "Discord webhook", "medium", public=("id",), canonical=_unescaped,
                   manual=Manual(("Create a new webhook at the channel's Integrations.", "Update what uses the old one.",
                                  "Delete the old one there, or send DELETE to its URL."),
                                 "https://support.discord.com/hc/en-us/articles/228383668-Intro-to-Webhooks"),
                   references=("https://discord.com/developers/docs/resources/webhook",)),
    CredentialKind(CLIENT, "Discord OAuth client secret", "high", public=("id",),
                   manual=replace("a new client secret at OAuth2, Reset Secret", _PORTAL, "The old one ends at once."),
                   references=("https://discord.com/developers/docs/topics/oauth2",)),
)  # fmt: skip

_QUAD = rb"[MNO][DTjz][AEIMQUYcgk]"
_ID = rb"(?:" + _QUAD + rb"[w-z0-5]){5}" + _QUAD + rb"(?:[w-z0-5](?:[MNO][AQgw])?)?"
"""17 to 19 decimal digits in base64: three digits always make four characters of these classes."""

_REST = rb"(?:" + _QUAD + rb"[w-z0-5]){3}" + _QUAD + rb"[A-Za-z0-9]{0,3}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}"
_ID_ANCHOR = b"|".join(
    _QUAD + rb"[w-z0-5]%c%c[AEIMQUYcgk][w-z0-5]" % pair + _REST for pair in itertools.product(b"MNO", b"DTjz")
)
"""Two characters spelled out, because without any literal the whole text would have to pass through an automaton."""

_HOST = rb"https://(?:(?:canary|ptb)\.)?discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/".replace(b"/", SLASH)


def _bot(*, count: int = 19, middle: int = 6, tail: int = 38, dot: str = ".") -> Shape:
    return concat(digits(count).map(lambda raw: base64.b64encode(raw).rstrip(b"=")), dot, b64url(middle), dot, b64url(tail))


def _hook(
    *, path: str = "/api/webhooks/", id_length: int = 19, tail: int = 68, host: str = "discord.com", slash: str = "/"
) -> Shape:
    path = path.replace("/", slash)
    return concat(f"https:{slash}{slash}{host}{path}", part("id", digits(id_length)), slash, b64url(tail))


RULES = (
    Rule(
        str(BOT),
        BOT,
        token(_ID + rb"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}", URLSAFE_EDGE, rb"A-Za-z0-9_.+/-"),
        anchor=_ID_ANCHOR,
        score=85,
        examples=(*contexts("DISCORD_TOKEN", _bot(), "Authorization: Bot "), *contexts("DISCORD_BOT_TOKEN", _bot(count=18, tail=27))),
        near_misses=misses(
            "DISCORD_TOKEN", _bot(middle=5), _bot(middle=7), _bot(tail=26), _bot(tail=39), _bot(count=16), _bot(dot="-"),
            concat(hexa(24), ".", b64url(6), ".", b64url(27)),
        ),
    ),
    Rule(
        str(USER),
        USER,
        token(rb"mfa\.[A-Za-z0-9_-]{84}", URLSAFE_EDGE, rb"A-Za-z0-9_.-"),
        score=70,
        examples=contexts("DISCORD_USER_TOKEN", concat("mfa.", b64url(84)), "Authorization: "),
        near_misses=misses("DISCORD_USER_TOKEN", concat("mfa.", b64url(83)), concat("mfa.", b64url(85)), concat("mfa_", b64url(84))),
    ),
    Rule(
        str(WEBHOOK),
        WEBHOOK,
        secret(_HOST + rb"(?P<id>[0-9]{17,20})" + SLASH + rb"[A-Za-z0-9_-]{60,68}") + URLSAFE_EDGE,
        score=85,
        examples=(
            *contexts("DISCORD_WEBHOOK_URL", _hook()),
            *contexts("WEBHOOK", _hook(path="/api/v10/webhooks/", host="canary.discordapp.com", tail=66)),
            *contexts("WEBHOOK", _hook(slash="\\/")),
        ),
        near_misses=misses(
            "DISCORD_WEBHOOK_URL", _hook(tail=59), _hook(tail=69), _hook(id_length=16), _hook(host="discord.test"),
            _hook(path="/api/channels/"),
        ),
    ),
    Rule(
        str(CLIENT),
        CLIENT,
        named(rb"discord[\w.-]{0,12}client[_-]?secret", secret(rb"[A-Za-z0-9_-]{32}"), URLSAFE_EDGE),
        score=65,
        companions=(Companion("id", rb"(?i:client[_-]?id)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<id>[0-9]{17,20})(?![0-9])", optional=True),),
        examples=(
            *named_contexts("DISCORD_CLIENT_SECRET", b64url(32)),
            text("DISCORD_CLIENT_ID=", part("id", digits(18)), "\nDISCORD_CLIENT_SECRET=", part("secret", b64url(32)), "\n"),
        ),
        near_misses=(
            *misses("DISCORD_CLIENT_SECRET", b64url(31), b64url(33), concat(b64url(15), "$", b64url(16))),
            *misses("DISCORD_PUBLIC_KEY", hexa(64)),
            *misses("SERVICE_REVISION", chars("abcdef0123456789", 32)),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("discord.com",)


def _hook_path(credential: Credential) -> str:
    """The webhook's own path; its host may be an old or a test name of the same service."""
    url = credential.text("secret").replace("\\/", "/")
    return "/api/webhooks/" + url.partition("/webhooks/")[2]


_BOT_ME = Question(
    "https://discord.com", "/api/v10/users/@me", in_header("authorization", "Bot "), ("id",),
    (Said(401, ('"message":"401: unauthorized"',)),), who=("username", "id"),
)  # fmt: skip
_HOOK = Question(
    "https://discord.com", "/api/webhooks/…", nothing, ("channel_id",),
    (Said(404, ('"code":10015',)), Said(401, ('"code":50027',))), who=("name", "guild_id", "channel_id"), secret_path=_hook_path,
)  # fmt: skip
_CLIENT = Question(
    "https://discord.com", "/api/v10/oauth2/token", basic(user_part="id"), (), (Said(401, ('"error":"invalid_client"',)),),
    known=(Said(400, ('"error":"invalid_grant"',)),), needs=("id",), method="POST",
    form=lambda credential: {"grant_type": "authorization_code", "code": "none", "redirect_uri": "https://localhost"},
)  # fmt: skip
QUESTIONS = {BOT: _BOT_ME, WEBHOOK: _HOOK, CLIENT: _CLIENT}
"""Asks who the bot is, what the webhook is for (its URL is the credential: sent over TLS only, shown nowhere), or redeems a code that
is none, which a right client secret gets refused in other words than a wrong one
(https://discord.com/developers/docs/topics/opcodes-and-status-codes). A user's token is never tried: the service forbids it."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_SOME_ID = {"id": "123456789012345678"}
CASES = (
    *cases(BOT, '{"id":"1","username":"acme","bot":true}', Answer(401, '{"message": "401: Unauthorized", "code": 0}')),
    *cases(
        WEBHOOK,
        '{"id":"1","name":"ci","channel_id":"2","guild_id":"3"}',
        Answer(404, '{"message": "Unknown Webhook", "code": 10015}'),
    ),
    Case("a wrong token", WEBHOOK, (Answer(401, '{"message": "Invalid Webhook Token", "code": 50027}'),), "dead"),
    Case("another thing that is not there", WEBHOOK, (Answer(404, '{"message": "404: Not Found", "code": 0}'),), "unknown"),
    Case("the code is refused", CLIENT, (Answer(400, '{"error": "invalid_grant"}'),), "live", _SOME_ID),
    Case("the client is refused", CLIENT, (Answer(401, '{"error": "invalid_client"}'),), "dead", _SOME_ID),
    Case("another mistake", CLIENT, (Answer(400, '{"error": "invalid_request"}'),), "unknown", _SOME_ID),
    Case("without its id", CLIENT, (Answer(500),), "unknown"),
)
