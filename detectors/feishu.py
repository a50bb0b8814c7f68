"""Feishu and Lark: app secrets, bot webhooks, event keys.

What it is: an app's id (cli_ and 16 characters) with its secret (32 letters and digits); the URL of a group bot; the token and
  key that verify and decrypt events. Feishu and Lark are one product on two hosts (open.feishu.cn, open.larksuite.com).
Where it is used: company bots, approval and document automation, agents with a chat channel; `.env`, YAML configurations.
What an attacker can do: with the app's pair get a tenant token and use all permissions of the app: messages, the address book,
  documents, calendars; with a webhook post to its group; with the event keys forge or read events.
How to replace it: reset the secret on the app's page, Credentials; the old one ends. Remove a group bot and add it again.
Whether it lives: an app's secret: POST /open-apis/auth/v3/tenant_access_token/internal at Feishu and at Lark, which do not
  know each other's apps. It gives the token that is in force (the same for an hour and a half), so it disturbs nobody. The
  status says nothing; the code decides.
References: https://open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal
  https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
  The alphabet of the app id is unverified beyond lower-case letters and digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import Shape, an, concat, hexa, lower, part, text, uuid4
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._forms import random_looking
from ._saas import ALNUM_EDGE, SLASH, UUID, contexts, misses, named, named_contexts, replace, secret, varied
from ._token_probe import at
from ._vendor_answers import Question, Said, cases, nothing, put_everywhere

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

APP = Kind("feishu/app-secret")
WEBHOOK = Kind("feishu/webhook")
EVENT = Kind("feishu/event-key")

_APPS = "https://open.feishu.cn/app"


def _unescaped(value: bytes) -> bytes:
    return value.replace(b"\\", b"")


KINDS = (
    CredentialKind(APP, "Feishu (Lark) app secret", "high", identity=("secret", "id"), public=("id",),
                   manual=Manual(("Reset the app secret at Credentials & Basic Info; the old one ends.", "Update what uses it."), _APPS),
                   references=("https://open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal",)),
    CredentialKind(WEBHOOK, "Feishu (Lark) bot webhook", "medium", canonical=_unescaped,
                   manual=replace("a new custom bot in the group", "https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot",
                                  "Remove the old bot from the group."),
                   references=("https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot",)),
    CredentialKind(EVENT, "Feishu (Lark) event key", "medium",
                   manual=Manual(("Reset the key at Events & Callbacks, Encryption Strategy.", "Update the receiver."), _APPS),
                   references=("https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case",)),
)  # fmt: skip

_ID = concat("cli_a", lower(15))
_ALNUM = rb"(?<![A-Za-z0-9/+])(?P<secret>[A-Za-z0-9]{32})(?![A-Za-z0-9/+=])"


def _hook(*, host: str = "open.feishu.cn", path: str = "open-apis/bot/v2/hook", slash: str = "/") -> Shape:
    return concat(f"https:{slash}{slash}{host}{slash}", path.replace("/", slash), slash)


RULES = (
    Rule(
        "feishu/app-id",
        APP,
        rb"(?<![A-Za-z0-9_])(?P<id>cli_[a-z0-9]{16})(?![A-Za-z0-9_])",
        companions=(Companion("secret", _ALNUM, within=200, check=random_looking),),
        alone=-40,
        examples=(
            text("FEISHU_APP_ID=", part("id", _ID), "\nFEISHU_APP_SECRET=", part("secret", an(32)), "\n"),
            text('{"appId": "', part("id", _ID), '", "appSecret": "', part("secret", an(32)), '"}\n'),
            text('client = lark.Client("', part("id", _ID), '", "', part("secret", an(32)), '")\n'),
        ),
        near_misses=(
            *misses("FEISHU_APP_ID", _ID),
            text("APP_ID=cli_", lower(15), "\nVALUE=", an(32), "\n"),
            text("APP_ID=cli_", lower(17), "\nVALUE=", an(32), "\n"),
            text("APP_ID=", _ID, "\nVALUE=", an(33), "\n"),
        ),
    ),
    Rule(
        str(APP),
        APP,
        named(rb"(?:feishu|lark)[\w.-]{0,16}app[_-]?secret", secret(rb"[A-Za-z0-9]{32}")),
        score=65,
        check=varied(),
        examples=named_contexts("FEISHU_APP_SECRET", an(32)),
        near_misses=(
            *misses("FEISHU_APP_SECRET", an(31), an(33), concat(an(15), "-", an(16))),
            *misses("OTHER_VALUE", an(32)),
        ),
    ),
    Rule(
        str(WEBHOOK),
        WEBHOOK,
        secret((rb"https://open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/(?:v2/)?hook/").replace(b"/", SLASH) + rb"(?:" + UUID + rb"|[0-9a-f]{32})")
        + ALNUM_EDGE,
        score=85,
        examples=(
            *contexts("FEISHU_WEBHOOK", concat(_hook(), uuid4())),
            *contexts("LARK_WEBHOOK_URL", concat(_hook(host="open.larksuite.com", slash="\\/"), uuid4())),
            *contexts("FEISHU_WEBHOOK", concat(_hook(path="open-apis/bot/hook"), hexa(32))),
        ),
        near_misses=misses(
            "FEISHU_WEBHOOK", concat(_hook(), hexa(31)), concat(_hook(), uuid4(), "a"), concat(_hook(host="open.feishu.test"), uuid4()),
            concat(_hook(path="open-apis/bot/v2/info"), uuid4()),
        ),
    ),
    Rule(
        str(EVENT),
        EVENT,
        named(rb"(?:feishu|lark)[\w.-]{0,16}(?:verification[_-]?token|encrypt[_-]?key)", secret(rb"[A-Za-z0-9]{32}")),
        score=62,
        check=varied(),
        examples=(*named_contexts("FEISHU_VERIFICATION_TOKEN", an(32)), *named_contexts("LARK_ENCRYPT_KEY", an(32))),
        near_misses=(
            *misses("FEISHU_ENCRYPT_KEY", an(31), an(33), concat(an(15), "-", an(16))),
            *misses("OTHER_VALUE", an(32)),
        ),
    ),
)  # fmt: skip

HOSTS = ("open.feishu.cn", "open.larksuite.com")
VERIFIES = (APP,)

_WRONG = ('"msg":"app secret invalid"',)
_ASK = at(HOSTS, Question(
    "", "/open-apis/auth/v3/tenant_access_token/internal", nothing, ("tenant_access_token",), dead=(Said(200, _WRONG), Said(400, _WRONG)), method="POST",
))  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks for a token at both sites. One that knows the app and refuses its secret says it all; one that does not know the app
    says nothing, because the other may."""
    if not credential.text("id"):
        return Unknown("the app's id, to which the secret belongs, is not known")
    body = {"app_id": credential.text("id"), "app_secret": credential.text("secret")}
    verdict: Verdict = Unknown("")
    for each in _ASK[:1] if target.base_url else _ASK:
        verdict = put_everywhere((each._replace(json=body),), credential, target, ports)
        if not isinstance(verdict, Unknown):
            return verdict
    return verdict


CASES = cases(
    APP,
    '{"code":0,"msg":"ok","tenant_access_token":"t-x","expire":7140}',
    Answer(200, '{"code":10014,"msg":"app secret invalid"}'),
    Case("no such app here", APP, (Answer(200, '{"code":10003,"msg":"invalid param"}'),), "unknown"),
    Case("an app of the other site", APP, (Answer(400, '{"code":10003,"msg":"invalid param"}'), Answer(200, '{"code":10014,"msg":"app secret invalid"}')), "dead"),
)  # fmt: skip
