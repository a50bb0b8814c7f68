"""WeCom (WeChat Work, 企业微信): app secrets, group robots, callback keys.

What it is: an app's secret (43 characters) with the company's id (ww or wx and 16 hex characters), which together give an access
  token; the key in a group robot's URL (a UUID); the EncodingAESKey (43 characters) that decrypts callbacks.
Where it is used: company apps, CI notices, alert scripts, agents with a chat channel; `.env`, the variable QYWX_AM of scripts.
What an attacker can do: with the pair use the app's permissions: messages to employees, the address book; with a robot's key
  post to its group; with the callback key read and forge callbacks.
How to replace it: reset the secret on the app's page of the admin console; remove the robot and add it again; change the
  EncodingAESKey at the app's API reception settings. Limit the app to trusted IP addresses.
Whether it lives: an app's secret: GET /cgi-bin/gettoken, which takes it only in the address, and gives the token that is in
  force. The status is always 200; the errcode decides. Robots and callback keys have no reading request.
References: https://developer.work.weixin.qq.com/document/path/91039 https://developer.work.weixin.qq.com/document/path/91770
  The lengths of the secret and company id are unverified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import Shape, an, b64url, concat, digits, hexa, part, text, uuid4
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._saas import ALNUM_EDGE, SLASH, URLSAFE_EDGE, UUID, misses, named, named_contexts, replace, secret, varied
from ._vendor_answers import Question, Said, cases, nothing, put

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

APP = Kind("wecom/app-secret")
ROBOT = Kind("wecom/robot-key")
CALLBACK = Kind("wecom/encoding-aes-key")

_CONSOLE = "https://work.weixin.qq.com/wework_admin/frame#apps"

KINDS = (
    CredentialKind(APP, "WeCom app secret", "high", public=("id",),
                   manual=Manual(("Reset the secret on the app's page; the old one ends.", "Update what uses it.",
                                  "Limit the app to trusted IP addresses."), _CONSOLE),
                   references=("https://developer.work.weixin.qq.com/document/path/91039",)),
    CredentialKind(ROBOT, "WeCom group robot key", "medium",
                   manual=replace("a new robot in the group", "https://developer.work.weixin.qq.com/document/path/91770",
                                  "Remove the old robot from the group."),
                   references=("https://developer.work.weixin.qq.com/document/path/91770",)),
    CredentialKind(CALLBACK, "WeChat or WeCom EncodingAESKey", "medium",
                   manual=Manual(("Generate a new EncodingAESKey at the API reception settings.", "Update the receiver."), _CONSOLE),
                   references=("https://developer.work.weixin.qq.com/document/path/90930",)),
)  # fmt: skip

_CORP = rb"(?P<id>w[wx][0-9a-f]{16})"
_CORP_ID = concat("ww", hexa(16))
_SECRET = rb"(?P<secret>[A-Za-z0-9_-]{43})"


def _url(*, size: int = 43, path: str = "gettoken") -> Shape:
    return text(f"https://qyapi.weixin.qq.com/cgi-bin/{path}?corpid=", part("id", _CORP_ID), "&corpsecret=",
                part("secret", b64url(size)), "\n")  # fmt: skip


RULES = (
    Rule(
        "wecom/app-secret-url",
        APP,
        rb"corpid=" + _CORP + rb"(?:&(?:amp;)?|\\u0026)corpsecret=" + _SECRET + URLSAFE_EDGE,
        score=80,
        examples=(text("curl '", _url(), "'\n"), text("url = ", _url()), text("GET ", _url(path="externalcontact/token"))),
        near_misses=(_url(size=42), _url(size=44), _url(size=20)),
    ),
    Rule(
        str(APP),
        APP,
        named(rb"(?:corp[_-]?secret|(?:wecom|qywx|wxwork|work_?weixin|wechat_?work)[\w.-]{0,16}secret)", _SECRET, URLSAFE_EDGE),
        score=70,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])" + _CORP + rb"(?![A-Za-z0-9])", optional=True),),
        examples=(
            *named_contexts("WECOM_SECRET", b64url(43)),
            text("WECOM_CORP_ID=", part("id", _CORP_ID), "\nWECOM_APP_SECRET=", part("secret", b64url(43)), "\n"),
        ),
        near_misses=(
            *misses("WECOM_SECRET", b64url(42), b64url(44), concat(b64url(21), "$", b64url(21))),
            *misses("CODE_VERIFIER", b64url(43)),
        ),
    ),
    Rule(
        "wecom/app-secret-joined",
        APP,
        rb"(?<![A-Za-z0-9])" + _CORP + rb"\s?,\s?" + _SECRET + rb"(?![A-Za-z0-9_-])",
        score=70,
        examples=(
            text("QYWX_AM=", part("id", _CORP_ID), ",", part("secret", b64url(43)), ",@all,", digits(7), "\n"),
            text('export QYWX_AM="', part("id", _CORP_ID), ",", part("secret", b64url(43)), ',@all,1"\n'),
            text("QYWX_AM: ", part("id", _CORP_ID), ", ", part("secret", b64url(43)), "\n"),
        ),
        near_misses=(
            text("AM=", _CORP_ID, ",", b64url(42), ",@all\n"),
            text("AM=", _CORP_ID, ",", b64url(44), ",@all\n"),
            text("AM=", _CORP_ID, ";", b64url(43), ",@all\n"),
            text("AM=ww", hexa(15), ",", b64url(43), ",@all\n"),
        ),
    ),
    Rule(
        str(ROBOT),
        ROBOT,
        rb"qyapi\.weixin\.qq\.com" + SLASH + rb"cgi-bin" + SLASH + rb"webhook" + SLASH + rb"(?:send|upload_media)\?key=" + secret(UUID) + ALNUM_EDGE,
        score=85,
        examples=(
            text("WECOM_WEBHOOK=https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", part("secret", uuid4()), "\n"),
            text('{"url": "https:\\/\\/qyapi.weixin.qq.com\\/cgi-bin\\/webhook\\/send?key=', part("secret", uuid4()), '"}\n'),
            text("curl 'https://qyapi.weixin.qq.com/cgi-bin/webhook/upload_media?key=", part("secret", uuid4()), "&type=file'\n"),
        ),
        near_misses=(
            text("url=https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", hexa(32), "\n"),
            text("url=https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", uuid4(), "0\n"),
            text("url=https://qyapi.weixin.qq.com/cgi-bin/webhook/list?key=", uuid4(), "\n"),
        ),
    ),
    Rule(
        str(CALLBACK),
        CALLBACK,
        named(rb"encoding_?aes_?key", secret(rb"[A-Za-z0-9]{43}")),
        score=68,
        check=varied(),
        examples=named_contexts("WECOM_ENCODING_AES_KEY", an(43)),
        near_misses=(
            *misses("WECOM_ENCODING_AES_KEY", an(42), an(44), concat(an(21), "-", an(21))),
            *misses("CODE_VERIFIER", an(43)),
        ),
    ),
)  # fmt: skip

HOSTS = ("qyapi.weixin.qq.com",)
VERIFIES = (APP,)


def _address(credential: Credential) -> str:
    from urllib.parse import urlencode

    return "/cgi-bin/gettoken?" + urlencode({"corpid": credential.text("id"), "corpsecret": credential.text("secret")})


_ASK = Question(
    "https://qyapi.weixin.qq.com", "/cgi-bin/gettoken", nothing, ("access_token",), dead=(Said(200, ('"errcode":40001,', '"errcode":40001}')),),
    restricted=(Said(200, ('"errcode":60020,', '"errcode":60020}'), "it may not be used from this address"),), secret_path=_address,
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks for the token in force."""
    if not credential.text("id"):
        return Unknown("the company's id, to which the secret belongs, is not known")
    return put(_ASK, credential, target, ports)


CASES = cases(
    APP,
    '{"errcode":0,"errmsg":"ok","access_token":"x","expires_in":7200}',
    Answer(200, '{"errcode":40001,"errmsg":"invalid credential, hint: [1], more info at https://open.work.weixin.qq.com"}'),
    Case("no such company", APP, (Answer(200, '{"errcode":40013,"errmsg":"invalid corpid"}'),), "unknown"),
    Case("busy", APP, (Answer(200, '{"errcode":-1,"errmsg":"system error"}'),), "unknown"),
    Case("no company", APP, (Answer(200, "{}"),), "unknown", {"id": ""}),
    restricted=Answer(200, '{"errcode":60020,"errmsg":"not allow to access from your ip"}'),
)
