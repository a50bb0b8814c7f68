"""Render credentials.

What it is: API keys of render.com (`rnd_` and 28 letters and digits; sources differ between 24 and 32), and deploy hooks,
  addresses that carry their own key.
Where it is used: `RENDER_API_KEY`, CI that deploys, Terraform, webhooks.
What an attacker can do: with a key everything the user may do in every workspace: read environment variables and database
  addresses, deploy, delete services; with a deploy hook start deployments.
How to replace it: create a new key at dashboard.render.com, Account settings, API keys, and revoke the old one; regenerate a
  deploy hook in the service's settings.
Whether it lives: GET /v1/owners, the workspaces that the key reaches.
References: https://render.com/docs/api
  https://render.com/docs/deploy-hooks
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, concat, json_member, lower, part, text
from keyward.plugin.verifier import Answer

from ._forms import SLUG, manual, token
from ._vendor_answers import Question, Said, asks, bearer, cases

KEY = Kind("render/api-key")
HOOK = Kind("render/deploy-hook")

KINDS = (
    CredentialKind(KEY, "Render API key", "critical", references=("https://render.com/docs/api",),
                   manual=manual("https://dashboard.render.com/u/settings#api-keys")),
    CredentialKind(HOOK, "Render deploy hook", "low", references=("https://render.com/docs/deploy-hooks",),
                   manual=manual("https://render.com/docs/deploy-hooks", "Regenerate the hook in the service's settings.", "Update what calls it.")),
)  # fmt: skip

_KEY = concat("rnd_", an(28))
_HOOK = concat("https://api.render.com/deploy/srv-", lower(20), "?key=")

RULES = (
    Rule(
        str(KEY),
        KEY,
        token(rb"rnd_(?=[A-Za-z]{0,31}[0-9])[A-Za-z0-9]{24,32}", rb"(?![A-Za-z0-9_])"),
        score=70,
        examples=(
            assigned("RENDER_API_KEY", _KEY),
            text("curl -H 'Authorization: Bearer ", part("secret", _KEY), "' https://api.render.com/v1/owners\n"),
            json_member("renderApiKey", _KEY),
        ),
        near_misses=(
            assigned("RENDER_API_KEY", concat("rnd_", an(23))),
            assigned("RENDER_API_KEY", concat("rnd_", an(33))),
            assigned("RENDER_API_KEY", concat("rnd-", an(28))),
        ),
    ),
    Rule(
        str(HOOK),
        HOOK,
        rb"api\.render\.com/deploy/(?:srv|crn)-[0-9a-z]{16,24}\?key=(?P<secret>[A-Za-z0-9_-]{11})" + SLUG,
        examples=(
            text("curl -X POST '", _HOOK, part("secret", an(11)), "'\n"),
            text("RENDER_DEPLOY_HOOK_URL=", _HOOK, part("secret", an(11)), "\n"),
            text('{"url": "', _HOOK, part("secret", an(11)), '"}\n'),
        ),
        near_misses=(
            text("curl '", _HOOK, an(10), "'\n"),
            text("curl '", _HOOK, an(12), "'\n"),
            text("curl 'https://api.render.com/deploy/srv-", lower(20), "?ref=", an(11), "'\n"),
        ),
    ),
)

HOSTS = ("api.render.com",)
VERIFIES = (KEY,)

_ASK = Question(
    "https://api.render.com", "/v1/owners?limit=1", bearer, ("",), dead=(Said(401, ('{"message":"unauthorized"}',)),), who=("0.owner.name",),
)  # fmt: skip
verify = asks({KEY: _ASK})

CASES = cases(
    KEY,
    '[{"cursor":"x","owner":{"id":"tea-1","name":"Acme","type":"team"}}]',
    Answer(401, '{"message":"Unauthorized"}'),
)
