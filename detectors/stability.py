"""Stability AI keys.

What it is: an API key of the Stability platform, `sk-` and 48 letters and digits. Moonshot, SiliconFlow, Hunyuan and relays use the
  same shape: the name or the base URL beside it decides.
Where it is used: image, video, audio and 3D generation in web back ends, bots and plug-ins; `STABILITY_API_KEY`, `STABILITY_KEY`.
What an attacker can do: spend the account's credits on generations, read the account's mail address and organisations.
How to replace it: create a new key at platform.stability.ai/account/keys and delete the old one there.
Whether it lives: GET /v1/user/account. The refusal quotes both ends of the key, so nothing of it is shown.
References: https://platform.stability.ai/docs/getting-started/authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import an, concat
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import by_url_rules, key_of, named, named_rule, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

API_KEY = Kind("stability/api-key")

KINDS = (
    CredentialKind(API_KEY, "Stability AI API key", "critical", public=("base_url",), manual=replace("https://platform.stability.ai/account/keys"),
                   references=("https://platform.stability.ai/docs/getting-started/authentication",)),
)  # fmt: skip

_BODY = rb"sk-[A-Za-z0-9]{48}"
_KEY = concat("sk-", an(48))
_MISSES = (concat("sk-", an(47)), concat("sk-", an(49)), concat("sk_", an(48)), concat("sk-", an(24), "-", an(23)))

RULES = (
    named_rule(API_KEY, named(key_of(rb"(?:stability|dreamstudio)"), _BODY), _KEY, "STABILITY_API_KEY", _MISSES, score=80),
    *by_url_rules(API_KEY, _BODY, _KEY, "api.stability.ai", rb"(?:api|grpc)\.stability\.ai", _MISSES),
)

HOSTS = ("api.stability.ai",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.stability.ai", "/v1/user/account", bearer, ("id",), dead=(Said(401, ("incorrect api key provided",)),),
    restricted=(Said(403, ('"name":"permission_denied"',)),), who=("organizations.0.name", "id"),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"id":"user-1234","organizations":[{"id":"org-1","name":"Acme","role":"MEMBER"}]}',
    Answer(401, '{"id":"x","name":"unauthorized","message":"Incorrect API key provided: s**z. You can find your API key at https://stability.ai."}'),
    Case("none arrived", API_KEY, (Answer(401, '{"id":"x","name":"unauthorized","message":"missing authorization header"}'),), "unknown"),
    restricted=Answer(403, '{"id":"x","name":"permission_denied","message":"You lack the necessary permissions"}'),
    parts={"base_url": ""},
)  # fmt: skip
