"""Qiniu Cloud access and secret keys.

What it is: a pair of keys of forty URL-safe characters each; both look alike, so that they are found by their names only.
Where it is used: Kodo object storage uploaders, PicGo and blog tools, qshell (`~/.qshell/account.json`), CDN refresh scripts.
What an attacker can do: read, replace and delete the files of every bucket, sign upload tokens, and change CDN domains.
How to replace it: an account holds two pairs. Create the second one under Key Management, deploy it, disable the old pair,
  then delete it.
Whether it lives: GET /buckets, signed: the list of the buckets.
References: https://developer.qiniu.com/kodo/1644/security
  https://developer.qiniu.com/af/kb/1479/how-to-access-or-locate-the-access-key-and-secret-key
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import Shape, assigned, b64url, concat, hexa, part, text
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._cloud import SLUG, beside, credential, mixed, named
from ._vendor_answers import Question, Said, cases, put

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

ACCESS_KEY = Kind("qiniu/access-key")

KINDS = (
    credential(ACCESS_KEY, "Qiniu access key", "high", "https://portal.qiniu.com/developer/user/key", "Create a second pair (two at most).", "Update what uses the old one.",
               "Disable the old pair, then delete it.", see="https://developer.qiniu.com/kodo/1644/security", public=("id",)),
)  # fmt: skip

_BODY = mixed(40, b"A-Za-z0-9_-")
_ID = beside("id", rb"access_?key|(?<![A-Za-z])ak", _BODY, edge=SLUG)


def _pair(first: str, second: str, last: str = "\n") -> Shape:
    return text(first, part("id", b64url(40)), second, part("secret", b64url(40)), last)


RULES = (
    Rule(
        "qiniu/secret-key",
        ACCESS_KEY,
        named(rb"(?:qiniu|qshell|(?<![A-Za-z0-9])kodo)[\w.-]{0,14}(?:secret[_-]?key|[_.-]sk)", _BODY),
        score=65,
        companions=(_ID,),
        examples=(
            _pair("QINIU_ACCESS_KEY=", "\nQINIU_SECRET_KEY="),
            assigned("qiniu.secret-key", b64url(40), form="{name}: {value}\n"),
            assigned("qiniuSecretKey", b64url(40), form='"{name}": "{value}",\n'),
        ),
        near_misses=(
            assigned("QINIU_SECRET_KEY", b64url(39)),
            assigned("QINIU_SECRET_KEY", b64url(41)),
            assigned("QINIU_SECRET_KEY", hexa(40)),
            assigned("QINIU_DOMAIN", b64url(40)),
        ),
    ),
    Rule(
        "qiniu/configuration",
        ACCESS_KEY,
        rb"(?i:qiniu)[\"']?\s{0,3}[:=]\s{0,3}\{?\s{1,12}[\"']?(?i:access_?-?key)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<id>[A-Za-z0-9_-]{40})[\"']?,?\s{1,12}[\"']?(?i:secret_?-?key)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<secret>"
        + _BODY + rb")" + SLUG,
        score=70,
        examples=(
            _pair("qiniu:\n  access_key: ", "\n  secret_key: "),
            _pair('"qiniu": {\n  "accessKey": "', '",\n  "secretKey": "', '"\n}\n'),
            _pair("  qiniu:\n    accessKey: '", "'\n    secretKey: '", "'\n"),
        ),
        near_misses=(
            text("qiniu:\n  access_key: ", b64url(40), "\n  secret_key: ", b64url(39), "\n"),
            text("qiniu:\n  access_key: ", b64url(39), "\n  secret_key: ", b64url(40), "\n"),
            text("qiniu:\n  access_key: ", concat(b64url(40)), "\n  domain: ", b64url(40), "\n"),
        ),
    ),
)  # fmt: skip

HOSTS = ("uc.qiniuapi.com",)
VERIFIES = (ACCESS_KEY,)


def sign(id: str, secret: str, path: str) -> str:
    """The header of a request without a body: `QBox ID:SIGNATURE`, an HMAC-SHA1 of the path and a line feed, as the vendor's own
    library makes it. https://developer.qiniu.com/kodo/1201/access-token"""
    import hashlib
    import hmac

    digest = hmac.new(secret.encode(), f"{path}\n".encode(), hashlib.sha1).digest()
    return f"QBox {id}:{base64.urlsafe_b64encode(digest).decode()}"


def _signed(credential: Credential) -> Mapping[str, str]:
    return {"authorization": sign(credential.text("id"), credential.text("secret"), "/buckets")}


_ASK = Question("https://uc.qiniuapi.com", "/buckets", _signed, ("",), dead=(Said(401, ('{"error":"bad token"',)),))


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Lists the buckets."""
    if not credential.text("id"):
        return Unknown("the access key, to which the secret key belongs, is not known")
    return put(_ASK, credential, target, ports)


CASES = cases(
    ACCESS_KEY,
    '["images","backup"]',
    Answer(401, '{"error":"bad token"}'),
    Case("no access key", ACCESS_KEY, (Answer(200, "[]"),), "unknown", {"id": ""}),
)
