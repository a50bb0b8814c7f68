"""Airtable personal access tokens and legacy API keys.

What it is: a personal access token: pat and 14 characters, which are its id, a point and 64 hex characters; a legacy API key: key and 14
  characters (ended by Airtable in February 2024; still found).
Where it is used: scripts, no-code automations, agents and MCP servers that read bases; `.env`, browser code by mistake.
What an attacker can do: read, change and delete the records of the bases that the token may reach, personal data among them.
How to replace it: Builder hub, Personal access tokens: regenerate the token (the old one ends at once) and update what uses it.
Whether it lives: GET /v0/meta/whoami, which every token may ask. An ill-formed token is refused in the words for a missing
  one, which say nothing. The API keys of before 2024 are all dead.
References: https://airtable.com/developers/web/guides/personal-access-tokens
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import Shape, an, concat, hexa, part
from keyward.plugin.verifier import Answer, Case

from ._saas import contexts, misses, named, named_contexts, secret, varied
from ._vendor_answers import Question, Said, asks, bearer, cases

PAT = Kind("airtable/pat")
LEGACY = Kind("airtable/api-key")

_MANUAL = Manual(
    ("Regenerate the token; the old one ends at once.", "Update what uses it."), "https://airtable.com/create/tokens"
)

KINDS = (
    CredentialKind(PAT, "Airtable personal access token", "high", public=("id",), manual=_MANUAL,
                   references=("https://airtable.com/developers/web/guides/personal-access-tokens",)),
    CredentialKind(LEGACY, "Airtable legacy API key", "medium",
                   manual=Manual(("Delete the legacy key in the account's settings, if it is still there.", "Use a personal access token."), "https://airtable.com/account"),
                   references=("https://support.airtable.com/docs/airtable-api-key-deprecation-notice",)),
)  # fmt: skip


def _pat(first: int = 14, second: int = 64, *, dot: str = ".", start: str = "pat") -> Shape:
    return concat(part("id", concat(start, an(first))), dot, hexa(second))


RULES = (
    Rule(
        str(PAT),
        PAT,
        rb"(?<![A-Za-z0-9])" + secret(rb"(?P<id>pat[A-Za-z0-9]{14})\.[0-9a-f]{64}") + rb"(?![A-Za-z0-9])",
        score=88,
        examples=contexts("AIRTABLE_API_KEY", _pat()),
        near_misses=misses("AIRTABLE_API_KEY", _pat(13), _pat(15), _pat(second=63), _pat(second=65), _pat(dot="-"), _pat(start="pet")),
    ),
    Rule(
        str(LEGACY),
        LEGACY,
        named(rb"airtable[\w.-]{0,20}(?:key|token)", secret(rb"key[A-Za-z0-9]{14}")),
        score=60,
        check=varied(),
        examples=named_contexts("AIRTABLE_API_KEY", concat("key", an(14))),
        near_misses=(
            *misses("AIRTABLE_API_KEY", concat("key", an(13)), concat("key", an(15)), concat("kay", an(14))),
            *misses("OTHER_VALUE", concat("key", an(14))),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.airtable.com",)
VERIFIES = (PAT,)

_ASK = Question(
    "https://api.airtable.com", "/v0/meta/whoami", bearer, ("id",),
    dead=(Said(401, ("invalid authentication token",)),), who=("id",), scopes="scopes",
)  # fmt: skip
verify = asks({PAT: _ASK})

CASES = cases(
    PAT,
    '{"id":"usr1","scopes":["data.records:read","schema.bases:read"]}',
    Answer(401, '{"error":{"type":"UNAUTHORIZED","message":"Invalid authentication token"}}'),
    Case("ill-formed, or missing", PAT, (Answer(401, '{"error":{"type":"AUTHENTICATION_REQUIRED","message":"Authentication required"}}'),), "unknown"),
)  # fmt: skip
