"""Moonshot AI (Kimi) keys.

What it is: a platform key, `sk-` and 48 letters and digits, and the key of the Kimi Code plan, `sk-kimi-` and 64. The platform's
  shape is shared by SiliconFlow, Hunyuan, Stability and relays: the name or the base URL decides.
Where it is used: OpenAI- and Anthropic-compatible clients and coding agents; `MOONSHOT_API_KEY`, `KIMI_API_KEY`, or
  `ANTHROPIC_AUTH_TOKEN` with a base URL of api.kimi.com or api.moonshot.
What an attacker can do: spend the balance or the plan of the account on models, read and delete the files uploaded to it.
How to replace it: create a new key in the console of the site it belongs to (platform.moonshot.cn and platform.moonshot.ai are
  separate accounts, Kimi Code a third) and delete the old one there.
References: https://platform.moonshot.ai/docs/overview
  https://platform.moonshot.cn/docs/api/balance
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import by_url_rules, key_of, named, named_rule, prefixed, prefixed_rule, replace
from ._vendor_answers import Asked, Question, Said, asks, bearer, cases

API_KEY = Kind("moonshot/api-key")
CODE = Kind("moonshot/kimi-code-key")

_DOCS = ("https://platform.moonshot.ai/docs/overview",)

KINDS = (
    CredentialKind(API_KEY, "Moonshot (Kimi) API key", "critical", public=("base_url",), references=_DOCS,
                   manual=replace("https://platform.moonshot.ai/console/api-keys")),
    CredentialKind(CODE, "Kimi Code key", "critical", manual=replace("https://www.kimi.com/code/console"), references=_DOCS),
)  # fmt: skip

_BODY = rb"sk-[A-Za-z0-9]{48}"
_KEY = concat("sk-", an(48))
_MISSES = (concat("sk-", an(47)), concat("sk-", an(49)), concat("sk_", an(48)), concat("sk-", an(24), "-", an(23)))

RULES = (
    named_rule(API_KEY, named(key_of(rb"(?:moonshot|kimi)"), _BODY), _KEY, "MOONSHOT_API_KEY", _MISSES, score=80),
    *by_url_rules(API_KEY, _BODY, _KEY, "api.moonshot.cn", rb"(?:api|platform)\.moonshot\.(?:cn|ai)", _MISSES),
    prefixed_rule(
        CODE, prefixed(rb"sk-kimi-[A-Za-z0-9]{64}"), concat("sk-kimi-", an(64)), "KIMI_API_KEY", "api.kimi.com/coding/v1/models",
        (concat("sk-kimi-", an(63)), concat("sk-kimi-", an(65)), concat("sk-kimi_", an(64))), score=85,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("api.moonshot.ai", "api.moonshot.cn", "api.kimi.com")
_REFUSED = (Said(401, ("invalid_authentication_error", "incorrect_api_key_error")),)
_SITES = ("https://api.moonshot.ai", "https://api.moonshot.cn")
QUESTIONS: dict[Kind, Asked] = {
    API_KEY: tuple(Question(site, "/v1/users/me/balance", bearer, ("data.available_balance",), _REFUSED) for site in _SITES),
    CODE: Question("https://api.kimi.com", "/coding/v1/models", bearer, ("data",), _REFUSED),
}
"""Asks for the balance, or lists the plan's models. The two platform sites do not know each other's keys, so that Dead needs the
refusal of both; a plan's key is known on its own host alone (https://platform.moonshot.ai/docs/api/misc)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_REFUSAL = Answer(401, '{"error":{"message":"Invalid Authentication","type":"invalid_authentication_error"}}')
_BALANCE = '{"code":0,"data":{"available_balance":0,"voucher_balance":0},"scode":"0x0","status":true}'
CASES = (
    *cases(API_KEY, _BALANCE, _REFUSAL),
    Case("the other site's", API_KEY, (_REFUSAL, Answer(200, _BALANCE)), "live"),
    Case("the other site says nothing", API_KEY, (_REFUSAL, Answer(404, "{}")), "unknown"),
    *cases(CODE, '{"object":"list","data":[]}', _REFUSAL),
)
