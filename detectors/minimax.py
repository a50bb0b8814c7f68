"""MiniMax keys.

What it is: an API key (`sk-api-` and 119 characters), a Coding Plan key (`sk-cp-` and 119), or an older key that is a JSON Web
  Token with the group's and the user's names, mail and phone number in clear.
Where it is used: chat, speech, video and music models, coding agents; `MINIMAX_API_KEY`, often with `MINIMAX_GROUP_ID`.
What an attacker can do: spend the balance or plan of the account, use its cloned voices; an old key also tells who owns it.
How to replace it: create a new key on the platform's key page (minimax.io and minimaxi.com are separate accounts) and delete the
  old one there.
References: https://platform.minimax.io/docs/api-reference/api-overview
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import Shape, assigned, b64url, concat, json_member, jwt, part, text
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("minimax/api-key")
PLAN = Kind("minimax/coding-plan-key")
OLD = Kind("minimax/jwt-key")

_URL = "https://platform.minimax.io/user-center/basic-information/interface-key"
_DOCS = ("https://platform.minimax.io/docs/api-reference/api-overview",)


def _claims(parts: Parts) -> Mapping[str, object]:
    claims = jwt_claims(parts["secret"])
    return claims[1] if claims else {}


def _describe(parts: Parts) -> Mapping[str, str]:
    """The group's number and nothing personal."""
    group = str(_claims(parts).get("GroupID", ""))
    return {"group": group} if group.isdigit() else {}


def _structure(parts: Parts) -> Signal | None:
    return structure("SubjectID" in _claims(parts) or "GroupID" in _claims(parts), "the claims of a MiniMax key")


KINDS = (
    CredentialKind(API_KEY, "MiniMax API key", "critical", manual=replace(_URL), references=_DOCS),
    CredentialKind(PLAN, "MiniMax Coding Plan key", "critical", manual=replace("https://platform.minimax.io/user-center/payment/coding-plan"),
                   references=_DOCS),
    CredentialKind(OLD, "MiniMax API key (JSON Web Token)", "critical", describe=_describe, manual=replace(_URL), references=_DOCS),
)  # fmt: skip


def _plain(kind: Kind, prefix: str) -> Rule:
    def key(count: int, start: str = prefix) -> Shape:
        return concat(start, b64url(count))

    return prefixed_rule(
        kind, prefixed(prefix.encode() + rb"[A-Za-z0-9_-]{119}"), key(119), "MINIMAX_API_KEY", "api.minimax.io/v1/models",
        (key(118), key(120), key(119, prefix.replace("sk-", "sk_")), key(119, prefix[:-1] + "_")), score=85,
    )  # fmt: skip


_TOKEN = jwt(
    '{"GroupName":"x","UserName":"x","SubjectID":"1","GroupID":"1790000001","iss":"minimax"}', algorithm="RS256", signature=342
)

RULES = (
    _plain(API_KEY, "sk-api-"),
    _plain(PLAN, "sk-cp-"),
    Rule(
        str(OLD),
        OLD,
        prefixed(rb"eyJ[A-Za-z0-9_-]{16,60}\.eyJHcm91cE5hbWUi[A-Za-z0-9_-]{40,1500}\.[A-Za-z0-9_-]{80,700}"),
        check=_structure,
        window=3000,
        examples=(assigned("MINIMAX_API_KEY", _TOKEN), json_member("api_key", _TOKEN), text("Authorization: Bearer ", part("secret", _TOKEN), "\n")),
        near_misses=(
            assigned("MINIMAX_API_KEY", jwt('{"UserName":"x","SubjectID":"1","GroupID":"1790000001","iss":"minimax"}')),
            assigned("MINIMAX_API_KEY", jwt('{"GroupName":"x","SubjectID":"1","GroupID":"1790000001","iss":"minimax"}', signature=40)),
            assigned("MINIMAX_API_KEY", jwt('{"GroupName":"x"}', signature=342)),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.minimax.io", "api.minimaxi.com")
_REFUSED = (Said(401, ("invalid api key (2049)", '"status_code":2049')), Said(200, ('"status_code":2049',)))
_SITES = ("https://api.minimax.io", "https://api.minimaxi.com")
_MODELS = tuple(Question(site, "/v1/models", bearer, ("data",), _REFUSED) for site in _SITES)
_REMAINS = "/v1/api/openplatform/coding_plan/remains"
QUESTIONS = {
    API_KEY: _MODELS,
    OLD: _MODELS,
    PLAN: tuple(Question(site, _REMAINS, bearer, ("model_remains",), _REFUSED) for site in _SITES),
}
"""Lists the models, or asks what is left of the plan. The two sites do not know each other's keys; "login fail (1004)" is said to a
key of the wrong kind as well and proves nothing (https://platform.minimax.io/docs/api-reference/errorcode)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_REFUSAL = Answer(
    401, '{"type":"error","error":{"type":"authorized_error","message":"invalid api key (2049)","http_code":"401"}}'
)
_LOGIN = Answer(401, '{"type":"error","error":{"type":"authorized_error","message":"login fail (1004)","http_code":"401"}}')
CASES = tuple(
    case
    for kind, good in (
        (API_KEY, '{"object":"list","data":[]}'),
        (OLD, '{"object":"list","data":[]}'),
        (PLAN, '{"model_remains":[]}'),
    )
    for case in (
        *cases(kind, good, _REFUSAL),
        Case(
            "refused with 200",
            kind,
            (Answer(200, '{"base_resp":{"status_code":2049,"status_msg":"invalid api key"}}'),),
            "dead",
        ),
        Case("the other site's", kind, (_REFUSAL, Answer(200, good)), "live"),
        Case("another kind of key", kind, (_LOGIN,), "unknown"),
    )
)
