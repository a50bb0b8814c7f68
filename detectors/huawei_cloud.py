"""Huawei Cloud access keys.

What it is: an AK of twenty capitals and digits with an SK of forty letters and digits; temporary ones come with a security
  token. Also the login of the container registry SWR that is derived from such a pair. Neither half has a dependable prefix,
  so they are found by their names.
Where it is used: the SDKs (`HUAWEICLOUD_SDK_AK`), Terraform (`HW_ACCESS_KEY`), obsutil (`~/.obsutilconfig`), hcloud, CI.
What an attacker can do: whatever the IAM user may do: OBS buckets, servers, databases, keys. Huawei restricts keys that it
  finds published itself.
How to replace it: a user holds two keys. Create the second one under My Credentials, deploy it, disable the old one, then
  delete it. Temporary credentials end within a day.
References: https://support.huaweicloud.com/intl/en-us/usermanual-ca/ca_01_0003.html
  https://support.huaweicloud.com/intl/en-us/utiltg-obs/obs_11_0005.html
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, b64, hexa, part, text, upper

from ._cloud import beside, credential, mixed, named

ACCESS_KEY = Kind("huawei-cloud/access-key")
SWR = Kind("huawei-cloud/registry-login")

_CREDENTIALS = "https://console-intl.huaweicloud.com/iam/#/mine/accessKey"
_STEPS = ("Create a second access key for the same user (two at most).", "Update what uses the old one.", "Disable the old key, then delete it.")

KINDS = (
    credential(ACCESS_KEY, "Huawei Cloud access key", "critical", _CREDENTIALS, *_STEPS, see="https://support.huaweicloud.com/intl/en-us/usermanual-ca/ca_01_0003.html", public=("id", "endpoint")),
    credential(SWR, "Huawei Cloud container registry login", "high", _CREDENTIALS, *_STEPS, see="https://support.huaweicloud.com/intl/en-us/usermanual-swr/swr_01_1000.html", public=("id",)),
)  # fmt: skip

_ID = beside("id", rb"access_?key(?:_?id)?|(?<![A-Za-z])ak", rb"[A-Z0-9]{20}")
_TOKEN = beside("session_token", rb"security_?token", rb"[A-Za-z0-9+/=_-]{200,3000}", within=1000, edge=rb"(?![A-Za-z0-9+/=_-])")
_NAMES = rb"(?:huawei|(?<![A-Za-z0-9])(?:hw|hwc|obs|otc))[\w.-]{0,20}(?:secret[_-]?(?:access[_-]?)?key|[_.-]sk|sdk_?sk)"


def _pair(first: str, second: str, last: str = "\n") -> Shape:
    return text(first, part("id", upper(20)), second, part("secret", an(40)), last)


RULES = (
    Rule(
        "huawei-cloud/secret-key",
        ACCESS_KEY,
        named(_NAMES, mixed(40), rb"(?![A-Za-z0-9+/=_-])"),
        score=75,
        companions=(_ID, _TOKEN),
        examples=(
            _pair("HW_ACCESS_KEY=", "\nHW_SECRET_KEY="),
            _pair("HUAWEICLOUD_SDK_AK=", "\nHUAWEICLOUD_SDK_SK="),
            assigned("OBS_SECRET_ACCESS_KEY", an(40), form='{name}: "{value}"\n'),
            assigned("huaweiSecretKey", an(40), form='"{name}": "{value}",\n'),
            text("HW_ACCESS_KEY=", part("id", upper(20)), "\nHW_SECRET_KEY=", part("secret", an(40)), "\nHW_SECURITY_TOKEN=", part("session_token", b64(300)), "\n"),
        ),
        near_misses=(
            assigned("HW_SECRET_KEY", an(39)),
            assigned("HW_SECRET_KEY", an(41)),
            assigned("HW_SECRET_KEY", hexa(40)),
            assigned("HARDWARE_KEY", an(40)),
        ),
    ),
    Rule(
        "huawei-cloud/access-key-pair",
        ACCESS_KEY,
        rb"(?i:(?<![A-Za-z0-9])ak)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<id>[A-Z0-9]{20})[\"']?,?\s{1,16}[\"']?(?i:sk)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<secret>" + mixed(40) + rb")(?![A-Za-z0-9+/=_-])",
        anchor=rb"(?i:ak)[\"'\s:=][\"'\s:=]{0,8}[A-Z0-9]{20}[\"',\s]{1,19}(?i:sk)",
        score=70,
        examples=(
            _pair("region=cn-north-4\nak=", "\nsk="),
            _pair('{"ak": "', '", "sk": "', '"}\n'),
            _pair("  ak: ", "\n  sk: "),
        ),
        near_misses=(
            text("ak=", upper(19), "\nsk=", an(40), "\n"),
            text("ak=", upper(20), "\nsk=", an(39), "\n"),
            text("ak=", upper(20), "\nid=", an(40), "\n"),
        ),
    ),
    Rule(
        "huawei-cloud/access-key-beside-endpoint",
        ACCESS_KEY,
        rb"(?<![A-Za-z0-9])(?:(?P<endpoint>(?:[a-z0-9-]{2,40}\.){1,3}myhuaweicloud\.com)|provider[ \t]{1,3}\"huaweicloud\")",
        anchor=rb"(?:myhuaweicloud\.com|provider[ \t]{1,3}\"huaweicloud\")",
        score=65,
        alone=-80,
        companions=(Companion("secret", named(rb"secret_?(?:access_?)?key|(?<![A-Za-z])sk", mixed(40), rb"(?![A-Za-z0-9+/=_-])")), _ID),
        examples=(
            text('provider "huaweicloud" {\n  region = "cn-north-4"\n  access_key = "', part("id", upper(20)), '"\n  secret_key = "', part("secret", an(40)), '"\n}\n'),
            text("access_key: ", part("id", upper(20)), "\nsecret_key: ", part("secret", an(40)), "\nendpoint: ", part("endpoint", "obs.cn-north-4.myhuaweicloud.com"), "\n"),
            text("server = '", part("endpoint", "obs.ap-southeast-3.myhuaweicloud.com"), "'\naccess_key_id = '", part("id", upper(20)), "'\nsecret_access_key = '", part("secret", an(40)), "'\n"),
        ),
        near_misses=(
            text("secret_key: ", an(39), "\nendpoint: obs.cn-north-4.myhuaweicloud.com\n"),
            text("object_key: ", an(40), "\nendpoint: obs.cn-north-4.myhuaweicloud.com\n"),
            text("endpoint: obs.cn-north-4.myhuaweicloud.com\n"),
        ),
    ),
    Rule(
        str(SWR),
        SWR,
        rb"(?<![A-Za-z0-9])[a-z]{2}-[a-z]{4,10}-[0-9]@(?P<id>[A-Z0-9]{20})[\"']?\s{1,4}(?:-p|--password)[ =][\"']?(?P<secret>[0-9a-f]{64})(?![0-9A-Za-z])",
        score=80,
        examples=tuple(
            text(before, part("id", upper(20)), after, part("secret", hexa(64)), end, " swr.cn-north-4.myhuaweicloud.com\n")
            for before, after, end in (("docker login -u cn-north-4@", " -p ", ""), ("docker login -u 'cn-east-3@", "' -p '", "'"), ("nerdctl login -u ap-southeast-3@", " --password=", ""))
        ),
        near_misses=(
            text("docker login -u cn-north-4@", upper(20), " -p ", hexa(63), "\n"),
            text("docker login -u cn-north-4@", upper(19), " -p ", hexa(64), "\n"),
            text("docker login -u cn-north-4@", upper(20), " -v ", hexa(64), "\n"),
        ),
    ),
)  # fmt: skip
