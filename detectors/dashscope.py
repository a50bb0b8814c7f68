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

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat, hexa, upper_hex

from ._model_vendor import EDGE, by_url_rules, has_digit, key_of, named, named_rule, prefixed, prefixed_rule, replace

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
