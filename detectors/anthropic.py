"""Anthropic keys and Claude logins.

What it is: API keys (`sk-ant-api03-`), admin keys (`sk-ant-admin01-`), the OAuth tokens of Claude Code (`sk-ant-oat01-`, refresh
  `sk-ant-ort01-`) and the session cookie of claude.ai (`sk-ant-sid01-`, `sk-ant-sid02-`).
Where it is used: SDKs, agents, CI (`ANTHROPIC_API_KEY`, header `x-api-key`; `CLAUDE_CODE_OAUTH_TOKEN`); Claude Code keeps its login
  in `~/.claude/.credentials.json`; scrapers keep the cookie `sessionKey`.
What an attacker can do: run models at the owner's cost and read the workspace's files and batches; an admin key manages members,
  workspaces and keys; a login or cookie uses the owner's plan, and the cookie reads all of their conversations.
How to replace it: create a new key in the console (no API can) and delete or archive the old one; the Admin API can set a key
  inactive. A Claude Code login ends with /logout or in the account's settings; a cookie with "log out of all devices".
  The length of the OAuth tokens is unverified; keys and cookies end with `AA`.
References: https://platform.claude.com/docs/en/api/overview
  https://platform.claude.com/docs/en/manage-claude/admin-api-keys
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, json_member, part, text
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import error_of

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

API_KEY = Kind("anthropic/api-key")
ADMIN = Kind("anthropic/admin-key")
ACCESS = Kind("anthropic/oauth-access-token")
REFRESH = Kind("anthropic/oauth-refresh-token")
SESSION = Kind("anthropic/web-session")

_DOCS = ("https://platform.claude.com/docs/en/api/overview",)
_LOGIN = replace(
    "https://claude.ai/settings/claude-code", "Revoke the authorisation in the settings of claude.ai, or /logout in Claude Code.",
    "Log in again, or make a new token with `claude setup-token`.", "Update what uses the old token.",
)  # fmt: skip

KINDS = (
    CredentialKind(API_KEY, "Anthropic API key", "critical", manual=replace("https://platform.claude.com/settings/keys"), references=_DOCS, rotates=True),
    CredentialKind(ADMIN, "Anthropic admin key", "critical", manual=replace("https://platform.claude.com/settings/admin-keys"),
                   references=("https://platform.claude.com/docs/en/manage-claude/admin-api-keys",)),
    CredentialKind(ACCESS, "Claude OAuth access token", "critical", manual=_LOGIN, references=("https://code.claude.com/docs/en/authentication",)),
    CredentialKind(REFRESH, "Claude OAuth refresh token", "critical", manual=_LOGIN, references=("https://code.claude.com/docs/en/authentication",)),
    CredentialKind(SESSION, "claude.ai session cookie", "critical",
                   manual=replace("https://claude.ai/settings/account", "Log out of all devices.", "Log in again."), references=_DOCS),
)  # fmt: skip


def _ends_aa(parts: Parts) -> Signal | None:
    return structure(parts["secret"].endswith(b"AA"), "the ending AA")


def _padded(kind: Kind, pattern: bytes, prefix: str, name: str) -> Rule:
    def key(count: int, end: str = "AA", start: str = prefix) -> Shape:
        return concat(start, b64url(count), end)

    return prefixed_rule(
        kind, prefixed(pattern + rb"[A-Za-z0-9_-]{93}AA"), key(93), name, "api.anthropic.com/v1/models",
        (key(92), key(94), key(93, "AB"), key(93, start=prefix.replace("ant-", "ant_"))), score=90, header="x-api-key: ",
    )  # fmt: skip


def _oauth(kind: Kind, prefix: str, name: str, member: str) -> Rule:
    token = concat(prefix, b64url(95))
    return Rule(
        str(kind),
        kind,
        prefixed(prefix.encode() + rb"[A-Za-z0-9_-]{40,200}"),
        score=85,
        examples=(
            assigned(name, token),
            text('{"claudeAiOauth": {"', member, '": "', part("secret", token), '", "expiresAt": 1790000000000}}\n'),
            text("Authorization: Bearer ", part("secret", token), "\n"),
        ),
        near_misses=(
            assigned(name, concat(prefix, b64url(39))), assigned(name, concat(prefix, b64url(201))),
            assigned(name, concat(prefix.replace("ant-", "ant_"), b64url(95))), assigned(name, concat(prefix, "...")),
        ),
    )  # fmt: skip


_COOKIE = concat("sk-ant-sid01-", b64url(93), "AA")

RULES = (
    _padded(API_KEY, rb"sk-ant-api[0-9]{2}-", "sk-ant-api03-", "ANTHROPIC_API_KEY"),
    _padded(ADMIN, rb"sk-ant-admin[0-9]{2}-", "sk-ant-admin01-", "ANTHROPIC_ADMIN_KEY"),
    _oauth(ACCESS, "sk-ant-oat01-", "CLAUDE_CODE_OAUTH_TOKEN", "accessToken"),
    _oauth(REFRESH, "sk-ant-ort01-", "CLAUDE_REFRESH_TOKEN", "refreshToken"),
    Rule(
        str(SESSION),
        SESSION,
        prefixed(rb"sk-ant-sid[0-9]{2}-[A-Za-z0-9_-]{80,220}"),
        score=80,
        check=_ends_aa,
        examples=(
            text("Cookie: sessionKey=", part("secret", _COOKIE), "; lastActiveOrg=x\n"),
            assigned("CLAUDE_SESSION_KEY", concat("sk-ant-sid02-", b64url(120), "AA")),
            json_member("sessionKey", _COOKIE),
        ),
        near_misses=(
            assigned("sessionKey", concat("sk-ant-sid01-", b64url(79))), assigned("sessionKey", concat("sk-ant-sid01-", b64url(221))),
            assigned("sessionKey", concat("sk_ant_sid01_", an(95))),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.anthropic.com",)
VERIFIES = (API_KEY, ADMIN)


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Lists the models, which costs nothing; with an admin key, which cannot call models, asks for the organisation."""
    admin = credential.kind == ADMIN
    base = (target.base_url or "https://api.anthropic.com").rstrip("/").removesuffix("/v1")
    path, query = ("/v1/organizations/me", None) if admin else ("/v1/models", {"limit": "1"})
    http = ports.http(base, {"x-api-key": credential.text("secret"), "anthropic-version": "2023-06-01"})
    reply = http.request("GET", path, query=query)
    code, _ = error_of(reply)
    seen = evidence(f"GET {path}", http, reply, ports)._replace(status=f"{reply.status} {code}".rstrip())
    if reply.status == 200:
        answer = reply.object()
        if (admin and answer.get("type") == "organization") or (not admin and isinstance(answer.get("data"), list)):
            return Live(seen, str(answer.get("name") or "") if admin else reply.headers.get("anthropic-organization-id", ""))
    if reply.status == 401 and code == "authentication_error":
        return Dead(seen)
    if reply.status == 403 and code == "permission_error":
        return Restricted(seen, "the key is valid, and is refused for what was asked")
    return Unknown(f"Anthropic answered {reply.status} {code}".rstrip())


def _error(name: str) -> str:
    return f'{{"type":"error","error":{{"type":"{name}","message":"x"}}}}'


CASES = tuple(
    case
    for kind, fine in ((API_KEY, '{"data":[],"has_more":false}'), (ADMIN, '{"id":"x","type":"organization","name":"Acme"}'))
    for case in (
        Case("an answer", kind, (Answer(200, fine),), "live"),
        Case("a wrong key", kind, (Answer(401, _error("authentication_error")),), "dead"),
        Case("no right", kind, (Answer(403, _error("permission_error")),), "restricted"),
        Case("overloaded", kind, (Answer(529, _error("overloaded_error")),), "unknown"),
        Case("a portal", kind, (Answer(401, "<html>Sign in</html>"),), "unknown"),
        Case("another gate", kind, (Answer(403, "<html>Forbidden</html>"),), "unknown"),
    )
)
