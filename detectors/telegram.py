"""Telegram bot tokens, API hashes and client sessions.

What it is: a bot token (the bot's id, a colon, 35 characters that begin with AA); the api_hash of an application at
  my.telegram.org; the session string of a client library (Telethon, Pyrogram), which is a logged-in account.
Where it is used: bots and agents that chat, alert scripts; in the URL api.telegram.org/bot…/, in `.env` and bot configurations.
What an attacker can do: read what the bot is sent, write as the bot, redirect it with setWebhook; with a session string, act as
  the person: all chats, all contacts.
How to replace it: send /revoke to @BotFather, which ends the old token at once; then set the webhook's secret again. A session
  is ended at Settings, Devices. An api_hash cannot be changed.
References: https://core.telegram.org/bots/api#authorizing-your-bot https://core.telegram.org/api/obtaining_api_id
  The lengths of session strings are unverified.
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import Shape, b64url, concat, digits, hexa, part, text
from keyward.plugin.verifier import Answer, Case

from ._saas import URLSAFE_EDGE, contexts, misses, named, named_contexts, secret
from ._vendor_answers import Question, Said, asks, cases, nothing

BOT = Kind("telegram/bot-token")
HASH = Kind("telegram/api-hash")
SESSION = Kind("telegram/session")

KINDS = (
    CredentialKind(BOT, "Telegram bot token", "high", public=("id",), manual=Manual(
        ("Send /revoke to @BotFather and choose the bot.", "Update what uses the old token; it ends at once.",
         "Set the webhook and its secret_token again."), "https://t.me/BotFather"),
        references=("https://core.telegram.org/bots/api#authorizing-your-bot",)),
    CredentialKind(HASH, "Telegram API hash", "medium", public=("id",), manual=Manual(
        ("The hash of an application cannot be changed: create another application.", "Update what uses the old one.",
         "End the sessions that were made with it at Settings, Devices."), "https://my.telegram.org/apps"),
        references=("https://core.telegram.org/api/obtaining_api_id",)),
    CredentialKind(SESSION, "Telegram session string", "critical", manual=Manual(
        ("End the session at Settings, Devices, in the Telegram app.", "Make a new session string."),
        "https://my.telegram.org/auth"), references=("https://docs.telethon.dev/en/stable/concepts/sessions.html",)),
)  # fmt: skip


def _bot(tail: int = 33, *, colon: str = ":", start: str = "AA") -> Shape:
    return concat(part("id", digits(10)), colon, start, b64url(tail))


_ID = rb"(?i:api[_-]?id)[\"']?\s{0,4}[:=,]\s{0,4}[\"']?(?P<id>[0-9]{5,9})(?![0-9])"
_HASH = rb"(?P<secret>[0-9a-f]{32})"

RULES = (
    Rule(
        str(BOT),
        BOT,
        rb"(?<![0-9.])(?P<secret>(?P<id>[0-9]{8,10}):AA[A-Za-z0-9_-]{33})" + URLSAFE_EDGE,
        score=80,
        examples=(*contexts("TELEGRAM_BOT_TOKEN", _bot()), *contexts("botToken", _bot(), "x: https://api.telegram.org/bot")),
        near_misses=misses(
            "TELEGRAM_BOT_TOKEN",
            concat(digits(10), ":AA", b64url(32)),
            concat(digits(10), ":AA", b64url(34)),
            concat(digits(10), "-AA", b64url(33)),
            concat(digits(10), ":AB", b64url(33)),
            concat(digits(7), ":AA", b64url(33)),
        ),
    ),
    Rule(
        str(HASH),
        HASH,
        named(rb"(?:telegram|telethon|pyrogram|tg)[_.-]?(?:app[_-]?)?(?:api[_-]?)?hash", _HASH),
        score=65,
        companions=(Companion("id", _ID, within=200, optional=True),),
        examples=(
            *named_contexts("TELEGRAM_API_HASH", hexa(32)),
            text("TG_API_ID=", part("id", digits(8)), "\nTG_API_HASH=", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(
            *misses("TELEGRAM_API_HASH", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("COMMIT_HASH", hexa(32)),
        ),
    ),
    Rule(
        "telegram/api-id",
        HASH,
        rb"(?<![\w.-])" + _ID,
        score=65,
        companions=(Companion("secret", rb"(?<![\w.-])" + named(rb"api[_-]?hash", _HASH), within=200),),
        alone=-65,
        examples=(
            text("api_id = ", part("id", digits(7)), "\napi_hash = '", part("secret", hexa(32)), "'\n"),
            text("API_HASH=", part("secret", hexa(32)), "\nAPI_ID=", part("id", digits(8)), "\n"),
            text('{"api_id": ', part("id", digits(8)), ', "api_hash": "', part("secret", hexa(32)), '"}\n'),
        ),
        near_misses=(
            *misses("API_HASH", hexa(32)),
            text("api_id = ", digits(7), "\napi_hash = '", hexa(31), "'\n"),
            text("api_id = ", digits(7), "\napi_hash = '", hexa(40), "'\n"),
            text("api_id = ", digits(4), "\napi_hash = '", hexa(32), "'\n"),
        ),
    ),
    Rule(
        str(SESSION),
        SESSION,
        named(
            rb"(?:string_?session|(?:telegram|telethon|pyrogram|tg|string|user)_?session)(?:_?string)?",
            secret(rb"(?:1[A-Za-z0-9_-]{350,352}={0,2}|B[A-Za-z0-9_-]{350,365})"),
            rb"(?![A-Za-z0-9_=-])",
        ),
        score=70,
        examples=(*named_contexts("TELEGRAM_SESSION_STRING", concat("1", b64url(351), "=")),
                  *named_contexts("STRING_SESSION", concat("B", b64url(355)))),
        near_misses=(
            *misses("TELEGRAM_SESSION", concat("1", b64url(340), "="), concat("1", b64url(360), "="), concat("2", b64url(351), "=")),
            *misses("PAGE_STATE", concat("1", b64url(351), "=")),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.telegram.org",)
_ME = Question(
    "https://api.telegram.org", "/bot…/getMe", nothing, ("result.id",), (Said(401, ('"description":"unauthorized"',)),),
    who=("result.username", "result.id"), secret_path=lambda credential: f"/bot{credential.text('secret')}/getMe",
)  # fmt: skip
QUESTIONS = {BOT: _ME}
"""Asks the bot who it is. The API wants the token in the path: it goes over TLS only, and is shown nowhere. 404 is the answer to a
token of another form, which says nothing (https://core.telegram.org/bots/api#getme)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = (
    *cases(
        BOT,
        '{"ok":true,"result":{"id":1,"is_bot":true,"username":"acme_bot"}}',
        Answer(401, '{"ok":false,"error_code":401,"description":"Unauthorized"}'),
    ),
    Case("no such method", BOT, (Answer(404, '{"ok":false,"error_code":404,"description":"Not Found"}'),), "unknown"),
    Case("an error with 200", BOT, (Answer(200, '{"ok":false,"error_code":500}'),), "unknown"),
)
