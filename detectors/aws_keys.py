"""AWS keys of single services.

What it is: API keys of Amazon Bedrock, long-lived (`ABSK` and base64 that decodes to `BedrockAPIKey-…`) and short-lived
  (`bedrock-api-key-` and a signed address in base64), and of AWS AppSync (`da2-` and 26 small letters and digits).
Where it is used: `AWS_BEARER_TOKEN_BEDROCK`, `.env` of agents; AppSync keys in `aws-exports.js` and mobile apps, header
  `x-api-key`.
What an attacker can do: call models on the account's bill; read and change what an AppSync API lets its key see.
How to replace it: Bedrock: create a new key in the console, Amazon Bedrock, API keys, then deactivate and delete the old
  one (IAM service-specific credentials). AppSync: create a new key in the API's settings, delete the old one.
References: https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
  https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
"""

from __future__ import annotations

import base64

from keyward.plugin import Kind, Parts, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import b64, b64url, concat, digits, lower

from ._cloud import by_prefix, credential
from ._forms import SLUG

BEDROCK = Kind("aws/bedrock-api-key")
SHORT = Kind("aws/bedrock-short-key")
APPSYNC = Kind("aws/appsync-key")

KINDS = (
    credential(
        BEDROCK,
        "Amazon Bedrock API key",
        "high",
        "https://console.aws.amazon.com/bedrock/home#/api-keys",
        see="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
    ),
    credential(
        SHORT,
        "Amazon Bedrock short-term API key",
        "medium",
        "https://console.aws.amazon.com/bedrock/home#/api-keys",
        see="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
    ),
    credential(
        APPSYNC,
        "AWS AppSync API key",
        "medium",
        "https://console.aws.amazon.com/appsync/home",
        see="https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html",
    ),
)


_START = base64.b64encode(b"bedrock.amazonaws.com")


def _named_inside(parts: Parts) -> Signal | None:
    """The key is the name and the password of an IAM credential in base64; the name says what it is."""
    inner = decode_base64(parts["secret"][4:])
    return structure(inner is not None and inner.startswith(b"BedrockAPIKey-"), "the name of a Bedrock credential inside")


RULES = (
    by_prefix(
        BEDROCK,
        rb"ABSK[A-Za-z0-9+/]{100,269}={0,2}",
        "AWS_BEARER_TOKEN_BEDROCK",
        concat("ABSK", concat("BedrockAPIKey-", lower(4), "-at-", digits(12), ":", b64(59), "=").map(base64.b64encode)),
        (
            concat("ABSK", b64(90)),
            concat("ABSL", b64(132)),
            concat("ABSK", b64(280)),
        ),
        edge=rb"(?![A-Za-z0-9+/=])",
        score=60,
        check=_named_inside,
    ),
    by_prefix(
        SHORT,
        rb"bedrock-api-key-" + _START + rb"[A-Za-z0-9+/=_-]{100,3000}",
        "AWS_BEARER_TOKEN_BEDROCK",
        concat("bedrock-api-key-", _START, b64url(400)),
        (
            concat("bedrock-api-key-", _START, b64url(80)),
            concat("bedrock-api-key-", b64url(400)),
            concat("bedrock-api-", _START, b64url(400)),
        ),
        edge=rb"(?![A-Za-z0-9+/=_-])",
        score=75,
        window=4000,
    ),
    by_prefix(
        APPSYNC,
        rb"da2-[a-z0-9]{26}",
        "APPSYNC_API_KEY",
        concat("da2-", lower(26)),
        (
            concat("da2-", lower(25)),
            concat("da2-", lower(27)),
            concat("da2_", lower(26)),
        ),
        edge=SLUG,
        score=75,
    ),
)
