"""Amazon Web Services access keys.

What it is: an access key id with its secret (and, for temporary keys that begin with ASIA, a session token).
Where it is used: the AWS command line and SDKs, Terraform, CI, applications; `~/.aws/credentials`, `.env`, instance user data.
What an attacker can do: everything the key's IAM user or role may do; commonly new users, mining machines, data theft.
How to replace it: create a second key for the same user, deploy it, set the old one to Inactive, then delete it. A user can
  have two keys at most. Keys of the root account are replaced in the console.
References: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Parts, Rule, Signal, letters
from keyward.plugin.shapes import Shape, assigned, b32, b64, concat, hexa, part, text
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._forms import random_looking

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

ACCESS_KEY = Kind("aws/access-key")


def account_of(key_id: bytes) -> str:
    """The account number that an access key id carries (12 digits). Ids from before about 2018 may carry another."""
    data = base64.b32decode(key_id[4:])
    return f"{(int.from_bytes(data[:6], 'big') & 0x7FFFFFFFFF80) >> 7:012d}"


def _describe(parts: Parts) -> Mapping[str, str]:
    if "id" not in parts:
        return {}
    try:
        account = account_of(parts["id"])
    except (binascii.Error, ValueError):
        return {}
    return {"account": account, "lifetime": "temporary" if parts["id"].startswith((b"ASIA",)) else "long-lived"}


KINDS = (
    CredentialKind(
        ACCESS_KEY,
        "AWS access key",
        "critical",
        identity=("secret", "id"),
        public=("id",),
        describe=_describe,
        manual=Manual(
            (
                "Create a second access key for the same IAM user.",
                "Update what uses the old one.",
                "Set the old key to Inactive, watch, then delete it.",
            ),
            "https://console.aws.amazon.com/iam/home#/security_credentials",
        ),
        references=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",),
        rotates=True,
    ),
)


def _mixed(value: bytes) -> bool:
    """A secret of 40 random base64 characters, and no git id, path or list of words."""
    return random_looking(value) and value.count(b"/") <= 5


def _looks_random(parts: Parts) -> Signal | None:
    value = parts["secret"]
    if _mixed(value):
        return None
    # what speaks S3 as well has keys of its own form, mostly hexadecimal digits
    return Signal("shape", -20 if letters.HEX.match(value) and letters.is_random(value) else -40, "lacks a case or a digit")


_BODY = rb"(?P<secret>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])"
_SECRET = rb"(?<![A-Za-z0-9+/])(?<!==)" + _BODY
_NOT_IN_SIGNATURE = rb"(?!(?:/|%2F)[0-9]{8}(?:/|%2F))"
"""In a signed request the id is followed by the date and region it was signed for. It is meant to be seen there."""
_TOKEN = rb"(?i:session_?token|security_?token)[\"']?\s{0,4}[:=>]{1,2}\s{0,4}[\"']?(?P<session_token>[A-Za-z0-9+/=]{100,2000})"


def _secret() -> Shape:
    return concat("q7W", b64(36), "x")


def _pair(id_name: str, secret_name: str, between: str = "\n") -> Shape:
    return concat(id_name, part("id", concat("AKIA", b32(16))), between, secret_name, part("secret", _secret()), "\n")


RULES = (
    Rule(
        "aws/access-key-id",
        ACCESS_KEY,
        rb"(?<![A-Za-z0-9])(?P<id>(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})(?![A-Za-z0-9])" + _NOT_IN_SIGNATURE,
        companions=(
            Companion("secret", _SECRET, within=300, check=_mixed),
            Companion("session_token", _TOKEN, within=2500, optional=True),
        ),
        alone=-30,
        score=80,
        examples=(
            _pair("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="),
            _pair("aws_access_key_id = ", "aws_secret_access_key = "),
            _pair('{"AccessKeyId": "', '"SecretAccessKey": "', '",\n'),
            text(
                "AWS_ACCESS_KEY_ID=", part("id", concat("ASIA", b32(16))), "\nAWS_SECRET_ACCESS_KEY=", part("secret", _secret()),
                "\nAWS_SESSION_TOKEN=", part("session_token", concat("IQoJb3JpZ2lu", b64(300))), "\n",
            ),
        ),
        near_misses=(
            text("AWS_ACCESS_KEY_ID=", concat("AKIA", b32(15)), "\n"),
            text("AWS_ACCESS_KEY_ID=", concat("AKIA", b32(17)), "\n"),
            text("GET /a?X-Amz-Credential=", concat("AKIA", b32(16)), "%2F20260102%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=", hexa(64), "\n"),
            text("AWS_ACCESS_KEY_ID=", concat("AKIB", b32(16)), "\nAWS_SECRET=", hexa(39), "\n"),
        ),
    ),
    Rule(
        "aws/secret-access-key",
        ACCESS_KEY,
        rb"(?i:aws[a-z0-9_.-]{0,20}secret[a-z0-9_.-]{0,12}|secret_?access_?key)[\"']?(?:\s{0,6}(?::|=|=>|,)\s{0,6}|[ \t])[\"']?" + _BODY,
        score=70,
        check=_looks_random,
        examples=(
            assigned("AWS_SECRET_ACCESS_KEY", _secret()),
            assigned("aws_secret_key", _secret(), form='{name}: "{value}"\n'),
            assigned("aws_secret_access_key", _secret(), form="aws configure set {name} {value}\n"),
        ),
        near_misses=(
            assigned("AWS_SECRET_ACCESS_KEY", b64(39)),
            assigned("AWS_SECRET_ACCESS_KEY", b64(41)),
            assigned("other_name", _secret()),
        ),
    ),
)  # fmt: skip

_PARTITIONS = (
    ("https://sts.amazonaws.com", "us-east-1"),
    ("https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ("https://sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
)
"""The endpoint of STS in each partition, and the region that it is signed for. A key lives in one of them and cannot be told
by its id: the other two call it unknown."""

HOSTS = tuple(url.removeprefix("https://") for url, _ in _PARTITIONS)
VERIFIES = (ACCESS_KEY,)

_INVALID = ("InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException")
_CODE = re.compile(rb"<Code>([A-Za-z.]{1,60})</Code>")
_ARN = re.compile(rb"<Arn>(arn:[A-Za-z0-9:/_+=,.@-]{1,400})</Arn>")


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks STS who the key is, which needs no right and is not stopped by a policy that denies everything.

    `target.options.region` names the partition by any of its regions; without it a key that one partition does not know is
    asked for in the others. A signature that does not match is Unknown: the id exists, and the secret may belong to another.
    """
    id, secret = credential.text("id"), credential.text("secret")
    temporary = id.startswith("ASIA")
    token = credential.text("session_token") if temporary else ""
    if not id or not secret:
        return Unknown("a key is asked about by its id and its secret, and one of them is missing")
    if temporary and not token:
        return Unknown("the key is temporary, and its session token is missing")
    verdict: Verdict = Unknown("nobody was asked")
    for url, region in _places(target):
        verdict = _ask(url, region, (id, secret, token), ports)
        if not isinstance(verdict, Dead):
            break
    return verdict


def _places(target: Target) -> tuple[tuple[str, str], ...]:
    region = target.options.get("region", "")
    if target.base_url:
        return ((target.base_url.rstrip("/"), region or "us-east-1"),)
    if not region:
        return _PARTITIONS
    return (_PARTITIONS[1 if region.startswith("cn-") else 2 if region.startswith("us-gov-") else 0],)


def _ask(url: str, region: str, key: tuple[str, str, str], ports: Ports) -> Verdict:
    from ._aws_signature import Signer, signed_headers

    id, secret, token = key
    body, form = b"Action=GetCallerIdentity&Version=2011-06-15", "application/x-www-form-urlencoded; charset=utf-8"
    headers = signed_headers(Signer(id, secret, region, "sts", token), f"{url}/", body, ports.clock.now(), form)
    http = ports.http(url)
    reply = http.request("POST", "/", headers=headers, body=body, changes=False, name="/ (sts:GetCallerIdentity)")
    seen = evidence("sts:GetCallerIdentity", http, reply, ports, id)
    arn, found = _ARN.search(reply.body), _CODE.search(reply.body)
    if reply.status == 200 and arn:
        return Live(seen, arn[1].decode())
    code = found[1].decode() if found else ""
    if code in _INVALID:
        return Dead(seen._replace(status=f"{reply.status} {code}"))
    if code == "AccessDenied":
        return Restricted(seen._replace(status=f"{reply.status} {code}"), "AWS refuses to say whose key it is")
    if code == "SignatureDoesNotMatch":
        return Unknown("the id exists, and this secret does not fit it (or the clock is wrong)")
    if code.startswith(("Throttling", "RequestLimit")):
        return Unknown("AWS asks to wait", reply.retry_after or 1.0)
    return Unknown(f"AWS answered {reply.status} {code}".rstrip())


def _refused(status: int, code: str, verdict: str) -> Case:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>x</Message></Error></ErrorResponse>"
    return Case(code, ACCESS_KEY, (Answer(status, body),), verdict, _CASE_PARTS)


_CASE_PARTS = {"id": "AKIA" + "Q" * 16}
_CASE_BODY = "<GetCallerIdentityResponse><Arn>arn:aws:iam::123456789012:user/ci</Arn></GetCallerIdentityResponse>"
CASES = (
    Case("a user", ACCESS_KEY, (Answer(200, _CASE_BODY),), "live", _CASE_PARTS),
    _refused(403, "InvalidClientTokenId", "dead"),
    _refused(403, "ExpiredToken", "dead"),
    _refused(403, "SignatureDoesNotMatch", "unknown"),
    _refused(403, "AccessDenied", "restricted"),
    _refused(400, "Throttling", "unknown"),
    Case("a portal", ACCESS_KEY, (Answer(200, "<html>Sign in</html>"),), "unknown", _CASE_PARTS),
)
