"""WeChat secrets.

What it is: the secret of an official account or mini program (32 hex digits) beside its AppID (`wx` and 16 hex digits),
  and the keys of WeChat Pay (32 letters and digits).
Where it is used: `WECHAT_APP_SECRET`, `WX_APPSECRET`, `appsecret` beside `appid`, `WECHAT_API_V3_KEY`, `mchKey`.
What an attacker can do: act as the account towards its followers; with a key of Pay forge notices of payment and decrypt
  them.
How to replace it: reset the secret at mp.weixin.qq.com; a key of Pay at pay.weixin.qq.com, API security.
References: https://developers.weixin.qq.com/miniprogram/en/dev/api-backend/open-api/access-token/auth.getAccessToken.html
  https://pay.weixin.qq.com/docs/partner/development/interface-rules/apiv3key.html (key of Pay: length and alphabet)
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, an, concat, hexa, part, text, upper_hex

from ._cloud import by_name, credential

SECRET = Kind("wechat/app-secret")
PAY = Kind("wechat/pay-key")

KINDS = (
    credential(
        SECRET,
        "WeChat app secret",
        "high",
        "https://mp.weixin.qq.com/",
        see="https://developers.weixin.qq.com/miniprogram/en/dev/api-backend/open-api/access-token/auth.getAccessToken.html",
        public=("id",),
    ),
    credential(
        PAY,
        "WeChat Pay API key",
        "critical",
        "https://pay.weixin.qq.com/",
        see="https://pay.weixin.qq.com/docs/partner/development/interface-rules/apiv3key.html",
    ),
)


def _pair(before: str, between: str, after: str) -> Shape:
    return text(before, part("id", concat("wx", hexa(16))), between, part("secret", hexa(32)), after)


RULES = (
    by_name(
        SECRET,
        rb"(?:wechat|weixin|(?<![a-z])wx|mini_?program)[a-z0-9_. -]{0,16}secret",
        rb"[0-9a-f]{32}",
        "WECHAT_APP_SECRET",
        hexa(32),
        (
            hexa(31),
            hexa(33),
            upper_hex(32),
        ),
        score=72,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>wx[0-9a-f]{16})(?![A-Za-z0-9])", within=300, optional=True),),
    ),
    Rule(
        "wechat/app-id",
        SECRET,
        rb"(?<![A-Za-z0-9])(?P<id>wx[0-9a-f]{16})(?![A-Za-z0-9])",
        score=72,
        alone=-60,
        companions=(
            Companion(
                "secret",
                rb"(?i:secret)[\"'\]]{0,2}\s{0,4}(?:=>|[:=,])\s{0,4}[\"']?(?P<secret>[0-9a-f]{32})(?![A-Za-z0-9])",
                within=200,
            ),
        ),
        examples=(
            _pair("appid: ", "\nsecret: ", "\n"),
            _pair('{"appId": "', '", "appSecret": "', '"}\n'),
            _pair("https://api.weixin.qq.com/cgi-bin/token?appid=", "&secret=", "\n"),
        ),
        near_misses=(
            text("appid: wx", hexa(16), "\nrevision: ", hexa(32), "\n"),
            text("appid: wx", hexa(15), "\nsecret: ", hexa(31), "\n"),
            text("appid: wx", hexa(16), "\nsecret: ", hexa(33), "\n"),
        ),
    ),
    by_name(
        PAY,
        rb"(?:(?:wechat|weixin|wx)[a-z0-9_. -]{0,8}(?:pay[a-z0-9_. -]{0,12}|mch_?-?(?:api_?)?)|api_?v3_?|mch_?)key",
        rb"[A-Za-z0-9]{32}",
        "WECHAT_PAY_API_V3_KEY",
        an(32),
        (
            an(31),
            an(33),
            concat(an(31), "_"),
        ),
        score=66,
    ),
)
