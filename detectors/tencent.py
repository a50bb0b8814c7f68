"""Tencent Cloud API keys.

What it is: a SecretId (AKID… in mainland China, IKID… on the international site) with its SecretKey; temporary credentials
  of STS with a session token; the secret keys of TRTC, Live and Chat applications, and keys of Tencent Maps.
Where it is used: the SDKs, tccli, Terraform and serverless deployments; object storage (COS) uploaders such as coscli,
  coscmd and PicGo; scripts that manage Lighthouse and CVM servers; `~/.cos.conf`, `~/.tccli/default.credential`, `.env`.
What an attacker can do: whatever the CAM user may do; a key of the main account opens everything, from COS buckets to
  servers and their snapshots, and runs up the bill. A TRTC key signs in as any user of the application.
How to replace it: an account holds two keys. Create the second one, deploy it, disable the old one, then delete it. The
  SecretKey is shown once only, at creation.
Whether it lives: STS GetCallerIdentity, which needs no right. The status is always 200; the code in the body decides.
References: https://www.tencentcloud.com/document/product/598/32675  https://cloud.tencent.com/document/product/598/40488
  https://www.tencentcloud.com/document/api/1278/73618 (error codes)  https://cloud.tencent.com/document/api/598/33159 (signature)
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import Companion, Kind, Parts, Rule, Signal
from keyward.plugin.shapes import UPPER, Shape, an, assigned, b64, b64url, chars, concat, digits, hexa, part, text
from keyward.plugin.verifier import Answer, Case, Dead, Evidence, Live, Restricted, Unknown, Verdict

from ._cloud import Fields, by_name, credential, mixed, named, random_looking

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

ACCESS_KEY = Kind("tencent/access-key")
TEMPORARY = Kind("tencent/temporary-key")
TRTC = Kind("tencent/trtc-secret-key")
MAP = Kind("tencent/map-key")

_CONSOLE = "https://console.cloud.tencent.com/cam/capi"
_DOC = "https://www.tencentcloud.com/document/product/598/32675"


def _describe(parts: Parts) -> Fields:
    if "id" not in parts:
        return {}
    site = "international" if parts["id"].startswith(b"IKID") else "mainland China"
    return {"site": site, "lifetime": "temporary" if "session_token" in parts else "long-lived"}


KINDS = (
    credential(
        ACCESS_KEY, "Tencent Cloud API key", "critical", _CONSOLE,
        "Create a second key for the same user (two at most).", "Update what uses the old one.",
        "Disable the old key, look at its last use, then delete it.",
        see=_DOC, identity=("secret", "id"), public=("id",), describe=_describe,
    )._replace(rotates=True),
    credential(
        TEMPORARY, "Tencent Cloud temporary credentials", "high", "https://console.cloud.tencent.com/cam/role",
        "Revoke the role's sessions, or disable the key that made the credentials.", "Wait for the end: 36 hours at most.",
        see="https://www.tencentcloud.com/document/product/1150/49452", identity=("secret", "id"), public=("id",), describe=_describe,
    ),
    credential(
        TRTC, "Tencent TRTC or Chat secret key", "high", "https://console.cloud.tencent.com/trtc/app",
        "Issue a new key for the application (SDKAppID) in the console.", "Sign UserSig on a server, never in a client.",
        "Disable the old key.",
        see="https://www.tencentcloud.com/document/product/647/35166", identity=("secret",), public=("id",),
    ),
    credential(MAP, "Tencent Maps key", "low", "https://lbs.qq.com/dev/console/application/mine",
               see="https://lbs.qq.com/service/webService/webServiceGuide/webServiceOverview"),
)  # fmt: skip


def _id_looks_random(parts: Parts) -> Signal | None:
    """An id alone is judged by its own letters; where the secret was found by name there may be no id."""
    if "id" in parts and not random_looking(parts["id"][4:]):
        return Signal("shape", -40, "the id lacks a case or a digit")
    return None


def _secret_of_temporary(value: bytes) -> bool:
    return value.endswith(b"=") or random_looking(value)


_SECRET = rb"(?<![A-Za-z0-9+/_-])(?P<secret>[A-Za-z0-9]{32})(?![A-Za-z0-9+/=_-])"
_TMP_SECRET = rb"(?<![A-Za-z0-9+/_-])(?P<secret>[A-Za-z0-9+/]{43}=|[A-Za-z0-9]{32})(?![A-Za-z0-9+/=_-])"
_SESSION = Companion(
    "session_token",
    rb"(?i:session_?token|security_?token|[\"']token|x-tc-token)[\"']?\s{0,4}[:=,]\s{0,4}[\"']?(?P<session_token>[A-Za-z0-9_+/=-]{100,4096})",
    within=5000,
    optional=True,
)
_NAMES = rb"(?:tencent|qcloud|(?<![A-Za-z0-9])(?:cos|lighthouse|scf|tccli|teo|tke|vod|tcb))[\w.-]{0,20}secret[_.-]?(?:access[_.-]?)?key"


def _pair(before: str, between: str, after: str, prefix: str = "AKID") -> Shape:
    return text(before, part("id", concat(prefix, an(32))), between, part("secret", an(32)), after)


def _near(identifier: Shape, secret: Shape | None = None) -> Shape:
    return text("app_id=", identifier, "\napp_key=", secret or an(32), "\n")


def _temporary(prefix: str = "AKID", length: int = 64) -> Shape:
    return text(
        '{"Credentials": {"Token": "', part("session_token", an(400)), '", "TmpSecretId": "', part("id", concat(prefix, b64url(length))),
        '", "TmpSecretKey": "', part("secret", concat(b64(43), "=")), '"}, "ExpiredTime": 1790000000}\n',
    )  # fmt: skip


RULES = (
    Rule(
        "tencent/access-key-id",
        ACCESS_KEY,
        rb"(?<![A-Za-z0-9])(?P<id>[AI]KID[A-Za-z0-9]{32})(?![A-Za-z0-9_-])",
        companions=(Companion("secret", _SECRET, within=300, check=random_looking), _SESSION),
        check=_id_looks_random,
        alone=-40,
        score=80,
        examples=(
            _pair("TENCENTCLOUD_SECRET_ID=", "\nTENCENTCLOUD_SECRET_KEY=", "\n"),
            _pair('{"secretId": "', '", "secretKey": "', '"}\n', "IKID"),
            _pair("[common]\nsecret_id = ", "\nsecret_key = ", "\nbucket = site-1250000000\nregion = ap-guangzhou\n"),
            _pair('cred = credential.Credential("', '", "', '")\nclient = lighthouse_client.LighthouseClient(cred, "ap-hongkong")\n'),
            _pair("tencent:\n  cos:\n    secretId: ", "\n    secretKey: ", "\n"),
            _pair('new COS({ SecretId: "', '", SecretKey: "', '" });\n'),
        ),
        near_misses=(
            _near(concat("AKID", an(31))),
            _near(concat("AKID", an(33))),
            _near(concat("AKIE", an(32))),
            _near(concat("AKID", an(32)), hexa(32)),
            text("https://site-1250000000.cos.ap-guangzhou.myqcloud.com/a.png?q-sign-algorithm=sha1&q-ak=AKID", an(32), "&q-signature=", hexa(40), "\n"),
        ),
    ),
    Rule(
        "tencent/secret-key",
        ACCESS_KEY,
        named(_NAMES, mixed(32), rb"(?![A-Za-z0-9+/=_-])"),
        score=70,
        check=_id_looks_random,
        examples=(
            assigned("TENCENTCLOUD_SECRET_KEY", an(32)),
            assigned("tencent.cloud.secret-key", an(32)),
            assigned("cosSecretKey", an(32), form='  "{name}": "{value}",\n'),
            assigned("QCLOUD_SECRET_KEY", an(32), form="      - name: {name}\n        value: {value}\n"),
            assigned("LIGHTHOUSE_SECRET_KEY", an(32), form="export {name}='{value}'\n"),
        ),
        near_misses=(
            assigned("TENCENTCLOUD_SECRET_KEY", an(31)),
            assigned("TENCENTCLOUD_SECRET_KEY", an(33)),
            assigned("TENCENTCLOUD_SECRET_KEY", hexa(32)),
            assigned("cache_key", an(32)),
        ),
    ),
    Rule(
        str(TEMPORARY),
        TEMPORARY,
        rb"(?<![A-Za-z0-9])(?P<id>[AI]KID[A-Za-z0-9_-]{48,84})(?![A-Za-z0-9_-])",
        companions=(Companion("secret", _TMP_SECRET, within=2500, check=_secret_of_temporary), _SESSION),
        alone=-35,
        window=1000,
        examples=(
            _temporary(),
            text("TENCENTCLOUD_SECRET_ID=", part("id", concat("AKID", b64url(64))), "\nTENCENTCLOUD_SECRET_KEY=",
                 part("secret", concat(b64(43), "=")), "\nTENCENTCLOUD_SESSIONTOKEN=", part("session_token", an(300)), "\n"),
            text("tmpSecretId: '", part("id", concat("AKID", b64url(64))), "',\ntmpSecretKey: '", part("secret", concat(b64(43), "=")), "',\n"),
        ),
        near_misses=(
            text("tmpSecretId: AKID", b64url(40), "\nkey: ", concat(b64(43), "="), "\n"),
            text("tmpSecretId: AKID", b64url(90), "\nkey: ", concat(b64(43), "="), "\n"),
            text("x-cos-key: AKID", b64url(64), "\n"),
        ),
    ),
    Rule(
        str(TRTC),
        TRTC,
        rb"(?i:sdk_?app_?id)[\"']?\s{0,4}[:=,]\s{0,4}[\"']?(?P<id>[12][0-9]{9})(?![0-9])",
        companions=(Companion("secret", named(rb"secret_?key", rb"[0-9a-f]{64}"), within=300),),
        alone=-70,
        examples=(
            text("SDKAPPID=", part("id", concat("14", digits(8))), "\nSDKSECRETKEY=", part("secret", hexa(64)), "\n"),
            text("const SDKAPPID = ", part("id", concat("16", digits(8))), ";\nconst SECRETKEY = '", part("secret", hexa(64)), "';\n"),
            text('{"sdkAppId": ', part("id", concat("20", digits(8))), ', "secretKey": "', part("secret", hexa(64)), '"}\n'),
        ),
        near_misses=(
            text("SDKAPPID=14", digits(8), "\nSECRETKEY=", hexa(63), "\n"),
            text("SDKAPPID=14", digits(7), "\nSECRETKEY=", hexa(64), "\n"),
            text("SDKAPPID=14", digits(8), "\nCHECKSUM=", hexa(64), "\n"),
        ),
    ),
    by_name(
        MAP, rb"(?:qq|tencent|t)_?(?:lbs|maps?)[\w.-]{0,12}key|map\.qq\.com[^\s\"'<>]{1,40}[?&]key", rb"[A-Z0-9]{5}(?:-[A-Z0-9]{5}){5}", "TENCENT_MAP_KEY",
        concat(chars(UPPER, 5), *[concat("-", chars(UPPER + "234567", 5)) for _ in range(5)]),
        tuple(concat(chars(UPPER, first), *[concat("-", chars(UPPER, 5)) for _ in range(groups)]) for first, groups in ((5, 4), (4, 5), (6, 5))), score=40, edge=rb"(?![A-Za-z0-9-])",
    ),
)  # fmt: skip

HOSTS = ("*.tencentcloudapi.com",)
VERIFIES = (ACCESS_KEY, TEMPORARY)

DOMAIN = "tencentcloudapi.com"
REGION = "ap-guangzhou"
"""STS wants a region and answers the same in each. `target.options.region` changes it."""

_DEAD = frozenset({"AuthFailure.SecretIdNotFound", "AuthFailure.InvalidSecretId", "AuthFailure.SignatureFailure"})


def endpoint(service: str, target: Target) -> str:
    """The URL of a service. `target.base_url` may name another root domain (`https://intl.tencentcloudapi.com`), or an endpoint
    for all services outside of it."""
    if not target.base_url:
        return f"https://{service}.{DOMAIN}"
    from urllib.parse import urlsplit

    host = urlsplit(target.base_url).hostname or ""
    if host == DOMAIN or (host.endswith("." + DOMAIN) and host.split(".")[0] not in ("cam", "sts")):
        return f"https://{service}.{host}"
    if host.endswith("." + DOMAIN):
        return f"https://{service}.{host.split('.', 1)[1]}"
    return target.base_url.rstrip("/")


def sign(id: str, secret: str, service: str, headers: Mapping[str, str], body: bytes, timestamp: int) -> str:
    """The `Authorization` of a POST to `/`, TC3-HMAC-SHA256 over the headers `content-type` and `host` and the body."""
    import hmac

    signed = ("content-type", "host")
    lines = "".join(f"{name}:{headers[name]}\n" for name in signed)
    canonical = f"POST\n/\n\n{lines}\n{';'.join(signed)}\n{hashlib.sha256(body).hexdigest()}"
    day = time.strftime("%Y-%m-%d", time.gmtime(timestamp))
    scope = f"{day}/{service}/tc3_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"TC3{secret}".encode()
    for step in (day, service, "tc3_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{digest}".encode(), "sha256").hex()
    return f"TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks STS who the credential is. The evidence's status is the code of the error, or `ok`."""
    id, secret, token = (credential.text(part) for part in ("id", "secret", "session_token"))
    if not id or not secret:
        return Unknown("the SecretId or the SecretKey is not known")
    if credential.kind == TEMPORARY and not token:
        return Unknown("temporary credentials cannot be asked about without their token")
    url, body, now = endpoint("sts", target), b"{}", int(ports.clock.now())
    http = ports.http(url)
    headers = {"content-type": "application/json", "host": url.split("://", 1)[1].lower()}
    sent = {
        **headers,
        "x-tc-action": "GetCallerIdentity",
        "x-tc-version": "2018-08-13",
        "x-tc-timestamp": str(now),
        "x-tc-region": target.options.get("region", REGION),
        "authorization": sign(id, secret, "sts", headers, body, now),
        **({"x-tc-token": token} if token else {}),
    }
    reply = http.request("POST", "/", headers=sent, body=body, changes=False, name="/ sts:GetCallerIdentity")
    answer = reply.object().get("Response")
    if not isinstance(answer, dict):
        return Unknown("the answer is not one of Tencent Cloud")
    error = answer.get("Error")
    code = str(error.get("Code", "")) if isinstance(error, dict) else ""
    shown = code if code.replace(".", "").isalnum() and len(code) < 80 else "unknown"
    proof = Evidence("sts:GetCallerIdentity", http.host, shown if error else "ok", ports.clock.now(), id, reply.digest)
    if not error:
        return Live(proof, str(answer.get("Arn", "")))
    return _refusal(code, shown, proof, bool(token))


def _refusal(code: str, shown: str, proof: Evidence, temporary: bool) -> Verdict:
    """What an error means. A token that is refused ends only credentials that have one."""
    if code in _DEAD or (code == "AuthFailure.TokenFailure" and temporary):
        return Dead(proof)
    if code == "AuthFailure.SignatureExpire":
        return Unknown("the clock of this machine is more than five minutes off")
    if "UnauthorizedOperation" in code:
        return Restricted(proof, "authenticates, but is refused by a policy")
    if code.startswith("RequestLimitExceeded"):
        return Unknown("too many requests", 1.0)
    return Unknown(f"Tencent Cloud answered {shown}")


def _error(code: str) -> tuple[Answer, ...]:
    return (Answer(200, '{"Response": {"Error": {"Code": "' + code + '", "Message": "x"}, "RequestId": "x"}}'),)


CASES = (
    Case("a sub-user's key", ACCESS_KEY,
         (Answer(200, '{"Response": {"Arn": "qcs::cam::uin/1:uin/2", "AccountId": "1", "UserId": "2", "Type": "SubAccount"}}'),), "live"),
    Case("temporary credentials", TEMPORARY, (Answer(200, '{"Response": {"Arn": "qcs::sts:1:assumed-role/2"}}'),), "live"),
    Case("deleted, disabled or mistyped", ACCESS_KEY, _error("AuthFailure.SecretIdNotFound"), "dead"),
    Case("another secret", ACCESS_KEY, _error("AuthFailure.SignatureFailure"), "dead"),
    Case("no key of the cloud's API", ACCESS_KEY, _error("AuthFailure.InvalidSecretId"), "dead"),
    Case("the token has ended", TEMPORARY, _error("AuthFailure.TokenFailure"), "dead"),
    Case("an error of theirs", TEMPORARY, _error("InternalError"), "unknown"),
    Case("a key that has no token", ACCESS_KEY, _error("AuthFailure.TokenFailure"), "unknown"),
    Case("a policy refuses", ACCESS_KEY, _error("AuthFailure.UnauthorizedOperation"), "restricted"),
    Case("the clock is wrong", ACCESS_KEY, _error("AuthFailure.SignatureExpire"), "unknown"),
    Case("too many requests", ACCESS_KEY, _error("RequestLimitExceeded"), "unknown"),
    Case("an error of theirs", ACCESS_KEY, _error("InternalError"), "unknown"),
    Case("not theirs at all", ACCESS_KEY, (Answer(200, "<html>"),), "unknown"),
)  # fmt: skip
