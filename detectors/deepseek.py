"""DeepSeek keys.

What it is: an API key, `sk-` and 32 lower-case hex digits. Alibaba Model Studio and Baichuan issue the same shape, so the name or
  the base URL beside it decides; without either it is reported as `openai/compatible-key`.
Where it is used: OpenAI- and Anthropic-compatible clients and agents pointed at api.deepseek.com; `DEEPSEEK_API_KEY`.
What an attacker can do: spend the prepaid balance of the account on models. Nothing of the account's chats can be read with it.
How to replace it: create a new key at platform.deepseek.com/api_keys and delete the old one there.
References: https://api-docs.deepseek.com/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import concat, hexa, upper_hex
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import by_url_rules, key_of, named, named_rule, replace
from ._vendor_answers import NO_MONEY, Question, Said, asks, bearer, cases

API_KEY = Kind("deepseek/api-key")

KINDS = (
    CredentialKind(API_KEY, "DeepSeek API key", "critical", public=("base_url",), manual=replace("https://platform.deepseek.com/api_keys"),
                   references=("https://api-docs.deepseek.com/",)),
)  # fmt: skip

_BODY = rb"sk-[0-9a-f]{32}"
_KEY = concat("sk-", hexa(32))
_MISSES = (concat("sk-", hexa(31)), concat("sk-", hexa(33)), concat("sk_", hexa(32)), concat("sk-", upper_hex(32)))

RULES = (
    named_rule(API_KEY, named(key_of(rb"deepseek"), _BODY), _KEY, "DEEPSEEK_API_KEY", _MISSES, score=80),
    *by_url_rules(API_KEY, _BODY, _KEY, "api.deepseek.com", rb"(?:api\.)?deepseek\.com", _MISSES),
)

# ---- asking the vendor

HOSTS = ("api.deepseek.com",)
_BALANCE = Question(
    "https://api.deepseek.com", "/user/balance", bearer, ("balance_infos",), (Said(401, ("authentication fails",)),),
    (Said(200, ('"is_available":false',), NO_MONEY), Said(402, ("insufficient balance",), NO_MONEY)),
)  # fmt: skip
QUESTIONS = {API_KEY: _BALANCE}
"""Asks for the balance (https://api-docs.deepseek.com/api/get-user-balance)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
CASES = (
    *cases(
        API_KEY,
        '{"is_available":true,"balance_infos":[{"currency":"USD"}]}',
        Answer(
            401, '{"error":{"message":"Authentication Fails, Your api key: ****0000 is invalid","type":"authentication_error"}}'
        ),
        restricted=Answer(200, '{"is_available":false,"balance_infos":[]}'),
    ),
    Case("no money", API_KEY, (Answer(402, '{"error":{"message":"Insufficient Balance"}}'),), "restricted"),
)
