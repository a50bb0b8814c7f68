"""NVIDIA API and NGC keys.

What it is: a personal or service key (`nvapi-` and about 64 characters) and the legacy NGC key: 84 letters and digits, base64 of 26
  characters, a colon and a UUID.
Where it is used: NIM models at build.nvidia.com, the NGC catalogue and container registry (`docker login nvcr.io`, user `$oauthtoken`);
  `NVIDIA_API_KEY`, `NGC_API_KEY`, `NGC_CLI_API_KEY`, `~/.ngc/config`.
What an attacker can do: run hosted models, pull the organisation's private containers and models, with a suitable role push them.
How to replace it: generate a new key at org.ngc.nvidia.com/setup/api-keys and delete the old one (a new legacy key ends the old).
References: https://docs.nvidia.com/ngc/gpu-cloud/ngc-user-guide/index.html
"""

from __future__ import annotations

import base64
import re

from keyward.plugin import CredentialKind, Kind, Parts, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import an, b64url, concat, lower, uuid4
from keyward.plugin.verifier import Answer

from ._model_vendor import key_of, named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, basic, cases, nothing

API_KEY = Kind("nvidia/api-key")
LEGACY = Kind("nvidia/ngc-legacy-key")

_URL = "https://org.ngc.nvidia.com/setup/api-keys"
_DOCS = ("https://docs.nvidia.com/ngc/gpu-cloud/ngc-user-guide/index.html",)

KINDS = (
    CredentialKind(API_KEY, "NVIDIA API key", "critical", manual=replace(_URL), references=_DOCS),
    CredentialKind(LEGACY, "NVIDIA NGC legacy API key", "high", references=_DOCS,
                   manual=replace(_URL, "Generate a personal key to take its place.", "Update what uses the legacy key.", "Delete the legacy key.")),
)  # fmt: skip


def _decodes(parts: Parts) -> Signal | None:
    data = decode_base64(parts["secret"])
    return structure(
        bool(data and re.fullmatch(rb"[A-Za-z0-9]{26}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", data)),
        "base64 of an id and a UUID",
    )


_LEGACY = concat(lower(26), ":", uuid4()).map(base64.b64encode)

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"nvapi-[A-Za-z0-9_-]{60,70}"), concat("nvapi-", b64url(64)), "NVIDIA_API_KEY", "integrate.api.nvidia.com/v1/models",
        (concat("nvapi-", b64url(59)), concat("nvapi-", b64url(71)), concat("nvapi_", b64url(64)), concat("nv-api-", b64url(64))), score=85,
    ),
    named_rule(
        LEGACY, named(rb"(?:" + key_of(rb"(?:nvidia|nvcr|(?<![a-z0-9])ngc)") + rb"|nvcr\.io[^\n]{0,40}(?:-p|--password))", rb"[A-Za-z0-9]{84}"), _LEGACY, "NGC_CLI_API_KEY",
        (an(83), an(85), an(42) + "_" + an(41)), rule_id=str(LEGACY), score=65, check=_decodes,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.ngc.nvidia.com", "authn.nvidia.com")
_REFUSED = Said(401, ('"statuscode":"unauthorized"',))
_CALLER = Question(
    "https://api.ngc.nvidia.com", "/v3/keys/get-caller-info", nothing, ("user", "keyId", "id", "type"), (_REFUSED,),
    who=("user.name", "user.email", "type"), method="POST", form=lambda credential: {"credentials": credential.text("secret")},
)  # fmt: skip
_TOKEN = Question("https://authn.nvidia.com", "/token?service=ngc", basic("$oauthtoken"), ("token",), (_REFUSED,))
QUESTIONS = {API_KEY: _CALLER, LEGACY: _TOKEN}
"""Asks whose key it is; a legacy key is exchanged for a token of an hour, as every client does
(https://docs.nvidia.com/ngc/gpu-cloud/ngc-user-guide). The words of a refusal are NGC's usual envelope, not seen for these calls."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_REFUSAL = Answer(401, '{"requestStatus":{"statusCode":"UNAUTHORIZED","statusDescription":"x"}}')
CASES = (
    *cases(API_KEY, '{"type":"PERSONAL_KEY","user":{"name":"Ann"}}', _REFUSAL),
    *cases(LEGACY, '{"token":"x","expires_in":3600}', _REFUSAL),
)
