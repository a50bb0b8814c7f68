"""OpenRouter keys.

What it is: an API key (`sk-or-v1-` and 64 hex digits). Management keys, which create and delete other keys, look the same.
Where it is used: agents and chat programs of every sort, `OPENROUTER_API_KEY`, the header `Authorization: Bearer`.
What an attacker can do: spend the account's credits on any model up to the key's limit (none by default); with a management key
  list, create and delete all keys.
How to replace it: create a new key with a spending limit at openrouter.ai/settings/keys and delete the old one; with a management
  key by POST /api/v1/keys and DELETE /api/v1/keys/{hash}. Management keys are made at openrouter.ai/settings/management-keys.
References: https://openrouter.ai/docs/api-reference/authentication
  https://openrouter.ai/docs/features/provisioning-api-keys
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat, hexa
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import error_of

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

API_KEY = Kind("openrouter/api-key")

KINDS = (
    CredentialKind(API_KEY, "OpenRouter API key", "critical", manual=replace("https://openrouter.ai/settings/keys"),
                   references=("https://openrouter.ai/docs/api-reference/authentication",), rotates=True),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"sk-or-v1-[0-9a-f]{64}"), concat("sk-or-v1-", hexa(64)), "OPENROUTER_API_KEY", "openrouter.ai/api/v1/key",
        (concat("sk-or-v1-", hexa(63)), concat("sk-or-v1-", hexa(65)), concat("sk-or_v1-", hexa(64)), concat("sk-or-v1-", an(63), "z")),
        score=85,
    ),
)  # fmt: skip

HOSTS = ("openrouter.ai",)
VERIFIES = (API_KEY,)


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks the key about itself. Its scopes say whether it is a management key."""
    base = (target.base_url or "https://openrouter.ai").rstrip("/").removesuffix("/api/v1")
    http = ports.http(base, {"authorization": f"Bearer {credential.text('secret')}"})
    reply = http.request("GET", "/api/v1/key")
    code, _ = error_of(reply)
    seen = evidence("GET /api/v1/key", http, reply, ports)
    data = reply.object().get("data") if reply.status == 200 else None
    if isinstance(data, dict):
        management = data.get("is_management_key") or data.get("is_provisioning_key")
        return Live(seen, str(data.get("creator_user_id") or ""), ("management",) if management else ())
    if reply.status == 401 and code == "401":
        return Dead(seen)
    if reply.status in (402, 403) and code == str(reply.status):
        return Restricted(seen, "the key is valid, and is refused for what was asked")
    return Unknown(f"OpenRouter answered {reply.status}")


CASES = (
    Case("a key", API_KEY, (Answer(200, '{"data":{"label":"x","creator_user_id":"user_1"}}'),), "live"),
    Case("a management key", API_KEY, (Answer(200, '{"data":{"label":"x","is_management_key":true}}'),), "live"),
    Case("a wrong key", API_KEY, (Answer(401, '{"error":{"code":401,"message":"User not found."}}'),), "dead"),
    Case("no credits", API_KEY, (Answer(402, '{"error":{"code":402,"message":"x"}}'),), "restricted"),
    Case("forbidden", API_KEY, (Answer(403, '{"error":{"code":403,"message":"x"}}'),), "restricted"),
    Case("another gate", API_KEY, (Answer(403, "<html>Forbidden</html>"),), "unknown"),
    Case("a portal", API_KEY, (Answer(401, "<html>Sign in</html>"),), "unknown"),
)
