"""Mapbox access tokens.

What it is: sk. (secret), tk. (temporary) or pk. (public) with base64 JSON that names the user and the token's id, and a signature of 22
  characters. Public tokens stand in web pages by design and are reported as low.
Where it is used: maps in web and mobile apps; secret tokens for downloads of the SDK (`~/.netrc`, gradle.properties) and uploads.
What an attacker can do: with a secret token what its scopes say: read and change styles, tilesets, datasets and further tokens; with any
  token use up the account's paid requests.
How to replace it: Account, Tokens: create another with the same scopes, deploy it, delete the old one. Limit public tokens to URLs.
Whether it lives: GET /tokens/v2, which takes the token only in the address. The status is always 200; the code decides.
References: https://docs.mapbox.com/help/getting-started/access-tokens/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, b64url, concat, lower
from keyward.plugin.verifier import Answer, Case

from ._saas import URLSAFE_EDGE, contexts, misses, replace, token
from ._token_probe import for_all
from ._vendor_answers import Question, Said, asks, cases, nothing

if TYPE_CHECKING:
    from keyward.model.credential import Credential

SECRET = Kind("mapbox/secret-token")
TEMPORARY = Kind("mapbox/temporary-token")
PUBLIC = Kind("mapbox/public-token")


def _payload(parts: Parts) -> dict[str, object]:
    payload = json.loads(decode_base64(parts["secret"].split(b".")[1]) or b"null")
    return payload if isinstance(payload, dict) else {}


def _describe(parts: Parts) -> Mapping[str, str]:
    names = {"u": "user", "a": "token id", "exp": "expires"}
    return {names[key]: str(value) for key, value in _payload(parts).items() if key in names}


def _check(parts: Parts) -> Signal:
    try:
        holds = "u" in _payload(parts)
    except ValueError:
        holds = False
    return structure(holds, "JSON that names a user")


_MANUAL = replace("a new token with the same scopes", "https://console.mapbox.com/account/access-tokens/")
_REFERENCES = ("https://docs.mapbox.com/help/getting-started/access-tokens/",)

KINDS = (
    CredentialKind(SECRET, "Mapbox secret token", "high", describe=_describe, manual=_MANUAL, references=_REFERENCES),
    CredentialKind(TEMPORARY, "Mapbox temporary token", "medium", describe=_describe, manual=_MANUAL, references=_REFERENCES),
    CredentialKind(PUBLIC, "Mapbox public token", "low", describe=_describe, manual=_MANUAL, references=_REFERENCES),
)


def _token(prefix: str, signature: int = 22, dot: str = ".") -> Shape:
    payload = concat('{"u":"', lower(8), '","a":"cl', lower(23), '"}')
    return concat(prefix, dot, payload.map(lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")), dot, b64url(signature))


def _rule(kind: Kind, prefix: str, score: int) -> Rule:
    return Rule(
        str(kind),
        kind,
        token(prefix.encode() + rb"\.eyJ[A-Za-z0-9_-]{20,300}\.[A-Za-z0-9_-]{22}", URLSAFE_EDGE),
        check=_check,
        score=score,
        examples=contexts("MAPBOX_ACCESS_TOKEN", _token(prefix), "X: https://api.mapbox.com/tokens/v2?access_token="),
        near_misses=misses(
            "MAPBOX_ACCESS_TOKEN", _token(prefix, 21), _token(prefix, 23), _token(prefix, dot="-"), _token("q" + prefix[1:]),
            concat(prefix, ".", lower(60), ".", b64url(22)),
        ),
    )  # fmt: skip


RULES = (_rule(SECRET, "sk", 80), _rule(TEMPORARY, "tk", 70), _rule(PUBLIC, "pk", 25))

HOSTS = ("api.mapbox.com",)
VERIFIES = (SECRET, TEMPORARY, PUBLIC)


def _address(credential: Credential) -> str:
    from urllib.parse import quote

    return "/tokens/v2?access_token=" + quote(credential.text("secret"), safe="")


_CODES = ('"code":"tokeninvalid"', '"code":"tokenexpired"', '"code":"tokenrevoked"')
_ASK = Question(
    "https://api.mapbox.com", "/tokens/v2", nothing, ("token.user",), dead=(Said(200, _CODES),), who=("token.user",), until="token.expires", secret_path=_address
)  # fmt: skip
verify = asks(dict.fromkeys(VERIFIES, _ASK))

CASES = for_all(
    VERIFIES,
    cases(
        SECRET,
        '{"code":"TokenValid","token":{"usage":"sk","user":"mapbox","authorization":"x"}}',
        Answer(200, '{"code":"TokenInvalid"}'),
        Case("deleted", SECRET, (Answer(200, '{"code":"TokenRevoked"}'),), "dead"),
        Case("ended", SECRET, (Answer(200, '{"code":"TokenExpired","token":{"user":"mapbox"}}'),), "dead"),
        Case("cut off", SECRET, (Answer(200, '{"code":"TokenMalformed"}'),), "unknown"),
    ),
)
