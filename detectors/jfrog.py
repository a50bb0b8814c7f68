"""JFrog Platform tokens.

What it is: API keys (`AKCp…`), reference tokens (base64 that begins with `reftkn`) and access tokens (JSON Web Tokens issued
  by `jfac@…` or `jfrt@…`) of Artifactory and the other JFrog products.
Where it is used: `X-JFrog-Art-Api` headers, package managers' configuration (`pip.conf`, `.npmrc`, `settings.xml`), the
  `jf` command line's configuration, CI variables.
What an attacker can do: download every artifact that the user may read, and with deploy rights replace artifacts that
  builds and servers use; an administrator's token manages users and repositories.
How to replace it: create a new access token under User profile or Administration, Access tokens, and revoke the old one
  there; a legacy API key is revoked in the user's profile. A copied access token without expiry stays valid until revoked.
References: https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens
  https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from keyward.plugin import Companion, CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64, jwt_claims
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, json_member, part, text

from ._forms import SLUG, WORD, manual, token

API_KEY = Kind("jfrog/api-key")
REFERENCE = Kind("jfrog/reference-token")
ACCESS = Kind("jfrog/access-token")

_DOCS = "https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens"


def _reference(parts: Parts) -> list[bytes]:
    """The fields of a reference token: `reftkn`, a version, the expiry, the rest."""
    return (decode_base64(parts["secret"]) or b"").split(b":", 3)


def _describe_reference(parts: Parts) -> Mapping[str, str]:
    expiry = int(_reference(parts)[2])
    return {"expires at": str(expiry)} if expiry else {"expires at": "never"}


def _describe_access(parts: Parts) -> Mapping[str, str]:
    claims = (jwt_claims(parts["secret"]) or ({}, {}))[1]
    names = {"iss": "issuer", "sub": "subject", "scp": "scope", "exp": "expires at"}
    return {shown: str(claims[name])[:120] for name, shown in names.items() if name in claims}


KINDS = (
    CredentialKind(API_KEY, "JFrog API key", "critical", public=("host",), references=(_DOCS,),
                   manual=manual("https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key",
                                 "Create an access token in the key's place.", "Update what uses the key.", "Revoke the key in the user's profile.")),
    CredentialKind(REFERENCE, "JFrog reference token", "critical", public=("host",), describe=_describe_reference, references=(_DOCS,),
                   manual=manual(_DOCS)),
    CredentialKind(ACCESS, "JFrog access token", "critical", public=("host",), describe=_describe_access, references=(_DOCS,),
                   manual=manual(_DOCS)),
)  # fmt: skip


def _is_reference(parts: Parts) -> Signal | None:
    fields = _reference(parts)
    return structure(len(fields) == 4 and fields[0] == b"reftkn" and fields[2].isdigit(), "reference token with an expiry")


def _is_jfrog(parts: Parts) -> Signal | None:
    claims = jwt_claims(parts["secret"])
    issuer = str(claims[1].get("iss", "")) if claims else ""
    return structure(issuer.startswith(("jfac@", "jfrt@", "jfxr@", "jffe@")), "JSON Web Token of JFrog")


_HOST = Companion("host", rb"(?:https?://)(?P<host>[A-Za-z0-9.-]{1,60}\.jfrog\.io|[A-Za-z0-9.-]{4,80}(?::[0-9]{2,5})?(?=/artifactory))", within=300, optional=True)
_KEY = concat("AKCp", an(69))
_REFERENCE = concat("reftkn:01:1790000000:", an(27)).map(base64.b64encode)
_HEADER = base64.urlsafe_b64encode(b'{"ver":"2","typ":"JWT","alg":"RS256","kid":"').rstrip(b"=")


def _jwt(issuer: str) -> Shape:
    def encode(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    header = concat(b'{"ver":"2","typ":"JWT","alg":"RS256","kid":"', b64url(43), b'"}').map(encode)
    claims = concat('{"sub":"', issuer, '/users/deploy","scp":"applied-permissions/user","iss":"', issuer, '","exp":1790000000}').map(encode)
    return concat(header, ".", claims, ".", b64url(342))


_ACCESS = _jwt("jfac@01h2x3y4z5")

RULES = (
    Rule(
        str(API_KEY),
        API_KEY,
        token(rb"AKCp[A-Za-z0-9]{69}", WORD),
        companions=(_HOST,),
        examples=(
            text("curl -H 'X-JFrog-Art-Api: ", part("secret", _KEY), "' https://", part("host", "repo.acme.org"), "/artifactory/libs/a.jar\n"),
            assigned("ARTIFACTORY_API_KEY", _KEY),
            text("index-url = https://deploy:", part("secret", _KEY), "@acme.jfrog.io/artifactory/api/pypi/pypi/simple\n"),
            json_member("apiKey", _KEY),
        ),
        near_misses=(
            assigned("ARTIFACTORY_API_KEY", concat("AKCp", an(68))),
            assigned("ARTIFACTORY_API_KEY", concat("AKCp", an(70))),
            assigned("ARTIFACTORY_API_KEY", concat("AKCq", an(69))),
        ),
    ),
    Rule(
        str(REFERENCE),
        REFERENCE,
        token(rb"cmVmdGtu[A-Za-z0-9+/_-]{56}", rb"(?![A-Za-z0-9+/_=-])"),
        check=_is_reference,
        companions=(_HOST,),
        examples=(
            assigned("JF_ACCESS_TOKEN", _REFERENCE),
            text("jf c add --url=https://", part("host", "acme.jfrog.io"), " --access-token=", part("secret", _REFERENCE), "\n"),
            json_member("accessToken", _REFERENCE),
        ),
        near_misses=(
            assigned("JF_ACCESS_TOKEN", concat("cmVmdGtu", an(55))),
            assigned("JF_ACCESS_TOKEN", concat("cmVmdGtu", an(57))),
            assigned("JF_ACCESS_TOKEN", concat("cmVmdGty", an(56))),
        ),
    ),
    Rule(
        str(ACCESS),
        ACCESS,
        token(_HEADER[:42] + rb"[A-Za-z0-9_-]{20,400}\.eyJ[A-Za-z0-9_-]{40,2000}\.[A-Za-z0-9_-]{80,700}", SLUG),
        check=_is_jfrog,
        window=4000,
        companions=(_HOST,),
        examples=(
            assigned("JF_ACCESS_TOKEN", _ACCESS),
            text("Authorization: Bearer ", part("secret", _ACCESS), "\n"),
            text("//", "acme.jfrog.io/artifactory/api/npm/npm/:_authToken=", part("secret", _ACCESS), "\n"),
        ),
        near_misses=(
            assigned("JF_ACCESS_TOKEN", concat("eyJ2ZXIiOiIxIiwidHlwIjoiSldUIiwiYWxnIjoiUl", b64url(60), ".eyJ", b64url(80), ".", b64url(342))),
            assigned("JF_ACCESS_TOKEN", concat(_HEADER[:42], b64url(60), ".", b64url(80), ".", b64url(342))),
            assigned("JF_ACCESS_TOKEN", concat(_HEADER[:42], b64url(60), ".eyJ", b64url(80))),
        ),
    ),
)  # fmt: skip
