"""Deepgram keys.

What it is: an API key of a project, 40 hex digits, without a prefix. Only the name, or the host beside its header, tells.
Where it is used: speech to text and voice agents; `DEEPGRAM_API_KEY`, `DG_API_KEY`, the header `Authorization: Token`.
What an attacker can do: transcribe and speak at the owner's cost; a key with the role of owner or administrator reads the project's
  usage and balance and creates further keys.
How to replace it: create a new key with the same role in the console (or by POST /v1/projects/{id}/keys), delete the old one there
  or by DELETE /v1/projects/{id}/keys/{key id}.
Whether it lives: GET /v1/projects.
References: https://developers.deepgram.com/docs/authenticating
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import hexa, part, text, upper_hex
from keyward.plugin.verifier import Answer

from ._model_vendor import EDGE, beside, key_of, named, named_rule, replace
from ._vendor_answers import Question, Said, asks, cases, in_header

API_KEY = Kind("deepgram/api-key")

KINDS = (
    CredentialKind(API_KEY, "Deepgram API key", "high", public=("host",), manual=replace("https://console.deepgram.com/"),
                   references=("https://developers.deepgram.com/docs/authenticating",)),
)  # fmt: skip

RULES = (
    named_rule(
        API_KEY, named(rb"(?:" + key_of(rb"deepgram") + rb"|(?<![a-z0-9])dg_(?:api_)?key)", rb"[0-9a-f]{40}"), hexa(40), "DEEPGRAM_API_KEY",
        (hexa(39), hexa(41), upper_hex(40)), rule_id=str(API_KEY), score=65,
    ),
    *beside(
        API_KEY, "deepgram/api-key", ("host", rb"(?:api|agent)\.(?:eu\.)?deepgram\.com", "https?://"),
        (rb"(?i:authorization)\\?[\"']?\s{0,2}[:=,]\s{0,2}\\?[\"'`]?[Tt]oken ", rb"[0-9a-f]{40}", EDGE),
        (
            (
                text("fetch('https://", part("host", "api.deepgram.com"), "/v1/listen', {headers: {Authorization: `Token ", part("secret", hexa(40)), "`}})\n"),
                text("ws = connect('wss://", part("host", "agent.deepgram.com"), "', headers={'Authorization': 'Token ", part("secret", hexa(40)), "'})\n"),
                text("curl https://", part("host", "api.deepgram.com"), "/v1/projects -H 'Authorization: Token ", part("secret", hexa(40)), "'\n"),
            ),
            (
                text("curl -H 'Authorization: Token ", part("secret", hexa(40)), "' https://", part("host", "api.deepgram.com"), "/v1/projects\n"),
                text("Authorization: token ", part("secret", hexa(40)), "\nHost: ", part("host", "api.eu.deepgram.com"), "\n"),
                text("get(headers=(('Authorization', 'Token ", part("secret", hexa(40)), "'),), url='https://", part("host", "api.deepgram.com"), "/v1')\n"),
            ),
        ),
        (
            text("curl -H 'Authorization: Token ", hexa(39), "' https://api.deepgram.com/v1/projects\n"),
            text("curl -H 'Authorization: Token ", hexa(40), "' https://api.example.org/v1/projects\n"),
            text("curl -H 'X-Request: Token ", hexa(40), "' https://api.deepgram.com/v1/projects\n"),
        ),
        score=65,
    ),
)  # fmt: skip

HOSTS = ("api.deepgram.com",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.deepgram.com", "/v1/projects", in_header("authorization", "Token "), ("projects",), dead=(Said(401, ('"err_code":"invalid_auth"',)),),
    restricted=(Said(403, ('"err_code":"insufficient_permissions"', '"err_code":"forbidden"')),), who=("projects.0.name",),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"projects":[{"project_id":"1","name":"Acme"}]}',
    Answer(401, '{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials.","request_id":"x"}'),
    restricted=Answer(403, '{"err_code":"INSUFFICIENT_PERMISSIONS","err_msg":"x","request_id":"x"}'),
)
