"""Dropbox access tokens, refresh tokens and app secrets.

What it is: a short-lived access token (sl. or sl.u., four hours), a refresh token or legacy token (64 characters, the legacy ones with
  a run of A in the middle), an app's secret (15 lower-case letters and digits).
Where it is used: backup scripts, rclone (`rclone.conf`), synchronisation services, mobile apps; `.env`.
What an attacker can do: read, change, share and delete the files that the app may reach, which may be the whole account; a refresh
  token works for years, together with the app's key.
How to replace it: a holder can end a token with POST /2/auth/token/revoke; then authorise the app again. The app secret is reset
  at the App Console.
Whether it lives: POST /2/check/user, which gives back the word it is sent. A refresh token cannot be asked about without the
  app's secret.
References: https://developers.dropbox.com/oauth-guide https://www.dropbox.com/developers/documentation/http/documentation#auth-token-revoke
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import Shape, b64url, concat, lower, part, text
from keyward.plugin.verifier import Answer, Case

from ._saas import URLSAFE_EDGE, contexts, misses, named, named_contexts, secret, token
from ._token_probe import for_all
from ._vendor_answers import Question, Said, asks, bearer, cases

SHORT = Kind("dropbox/access-token")
LONG = Kind("dropbox/refresh-token")
LEGACY = Kind("dropbox/legacy-token")
APP = Kind("dropbox/app-secret")

_CONSOLE = "https://www.dropbox.com/developers/apps"
_REVOKE = Manual(
    (
        "End the token with POST https://api.dropboxapi.com/2/auth/token/revoke.",
        "Authorise the app again.",
        "Update what uses it.",
    ),
    _CONSOLE,
)
_REFERENCES = ("https://developers.dropbox.com/oauth-guide",)

KINDS = (
    CredentialKind(SHORT, "Dropbox access token", "medium", manual=_REVOKE, references=_REFERENCES),
    CredentialKind(LONG, "Dropbox refresh token", "high", manual=_REVOKE, references=_REFERENCES),
    CredentialKind(LEGACY, "Dropbox long-lived access token", "high", manual=_REVOKE, references=_REFERENCES),
    CredentialKind(APP, "Dropbox app secret", "high", public=("id",),
                   manual=Manual(("Reset the app secret at the App Console.", "Update what uses it."), _CONSOLE), references=_REFERENCES),
)  # fmt: skip


def _legacy(first: int = 11, last: int = 43, run: int = 10) -> Shape:
    return concat(b64url(first), "A" * run, b64url(last))


RULES = (
    Rule(
        str(SHORT),
        SHORT,
        token(rb"sl\.(?:u\.)?[A-Za-z0-9_-]{120,2000}", URLSAFE_EDGE, rb"A-Za-z0-9_.-"),
        window=2600,
        score=75,
        examples=(*contexts("DROPBOX_TOKEN", concat("sl.", b64url(136))), *contexts("DROPBOX_ACCESS_TOKEN", concat("sl.u.", b64url(1100)))),
        near_misses=misses("DROPBOX_TOKEN", concat("sl.", b64url(119)), concat("sl-", b64url(136)), concat("sn.", b64url(136)), concat("sl.x.", b64url(136))),
    ),
    Rule(
        str(LEGACY),
        LEGACY,
        named(rb"dropbox[\w.-]{0,20}(?:token|key)", secret(rb"[A-Za-z0-9_-]{11}A{10}[A-Za-z0-9_-]{43}"), URLSAFE_EDGE),
        score=75,
        examples=named_contexts("DROPBOX_ACCESS_TOKEN", _legacy()),
        near_misses=(
            *misses("DROPBOX_ACCESS_TOKEN", _legacy(10), _legacy(last=42), _legacy(last=44), concat(_legacy(6), ".", b64url(5))),
            *misses("OTHER_VALUE", _legacy()),
        ),
    ),
    Rule(
        str(LONG),
        LONG,
        named(rb"dropbox[\w.-]{0,20}refresh[_-]?token", secret(rb"[A-Za-z0-9_-]{64}"), URLSAFE_EDGE),
        score=72,
        examples=named_contexts("DROPBOX_REFRESH_TOKEN", b64url(64)),
        near_misses=(
            *misses("DROPBOX_REFRESH_TOKEN", b64url(63), b64url(65), concat(b64url(32), "$", b64url(31))),
            *misses("OTHER_VALUE", b64url(64)),
        ),
    ),
    Rule(
        str(APP),
        APP,
        named(rb"dropbox[\w.-]{0,12}(?:app|client|consumer|api)[_-]?secret", secret(rb"[a-z0-9]{15}")),
        score=65,
        companions=(Companion("id", rb"(?i:(?:app|client|consumer|api)[_-]?(?:key|id))[\"']?\s{0,4}(?:=>|[:=])\s{0,4}[\"']?(?P<id>[a-z0-9]{15})(?![A-Za-z0-9])", optional=True),),
        examples=(
            *named_contexts("DROPBOX_APP_SECRET", lower(15)),
            text("DROPBOX_APP_KEY=", part("id", lower(15)), "\nDROPBOX_APP_SECRET=", part("secret", lower(15)), "\n"),
        ),
        near_misses=(
            *misses("DROPBOX_APP_SECRET", lower(14), lower(16), concat(lower(14), "Z")),
            *misses("DROPBOX_FOLDER", lower(15)),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.dropboxapi.com",)
VERIFIES = (SHORT, LEGACY)

_TAGS = ('".tag":"missing_scope"', '".tag":"user_suspended"', '".tag":"route_access_denied"')
_ASK = Question(
    "https://api.dropboxapi.com", "/2/check/user", bearer, ("result",),
    dead=(Said(401, ('".tag":"invalid_access_token"', '".tag":"expired_access_token"')),), restricted=(Said(401, _TAGS), Said(403, _TAGS)),
    method="POST", json={"query": "keyward"},
)  # fmt: skip
verify = asks(dict.fromkeys(VERIFIES, _ASK))

CASES = for_all(
    VERIFIES,
    cases(
        SHORT,
        '{"result":"keyward"}',
        Answer(401, '{"error_summary":"invalid_access_token/..","error":{".tag":"invalid_access_token"}}'),
        Case("ended", SHORT, (Answer(401, '{"error_summary":"expired_access_token/.","error":{".tag":"expired_access_token"}}'),), "dead"),
        restricted=Answer(401, '{"error_summary":"missing_scope/.","error":{".tag":"missing_scope","required_scope":"account_info.read"}}'),
    ),
)  # fmt: skip
