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
from collections.abc import Mapping

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.shapes import Shape, assigned, b32, b64, concat, hexa, part, text

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
    ),
)


def _mixed(value: bytes) -> bool:
    """A secret of 40 random base64 characters has both cases and a digit; a git id, a path or a word list has not."""
    return (
        any(65 <= c <= 90 for c in value)
        and any(97 <= c <= 122 for c in value)
        and any(48 <= c <= 57 for c in value)
        and value.count(b"/") <= 5
    )


def _looks_random(parts: Parts) -> Signal | None:
    return None if _mixed(parts["secret"]) else Signal("shape", -40, "lacks a case or a digit")


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
        rb"(?i:aws[a-z0-9_.-]{0,20}secret[a-z0-9_.-]{0,12}|secret_?access_?key)[\"']?\s{0,6}(?::|=|=>|,)\s{0,6}[\"']?" + _BODY,
        score=70,
        check=_looks_random,
        examples=(
            assigned("AWS_SECRET_ACCESS_KEY", _secret()),
            assigned("aws_secret_key", _secret(), form='{name}: "{value}"\n'),
        ),
        near_misses=(
            assigned("AWS_SECRET_ACCESS_KEY", b64(39)),
            assigned("AWS_SECRET_ACCESS_KEY", b64(41)),
            assigned("other_name", _secret()),
        ),
    ),
)  # fmt: skip
