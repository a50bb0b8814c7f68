"""Zhipu BigModel and Z.ai (GLM) keys.

What it is: an API key in two parts, 32 hex digits (the key's id) and, after a dot, 16 letters and digits (the secret it signs with).
Where it is used: GLM models and the GLM Coding Plan in agents; `ZHIPUAI_API_KEY`, `ZAI_API_KEY`, `GLM_API_KEY`, and
  `ANTHROPIC_AUTH_TOKEN` in `~/.claude/settings.json` with a base URL of open.bigmodel.cn or api.z.ai.
What an attacker can do: spend the balance or plan on models, read the files, knowledge bases and batches of the account.
How to replace it: create a new key on the key page of the site it belongs to (bigmodel.cn and z.ai do not share keys) and delete
  the old one there.
References: https://docs.z.ai/api-reference/introduction
  https://docs.bigmodel.cn/cn/api/introduction
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat, hexa, upper_hex
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import key_of, named, named_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("zhipu/api-key")

KINDS = (
    CredentialKind(API_KEY, "Zhipu / Z.ai API key", "critical", manual=replace("https://z.ai/manage-apikey/apikey-list"),
                   references=("https://docs.z.ai/api-reference/introduction", "https://docs.bigmodel.cn/cn/api/introduction")),
)  # fmt: skip

_BODY = rb"[0-9a-f]{32}\.[A-Za-z0-9]{16}"
_EDGE = rb"(?![A-Za-z0-9_.-])"
_KEY = concat(hexa(32), ".", an(16))
_MISSES = (
    concat(hexa(31), ".", an(16)), concat(hexa(32), ".", an(15)), concat(hexa(32), ".", an(17)), concat(hexa(32), "-", an(16)),
    concat(upper_hex(32), ".", an(16)), concat(hexa(32), ".", an(24)),
)  # fmt: skip

RULES = (
    named_rule(
        API_KEY, named(key_of(rb"(?:zhipu|bigmodel|chatglm|(?<![a-z0-9])(?:z_?ai|glm))"), _BODY, edge=_EDGE), _KEY, "ZHIPUAI_API_KEY", _MISSES,
        score=80,
    ),
    named_rule(
        API_KEY, named(rb"(?:(?:anthropic|openai)_(?:auth_token|api_key)|api_?key|authorization)", _BODY, edge=_EDGE), _KEY,
        "ANTHROPIC_AUTH_TOKEN", _MISSES, score=70, rule_id="zhipu/api-key-by-shape",
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("open.bigmodel.cn", "api.z.ai")
_REFUSED = Said(401, ("令牌已过期或验证不正确", "token expired or incorrect", "身份验证失败", '"code":"1000"', '"code":"1002"'))
_SITES = ("https://open.bigmodel.cn", "https://api.z.ai")
QUESTIONS = {API_KEY: tuple(Question(site, "/api/paas/v4/models", bearer, ("data",), (_REFUSED,)) for site in _SITES)}
"""Lists the models. The two sites do not know each other's keys, so that Dead needs the refusal of both
(https://docs.bigmodel.cn/cn/faq/api-code)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_REFUSAL = Answer(401, '{"error":{"code":"401","message":"token expired or incorrect"}}')
CASES = (
    *cases(API_KEY, '{"object":"list","data":[]}', _REFUSAL),
    Case("the other site's", API_KEY, (_REFUSAL, Answer(200, '{"object":"list","data":[]}')), "live"),
)
