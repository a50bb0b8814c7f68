"""Alibaba Cloud Model Studio (DashScope, Bailian, Qwen) keys.

What it is: a pay-as-you-go key (`sk-` and 32 hex digits, the same shape as DeepSeek's, so that name or base URL decides), a Coding
  or Token Plan key (`sk-sp-`, in newer ones with dots between segments) and a workspace key (`sk-ws-` with dots). The lengths of
  the latter two are unverified, so they are matched a little loosely.
Where it is used: Qwen models by the DashScope SDK or OpenAI- and Anthropic-compatible clients; `DASHSCOPE_API_KEY`,
  `QWEN_API_KEY`, `BAILIAN_API_KEY`, `~/.dashscope/api_key`.
What an attacker can do: spend the account's money or plan on models, use the workspace's applications, knowledge bases and files.
How to replace it: create a new key on Model Studio's key page of the same region and workspace, delete the old one. Removing the
  RAM user from the workspace ends its keys too.
References: https://www.alibabacloud.com/help/en/model-studio/get-api-key
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat, hexa, upper_hex
from keyward.plugin.verifier import Answer, Case, Dead, Unknown, Verdict

from ._model_vendor import EDGE, by_url_rules, has_digit, key_of, named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, put, put_everywhere

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports


API_KEY = Kind("dashscope/api-key")
PLAN = Kind("dashscope/plan-key")
WORKSPACE = Kind("dashscope/workspace-key")

_URL = "https://modelstudio.console.alibabacloud.com/?tab=playground#/api-key"
_DOCS = ("https://www.alibabacloud.com/help/en/model-studio/get-api-key",)

KINDS = (
    CredentialKind(API_KEY, "Alibaba Model Studio (DashScope) API key", "critical", public=("base_url",), manual=replace(_URL), references=_DOCS),
    CredentialKind(PLAN, "Alibaba Coding Plan or Token Plan key", "critical", manual=replace(_URL), references=_DOCS),
    CredentialKind(WORKSPACE, "Alibaba Model Studio workspace key", "critical", manual=replace(_URL), references=_DOCS),
)  # fmt: skip

_BODY = rb"sk-[0-9a-f]{32}"
_KEY = concat("sk-", hexa(32))
_MISSES = (concat("sk-", hexa(31)), concat("sk-", hexa(33)), concat("sk_", hexa(32)), concat("sk-", upper_hex(32)))
_HOSTS = rb"(?:dashscope[a-z-]{0,12}\.aliyuncs\.com|\.maas\.aliyuncs\.com)"

RULES = (
    named_rule(API_KEY, named(key_of(rb"(?:dashscope|qwen|bailian|tongyi)"), _BODY), _KEY, "DASHSCOPE_API_KEY", _MISSES, score=80),
    *by_url_rules(API_KEY, _BODY, _KEY, "dashscope.aliyuncs.com", _HOSTS, _MISSES),
    prefixed_rule(
        PLAN, prefixed(rb"sk-sp-[A-Za-z0-9]{16,64}(?:\.[A-Za-z0-9_-]{4,128}){0,4}", edge=EDGE), concat("sk-sp-", hexa(32)), "DASHSCOPE_API_KEY",
        "coding.dashscope.aliyuncs.com/v1/models",
        (concat("sk-sp-", an(15)), concat("sk-sp-", an(65)), concat("sk-sp_", an(32)), concat("sk_sp-", an(32))), score=80, check=has_digit,
    ),
    prefixed_rule(
        WORKSPACE, prefixed(rb"sk-ws-[A-Za-z0-9]{1,64}\.[A-Za-z0-9_-]{8,128}(?:\.[A-Za-z0-9_-]{4,128}){0,4}", edge=EDGE),
        concat("sk-ws-", an(8), ".", an(32), ".", an(12)), "DASHSCOPE_API_KEY", "x.cn-beijing.maas.aliyuncs.com/compatible-mode/v1/models",
        (concat("sk-ws-", an(32)), concat("sk-ws-01-", an(94)), concat("sk-ws-", an(8), ".", an(7)), concat("sk-ws_", an(8), ".", an(32))),
        score=70, check=has_digit,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = (
    "dashscope.aliyuncs.com",
    "dashscope-intl.aliyuncs.com",
    "dashscope-us.aliyuncs.com",
    "cn-hongkong.dashscope.aliyuncs.com",
)
_REFUSED = Said(401, ('"code":"invalid_api_key"', "incorrect api key provided"))
_REGIONS = tuple(Question(f"https://{host}", "/compatible-mode/v1/models", bearer, ("data",), (_REFUSED,)) for host in HOSTS)
NEVER_DEAD = {API_KEY: "a key belongs to one region, and not every region can be asked"}


def _in_every_region(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """The refusal of all regions that are known proves nothing: the key may belong to another one. That of the region which stands
    beside it, or of the operator's own `base_url`, does."""
    beside = credential.text("base_url")
    for region in _REGIONS:
        if not target.base_url and region.base.removeprefix("https://") in beside.split("/"):
            return put(region, credential, target, ports)
    verdict = put_everywhere(_REGIONS, credential, target, ports)
    if isinstance(verdict, Dead) and not target.base_url:
        return Unknown(
            "the regions that can be asked refuse it; a key belongs to one region: set [providers.dashscope] base_url"
        )
    return verdict


QUESTIONS = {API_KEY: _in_every_region}
"""Lists the models (https://www.alibabacloud.com/help/en/model-studio/base-url)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_LIST = Answer(200, '{"object":"list","data":[]}')
_REFUSAL = Answer(
    401, '{"error":{"message":"Incorrect API key provided. ","type":"invalid_request_error","code":"invalid_api_key"}}'
)
_ANYWHERE = {"base_url": ""}
CASES = (
    Case("a list", API_KEY, (_LIST,), "live", _ANYWHERE),
    Case("in the second region", API_KEY, (_REFUSAL, _LIST), "live", _ANYWHERE),
    Case("in none that is known", API_KEY, (_REFUSAL,), "unknown", _ANYWHERE),
    Case(
        "in its own region",
        API_KEY,
        (_REFUSAL, _LIST),
        "dead",
        {"base_url": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"},
    ),
    Case("a portal", API_KEY, (Answer(401, "<html>"),), "unknown", _ANYWHERE),
)
