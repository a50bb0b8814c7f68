"""Alibaba Cloud access keys.

What it is: an AccessKey id (LTAI…) with its secret of thirty letters and digits; temporary credentials of STS (STS.…) with a
  security token; the AppCode of the API marketplace.
Where it is used: the aliyun command line (`~/.aliyun/config.json`), OSS uploaders (`~/.ossutilconfig`), SMS senders, Spring's
  `application.yml`, Terraform, CI.
What an attacker can do: whatever the RAM user may do; a key of the main account opens every service: OSS buckets, ECS
  servers and their snapshots, databases, SMS at the owner's cost.
How to replace it: a user holds two keys. Create the second one, deploy it, disable the old one, then delete it (RAM console,
  or UpdateAccessKey and DeleteAccessKey). Temporary credentials end by themselves.
Whether it lives: STS GetCallerIdentity, which needs no right; the code in the answer decides. The marketplace's AppCode has
  no such request.
References: https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair
  https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, b64, concat, hexa, part, text
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._cloud import credential, mixed, named, random_looking
from ._token_probe import for_all
from ._vendor_answers import cases, shown

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

ACCESS_KEY = Kind("alibaba/access-key")
TEMPORARY = Kind("alibaba/temporary-key")
APPCODE = Kind("alibaba/market-appcode")

_DOC = "https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair"


KINDS = (
    credential(ACCESS_KEY, "Alibaba Cloud access key", "critical", "https://ram.console.aliyun.com/manage/ak", "Create a second key for the same RAM user (two at most).",
               "Update what uses the old one.", "Disable the old key, look at its last use, then delete it.", see=_DOC, identity=("secret", "id"), public=("id",)),
    credential(TEMPORARY, "Alibaba Cloud temporary credentials", "high", "https://ram.console.aliyun.com/roles", "Wait for the end, or take the rights from the role they came from.",
               see="https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole", identity=("secret", "id"), public=("id",)),
    credential(APPCODE, "Alibaba Cloud marketplace AppCode", "medium", "https://market.console.aliyun.com/imageconsole/index.htm", "Reset the AppCode of the purchased API.",
               "Update what uses it.", see="https://www.alibabacloud.com/help/en/api-gateway/"),
)  # fmt: skip

_SECRET = Companion("secret", rb"(?<![A-Za-z0-9+/_-])(?P<secret>[A-Za-z0-9]{30})(?![A-Za-z0-9+/=_-])", check=random_looking)
_TMP_SECRET = Companion(
    "secret", rb"(?<![A-Za-z0-9+/_.-])(?P<secret>[A-Za-z0-9]{30,64})(?![A-Za-z0-9+/=_-])", within=2500, check=random_looking
)
_TOKEN = Companion(
    "session_token", rb"(?<![A-Za-z0-9+/])(?P<session_token>CAIS[A-Za-z0-9+/%]{96,2000}={0,2})", within=3000, optional=True
)
_NAMES = rb"(?:aliyun|alibaba|ali_?cloud|ali_?pay_oss|(?<![A-Za-z0-9])(?:oss|ali))[\w.-]{0,24}secret[\w.-]{0,12}"


def _pair(first: str, second: str, last: str = "\n") -> Shape:
    return text(first, part("id", concat("LTAI", "5t", an(18))), second, part("secret", an(30)), last)


def _sts(first: str, second: str, third: str, last: str = "\n") -> Shape:
    token = concat("CAIS", b64(300))
    return text(
        first, part("id", concat("STS.", an(25))), second, part("secret", an(44)), third, part("session_token", token), last
    )


RULES = (
    Rule(
        "alibaba/access-key-id",
        ACCESS_KEY,
        rb"(?<![A-Za-z0-9])(?P<id>LTAI[A-Za-z0-9]{12,21})(?![A-Za-z0-9_-])",
        companions=(_SECRET,),
        alone=-40,
        score=80,
        examples=(
            _pair("ALIBABA_CLOUD_ACCESS_KEY_ID=", "\nALIBABA_CLOUD_ACCESS_KEY_SECRET="),
            _pair('{"accessKeyId": "', '", "accessKeySecret": "', '"}\n'),
            _pair("[Credentials]\nlanguage=EN\naccessKeyID=", "\naccessKeySecret="),
            _pair("oss2.Auth('", "', '", "')\n"),
            text("    access-key-id: ", part("id", concat("LTAI", an(12))), "\n    access-key-secret: ", part("secret", an(30)), "\n"),
        ),
        near_misses=(
            text("key=LTAI", an(11), "\nvalue=", an(30), "\n"),
            text("key=LTAI", an(22), "\nvalue=", an(30), "\n"),
            text("key=LTAJ", an(20), "\nvalue=", an(30), "\n"),
            text("key=LTAI", an(20), "\nvalue=", hexa(30), "\n"),
            text("https://acme.oss-cn-hangzhou.aliyuncs.com/a.png?OSSAccessKeyId=LTAI", an(20), "&Expires=1700000000&Signature=", b64(27), "%3D\n"),
        ),
    ),
    Rule(
        "alibaba/access-key-secret",
        ACCESS_KEY,
        named(_NAMES, mixed(30), rb"(?![A-Za-z0-9+/=_-])"),
        score=65,
        examples=(
            assigned("ALIBABA_CLOUD_ACCESS_KEY_SECRET", an(30)),
            assigned("aliyun.sms.access-key-secret", an(30)),
            assigned("OSS_SECRET", an(30), form='{name}: "{value}"\n'),
        ),
        near_misses=(
            assigned("ALIBABA_CLOUD_ACCESS_KEY_SECRET", an(29)),
            assigned("ALIBABA_CLOUD_ACCESS_KEY_SECRET", an(31)),
            assigned("ALIBABA_CLOUD_ACCESS_KEY_SECRET", hexa(30)),
            assigned("session_id", an(30)),
        ),
    ),
    Rule(
        str(TEMPORARY),
        TEMPORARY,
        rb"(?<![A-Za-z0-9])(?P<id>STS\.[A-Za-z0-9]{16,64})(?![A-Za-z0-9_.-])",
        companions=(_TMP_SECRET, _TOKEN),
        alone=-40,
        examples=(
            _sts('{"AccessKeyId": "', '", "AccessKeySecret": "', '", "SecurityToken": "', '"}\n'),
            _sts("ALIBABA_CLOUD_ACCESS_KEY_ID=", "\nALIBABA_CLOUD_ACCESS_KEY_SECRET=", "\nALIBABA_CLOUD_SECURITY_TOKEN="),
            _sts("accessKeyId: '", "',\naccessKeySecret: '", "',\nstsToken: '", "',\n"),
        ),
        near_misses=(
            text("id: STS.", an(15), "\nvalue: ", an(44), "\n"),
            text("id: STS-", an(25), "\nvalue: ", an(44), "\n"),
            text("id: STS.", an(25), "\nvalue: ", hexa(32), "\n"),
        ),
    ),
    Rule(
        str(APPCODE),
        APPCODE,
        rb"(?i:(?<![A-Za-z0-9])app_?code)[\"']?(?:\s{1,3}|\s{0,3}[:=]\s{0,3})[\"']?(?P<secret>[0-9a-f]{32})(?![0-9A-Za-z])",
        score=65,
        examples=(
            text("curl -H 'Authorization: APPCODE ", part("secret", hexa(32)), "' https://ali-weather.showapi.com/\n"),
            assigned("APPCODE", hexa(32)),
            text('headers.put("Authorization", "APPCODE ', part("secret", hexa(32)), '");\n'),
        ),
        near_misses=(
            text("Authorization: APPCODE ", hexa(31), "\n"),
            text("Authorization: APPCODE ", hexa(33), "\n"),
            text("Authorization: ZIPCODE ", hexa(32), "\n"),
        ),
    ),
)  # fmt: skip

HOSTS = ("sts.aliyuncs.com",)
VERIFIES = (ACCESS_KEY, TEMPORARY)

_DEAD = (
    "InvalidAccessKeyId.NotFound",
    "InvalidAccessKeyId.Inactive",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "Forbidden.AccessKeyDisabled",
)
_ENDED = ("InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed", "InvalidSecurityToken.MismatchWithAccessKey")


def sign(method: str, fields: Mapping[str, str], secret: str) -> str:
    """The signature of a request in the RPC form (version 1.0, HMAC-SHA1): of the sorted fields, encoded once by themselves and once
    more as a whole. https://help.aliyun.com/document_detail/28839.html"""
    import hashlib
    import hmac
    from urllib.parse import quote

    joined = "&".join(f"{quote(name, safe='~')}={quote(fields[name], safe='~')}" for name in sorted(fields))
    text = f"{method}&%2F&{quote(joined, safe='~')}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks STS who it is. `target.base_url`: of another endpoint of STS."""
    import secrets
    import time
    from urllib.parse import urlencode

    id, secret, token = (credential.text(part) for part in ("id", "secret", "session_token"))
    if not id or not secret or (credential.kind == TEMPORARY and not token):
        return Unknown("the id, the secret or the security token is not known")
    fields = {
        "AccessKeyId": id,
        "Action": "GetCallerIdentity",
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": secrets.token_hex(16),
        "SignatureVersion": "1.0",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ports.clock.now())),
        "Version": "2015-04-01",
        **({"SecurityToken": token} if token else {}),
    }
    body = urlencode({**fields, "Signature": sign("POST", fields, secret)}).encode()
    http = ports.http(target.base_url or "https://sts.aliyuncs.com", {"content-type": "application/x-www-form-urlencoded"})
    reply = http.request("POST", "/", body=body, changes=False, name="/ sts:GetCallerIdentity")
    answer = reply.object()
    code = str(answer.get("Code", ""))
    said = code if re.fullmatch("[A-Za-z.]{1,80}", code) else "unknown"
    seen = evidence("sts:GetCallerIdentity", http, reply, ports, id)._replace(
        status=f"{reply.status} {said if code else ''}".rstrip()
    )
    if reply.status == 200 and answer.get("Arn"):
        return Live(seen, shown(answer["Arn"], (secret,)))
    if code in _DEAD or (code in _ENDED and credential.kind == TEMPORARY):
        return Dead(seen)
    if code.startswith(("Forbidden", "NoPermission")):
        return Restricted(seen, "it authenticates, but is refused by a policy")
    return Unknown(
        "the clock of this machine is off"
        if code.startswith("InvalidTimeStamp")
        else f"Alibaba Cloud answered {reply.status} {said}"
    )


def _refused(status: int, code: str) -> Answer:
    return Answer(status, f'{{"RequestId":"x","HostId":"sts.aliyuncs.com","Code":"{code}","Message":"x"}}')


_USER = '{"IdentityType":"RAMUser","AccountId":"1","PrincipalId":"2","UserId":"2","Arn":"acs:ram::1:user/ci","RequestId":"x"}'
CASES = (
    *for_all(VERIFIES, (
        *cases(ACCESS_KEY, _USER, _refused(404, "InvalidAccessKeyId.NotFound"), restricted=_refused(403, "NoPermission")),
        Case("switched off", ACCESS_KEY, (_refused(403, "InvalidAccessKeyId.Inactive"),), "dead"),
        Case("another secret", ACCESS_KEY, (_refused(400, "SignatureDoesNotMatch"),), "dead"),
        Case("the clock is wrong", ACCESS_KEY, (_refused(400, "InvalidTimeStamp.Expired"),), "unknown"),
    )),
    Case("ended", TEMPORARY, (_refused(403, "InvalidSecurityToken.Expired"),), "dead"),
    Case("a key that has no token", ACCESS_KEY, (_refused(403, "InvalidSecurityToken.Expired"),), "unknown"),
)  # fmt: skip
