"""Mailgun API keys and signing keys.

What it is: an API key: `key-` and 32 hex characters (older), or 32, 8 and 8 hex characters joined by hyphens (today); SMTP
  passwords have the same two forms. The webhook signing key is 32 hex characters or has the older form.
Where it is used: mail from applications, over HTTPS with the user name `api` or over SMTP; `.env`, Django and Laravel settings.
What an attacker can do: send mail in the name of the account's domains, read events and stored messages, change routes and so
  divert incoming mail; with a signing key forge events.
How to replace it: create another key at API security, deploy it, delete the old one. The old primary key may be valid for up to
  48 hours after a reset.
References: https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt/rbac-mgmt
  https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, concat, hexa, part, text
from keyward.plugin.verifier import Answer, Case

from ._saas import URLSAFE_EDGE, contexts, misses, named, named_contexts, replace, secret, token
from ._vendor_answers import Question, asks, basic

API_KEY = Kind("mailgun/api-key")
SIGNING = Kind("mailgun/signing-key")

_PAGE = "https://app.mailgun.com/settings/api_security"

KINDS = (
    CredentialKind(API_KEY, "Mailgun API key", "high", public=("domain",), manual=replace("a new API key", _PAGE),
                   references=("https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt/rbac-mgmt",)),
    CredentialKind(SIGNING, "Mailgun webhook signing key", "medium", manual=replace("a new HTTP webhook signing key", _PAGE),
                   references=("https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",)),
)  # fmt: skip

_OLD = rb"key-[0-9a-f]{32}"
_NEW = rb"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}"
_DOMAIN = Companion("domain", rb"(?P<domain>(?:mg|mail|email)\.[a-z0-9-]{1,60}\.[a-z]{2,10})", optional=True)


def _new(*, first: int = 32, last: int = 8, dash: str = "-") -> Shape:
    return concat(hexa(first), dash, hexa(8), dash, hexa(last))


RULES = (
    Rule(
        "mailgun/api-key-old",
        API_KEY,
        token(_OLD, URLSAFE_EDGE, rb"A-Za-z0-9_-"),
        score=60,
        companions=(_DOMAIN,),
        examples=contexts("MAILGUN_API_KEY", concat("key-", hexa(32)), "X: api:"),
        near_misses=misses("MAILGUN_KEY", concat("key-", hexa(31)), concat("key-", hexa(33)), concat("key_", hexa(32)), concat("key-", hexa(31), "g")),
    ),
    Rule(
        str(API_KEY),
        API_KEY,
        named(rb"mailgun[\w.-]{0,20}(?:key|token|secret|password|pass)", secret(rb"(?:" + _OLD + rb"|" + _NEW + rb")"), URLSAFE_EDGE),
        score=78,
        companions=(_DOMAIN,),
        examples=(
            *named_contexts("MAILGUN_API_KEY", _new()),
            text("MAILGUN_DOMAIN=", part("domain", "mg.acme.dev"), "\nMAILGUN_API_KEY=", part("secret", _new()), "\n"),
        ),
        near_misses=(
            *misses("MAILGUN_API_KEY", _new(first=31), _new(last=7), _new(last=9), _new(dash="_")),
            *misses("REQUEST_ID", _new()),
        ),
    ),
    Rule(
        "mailgun/api-key-basic",
        API_KEY,
        rb"(?<![A-Za-z0-9_-])api:" + secret(rb"(?:" + _OLD + rb"|" + _NEW + rb")") + URLSAFE_EDGE,
        score=78,
        companions=(_DOMAIN,),
        examples=(
            text("curl -s --user 'api:", part("secret", _new()), "' https://api.mailgun.net/v3/domains\n"),
            text("https://api:", part("secret", concat("key-", hexa(32))), "@api.mailgun.net/v3/samples\n"),
            text('"auth": "api:', part("secret", _new()), '"\n'),
        ),
        near_misses=(
            text("curl -s --user 'api:", hexa(32), "' https://api.mailgun.net/v3/domains\n"),
            text("curl -s --user 'api:", _new(last=9), "' https://api.mailgun.net/v3/domains\n"),
            text("curl -s --user 'app:", _new(), "' https://api.mailgun.net/v3/domains\n"),
        ),
    ),
    Rule(
        str(SIGNING),
        SIGNING,
        named(rb"mailgun[\w.-]{0,12}signing[_-]?key", secret(rb"(?:key-)?[0-9a-f]{32}"), URLSAFE_EDGE),
        score=80,
        examples=named_contexts("MAILGUN_WEBHOOK_SIGNING_KEY", hexa(32)),
        near_misses=(
            *misses("MAILGUN_WEBHOOK_SIGNING_KEY", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("ASSET_DIGEST", hexa(32)),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.mailgun.net", "api.eu.mailgun.net")
_SITES = ("https://api.mailgun.net", "https://api.eu.mailgun.net")
QUESTIONS = {
    API_KEY: tuple(
        Question(site, "/v3/domains?limit=1", basic("api"), ("items",), (), who=("items.0.name",)) for site in _SITES
    )
}
"""Lists the domains (https://documentation.mailgun.com/docs/mailgun/api-reference)."""
NEVER_DEAD = {API_KEY: "a key that may only send is refused in the same words as one that does not exist"}
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = (
    Case("the domains", API_KEY, (Answer(200, '{"total_count":1,"items":[{"name":"mg.acme.dev","state":"active"}]}'),), "live"),
    Case("wrong, or may only send", API_KEY, (Answer(401, '{"message":"Invalid private key"}'),), "unknown"),
    Case("the same in plain text", API_KEY, (Answer(401, "Forbidden"),), "unknown"),
    Case("Europe's", API_KEY, (Answer(401, "Forbidden"), Answer(200, '{"total_count":0,"items":[]}')), "live"),
)
