"""GitHub tokens.

What it is: personal access tokens (classic and fine-grained), OAuth and App tokens, App refresh and installation tokens.
Where it is used: git remotes, CI, the `gh` command line, package downloads, agents that open pull requests.
What an attacker can do: read and change whatever the token's owner granted it, private repositories and Actions secrets
  included; a classic token with `repo` reaches every repository of its owner.
How to replace it: anybody who holds the string can kill it with POST /credentials/revoke (no login); a new one is made by
  hand at Settings, Developer settings. Installation tokens end by themselves within an hour.
Whether it lives: GET /user, for installation tokens GET /installation/repositories; a deploy key opens an SSH session. A refresh
  token cannot be asked about without being used up.
References: https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
  https://docs.github.com/en/rest/credentials/revoke
  https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule, Signal, checksum
from keyward.plugin.checksums import crc32_base62, jwt_claims
from keyward.plugin.shapes import Shape, an, assigned, concat, digits, hexa, json_member, jwt, part, text
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._github_ssh import verify_key

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports, Reply

PAT_CLASSIC = Kind("github/pat-classic")
PAT_FINE_GRAINED = Kind("github/pat-fine-grained")
OAUTH = Kind("github/oauth-token")
APP_USER = Kind("github/app-user-token")
INSTALLATION = Kind("github/app-installation-token")
REFRESH = Kind("github/app-refresh-token")
DEPLOY_KEY = Kind("github/deploy-key")
"""Only lanes name it: a scan finds such a key as a private key. It is proved by SSH: `target.host`, `target.port`."""

_SETTINGS = "https://github.com/settings/tokens"
_REFERENCES = ("https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/",)


def _manual(what: str, url: str = _SETTINGS) -> Manual:
    return Manual((f"Create {what} with the same or fewer rights.", "Update what uses it.", "Revoke the old one."), url)


KINDS = (
    CredentialKind(PAT_CLASSIC, "GitHub personal access token (classic)", "critical",
                   manual=_manual("a new token"), references=_REFERENCES, rotates=True),
    CredentialKind(PAT_FINE_GRAINED, "GitHub personal access token (fine-grained)", "critical",
                   manual=_manual("a new token", "https://github.com/settings/personal-access-tokens"), references=_REFERENCES, rotates=True),
    CredentialKind(OAUTH, "GitHub OAuth access token", "critical",
                   manual=_manual("a new authorisation", "https://github.com/settings/applications"), references=_REFERENCES, rotates=True),
    CredentialKind(APP_USER, "GitHub App user token", "high",
                   manual=_manual("a new authorisation", "https://github.com/settings/apps/authorizations"),
                   references=_REFERENCES, rotates=True),
    CredentialKind(INSTALLATION, "GitHub App installation token", "high",
                   manual=_manual("a new installation token", "https://github.com/settings/installations"),
                   references=_REFERENCES, rotates=True),
    CredentialKind(REFRESH, "GitHub App refresh token", "high",
                   manual=_manual("a new authorisation", "https://github.com/settings/apps/authorizations"),
                   references=_REFERENCES, rotates=True),
    CredentialKind(DEPLOY_KEY, "GitHub deploy key", "critical", found=False,
                   manual=_manual("a new deploy key", "https://docs.github.com/en/authentication/connecting-to-github-with-ssh"),
                   references=_REFERENCES, rotates=True),
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
        examples=(assigned("refresh_token", concat("ghr_", an(76))), json_member("refresh_token", concat("ghr_", an(76))),
                  text("curl -d refresh_token=", part("secret", concat("ghr_", an(76))), " https://github.com/login/oauth/access_token\n")),
        near_misses=(assigned("refresh_token", concat("ghr_", an(75))), assigned("refresh_token", concat("ghr_", an(77))),
                     assigned("refresh_token", concat("ghr-", an(76)))),
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

HOSTS = ("api.github.com", "*.ghe.com")
VERIFIES = (PAT_CLASSIC, PAT_FINE_GRAINED, OAUTH, APP_USER, INSTALLATION, DEPLOY_KEY)


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks who a token is, or what an installation's token reaches. `target.base_url`: the API's base of an Enterprise Server
    (`https://HOST/api/v3`)."""
    if credential.kind == DEPLOY_KEY:
        private, host_key = credential.parts["secret"].reveal(), target.options.get("host_key", "")
        return verify_key(private, target.host, target.port, host_key, ports)
    token = credential.text("secret")
    installation = credential.kind == INSTALLATION or token.startswith("ghs_")
    path = "/installation/repositories" if installation else "/user"
    headers = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "keyward"}
    http = ports.http(target.base_url or "https://api.github.com", {**headers, "authorization": f"Bearer {token}"})
    reply = http.request("GET", path, query={"per_page": "1"} if installation else None)
    proof = evidence(f"GET {path}", http, reply, ports)
    # what is not GitHub's own may answer 200 and 403 as well, with an error inside
    if reply.status == 200 and ("login" in reply.object() or "total_count" in reply.object()):
        return Live(proof, _principal(reply), _scopes(reply))
    # a proxy before an Enterprise Server may answer 401 as well, but not in these words
    if reply.status == 401 and str(reply.object().get("message", "")).startswith("Bad credentials"):
        return Dead(proof)
    if reply.status == 403 and "message" in reply.object():
        return _forbidden(reply, ports.clock.now()) or Restricted(proof, _reason(reply))
    return Unknown(f"GitHub answered {reply.status}")


def _principal(reply: Reply) -> str:
    """Who it is, and until when the token lives, if GitHub says so."""
    said = reply.object()
    name = f"installation with {said.get('total_count')} repositories" if "total_count" in said else str(said.get("login", ""))
    until = reply.headers.get("github-authentication-token-expiration", "")
    return f"{name[:100]}, until {until[:30]}" if until else name[:100]


def _scopes(reply: Reply) -> tuple[str, ...]:
    """The scopes of a classic or OAuth token; others do not tell."""
    return tuple(scope.strip() for scope in reply.headers.get("x-oauth-scopes", "").split(",") if scope.strip())


def _forbidden(reply: Reply, now: float) -> Unknown | None:
    """Unknown where a limit is reached."""
    if reply.retry_after is not None:
        return Unknown("GitHub asks to wait", reply.retry_after)
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset = reply.headers.get("x-ratelimit-reset", "")
        return Unknown("GitHub's rate limit is reached", max(1.0, float(reset) - now) if reset.isdigit() else 60.0)
    return None


def _reason(reply: Reply) -> str:
    """Why a token that is known is refused, in our words."""
    said = str(reply.object().get("message", "")).lower()
    if "x-github-sso" in reply.headers or "saml" in said:
        return "it is not authorised for the organisation's single sign-on"
    if "ip address" in said or "allow list" in said:
        return "the organisation does not allow this address"
    if "suspended" in said:
        return "the account or the installation is suspended"
    return "it may not do this"


_BAD = Answer(401, '{"message": "Bad credentials", "status": "401"}')
_LIMIT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}

CASES = (
    Case("a classic token", PAT_CLASSIC, (Answer(200, '{"login": "octocat"}', {"x-oauth-scopes": "repo, workflow"}),), "live"),
    Case("a fine-grained token", PAT_FINE_GRAINED,
         (Answer(200, '{"login": "octocat"}', {"github-authentication-token-expiration": "2027-01-01 00:00:00 UTC"}),), "live"),
    Case("an OAuth token", OAUTH, (Answer(200, '{"login": "octocat"}'),), "live"),
    Case("an App's user token", APP_USER, (Answer(200, '{"login": "octocat"}'),), "live"),
    Case("an installation token", INSTALLATION, (Answer(200, '{"total_count": 3, "repositories": []}'),), "live"),
    Case("revoked", PAT_CLASSIC, (_BAD,), "dead"),
    Case("an installation token that has ended", INSTALLATION, (_BAD,), "dead"),
    Case("a proxy refuses", PAT_CLASSIC, (Answer(401, '{"message": "login first"}'),), "unknown"),
    Case("single sign-on", PAT_CLASSIC, (Answer(403, '{"message": "Resource protected by organization SAML enforcement."}'),), "restricted"),
    Case("address not allowed", PAT_FINE_GRAINED, (Answer(403, '{"message": "your IP address is not permitted"}'),), "restricted"),
    Case("suspended", APP_USER, (Answer(403, '{"message": "Sorry. Your account was suspended."}'),), "restricted"),
    Case("rate limit", PAT_CLASSIC, (Answer(403, '{"message": "API rate limit exceeded"}', _LIMIT),), "unknown"),
    Case("wait", PAT_CLASSIC, (Answer(403, '{"message": "secondary rate limit"}', {"retry-after": "60"}),), "unknown"),
    Case("not there", PAT_CLASSIC, (Answer(404, '{"message": "Not Found"}'),), "unknown"),
    *(Case("revoked", kind, (_BAD,), "dead") for kind in (PAT_FINE_GRAINED, OAUTH, APP_USER)),
    *(Case("not there", kind, (Answer(404, '{"message": "Not Found"}'),), "unknown")
      for kind in (PAT_FINE_GRAINED, OAUTH, APP_USER, INSTALLATION)),
)  # fmt: skip
