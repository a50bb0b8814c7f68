"""npm registry tokens.

What it is: access tokens of the npm registry (`npm_…`; a bare UUID before 2021, of which the public registry revoked the
  last with the classic tokens at the end of 2025, while other registries may still use them), the tokens that stand after
  `_authToken=` in an `.npmrc`, and the older `_auth` and `_password` settings (base64 of a password).
Where it is used: `.npmrc` in home directories, repositories and container images; CI variables `NPM_TOKEN` and
  `NODE_AUTH_TOKEN`.
What an attacker can do: read private packages and, with publish rights, release a version with malicious code that every
  dependent installs; this is how several supply chain attacks began.
How to replace it: create a new granular token on the site of npm, Access Tokens, and delete the old one there, or run
  `npm token revoke ID`. Look at what was published meanwhile. Trusted publishing from CI needs no token.
References: https://docs.npmjs.com/about-access-tokens
  https://github.blog/2021-09-23-announcing-npms-new-access-token-format/
"""

from __future__ import annotations

import base64

from keyward.plugin import STRUCTURAL, Companion, CredentialKind, Kind, Parts, Rule, Signal, checksum, structure
from keyward.plugin.checksums import crc32_base62, decode_base64
from keyward.plugin.shapes import an, assigned, b64, b64url, concat, hexa, json_member, lower, part, text, uuid4

from ._forms import UUID, manual, named, token

ACCESS = Kind("npm/access-token")
REGISTRY = Kind("npm/registry-token")
PASSWORD = Kind("npm/registry-password")

_URL = "https://docs.npmjs.com/about-access-tokens"
_REFERENCES = ("https://github.blog/2021-09-23-announcing-npms-new-access-token-format/",)

KINDS = (
    CredentialKind(ACCESS, "npm access token", "critical", references=_REFERENCES,
                   manual=manual(_URL, "Create a new granular token, or set up trusted publishing.", "Update what uses the old one.",
                                 "Delete the old one.", "Check the versions published meanwhile.")),
    CredentialKind(REGISTRY, "npm registry token (another registry)", "high", public=("host",),
                   references=("https://docs.npmjs.com/cli/configuring-npm/npmrc",),
                   manual=manual("https://docs.npmjs.com/cli/configuring-npm/npmrc",
                                 "Create a new token at the registry that the line names.", "Update the .npmrc.", "Revoke the old one.")),
    CredentialKind(PASSWORD, "npm registry password in .npmrc", "high", public=("host",),
                   references=("https://docs.npmjs.com/cli/configuring-npm/npmrc",),
                   manual=manual("https://docs.npmjs.com/cli/configuring-npm/npmrc",
                                 "Change the password at the registry.", "Use an access token in the .npmrc in its place.")),
)  # fmt: skip


def _crc(parts: Parts) -> Signal | None:
    body = parts["secret"][4:]
    return checksum(crc32_base62(body[:30]) == body[30:], "CRC32") if len(body) == 36 else None


def _decodes(parts: Parts) -> Signal | None:
    data = decode_base64(parts["secret"])
    return structure(data is not None and len(data) >= 4 and all(32 <= byte < 127 for byte in data), "base64 of plain text")


def _user_and_password(parts: Parts) -> Signal | None:
    data = decode_base64(parts["secret"])
    return structure(data is not None and b":" in data, "base64 of user:password")


_TOKEN = concat("npm_", an(30)).tail(lambda whole: crc32_base62(whole[4:]))
_HOST = Companion("host", rb"//(?P<host>[A-Za-z0-9.-]{3,80}(?::[0-9]{2,5})?[A-Za-z0-9._/-]{0,60}):_", within=150, optional=True)
_LINE = "//registry." + "npmjs" + ".org/:_authToken="
_BASIC = lower(20).map(lambda plain: base64.b64encode(b"deploy:" + plain))
_WORD64 = lower(16).map(base64.b64encode)


def _own(value: bytes) -> bytes:
    return rb"_authToken[\"']?\s{0,3}[=:]\s{0,3}[\"']?(?P<secret>" + value + rb")(?![A-Za-z0-9_.=/+-])"


RULES = (
    Rule(
        str(ACCESS),
        ACCESS,
        token(rb"npm_[A-Za-z0-9]{36}", rb"(?![A-Za-z0-9_])"),
        score=80,
        check=_crc,
        examples=(
            text(_LINE, part("secret", _TOKEN), "\n"),
            assigned("NPM_TOKEN", _TOKEN),
            text("      NODE_AUTH_TOKEN: ", part("secret", _TOKEN), "\n"),
            json_member("npmToken", _TOKEN),
        ),
        near_misses=(
            assigned("NPM_TOKEN", concat("npm_", an(35))),
            assigned("NPM_TOKEN", concat("npm_", an(37))),
            assigned("NPM_TOKEN", concat("npm-", an(36))),
            assigned("NPM_TOKEN", concat("npm_", an(20), "_", an(15))),
        ),
    ),
    Rule(
        "npm/access-token-uuid",
        ACCESS,
        named(rb"npmjs\.org/:_authToken|npm[_-]?(?:auth[_-]?|access[_-]?)?token|node_auth_token", UUID),
        score=65,
        examples=(
            text(_LINE, part("secret", uuid4()), "\n"),
            assigned("NPM_TOKEN", uuid4()),
            assigned("NODE_AUTH_TOKEN", uuid4(), form="  {name}: '{value}'\n"),
        ),
        near_misses=(
            text(_LINE, hexa(32), "-", hexa(4), "\n"),
            assigned("NPM_TOKEN", concat(uuid4(), "a")),
            assigned("NPM_PACKAGE", uuid4()),
        ),
    ),
    Rule(
        str(REGISTRY),
        REGISTRY,
        _own(rb"[A-Za-z0-9_.=/+-]{16,1500}"),
        score=65,
        specificity=STRUCTURAL,
        window=1600,
        companions=(_HOST,),
        examples=(
            text("//", part("host", "npm.acme.org/repository/npm/"), ":_authToken=", part("secret", b64url(40)), "\n"),
            text("//", part("host", "npm.acme.org:8443/"), ':_authToken="', part("secret", an(64)), '"\n'),
            text("@acme:registry=https://npm.acme.org/\n//", part("host", "npm.acme.org/"), ":_authToken=", part("secret", an(32)), "\n"),
        ),
        near_misses=(
            text("//npm.acme.org/:_authToken=", an(15), "\n"),
            text("//npm.acme.org/:_authToken=${NPM_TOKEN_OF_ACME}\n"),
            text("//npm.acme.org/:_authTokens=", an(32), "\n"),
        ),
    ),
    Rule(
        "npm/registry-auth",
        PASSWORD,
        rb"(?:[:\n\r]|\A)_auth[\"']?\s{0,3}=\s{0,3}[\"']?(?P<secret>[A-Za-z0-9+/]{12,400}={0,2})(?![A-Za-z0-9+/=])",
        score=60,
        specificity=STRUCTURAL,
        check=_user_and_password,
        companions=(_HOST,),
        examples=(
            text("registry=https://npm.acme.org/\n_auth=", part("secret", _BASIC), "\nalways-auth=true\n"),
            text("//", part("host", "npm.acme.org/"), ":_auth=", part("secret", _BASIC), "\n"),
            text('_auth = "', part("secret", _BASIC), '"\nemail = dev@acme.org\n'),
        ),
        near_misses=(
            text("_auth=", b64(10), "\n"),
            text("_auth=", concat("q", b64(31)), "\n"),
            text("_authority=", _BASIC, "\n"),
        ),
    ),
    Rule(
        "npm/registry-password",
        PASSWORD,
        rb":_password[\"']?\s{0,3}=\s{0,3}[\"']?(?P<secret>[A-Za-z0-9+/]{8,400}={0,2})(?![A-Za-z0-9+/=])",
        score=65,
        specificity=STRUCTURAL,
        check=_decodes,
        companions=(_HOST,),
        examples=(
            text("//", part("host", "pkgs.acme.org/npm/registry/"), ":_password=", part("secret", _WORD64), "\n"),
            text("//", part("host", "npm.acme.org/"), ":username=deploy\n//npm.acme.org/:_password=", part("secret", _WORD64), "\n"),
            text("//", part("host", "npm.acme.org/"), ':_password="', part("secret", _WORD64), '"\n'),
        ),
        near_misses=(
            text("//npm.acme.org/:_password=", an(6), "\n"),
            text("//npm.acme.org/:_passwords=", _WORD64, "\n"),
            text("//npm.acme.org/:_password=%NPM_PASSWORD_OF_ACME%\n"),
        ),
    ),
)  # fmt: skip
