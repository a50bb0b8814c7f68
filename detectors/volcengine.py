"""Volcengine (ByteDance cloud) access keys.

What it is: an AccessKey id (AKLT and the base64 form of 32 hex digits) with a secret that is base64 twice over 32 hex digits;
  temporary credentials (AKTP) with a session token (STS2).
Where it is used: the SDKs and the `ve` command line (`~/.volc/config`), TOS object storage, speech and vision services,
  Terraform. Keys of the Ark model service are another kind.
What an attacker can do: whatever the IAM user may do: buckets, servers, model endpoints at the owner's cost.
How to replace it: a user holds two keys. Create the second one in the IAM console, deploy it, disable the old one, then delete
  it. Temporary credentials end by themselves.
References: https://www.volcengine.com/docs/6257/64983  https://github.com/volcengine/volcengine-python-sdk
"""

from __future__ import annotations

import base64
import re

from keyward.plugin import Companion, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, an, assigned, b64, concat, hexa, part, text

from ._cloud import credential, named

ACCESS_KEY = Kind("volcengine/access-key")
TEMPORARY = Kind("volcengine/temporary-key")

_CONSOLE = "https://console.volcengine.com/iam/keymanage/"
_DOC = "https://www.volcengine.com/docs/6257/64983"
_HEX = re.compile(rb"[0-9a-f]{32}\Z")

KINDS = (
    credential(ACCESS_KEY, "Volcengine access key", "critical", _CONSOLE, "Create a second key for the same user (two at most).", "Update what uses the old one.",
               "Disable the old key, then delete it.", see=_DOC, identity=("secret", "id"), public=("id",)),
    credential(TEMPORARY, "Volcengine temporary credentials", "high", "https://console.volcengine.com/iam/role", "Wait for the end, or take the rights from the role they came from.",
               see=_DOC, identity=("secret", "id"), public=("id",)),
)  # fmt: skip


def _is_secret(value: bytes) -> bool:
    """Whether the value is base64 over base64 over 32 hex digits."""
    return bool(_HEX.match(decode_base64(decode_base64(value) or b"") or b""))


def _check(parts: Parts) -> Signal | None:
    """Both halves decode to 32 hex digits; one that does is enough."""
    holds = bool("id" in parts and _HEX.match(decode_base64(parts["id"][4:]) or b"")) or ("secret" in parts and _is_secret(parts["secret"]))
    return structure(True, "base64 of 32 hex digits") if holds else Signal("structure", -10, "not base64 of 32 hex digits")


_ID = concat("AKLT", hexa(32).map(lambda t: base64.b64encode(t).rstrip(b"=")))
_SECRET = hexa(32).map(base64.b64encode).map(base64.b64encode)
_COMPANION = Companion("secret", rb"(?<![A-Za-z0-9+/])(?P<secret>[A-Za-z0-9+/]{56,60}={0,2})(?![A-Za-z0-9+/=])", check=_is_secret)
_TOKEN = Companion("session_token", rb"(?<![A-Za-z0-9+/])(?P<session_token>STS2[A-Za-z0-9+/_-]{80,2000}={0,2})", within=2500, optional=True)
_NAMES = rb"(?:volc|(?<![A-Za-z0-9])tos_|bytedance|byteplus)[\w.-]{0,16}(?:secret_?(?:access_?)?key|_sk)"


def _pair(first: str, second: str, last: str = "\n") -> Shape:
    return text(first, part("id", _ID), second, part("secret", _SECRET), last)


def _sts(first: str, second: str, third: str, last: str = "\n") -> Shape:
    return text(first, part("id", concat("AKTP", an(60))), second, part("secret", _SECRET), third, part("session_token", concat("STS2", an(200))), last)


RULES = (
    Rule(
        "volcengine/access-key-id",
        ACCESS_KEY,
        rb"(?<![A-Za-z0-9])(?P<id>AKLT[A-Za-z0-9]{43})(?![A-Za-z0-9+/=_-])",
        alone=-50,
        check=_check,
        companions=(_COMPANION,),
        examples=(
            _pair("VOLC_ACCESSKEY=", "\nVOLC_SECRETKEY="),
            _pair('{"ak": "', '", "sk": "', '"}\n'),
            _pair('client = TosClientV2("', '", "', '", "tos-cn-beijing.volces.com", "cn-beijing")\n'),
        ),
        near_misses=(
            text("id=AKLT", an(42), "\nvalue=", _SECRET, "\n"),
            text("id=AKLT", an(44), "\nvalue=", _SECRET, "\n"),
            text("id=", _ID, "\n"),
            text("id=AKLT", an(20), "\nvalue=", b64(44), "\n"),
        ),
    ),
    Rule(
        "volcengine/secret-key",
        ACCESS_KEY,
        named(_NAMES, rb"[A-Za-z0-9+/]{58}(?:==|[A-Za-z0-9+/]=|[A-Za-z0-9+/]{2})", rb"(?![A-Za-z0-9+/=])"),
        score=65,
        check=_check,
        examples=(
            assigned("VOLC_SECRETKEY", _SECRET),
            assigned("VOLCENGINE_SECRET_KEY", _SECRET, form='{name}: "{value}"\n'),
            assigned("TOS_SECRET_KEY", _SECRET, form="export {name}={value}\n"),
        ),
        near_misses=(
            assigned("VOLC_SECRETKEY", concat(b64(55), "==")),
            assigned("VOLC_SECRETKEY", b64(62)),
            assigned("VOLC_REGION", _SECRET),
        ),
    ),
    Rule(
        str(TEMPORARY),
        TEMPORARY,
        rb"(?<![A-Za-z0-9])(?P<id>AKTP[A-Za-z0-9]{40,100})(?![A-Za-z0-9+/_-])",
        alone=-40,
        companions=(_COMPANION._replace(within=2500), _TOKEN),
        examples=(
            _sts('{"AccessKeyId": "', '", "SecretAccessKey": "', '", "SessionToken": "', '"}\n'),
            _sts("VOLC_ACCESSKEY=", "\nVOLC_SECRETKEY=", "\nVOLC_SESSIONTOKEN="),
            _sts("ak: ", "\nsk: ", "\nsession_token: "),
        ),
        near_misses=(
            text("id=AKTP", an(39), "\nvalue=", _SECRET, "\n"),
            text("id=AKTQ", an(60), "\nvalue=", _SECRET, "\n"),
            text("id=AKTP", an(60), "\nvalue=", b64(60), "\n"),
        ),
    ),
)  # fmt: skip
