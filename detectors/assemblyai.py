"""AssemblyAI keys.

What it is: an API key of 32 lower-case letters and digits, without a prefix. Only the name or the call around it tells.
Where it is used: speech to text in web back ends, call analysis and note takers; `ASSEMBLYAI_API_KEY`, `aai.settings.api_key`, the
  header `authorization` without a scheme.
What an attacker can do: transcribe at the owner's cost, read and delete the transcripts of recent months.
How to replace it: create a new key in the dashboard under API keys and delete the old one there.
Whether it lives: GET /v2/transcript. 401 is also the answer to an account that is switched off or has no money; only the
  words tell.
References: https://www.assemblyai.com/docs/api-reference/overview
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import hexa, lower, upper_hex
from keyward.plugin.verifier import Answer, Case

from ._model_vendor import has_digit, key_of, named, named_rule, replace
from ._vendor_answers import Question, Said, asks, cases, in_header

API_KEY = Kind("assemblyai/api-key")

KINDS = (
    CredentialKind(API_KEY, "AssemblyAI API key", "high", manual=replace("https://www.assemblyai.com/app/api-keys"),
                   references=("https://www.assemblyai.com/docs/api-reference/overview",)),
)  # fmt: skip

RULES = (
    named_rule(
        API_KEY, named(rb"(?:" + key_of(rb"assembly_?ai") + rb"|(?<![a-z0-9])aai[_.](?:settings\.)?api_key)", rb"[0-9a-z]{32}"), hexa(32), "ASSEMBLYAI_API_KEY",
        (lower(31), lower(33), upper_hex(32)), rule_id=str(API_KEY), check=has_digit,
    ),
)  # fmt: skip

HOSTS = ("api.assemblyai.com",)
VERIFIES = (API_KEY,)

_ASK = Question(
    "https://api.assemblyai.com", "/v2/transcript?limit=1", in_header("authorization"), ("transcripts",), dead=(Said(401, ("api token missing/invalid",)),),
)  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"page_details":{"limit":1,"result_count":0},"transcripts":[]}',
    Answer(401, '{"error":"Authentication error, API token missing/invalid"}'),
    Case("no money", API_KEY, (Answer(401, '{"error":"Your current account balance is negative."}'),), "unknown"),
)
