"""Notion integration tokens.

What it is: the token of an internal integration or a personal access token: ntn_, eleven digits and 35 characters; before
  September 2024 `secret_` and 43 characters.
Where it is used: scripts that read and write pages and databases, MCP servers, agents' configurations, `.env`.
What an attacker can do: read, change and delete the pages that are shared with the integration, which may be a whole workspace
  of internal documents.
How to replace it: open the integration, refresh its secret (the old one ends at once) and update what uses it. Tokens of public
  integrations are ended with POST /v1/oauth/revoke.
Whether it lives: GET /v1/users/me, the bot behind the token.
References: https://developers.notion.com/reference/authentication
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import an, concat, digits
from keyward.plugin.verifier import Answer

from ._saas import contexts, misses, token, varied
from ._vendor_answers import Question, Said, asks, bearer, cases

TOKEN = Kind("notion/token")

KINDS = (
    CredentialKind(TOKEN, "Notion integration token", "high",
                   manual=Manual(("Open the integration and refresh its secret; the old one ends at once.", "Update what uses it.",
                                  "Check which pages it may see."), "https://www.notion.so/profile/integrations"),
                   references=("https://developers.notion.com/reference/authentication",)),
)  # fmt: skip

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"ntn_[0-9]{11}[A-Za-z0-9]{35}"),
        score=85,
        examples=contexts("NOTION_TOKEN", concat("ntn_", digits(11), an(35))),
        near_misses=misses(
            "NOTION_TOKEN", concat("ntn_", digits(11), an(34)), concat("ntn_", digits(11), an(36)), concat("ntn-", digits(11), an(35)),
            concat("ntn_", digits(9), "ab", an(35)),
        ),
    ),
    Rule(
        "notion/token-legacy",
        TOKEN,
        token(rb"secret_[A-Za-z0-9]{43}", before=rb"A-Za-z0-9_-"),
        score=65,
        check=varied(),
        examples=contexts("NOTION_API_KEY", concat("secret_", an(43))),
        near_misses=misses(
            "NOTION_API_KEY", concat("secret_", an(42)), concat("secret_", an(44)), concat("secret-", an(43)), concat("my_secret_", an(43))
        ),
    ),
)  # fmt: skip

HOSTS = ("api.notion.com",)
VERIFIES = (TOKEN,)

_ASK = Question(
    "https://api.notion.com", "/v1/users/me", bearer, ("id",),
    dead=(Said(401, ("api token is invalid",)),), restricted=(Said(403, ('"code":"restricted_resource"',)),),
    who=("bot.workspace_name", "name"), also={"notion-version": "2022-06-28"},
)  # fmt: skip
verify = asks({TOKEN: _ASK})

CASES = cases(
    TOKEN,
    '{"object":"user","id":"9188c6a5-7381-452f-b3dc-d4865aa89bdf","name":"Test","type":"bot","bot":{"workspace_name":"Acme"}}',
    Answer(401, '{"object":"error","status":401,"code":"unauthorized","message":"API token is invalid."}'),
    restricted=Answer(403, '{"object":"error","status":403,"code":"restricted_resource","message":"Insufficient permissions"}'),
)
