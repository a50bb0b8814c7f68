"""Baidu AI Cloud access keys.

What it is: an access key id (ALTAK…, or 32 hex digits in older accounts) with a secret of 32 hex digits; and the API key and
  secret key of an application of Baidu's AI services (OCR, speech, maps). The shapes are unverified by documentation; the
  prefix is that of keys seen. Keys of Qianfan that begin with `bce-v3/` are another kind.
Where it is used: BOS object storage, bcecmd (`~/.go-bcecli/credentials`), the SDKs, mobile and web applications.
What an attacker can do: whatever the user may do: buckets, servers; with an application's pair, calls at its owner's cost.
How to replace it: create a second access key under Security Authentication, deploy it, disable and delete the old one. An
  application's secret key is reset in the console of its service.
References: https://cloud.baidu.com/doc/Reference/s/9jwvz2egb  https://ai.baidu.com/ai-doc/REFERENCE/Ck3dwjhhu
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, concat, hexa, part, text

from ._cloud import beside, credential, mixed, named

ACCESS_KEY = Kind("baidu-cloud/access-key")
APP_SECRET = Kind("baidu-cloud/application-secret")

KINDS = (
    credential(ACCESS_KEY, "Baidu AI Cloud access key", "critical", "https://console.bce.baidu.com/iam/#/iam/accesslist", "Create a second access key.", "Update what uses the old one.",
               "Disable the old key, then delete it.", see="https://cloud.baidu.com/doc/Reference/s/9jwvz2egb", identity=("secret", "id"), public=("id",)),
    credential(APP_SECRET, "Baidu AI application secret key", "medium", "https://console.bce.baidu.com/ai/", "Reset the application's secret key.", "Update what uses it.",
               see="https://ai.baidu.com/ai-doc/REFERENCE/Ck3dwjhhu", public=("id",)),
)  # fmt: skip

_HEX = Companion("secret", rb"(?<![A-Za-z0-9])(?P<secret>[0-9a-f]{32})(?![A-Za-z0-9])")
_OWNER = rb"(?:baidu|(?<![A-Za-z0-9])(?:bce|bos))[\w.-]{0,20}"


def _pair(first: str, second: str, last: str = "\n") -> Shape:
    return text(first, part("id", concat("ALTAK", an(21))), second, part("secret", hexa(32)), last)


RULES = (
    Rule(
        "baidu-cloud/access-key-id",
        ACCESS_KEY,
        rb"(?<![A-Za-z0-9])(?P<id>ALTAK[A-Za-z0-9]{21})(?![A-Za-z0-9_-])",
        alone=-40,
        companions=(_HEX,),
        examples=(
            _pair("BCE_ACCESS_KEY_ID=", "\nBCE_SECRET_ACCESS_KEY="),
            _pair("[defaults]\nAk = ", "\nSk = "),
            _pair('BceCredentials("', '", "', '")\n'),
        ),
        near_misses=(
            text("id=ALTAK", an(20), "\nvalue=", hexa(32), "\n"),
            text("id=ALTAK", an(22), "\nvalue=", hexa(32), "\n"),
            text("id=ALTAK", an(21), "\nvalue=", hexa(31), "\n"),
            text("id=ALTAL", an(21), "\nvalue=", hexa(32), "\n"),
        ),
    ),
    Rule(
        "baidu-cloud/secret-access-key",
        ACCESS_KEY,
        named(_OWNER + rb"(?:secret_?(?:access_?)?key(?:_?id)?|_sk)", rb"[0-9a-f]{32}"),
        score=65,
        companions=(beside("id", rb"access_?key(?:_?id)?|(?<![A-Za-z])ak", rb"[0-9a-f]{32}"),),
        examples=(
            assigned("BCE_SECRET_ACCESS_KEY", hexa(32)),
            assigned("BOS_SECRET_KEY", hexa(32), form='{name}: "{value}"\n'),
            text("BAIDU_ACCESS_KEY=", part("id", hexa(32)), "\nBAIDU_SECRET_ACCESS_KEY=", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(
            assigned("BCE_SECRET_ACCESS_KEY", hexa(31)),
            assigned("BCE_SECRET_ACCESS_KEY", hexa(33)),
            assigned("BCE_CHECKSUM", hexa(32)),
        ),
    ),
    Rule(
        str(APP_SECRET),
        APP_SECRET,
        named(rb"baidu[\w.-]{0,20}secret(?:_?key)?|(?<![A-Za-z0-9])(?:qianfan|ernie)[\w.-]{0,10}(?:secret(?:_?key)?|_sk)", mixed(32)),
        score=65,
        companions=(beside("id", rb"api_?key|client_?id|(?<![A-Za-z])ak", rb"[A-Za-z0-9]{24}"),),
        examples=(
            text("BAIDU_API_KEY=", part("id", an(24)), "\nBAIDU_SECRET_KEY=", part("secret", an(32)), "\n"),
            assigned("BAIDU_OCR_SECRET_KEY", an(32), form='{name} = "{value}"\n'),
            text('{"QIANFAN_AK": "', part("id", an(24)), '", "QIANFAN_SK": "', part("secret", an(32)), '"}\n'),
        ),
        near_misses=(
            assigned("BAIDU_OCR_SECRET_KEY", an(31)),
            assigned("BAIDU_OCR_SECRET_KEY", an(33)),
            assigned("BAIDU_OCR_APP_NAME", an(32)),
        ),
    ),
)  # fmt: skip
