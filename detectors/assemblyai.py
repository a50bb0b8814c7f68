"""AssemblyAI keys.

What it is: an API key of 32 lower-case letters and digits, without a prefix. Only the name or the call around it tells.
Where it is used: speech to text in web back ends, call analysis and note takers; `ASSEMBLYAI_API_KEY`, `aai.settings.api_key`, the
  header `authorization` without a scheme.
What an attacker can do: transcribe at the owner's cost, read and delete the transcripts of recent months.
How to replace it: create a new key in the dashboard under API keys and delete the old one there.
References: https://www.assemblyai.com/docs/api-reference/overview
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import hexa, lower, upper_hex

from ._model_vendor import has_digit, key_of, named, named_rule, replace

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
