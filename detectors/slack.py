"""Slack tokens, webhooks and app secrets.

What it is: bot and user tokens (xoxb, xoxp and older ones), rotating tokens and their refresh tokens (xoxe), app-level tokens
  (xapp), a browser's session (xoxc with its cookie xoxd), incoming webhooks, signing secrets, client secrets.
Where it is used: chat bots, alerting, CI notices, MCP servers and agents that read a workspace; `.env`, Alertmanager files.
What an attacker can do: read channels, files and direct messages within the token's scopes, write as the bot or person, and
  so send messages that colleagues trust; with a webhook only write to its channel; with a signing secret forge events.
How to replace it: the holder of a token can end it with the method auth.revoke. A new bot or user token comes from installing
  the app again; the secrets, app-level tokens and webhooks are replaced on the app's own page at api.slack.com/apps.
References: https://docs.slack.dev/authentication/tokens https://docs.slack.dev/authentication/using-token-rotation
  https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, an, b64url, concat, digits, hexa, part, text, upper
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._saas import SLASH, contexts, misses, named, named_contexts, replace, secret, token
from ._vendor_answers import Asked, Question, Said, asks, bearer, nothing

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports


BOT = Kind("slack/bot-token")
USER = Kind("slack/user-token")
LEGACY = Kind("slack/legacy-token")
ROTATING = Kind("slack/rotating-token")
REFRESH = Kind("slack/refresh-token")
APP = Kind("slack/app-token")
SESSION = Kind("slack/session")
WEBHOOK = Kind("slack/webhook")
SIGNING = Kind("slack/signing-secret")
CLIENT = Kind("slack/client-secret")

_APPS = "https://api.slack.com/apps"
_REFERENCES = ("https://docs.slack.dev/authentication/tokens",)
_REINSTALL = Manual(
    ("Revoke the token with the method auth.revoke.", "Install the app again; that makes a new token.", "Update what uses it."),
    _APPS,
)


def _workspace(parts: Parts) -> Mapping[str, str]:
    """The first group of digits numbers the workspace, the second the bot or user."""
    groups = parts["secret"].split(b"-")
    return {"workspace number": groups[1].decode()} if groups[1].isdigit() and len(groups[1]) >= 8 else {}


def _unescaped(value: bytes) -> bytes:
    return value.replace(b"\\", b"")


KINDS = (
    CredentialKind(BOT, "Slack bot token", "high", describe=_workspace, manual=_REINSTALL, references=_REFERENCES),
    CredentialKind(USER, "Slack user token", "critical", describe=_workspace, manual=_REINSTALL, references=_REFERENCES),
    CredentialKind(LEGACY, "Slack legacy token", "high", manual=_REINSTALL, references=_REFERENCES),
    CredentialKind(ROTATING, "Slack rotating access token", "high", manual=_REINSTALL,
                   references=("https://docs.slack.dev/authentication/using-token-rotation",)),
    CredentialKind(REFRESH, "Slack refresh token", "high", manual=_REINSTALL,
                   references=("https://docs.slack.dev/authentication/using-token-rotation",)),
    CredentialKind(APP, "Slack app-level token", "high", public=("id",),
                   manual=replace("a new app-level token at Basic Information", _APPS, "Revoke the old one there."),
                   references=_REFERENCES),
    CredentialKind(SESSION, "Slack browser session", "critical", identity=("secret", "cookie"), manual=Manual(
        ("Sign out of all other sessions of that account.", "Sign in again, and update what uses the session."),
        "https://my.slack.com/account/settings"), references=_REFERENCES),
    CredentialKind(WEBHOOK, "Slack webhook", "medium", canonical=_unescaped,
                   manual=replace("a new webhook at Incoming Webhooks", _APPS, "Remove the old one there."),
                   references=("https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",)),
    CredentialKind(SIGNING, "Slack signing secret", "medium", manual=Manual(
        ("Regenerate the signing secret at Basic Information.", "Update the app at once; the old one ends."), _APPS),
        references=("https://docs.slack.dev/authentication/verifying-requests-from-slack",)),
    CredentialKind(CLIENT, "Slack OAuth client secret", "high", public=("id",), manual=Manual(
        ("Regenerate the client secret at Basic Information.", "Update the app at once; the old one ends."), _APPS),
        references=("https://docs.slack.dev/authentication/installing-with-oauth",)),
)  # fmt: skip


def _groups(parts: Parts) -> Signal | None:
    """The body of a rotating token is base64 of groups of digits: `1-2-…-…`."""
    body = parts["secret"].rpartition(b"-")[2]
    decoded = decode_base64(body[: len(body) // 4 * 4])
    return structure(
        decoded is not None and re.match(rb"[0-9]-[0-9]-[0-9]{6,}-", decoded) is not None, "base64 of digit groups"
    )


def _encoded() -> Shape:
    groups = concat("1-2-", digits(13), "-", digits(13), "-", digits(13), "-", hexa(77))
    return groups.map(lambda raw: base64.b64encode(raw).rstrip(b"="))


_EDGE = rb"(?![A-Za-z0-9-])"
_BOT = concat("xoxb-", digits(12), "-", digits(13), "-", an(24))
_USER = concat("xoxp-", digits(12), "-", digits(12), "-", digits(13), "-", hexa(32))
_APP = concat("xapp-1-", part("id", concat("A0", upper(9))), "-", digits(13), "-", hexa(64))
_XOXC = concat("xoxc-", digits(12), "-", digits(12), "-", digits(13), "-", hexa(64))
_XOXD = concat("xoxd-", b64url(60), "%2B", an(60), "%3D")
_HOST = rb"https://hooks\.slack(?:-gov)?\.com/".replace(b"/", SLASH)
_PATH = (
    rb"(?:services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{24}"
    rb"|workflows/T[A-Z0-9]{6,12}/A[A-Z0-9]{6,12}/[0-9]{15,20}/[A-Za-z0-9]{24}"
    rb"|triggers/[TE][A-Z0-9]{6,12}/[0-9]{10,20}/[0-9a-f]{32})"
).replace(b"/", SLASH)


def _hook(*, slash: str = "/", host: str = "hooks.slack.com", team: str = "T0", tail: int = 24) -> Shape:
    return concat(f"https:{slash}{slash}{host}{slash}services{slash}", team, upper(9), slash, "B0", upper(9), slash, an(tail))


RULES = (
    Rule(
        str(BOT),
        BOT,
        token(rb"xoxb-[0-9]{8,14}-(?:[0-9]{8,14}-[A-Za-z0-9]{24}|[A-Za-z0-9]{18,26})", _EDGE),
        score=80,
        examples=(
            *contexts("SLACK_BOT_TOKEN", _BOT),
            text("slack_token: ", part("secret", concat("xoxb-", digits(12), "-", an(24))), "\n"),
        ),
        near_misses=misses(
            "SLACK_BOT_TOKEN",
            concat("xoxb-", digits(12), "-", digits(13), "-", an(23)),
            concat("xoxb-", digits(12), "-", digits(13), "-", an(25)),
            concat("xoxb-", digits(5), "-", digits(13), "-", an(24)),
            concat("xoxb_", digits(12), "-", digits(13), "-", an(24)),
        ),
    ),
    Rule(
        str(USER),
        USER,
        token(rb"xox[pe]-(?:[0-9]{8,14}-){3}[A-Za-z0-9]{28,34}", _EDGE),
        score=80,
        examples=contexts("SLACK_USER_TOKEN", _USER),
        near_misses=misses(
            "SLACK_USER_TOKEN",
            concat("xoxp-", digits(12), "-", digits(12), "-", digits(13), "-", hexa(27)),
            concat("xoxp-", digits(12), "-", digits(12), "-", digits(13), "-", hexa(35)),
            concat("xoxp-", digits(12), "-", digits(12), "-", hexa(32)),
            concat("xoxq-", digits(12), "-", digits(12), "-", digits(13), "-", hexa(32)),
        ),
    ),
    Rule(
        str(LEGACY),
        LEGACY,
        token(rb"xox[aors]-(?:[0-9]{1,14}-){1,3}[A-Za-z0-9]{10,64}", _EDGE),
        score=70,
        examples=contexts("SLACK_API_TOKEN", concat("xoxs-", digits(11), "-", digits(11), "-", digits(12), "-", hexa(10))),
        near_misses=misses(
            "SLACK_API_TOKEN",
            concat("xoxs-", digits(11), "-", digits(11), "-", digits(12), "-", hexa(9)),
            concat("xoxt-", digits(11), "-", digits(11), "-", digits(12), "-", hexa(10)),
            concat("xoxs-", an(20)),
        ),
    ),
    Rule(
        str(ROTATING),
        ROTATING,
        token(rb"xoxe\.xox[bp]-[0-9]-[A-Za-z0-9]{140,190}"),
        check=_groups,
        score=80,
        examples=(*contexts("SLACK_ACCESS_TOKEN", concat("xoxe.xoxp-1-", _encoded())), *contexts("SLACK_CONFIG_TOKEN", concat("xoxe.xoxb-1-", _encoded()))),
        near_misses=misses(
            "SLACK_ACCESS_TOKEN",
            concat("xoxe.xoxp-1-", an(139)),
            concat("xoxe.xoxp-1-", an(191)),
            concat("xoxe.xoxq-1-", an(163)),
            concat("xoxe-xoxp-1-", an(163)),
        ),
    ),
    Rule(
        str(REFRESH),
        REFRESH,
        token(rb"xoxe-[0-9]-[A-Za-z0-9]{135,180}"),
        check=_groups,
        score=80,
        examples=contexts("SLACK_REFRESH_TOKEN", concat("xoxe-1-", _encoded())),
        near_misses=misses(
            "SLACK_REFRESH_TOKEN",
            concat("xoxe-1-", an(134)),
            concat("xoxe-1-", an(181)),
            concat("xoxe-", an(147)),
            concat("xoxe_1_", an(147)),
        ),
    ),
    Rule(
        str(APP),
        APP,
        token(rb"xapp-[0-9]-(?P<id>A[A-Z0-9]{8,12})-[0-9]{10,14}-[0-9a-f]{64}"),
        score=85,
        examples=contexts("SLACK_APP_TOKEN", _APP),
        near_misses=misses(
            "SLACK_APP_TOKEN",
            concat("xapp-1-A0", upper(9), "-", digits(13), "-", hexa(63)),
            concat("xapp-1-A0", upper(9), "-", digits(13), "-", hexa(65)),
            concat("xapp-1-B0", upper(9), "-", digits(13), "-", hexa(64)),
            concat("xapp-1-A0", upper(9), "-", hexa(64)),
        ),
    ),
    Rule(
        "slack/session-token",
        SESSION,
        token(rb"xoxc-(?:[0-9]{8,14}-){3}[0-9a-f]{64}"),
        companions=(Companion("cookie", rb"(?P<cookie>xoxd-[A-Za-z0-9%+/=_-]{80,400})", within=800),),
        alone=-30,
        examples=(
            text('"env": {"SLACK_MCP_XOXC_TOKEN": "', part("secret", _XOXC), '", "SLACK_MCP_XOXD_TOKEN": "', part("cookie", _XOXD), '"}\n'),
            text("curl -H 'Cookie: d=", part("cookie", _XOXD), "' -d token=", part("secret", _XOXC), " https://slack.com/api/auth.test\n"),
            text("SLACK_XOXC=", part("secret", _XOXC), "\nSLACK_XOXD=", part("cookie", _XOXD), "\n"),
        ),
        near_misses=misses("SLACK_MCP_XOXC_TOKEN", _XOXC, concat("xoxc-", digits(12), "-", hexa(64)), concat("xoxc-", hexa(64))),
    ),
    Rule(
        "slack/session-cookie",
        SESSION,
        rb"(?<![A-Za-z0-9])(?P<cookie>xoxd-[A-Za-z0-9%+/=_-]{80,400})",
        score=70,
        examples=(
            text("SLACK_MCP_XOXD_TOKEN=", part("cookie", _XOXD), "\n"),
            text('{"name": "Cookie", "value": "b=1; d=', part("cookie", _XOXD), '; x=1"}\n'),
            text("Cookie: d=", part("cookie", _XOXD), "\n"),
        ),
        near_misses=misses("SLACK_MCP_XOXD_TOKEN", concat("xoxd-", an(79)), concat("xoxd_", an(120)), concat("xoxf-", an(120))),
    ),
    Rule(
        str(WEBHOOK),
        WEBHOOK,
        secret(_HOST + _PATH) + rb"(?![A-Za-z0-9])",
        score=85,
        examples=(
            text("SLACK_WEBHOOK_URL=", part("secret", _hook()), "\n"),
            text("receivers:\n- slack_configs:\n  - api_url: '", part("secret", _hook()), "'\n"),
            text('{"webhook": "', part("secret", _hook(slash="\\/")), '"}\n'),
            text("curl -X POST -d '{}' ", part("secret", concat("https://hooks.slack.com/triggers/T0", upper(9), "/", digits(13), "/", hexa(32))), "\n"),
            text("url = ", part("secret", concat("https://hooks.slack.com/workflows/T0", upper(9), "/A0", upper(9), "/", digits(18), "/", an(24))), "\n"),
        ),
        near_misses=misses(
            "SLACK_WEBHOOK_URL", _hook(tail=23), _hook(tail=25), _hook(host="hooks.slack.test"), _hook(team="U0"),
            concat("https://hooks.slack.com/services/", an(24)),
        ),
    ),
    Rule(
        str(SIGNING),
        SIGNING,
        named(rb"slack[\w.-]{0,12}signing[_-]?secret", secret(rb"[0-9a-f]{32}")),
        score=65,
        examples=named_contexts("SLACK_SIGNING_SECRET", hexa(32)),
        near_misses=(
            *misses("SLACK_SIGNING_SECRET", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("SIGNING_DIGEST", hexa(32)),
        ),
    ),
    Rule(
        str(CLIENT),
        CLIENT,
        named(rb"slack[\w.-]{0,12}client[_-]?secret", secret(rb"[0-9a-f]{32}")),
        score=65,
        companions=(Companion("id", rb"(?<![0-9.])(?P<id>[0-9]{9,14}\.[0-9]{9,14})(?![0-9.])", optional=True),),
        examples=(
            *named_contexts("SLACK_CLIENT_SECRET", hexa(32)),
            text("SLACK_CLIENT_ID=", part("id", concat(digits(12), ".", digits(13))), "\nSLACK_CLIENT_SECRET=", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(
            *misses("SLACK_CLIENT_SECRET", hexa(31), hexa(33), concat(hexa(31), "g")),
            *misses("CLIENT_DIGEST", hexa(32)),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("slack.com", "hooks.slack.com", "hooks.slack-gov.com")
_DEAD = Said(
    200, ('"error":"token_revoked"', '"error":"token_expired"', '"error":"account_inactive"', '"error":"team_disabled"')
)
_BARRED = Said(
    200,
    ('"error":"org_login_required"', '"error":"ekm_access_denied"', '"error":"access_denied"', '"error":"not_allowed_token_type"',
     '"error":"missing_scope"', '"error":"no_permission"', '"error":"two_factor_setup_required"', '"error":"enterprise_is_restricted"'),
)  # fmt: skip
_TWO_MEANINGS = "Slack says invalid_auth: there is no such token, or the app does not let this address in"
_WHO = Question(
    "https://slack.com", "/api/auth.test", bearer, ("ok",), (_DEAD,), (_BARRED,), who=("user", "team", "url"), scopes="header:x-oauth-scopes",
    method="POST", puzzling=(Said(200, ('"error":"invalid_auth"',), _TWO_MEANINGS),),
)  # fmt: skip


def _with_cookie(credential: Credential) -> Mapping[str, str]:
    return {**bearer(credential), "cookie": f"d={credential.text('cookie')}"}


def _code_that_is_none(credential: Credential) -> Mapping[str, str]:
    return {"client_id": credential.text("id"), "client_secret": credential.text("secret"), "code": "none"}


_CLIENT_CHECK = Question(
    "https://slack.com", "/api/oauth.v2.access", nothing, (), (Said(200, ('"error":"bad_client_secret"', '"error":"invalid_client_id"')),),
    known=(Said(200, ('"error":"invalid_code"',)),), needs=("id",), method="POST", form=_code_that_is_none,
)  # fmt: skip
_HOOK_LIVE = (b"no_text", b"invalid_payload", b"missing_text_or_fallback_or_attachments")
_HOOK_DEAD = (b"no_service", b"no_service_id", b"no_team", b"no_active_hooks")


def _ask_hook(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Sends nothing to an incoming webhook, which it refuses without posting. A workflow's would start."""
    host, _, path = _unescaped(credential.parts["secret"].reveal()).decode().removeprefix("https://").partition("/")
    if not path.startswith("services/"):
        return Unknown("asking would start the workflow: look at its page in Slack")
    http = ports.http(f"https://{host}", {"user-agent": "keyward", "content-type": "application/json"})
    reply = http.request("POST", f"/{path}", body=b"", changes=False, name="/services/…")
    said = reply.body.strip()
    seen = evidence("POST /services/…", http, reply, ports)
    if reply.status == 400 and said in _HOOK_LIVE:
        return Live(seen)
    if reply.status in (403, 404) and said in _HOOK_DEAD:
        return Dead(seen)
    if reply.status in (403, 404, 410) and said in (b"action_prohibited", b"channel_is_archived", b"channel_not_found"):
        return Restricted(seen, "the webhook is there, and may not post")
    return Unknown(f"{http.host} answered {reply.status}, which says nothing of the webhook")


QUESTIONS: dict[Kind, Asked] = {
    **dict.fromkeys((BOT, USER, LEGACY, ROTATING, APP), _WHO),
    SESSION: _WHO._replace(headers=_with_cookie, needs=("secret", "cookie")),
    CLIENT: _CLIENT_CHECK,
    WEBHOOK: _ask_hook,
}
"""Asks who a token is; Slack answers 200 to all and says in the body what it means. `invalid_auth` has two meanings by its own
documentation (https://docs.slack.dev/reference/methods/auth.test), so that it does not prove a token dead."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)


def _error(code: str) -> Answer:
    return Answer(200, f'{{"ok":false,"error":"{code}"}}')


_ME = '{"ok":true,"url":"https://acme.slack.com/","team":"Acme","user":"bot","team_id":"T0","user_id":"U0"}'
_SOME = {"id": "1.2", "cookie": "xoxd-" + "x" * 8}
CASES = (
    *(
        case
        for kind in (BOT, USER, LEGACY, ROTATING, APP, SESSION)
        for case in (
            Case("a good token", kind, (Answer(200, _ME, {"x-oauth-scopes": "chat:write,users:read"}),), "live", _SOME),
            Case("revoked", kind, (_error("token_revoked"),), "dead", _SOME),
            Case("the account is closed", kind, (_error("account_inactive"),), "dead", _SOME),
            Case("two meanings", kind, (_error("invalid_auth"),), "unknown", _SOME),
            Case("another kind of token", kind, (_error("not_allowed_token_type"),), "restricted", _SOME),
            Case("later", kind, (_error("ratelimited"),), "unknown", _SOME),
            Case("a portal", kind, (Answer(200, "<html>Sign in</html>"),), "unknown", _SOME),
        )
    ),
    Case("the code is refused", CLIENT, (_error("invalid_code"),), "live", _SOME),
    Case("the secret is refused", CLIENT, (_error("bad_client_secret"),), "dead", _SOME),
    Case("another mistake", CLIENT, (_error("invalid_arguments"),), "unknown", _SOME),
    Case("nothing to post", WEBHOOK, (Answer(400, "no_text"),), "live"),
    Case("not there", WEBHOOK, (Answer(404, "no_service"),), "dead"),
    Case("may not post", WEBHOOK, (Answer(403, "action_prohibited"),), "restricted"),
    Case("posted, which cannot be", WEBHOOK, (Answer(200, "ok"),), "unknown"),
    Case("another page", WEBHOOK, (Answer(404, "<html>"),), "unknown"),
)  # fmt: skip
