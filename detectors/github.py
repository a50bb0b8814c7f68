"""GitHub tokens.

What it is: personal access tokens (classic and fine-grained), OAuth and App tokens, App refresh and installation tokens.
Where it is used: git remotes, CI, the `gh` command line, package downloads, agents that open pull requests.
What an attacker can do: read and change whatever the token's owner granted it, private repositories and Actions secrets
  included; a classic token with `repo` reaches every repository of its owner.
How to replace it: anybody who holds the string can kill it with POST /credentials/revoke (no login); a new one is made by
  hand at Settings, Developer settings. Installation tokens end by themselves within an hour.
References: https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
  https://docs.github.com/en/rest/credentials/revoke
"""

from __future__ import annotations

import base64
import hashlib

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule, Signal, checksum
from keyward.plugin.checksums import crc32_base62, jwt_claims
from keyward.plugin.shapes import Shape, an, assigned, concat, digits, hexa, json_member, jwt, part, text

PAT_CLASSIC = Kind("github/pat-classic")
PAT_FINE_GRAINED = Kind("github/pat-fine-grained")
OAUTH = Kind("github/oauth-token")
APP_USER = Kind("github/app-user-token")
INSTALLATION = Kind("github/app-installation-token")
REFRESH = Kind("github/app-refresh-token")

_SETTINGS = "https://github.com/settings/tokens"
_REFERENCES = ("https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/",)


def _manual(what: str, url: str = _SETTINGS) -> Manual:
    return Manual((f"Create {what} with the same or fewer rights.", "Update what uses it.", "Revoke the old one."), url)


KINDS = (
    CredentialKind(PAT_CLASSIC, "GitHub personal access token (classic)", "critical",
                   manual=_manual("a new token"), references=_REFERENCES),
    CredentialKind(PAT_FINE_GRAINED, "GitHub personal access token (fine-grained)", "critical",
                   manual=_manual("a new token", "https://github.com/settings/personal-access-tokens"), references=_REFERENCES),
    CredentialKind(OAUTH, "GitHub OAuth access token", "critical",
                   manual=_manual("a new authorisation", "https://github.com/settings/applications"), references=_REFERENCES),
    CredentialKind(APP_USER, "GitHub App user token", "high",
                   manual=_manual("a new authorisation", "https://github.com/settings/apps/authorizations"),
                   references=_REFERENCES),
    CredentialKind(INSTALLATION, "GitHub App installation token", "high",
                   manual=_manual("a new installation token", "https://github.com/settings/installations"),
                   references=_REFERENCES),
    CredentialKind(REFRESH, "GitHub App refresh token", "high",
                   manual=_manual("a new authorisation", "https://github.com/settings/apps/authorizations"),
                   references=_REFERENCES),
)  # fmt: skip


def _crc(parts: Parts) -> Signal | None:
    """The last six characters are the CRC32 of the thirty between them and the prefix."""
    body = parts["secret"][4:]
    return checksum(crc32_base62(body[:30]) == body[30:], "CRC32") if len(body) == 36 else None


def _fine_grained(parts: Parts) -> Signal | None:
    """Characters 78 to 85 are the first eight of the base32 SHA-256 of the token without its last sixteen."""
    token = parts["secret"]
    digest = base64.b32encode(hashlib.sha256(token[:-16]).digest())[:8]
    return checksum(digest == token[-16:-8], "SHA-256 check")


def _stateless(parts: Parts) -> Signal | None:
    token = parts["secret"].split(b"_", 2)[2]
    return checksum(jwt_claims(token) is not None, "JWT structure")


def _classic(prefix: str) -> Shape:
    body = an(30)
    return concat(prefix, body).tail(lambda token: crc32_base62(token[4:]))


_FINE = concat("github_pat_11", an(20), "_", an(43)).tail(
    lambda token: base64.b32encode(hashlib.sha256(token).digest())[:8]
) + an(8)

_EDGE = rb"(?![A-Za-z0-9_])"


def _crc_rule(kind: Kind, prefix: str) -> Rule:
    token = _classic(prefix)
    return Rule(
        str(kind),
        kind,
        rb"(?<![A-Za-z0-9])(?P<secret>" + prefix.encode() + rb"[A-Za-z0-9]{36})" + _EDGE,
        check=_crc,
        examples=(
            assigned("GITHUB_TOKEN", token),
            text("git clone https://x-access-token:", part("secret", token), "@github.com/acme/app.git\n"),
            json_member("token", token),
        ),
        near_misses=(
            assigned("GITHUB_TOKEN", concat(prefix, an(35))),
            assigned("GITHUB_TOKEN", concat(prefix, an(37))),
            assigned("GITHUB_TOKEN", concat(prefix, "x" * 36)),
            assigned("GITHUB_TOKEN", concat(prefix.replace("_", "-"), an(36))),
        ),
    )


RULES = (
    _crc_rule(PAT_CLASSIC, "ghp_"),
    _crc_rule(OAUTH, "gho_"),
    _crc_rule(APP_USER, "ghu_"),
    _crc_rule(INSTALLATION, "ghs_"),
    Rule(
        "github/app-installation-token-stateless",
        INSTALLATION,
        rb"(?<![A-Za-z0-9])(?P<secret>ghs_[0-9]{1,12}_eyJ[A-Za-z0-9_-]{20,1000}\.eyJ[A-Za-z0-9_-]{20,2000}\.[A-Za-z0-9_-]{20,1000})",
        check=_stateless,
        window=5000,
        examples=(
            assigned("GITHUB_TOKEN", concat("ghs_", digits(7), "_", jwt('{"iss":"github","exp":1790000000}', algorithm="ES256", signature=86))),
        ),
        near_misses=(
            assigned("GITHUB_TOKEN", concat("ghs_x_", jwt('{"iss":"github","exp":1790000000}'))),
            assigned("GITHUB_TOKEN", concat("ghs_", digits(7), "_", an(40))),
        ),
    ),
    Rule(
        str(REFRESH),
        REFRESH,
        rb"(?<![A-Za-z0-9])(?P<secret>ghr_(?:[A-Za-z0-9]{76}|[A-Za-z0-9]{36}))" + _EDGE,
        examples=(assigned("refresh_token", concat("ghr_", an(76))), json_member("refresh_token", concat("ghr_", an(76)))),
        near_misses=(assigned("refresh_token", concat("ghr_", an(75))), assigned("refresh_token", concat("ghr-", an(76)))),
    ),
    Rule(
        str(PAT_FINE_GRAINED),
        PAT_FINE_GRAINED,
        rb"(?<![A-Za-z0-9])(?P<secret>github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})" + _EDGE,
        check=_fine_grained,
        examples=(assigned("GH_TOKEN", _FINE), json_member("token", _FINE), text("curl -H 'Authorization: Bearer ", part("secret", _FINE), "' https://api.github.com/user\n")),
        near_misses=(
            assigned("GH_TOKEN", concat("github_pat_", an(22), "_", an(58))),
            assigned("GH_TOKEN", concat("github_pat_", an(22), "-", an(59))),
            assigned("GH_TOKEN", concat("github_pat_", hexa(40))),
        ),
    ),
)  # fmt: skip
