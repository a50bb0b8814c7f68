"""HubSpot private app tokens, legacy API keys and client secrets.

What it is: a private app's token (pat-, a region such as na1 or eu1, a UUID); a legacy key (`hapikey`, a UUID; switched off in 2022); the
  client secret of a public app (a UUID).
Where it is used: CRM synchronisation, forms, agents that read the CRM; `.env`, hubspot.config.yml, n8n flows.
What an attacker can do: read and change contacts, companies, deals and files within the token's scopes; send mail where allowed.
How to replace it: Settings, Integrations, Private Apps, the app, Auth: rotate; the old token can stay valid for seven days. HubSpot
  switches off tokens that GitHub finds in public repositories.
Whether it lives: GET /account-info/v3/details, which needs no scope.
References: https://developers.hubspot.com/docs/guides/apps/private-apps/overview
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule
from keyward.plugin.shapes import concat, hexa, part, text, uuid4
from keyward.plugin.verifier import Answer

from ._saas import URLSAFE_EDGE, UUID, contexts, misses, named, named_contexts, secret, token
from ._vendor_answers import Question, Said, asks, bearer, cases

PAT = Kind("hubspot/private-app-token")
LEGACY = Kind("hubspot/legacy-api-key")
CLIENT = Kind("hubspot/client-secret")

_APPS = "https://app.hubspot.com/l/private-apps"


def _region(parts: Parts) -> Mapping[str, str]:
    return {"region": parts["secret"].split(b"-")[1].decode()}


KINDS = (
    CredentialKind(PAT, "HubSpot private app token", "high", describe=_region,
                   manual=Manual(("Rotate the token at the app's Auth page, at once or with seven days of overlap.", "Update what uses it."), _APPS),
                   references=("https://developers.hubspot.com/docs/guides/apps/private-apps/overview",)),
    CredentialKind(LEGACY, "HubSpot legacy API key", "low",
                   manual=Manual(("Keys of this kind were switched off in 2022; developer keys are replaced in the developer account.", "Use a private app."), _APPS),
                   references=("https://developers.hubspot.com/changelog/upcoming-api-key-sunset",)),
    CredentialKind(CLIENT, "HubSpot app client secret", "high",
                   manual=Manual(("Rotate the client secret at the app's Auth page.", "Update what uses it."), "https://app.hubspot.com/l/developers/"),
                   references=("https://developers.hubspot.com/docs/guides/apps/authentication/working-with-oauth",)),
)  # fmt: skip

RULES = (
    Rule(
        str(PAT),
        PAT,
        token(rb"pat-[a-z]{2}[0-9]{1,2}-" + UUID, URLSAFE_EDGE, rb"A-Za-z0-9_-"),
        score=88,
        examples=contexts("HUBSPOT_ACCESS_TOKEN", concat("pat-eu1-", uuid4())),
        near_misses=misses(
            "HUBSPOT_ACCESS_TOKEN", concat("pat-eu1-", hexa(32)), concat("pat-eu1-", uuid4(), "0"), concat("pat-europe-", uuid4()),
            concat("pat_eu1_", uuid4()), concat("pot-eu1-", uuid4()),
        ),
    ),
    Rule(
        str(LEGACY),
        LEGACY,
        named(rb"(?:hapi_?key|hubspot[\w.-]{0,12}api[_-]?key)", secret(UUID), URLSAFE_EDGE),
        score=45,
        examples=(*named_contexts("HUBSPOT_API_KEY", uuid4()), text("curl 'https://api.hubapi.com/crm/v3/objects?hapikey=", part("secret", uuid4()), "'\n")),
        near_misses=(*misses("HUBSPOT_API_KEY", hexa(32), concat(uuid4(), "0")), *misses("HUBSPOT_APP_ID", uuid4())),
    ),
    Rule(
        str(CLIENT),
        CLIENT,
        named(rb"hubspot[\w.-]{0,12}client[_-]?secret", secret(UUID), URLSAFE_EDGE),
        score=70,
        examples=named_contexts("HUBSPOT_CLIENT_SECRET", uuid4()),
        near_misses=(*misses("HUBSPOT_CLIENT_SECRET", hexa(32), concat(uuid4(), "0")), *misses("HUBSPOT_CLIENT_ID", uuid4())),
    ),
)  # fmt: skip

HOSTS = ("api.hubapi.com",)
VERIFIES = (PAT,)

_ASK = Question(
    "https://api.hubapi.com", "/account-info/v3/details", bearer, ("portalId",),
    dead=(Said(401, ('"category":"invalid_authentication"', '"category":"expired_authentication"')),),
    restricted=(Said(403, ('"category":"missing_scopes"', '"category":"banned"')),), who=("portalId", "accountType"),
)  # fmt: skip
verify = asks({PAT: _ASK})

CASES = cases(
    PAT,
    '{"portalId":1234567,"accountType":"STANDARD","uiDomain":"app.hubspot.com"}',
    Answer(401, '{"status":"error","message":"Authentication credentials not found.","correlationId":"x","category":"INVALID_AUTHENTICATION"}'),
    restricted=Answer(403, '{"status":"error","message":"x","correlationId":"x","category":"MISSING_SCOPES"}'),
)  # fmt: skip
