"""E2B keys.

What it is: a team's API key (`e2b_` and 40 hex digits) and a person's access token (`sk_e2b_` and 40; its form is unverified).
Where it is used: sandboxes in which agents run code, by SDK and command line; `E2B_API_KEY`, `E2B_ACCESS_TOKEN`,
  `~/.e2b/config.json`, the header `X-API-KEY`.
What an attacker can do: start sandboxes at the team's cost, enter the running ones with their files and environment; with an
  access token also change templates and create keys.
How to replace it: create a new key in the dashboard's keys page and delete the old one; `e2b auth logout` and login for the token.
Whether it lives: an API key: GET /sandboxes. An access token is not asked about.
References: https://e2b.dev/docs/api-key
  https://github.com/e2b-dev/infra
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import concat, hexa, upper_hex
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import prefixed, prefixed_rule, replace
from ._vendor_answers import Question, Said, asks, cases, in_header

API_KEY = Kind("e2b/api-key")
ACCESS = Kind("e2b/access-token")

_URL = "https://e2b.dev/dashboard?tab=keys"
_DOCS = ("https://e2b.dev/docs/api-key",)

KINDS = (
    CredentialKind(API_KEY, "E2B API key", "high", manual=replace(_URL), references=_DOCS),
    CredentialKind(ACCESS, "E2B access token", "high", manual=replace(_URL, "Log out and in again: `e2b auth logout`, `e2b auth login`.",
                                                                      "Update what uses the old token."), references=_DOCS),
)  # fmt: skip

RULES = (
    prefixed_rule(
        API_KEY, prefixed(rb"e2b_[0-9a-f]{40}", left=rb"(?<![A-Za-z0-9_])"), concat("e2b_", hexa(40)), "E2B_API_KEY", "api.e2b.app/sandboxes",
        (concat("e2b_", hexa(39)), concat("e2b_", hexa(41)), concat("e2b-", hexa(40)), concat("e2b_", upper_hex(40))), score=85, header="X-API-KEY: ",
    ),
    prefixed_rule(
        ACCESS, prefixed(rb"sk_e2b_[0-9a-f]{40}", left=rb"(?<![A-Za-z0-9_])"), concat("sk_e2b_", hexa(40)), "E2B_ACCESS_TOKEN", "api.e2b.app/templates",
        (concat("sk_e2b_", hexa(39)), concat("sk_e2b_", hexa(41)), concat("sk-e2b_", hexa(40)), concat("sk_e2b_", upper_hex(40))), score=85,
    ),
)  # fmt: skip

HOSTS = ("api.e2b.app",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.e2b.app", "/sandboxes", in_header("x-api-key"), ("",), dead=(Said(401, ('"message":"invalid api key, please visit',)),),
    restricted=(Said(403, ("team is blocked", "team is banned"), "the team is blocked"),),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    "[]",
    Answer(401, '{"code":401,"message":"Invalid API key, please visit https://e2b.dev/docs/api-key for more information."}'),
    Case(
        "ill-formed", API_KEY, (Answer(401, '{"code":401,"message":"API key is malformed: expected the prefix"}'),), "unknown"
    ),
    restricted=Answer(403, '{"code":403,"message":"team is blocked: x"}'),
)
