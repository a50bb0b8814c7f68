"""OpenAI keys, the ChatGPT login of Codex, and keys of OpenAI-compatible services.

What it is: project keys (`sk-proj-`), service account keys (`sk-svcacct-`), admin keys (`sk-admin-`) and the user keys of before
  2024. All carry `T3BlbkFJ`, base64 for "OpenAI", in the middle. Besides: short-lived Realtime client secrets, webhook secrets,
  and `~/.codex/auth.json`. A key `sk-` without the marker belongs to a compatible service (DeepSeek, Alibaba, Moonshot,
  SiliconFlow, a one-api relay): its name or base URL says which, else it is reported as such.
Where it is used: SDKs and command lines, agents, CI, notebooks; `OPENAI_API_KEY`, the header `Authorization: Bearer`.
What an attacker can do: run models at the owner's cost, read files, vector stores and stored responses of the project; with an
  admin key create keys and members, but not call models. A Codex refresh token gives the whole ChatGPT plan of its owner.
How to replace it: create a new key at platform.openai.com/api-keys and delete the old one; service account and admin keys also
  by the Administration API. A Codex login ends with `codex logout` and a new login.
References: https://platform.openai.com/docs/api-reference/authentication
  https://platform.openai.com/docs/api-reference/administration
  https://github.com/songquanpeng/one-api (how relays make their keys)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import STRUCTURAL, Companion, CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.shapes import Shape, an, assigned, b64, b64url, chars, concat, hexa, json_member, jwt, part, text, upper_hex
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._model_vendor import named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import error_of

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

PROJECT = Kind("openai/project-key")
USER = Kind("openai/user-key")
SERVICE_ACCOUNT = Kind("openai/service-account-key")
ADMIN = Kind("openai/admin-key")
REALTIME = Kind("openai/realtime-client-secret")
WEBHOOK = Kind("openai/webhook-secret")
CODEX = Kind("openai/codex-login")
COMPATIBLE = Kind("openai/compatible-key")

_KEYS = "https://platform.openai.com/api-keys"
_AUTH = ("https://platform.openai.com/docs/api-reference/authentication",)


def _from_relay(value: bytes) -> bool:
    """one-api and new-api: sixteen random characters, then a version 4 UUID without dashes in alternating case."""
    tail = value[3:][16:]
    return (
        len(tail) == 32 and tail[12:13] == b"4" and tail[16:17] in b"89ab89AB" and not tail.lower().strip(b"0123456789abcdef")
    )


def _issuer(parts: Parts) -> Mapping[str, str]:
    value = parts["secret"]
    if len(value) == 35:
        return {"issuer": "DeepSeek, Alibaba Model Studio or Baichuan"}
    if _from_relay(value):
        return {"issuer": "a one-api or new-api relay"}
    if value[3:].isalpha() and value.islower():
        return {"issuer": "probably SiliconFlow"}
    return {"issuer": "Moonshot, Hunyuan, SiliconFlow, Stability, Braintrust or a relay"}


def _relay(parts: Parts) -> Signal | None:
    return structure(True, "the UUID of a one-api relay") if _from_relay(parts["secret"]) else None


KINDS = (
    CredentialKind(PROJECT, "OpenAI project key", "critical", public=("organization",), manual=replace(_KEYS), references=_AUTH, rotates=True),
    CredentialKind(USER, "OpenAI user key (before project keys)", "critical", public=("organization",), manual=replace(_KEYS),
                   references=_AUTH),
    CredentialKind(SERVICE_ACCOUNT, "OpenAI service account key", "critical", public=("organization",),
                   manual=replace(_KEYS, "Create a new key for the service account.", "Update what uses the old one.", "Delete the old key."),
                   references=_AUTH, rotates=True),
    CredentialKind(ADMIN, "OpenAI admin key", "critical", public=("organization",),
                   manual=replace("https://platform.openai.com/settings/organization/admin-keys"),
                   references=("https://platform.openai.com/docs/api-reference/admin-api-keys",), rotates=True),
    CredentialKind(REALTIME, "OpenAI Realtime client secret", "low",
                   manual=replace(_KEYS, "It ends by itself within minutes.", "If it was minted by code that leaks, replace the key behind it."),
                   references=("https://platform.openai.com/docs/api-reference/realtime-sessions",)),
    CredentialKind(WEBHOOK, "OpenAI webhook signing secret", "medium",
                   manual=replace("https://platform.openai.com/settings/project/webhooks", "Create a new webhook endpoint or roll its secret.",
                                  "Update the receiver.", "Delete the old endpoint."),
                   references=("https://platform.openai.com/docs/guides/webhooks",)),
    CredentialKind(CODEX, "ChatGPT login of Codex", "critical",
                   manual=replace("https://chatgpt.com/#settings/Security", "Run `codex logout`.", "Log out of all devices in ChatGPT's settings.",
                                  "Run `codex login`."),
                   references=("https://developers.openai.com/codex/auth",)),
    CredentialKind(COMPATIBLE, "Key of an OpenAI-compatible service", "high", describe=_issuer,
                   manual=replace("https://platform.openai.com/docs/api-reference/authentication",
                                  "Find the service: the base URL beside the key, or the program that uses it. Do not try the key at another vendor.",
                                  "Create a new key in that service's console.", "Update what uses the old one, then delete it there."),
                   references=("https://github.com/songquanpeng/one-api/blob/main/common/random/main.go",)),
)  # fmt: skip

_ORGANIZATION = Companion(
    "organization", rb"(?<![A-Za-z0-9-])(?P<organization>org-[A-Za-z0-9]{24})(?![A-Za-z0-9_-])", optional=True
)


def _sided(kind: Kind, prefix: str, name: str) -> Rule:
    """Prefix, then two sides of one length around the marker. Sides of 20, 58 and 74 are known; others are taken too."""

    def key(left: int, right: int, marker: str = "T3BlbkFJ") -> Shape:
        return concat(prefix, b64url(left), marker, b64url(right))

    return prefixed_rule(
        kind, prefixed(prefix.encode() + rb"[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}"), key(74, 74), name,
        "api.openai.com/v1/models",
        (key(19, 20), key(58, 19), key(74, 74, "T3BlbkFK"), key(101, 74), concat(prefix.replace("-", "_"), an(58), "T3BlbkFJ", an(58))),
        score=85, companions=(_ORGANIZATION,),
    )  # fmt: skip


_JWT = jwt('{"iss":"https://auth.openai.com","exp":1790000000}', algorithm="RS256", signature=342)


def _codex(refresh: Shape, after: str = '"account_id"') -> Shape:
    return text('{"tokens": {"id_token": "", "access_token": "', part("access_token", _JWT), '",\n  "refresh_token": "',
                part("secret", refresh), '",\n  ', after, ': "x"}}\n')  # fmt: skip


def _relay_key() -> Shape:
    pair = concat(hexa(1), upper_hex(1))
    return concat("sk-", an(16), *([pair] * 6), "4", upper_hex(3), "a", upper_hex(3), *([pair] * 6))


RULES = (
    _sided(PROJECT, "sk-proj-", "OPENAI_API_KEY"),
    _sided(SERVICE_ACCOUNT, "sk-svcacct-", "OPENAI_API_KEY"),
    _sided(ADMIN, "sk-admin-", "OPENAI_ADMIN_KEY"),
    prefixed_rule(
        USER, prefixed(rb"sk-(?:None-)?[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"), concat("sk-", an(20), "T3BlbkFJ", an(20)),
        "OPENAI_API_KEY", "api.openai.com/v1/models",
        (concat("sk-", an(19), "T3BlbkFJ", an(20)), concat("sk-", an(20), "T3BlbkFJ", an(21)), concat("sk-", an(20), "T3BlbkFK", an(20)),
         concat("sk_", an(20), "T3BlbkFJ", an(20))),
        score=85, companions=(_ORGANIZATION,),
    ),
    Rule(
        str(REALTIME),
        REALTIME,
        prefixed(rb"ek_[0-9a-f]{32}", edge=rb"(?![A-Za-z0-9_])"),
        score=45,
        examples=(
            text('{"client_secret": {"value": "', part("secret", concat("ek_", hexa(32))), '", "expires_at": 1790000000}}\n'),
            assigned("OPENAI_EPHEMERAL_KEY", concat("ek_", hexa(32))),
            text("Authorization: Bearer ", part("secret", concat("ek_", hexa(32))), "\n"),
        ),
        near_misses=(
            json_member("value", concat("ek_", hexa(31))), json_member("value", concat("ek_", hexa(33))),
            json_member("value", concat("ek-", hexa(32))),
        ),
    ),
    named_rule(
        WEBHOOK, named(rb"openai[a-z0-9_.-]{0,16}webhook[a-z0-9_.-]{0,12}(?:secret|key)", rb"whsec_[A-Za-z0-9+/]{24,88}={0,2}", edge=rb"(?![A-Za-z0-9+/=])"),
        concat("whsec_", b64(44)), "OPENAI_WEBHOOK_SECRET",
        (concat("whsec_", b64(23)), concat("whsec_", b64(89)), concat("whsec-", b64(44))), rule_id=str(WEBHOOK), score=80,
    ),
    Rule(
        str(CODEX),
        CODEX,
        rb"\"refresh_token\\?\"\s{0,4}:\s{0,4}\\?\"(?P<secret>[A-Za-z0-9_.-]{20,400})\\?\",(?:\s|\\n){0,16}\\?\"account_id\\?\"",
        score=80,
        companions=(Companion("access_token", rb"\"access_token\"\s{0,4}:\s{0,4}\"(?P<access_token>eyJ[A-Za-z0-9_.-]{40,8000})\"", within=9000,
                              optional=True),),
        examples=(
            _codex(concat("rt_", b64url(60))),
            _codex(concat("rt_", b64url(43), ".", b64url(43))),
            text('"refresh_token":"', part("secret", b64url(90)), '","account_id":"x"\n'),
        ),
        near_misses=(_codex(b64url(19)), _codex(b64url(401)), _codex(b64url(60), '"expires_in"')),
    ),
    Rule(
        "openai/compatible-key-hex",
        COMPATIBLE,
        prefixed(rb"sk-[0-9a-f]{32}"),
        score=65,
        specificity=STRUCTURAL,
        examples=(
            assigned("OPENAI_API_KEY", concat("sk-", hexa(32))),
            json_member("apiKey", concat("sk-", hexa(32))),
            text("Authorization: Bearer ", part("secret", concat("sk-", hexa(32))), "\n"),
        ),
        near_misses=(
            assigned("API_KEY", concat("sk-", hexa(31))), assigned("API_KEY", concat("sk-", hexa(33))),
            assigned("API_KEY", concat("sk_", hexa(32))), assigned("task", concat("task-", hexa(32))),
        ),
    ),
    Rule(
        "openai/compatible-key-48",
        COMPATIBLE,
        prefixed(rb"sk-[A-Za-z0-9]{48}"),
        score=65,
        specificity=STRUCTURAL,
        check=_relay,
        examples=(
            assigned("OPENAI_API_KEY", _relay_key()),
            json_member("apiKey", concat("sk-", an(48))),
            text("Authorization: Bearer ", part("secret", concat("sk-", chars("abcdefghijklmnopqrstuvwxyz", 48))), "\n"),
        ),
        near_misses=(
            assigned("API_KEY", concat("sk-", an(47))), assigned("API_KEY", concat("sk-", an(49))),
            assigned("API_KEY", concat("sk_", an(48))), assigned("disk", concat("disk-", an(48))),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.openai.com",)
VERIFIES = (PROJECT, USER, SERVICE_ACCOUNT, ADMIN)

_INVALID = ("invalid_api_key", "expired_api_key", "api_key_expired")


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Lists the models, which costs nothing; with an admin key, which cannot call models, the admin keys.

    401 is Dead only with the code that says so: it is also the answer to a key without the scope, or of another region.
    """
    admin = credential.kind == ADMIN
    base = (target.base_url or "https://api.openai.com").rstrip("/").removesuffix("/v1")
    path, query = ("/v1/organization/admin_api_keys", {"limit": "1"}) if admin else ("/v1/models", None)
    http = ports.http(base, {"authorization": f"Bearer {credential.text('secret')}"})
    reply = http.request("GET", path, query=query)
    code, message = error_of(reply)
    seen = evidence(f"GET {path}", http, reply, ports)._replace(status=f"{reply.status} {code}".rstrip())
    if reply.status == 200 and reply.object().get("object") == "list":
        return Live(seen, reply.headers.get("openai-organization", ""))
    if reply.status == 401 and code in _INVALID:
        return Dead(seen)
    # from some countries nobody is let in, whatever the key
    ours = message and code != "unsupported_country_region_territory"
    if ours and (reply.status == 403 or (reply.status == 401 and "Missing scopes" in message)):
        return Restricted(seen, "the key is valid, and is refused for what was asked")
    return Unknown(f"OpenAI answered {reply.status} {code}".rstrip())


_SCOPES = (
    '{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read.","code":null}}'
)
_PLACE = '{"error":{"message":"x","code":"ip_not_authorized"}}'
_REGION = '{"error":{"message":"x","code":"incorrect_hostname"}}'
_COUNTRY = '{"error":{"message":"x","code":"unsupported_country_region_territory"}}'
CASES = tuple(
    case
    for kind in VERIFIES
    for case in (
        Case("a list", kind, (Answer(200, '{"object":"list","data":[]}', {"openai-organization": "acme"}),), "live"),
        Case("a wrong key", kind, (Answer(401, '{"error":{"message":"x","code":"invalid_api_key"}}'),), "dead"),
        Case("no scope, 403", kind, (Answer(403, _SCOPES),), "restricted"),
        Case("no scope, 401", kind, (Answer(401, _SCOPES),), "restricted"),
        Case("an address", kind, (Answer(403, _PLACE),), "restricted"),
        Case("a country", kind, (Answer(403, _COUNTRY),), "unknown"),
        Case("another gate", kind, (Answer(403, "<html>Forbidden</html>"),), "unknown"),
        Case("another region", kind, (Answer(401, _REGION),), "unknown"),
        Case("no quota", kind, (Answer(429, '{"error":{"code":"insufficient_quota"}}', {"retry-after": "60"}),), "unknown"),
        Case("a portal", kind, (Answer(401, "<html>Sign in</html>"),), "unknown"),
    )
)
