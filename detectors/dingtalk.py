"""DingTalk group robots and app secrets.

What it is: the access token in a group robot's URL (64 hex characters), the robot's signing secret (SEC and 64 hex characters),
  the secret of an app (64 characters) with its key or client id (`ding` and 16 characters).
Where it is used: alert scripts and CI notices, company apps, agents with a chat channel; `.env`, pipelines, notification scripts.
What an attacker can do: post to the group as the robot (with its signing secret, where the robot demands one); with an app's
  pair read the address book and use the app's other permissions.
How to replace it: reset the robot's signing secret or remove the robot and add it again at the group's settings; reset the app's
  secret at the developer console.
References: https://open.dingtalk.com/document/robots/custom-robot-access
  https://open.dingtalk.com/document/orgapp/obtain-the-access_token-of-an-internal-app
  The lengths of app keys and secrets are unverified.
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import b64url, concat, hexa, lower, part, text

from ._saas import ALNUM_EDGE, SLASH, URLSAFE_EDGE, misses, named, named_contexts, replace, secret, token

ROBOT = Kind("dingtalk/robot-token")
SIGN = Kind("dingtalk/robot-secret")
APP = Kind("dingtalk/app-secret")

KINDS = (
    CredentialKind(ROBOT, "DingTalk robot token", "medium",
                   manual=replace("a new custom robot in the group", "https://open.dingtalk.com/document/robots/custom-robot-access",
                                  "Remove the old robot from the group."),
                   references=("https://open.dingtalk.com/document/robots/custom-robot-access",)),
    CredentialKind(SIGN, "DingTalk robot signing secret", "medium",
                   manual=Manual(("Reset the signing secret at the robot's security settings.", "Update what uses it."),
                                 "https://open.dingtalk.com/document/robots/customize-robot-security-settings"),
                   references=("https://open.dingtalk.com/document/robots/customize-robot-security-settings",)),
    CredentialKind(APP, "DingTalk app secret", "high", public=("id",),
                   manual=Manual(("Reset the secret at the app's Credentials page; the old one ends.", "Update what uses it."),
                                 "https://open-dev.dingtalk.com/"),
                   references=("https://open.dingtalk.com/document/orgapp/obtain-the-access_token-of-an-internal-app",)),
)  # fmt: skip

RULES = (
    Rule(
        str(ROBOT),
        ROBOT,
        rb"oapi\.dingtalk\.com" + SLASH + rb"robot" + SLASH + rb"send\?access_token=" + secret(rb"[0-9a-f]{64}") + ALNUM_EDGE,
        score=85,
        examples=(
            text("DINGTALK_WEBHOOK=https://oapi.dingtalk.com/robot/send?access_token=", part("secret", hexa(64)), "\n"),
            text('{"url": "https:\\/\\/oapi.dingtalk.com\\/robot\\/send?access_token=', part("secret", hexa(64)), '"}\n'),
            text("curl 'https://oapi.dingtalk.com/robot/send?access_token=", part("secret", hexa(64)), "&timestamp=1' -d '{}'\n"),
        ),
        near_misses=(
            text("url=https://oapi.dingtalk.com/robot/send?access_token=", hexa(63), "\n"),
            text("url=https://oapi.dingtalk.com/robot/send?access_token=", hexa(65), "\n"),
            text("url=https://oapi.dingtalk.com/robot/sent?access_token=", hexa(64), "\n"),
        ),
    ),
    Rule(
        "dingtalk/robot-token-named",
        ROBOT,
        named(rb"(?:dingtalk|ding|(?<![a-z0-9])dd)[_.-]?(?:(?:ro)?bot[_.-]?)?(?:access[_-]?)?token", secret(rb"[0-9a-f]{64}")),
        score=65,
        examples=(*named_contexts("DINGTALK_ACCESS_TOKEN", hexa(64)), *named_contexts("DD_BOT_TOKEN", hexa(64))),
        near_misses=(
            *misses("DINGTALK_TOKEN", hexa(63), hexa(65), concat(hexa(63), "g")),
            *misses("IMAGE_DIGEST", hexa(64)),
        ),
    ),
    Rule(
        str(SIGN),
        SIGN,
        token(rb"SEC[0-9a-f]{64}"),
        score=75,
        examples=named_contexts("DD_BOT_SECRET", concat("SEC", hexa(64))),
        near_misses=misses("DD_BOT_SECRET", concat("SEC", hexa(63)), concat("SEC", hexa(65)), concat("SED", hexa(64)), concat("SEC-", hexa(64))),
    ),
    Rule(
        str(APP),
        APP,
        named(rb"ding(?:talk)?[\w.-]{0,12}(?:app|client)[_-]?secret", secret(rb"[A-Za-z0-9_-]{64}"), URLSAFE_EDGE),
        score=65,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>ding[a-z0-9]{16})(?![A-Za-z0-9])", optional=True),),
        examples=(
            *named_contexts("DINGTALK_CLIENT_SECRET", b64url(64)),
            text("DINGTALK_APP_KEY=", part("id", concat("ding", lower(16))), "\nDINGTALK_APP_SECRET=", part("secret", b64url(64)), "\n"),
        ),
        near_misses=(
            *misses("DINGTALK_CLIENT_SECRET", b64url(63), b64url(65), concat(b64url(31), "$", b64url(32))),
            *misses("OTHER_VALUE", b64url(64)),
        ),
    ),
)  # fmt: skip
