"""Vercel credentials.

What it is: access tokens (`vcp_` personal, `vci_` integration, `vca_` and `vcr_` access and refresh tokens of an app; 24
  letters and digits in the older form), AI Gateway keys (`vck_`), Blob store tokens, deploy hooks, Edge Config connection
  strings and the secret that passes deployment protection. The Blob token's length is unverified.
Where it is used: CI variables (`VERCEL_TOKEN`), the command line's `auth.json`, `.env.local` files pulled from a project.
What an attacker can do: with an access token read the environment variables of every project (and so further secrets),
  deploy code under the project's domains; with an AI Gateway key spend the team's model credit; with a Blob token read,
  overwrite and delete stored files; with a hook start deployments.
How to replace it: create a new token at vercel.com, Account settings, Tokens, and delete the old one; keys and stores have
  their own pages in the team's dashboard. After a leaked access token rotate the projects' variables too.
Whether it lives: GET /v2/user. Vercel refuses with 403 either way; only `invalidToken` in the answer says that the token is
  not valid.
References: https://vercel.com/docs/sign-in-with-vercel/tokens
  https://vercel.com/docs/rest-api
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, json_member, lower, part, text, uuid4
from keyward.plugin.verifier import Answer

from ._forms import SLUG, UUID, WORD, manual, mixed, named, token
from ._token_probe import for_all
from ._vendor_answers import Question, Said, asks, bearer, cases

ACCESS = Kind("vercel/access-token")
INTEGRATION = Kind("vercel/integration-token")
APP = Kind("vercel/app-token")
GATEWAY = Kind("vercel/ai-gateway-key")
BLOB = Kind("vercel/blob-token")
HOOK = Kind("vercel/deploy-hook")
EDGE = Kind("vercel/edge-config-token")
BYPASS = Kind("vercel/protection-bypass-secret")

_TOKENS = "https://vercel.com/account/settings/tokens"
_REFERENCES = ("https://vercel.com/docs/rest-api",)


def _kind(name: Kind, title: str, severity: str, url: str, *steps: str) -> CredentialKind:
    return CredentialKind(name, title, severity, manual=manual(url, *steps), references=_REFERENCES)


KINDS = (
    _kind(ACCESS, "Vercel access token", "critical", _TOKENS, "Create a new token, for one team or project, with an end.",
          "Update what uses the old one.", "Delete the old one.", "Rotate the environment variables of the projects it reached."),
    _kind(INTEGRATION, "Vercel integration token", "critical", "https://vercel.com/dashboard/integrations",
          "Remove the integration from the team and install it again.", "Update what uses the token."),
    _kind(APP, "Vercel app token", "high", "https://vercel.com/account/settings/authentication",
          "Revoke the app's access.", "Authorise it again."),
    _kind(GATEWAY, "Vercel AI Gateway key", "critical", "https://vercel.com/dashboard/ai-gateway/api-keys"),
    _kind(BLOB, "Vercel Blob read-write token", "high", "https://vercel.com/dashboard/stores",
          "Rotate the store's token in its settings.", "Deploy the projects that use it again."),
    _kind(HOOK, "Vercel deploy hook", "medium", "https://vercel.com/docs/deploy-hooks",
          "Create a new hook in the project's Git settings.", "Update what calls it.", "Revoke the old one."),
    _kind(EDGE, "Vercel Edge Config token", "medium", "https://vercel.com/docs/edge-config",
          "Create a new token in the Edge Config's token page.", "Update the connection string.", "Delete the old one."),
    _kind(BYPASS, "Vercel protection bypass secret", "medium",
          "https://vercel.com/docs/deployment-protection/methods-to-bypass-deployment-protection/protection-bypass-automation",
          "Regenerate the secret in the project's deployment protection settings.", "Deploy again and update the tests."),
)  # fmt: skip

_B56 = b64url(56)


def _prefixed(kind: Kind, rule_id: str, prefix: str, name: str, extra: Shape) -> Rule:
    return Rule(
        rule_id,
        kind,
        token(prefix.encode() + rb"[A-Za-z0-9_-]{56}"),
        examples=(assigned(name, concat(prefix, _B56)), json_member("token", concat(prefix, _B56)), extra),
        near_misses=(
            assigned(name, concat(prefix, b64url(55))),
            assigned(name, concat(prefix, b64url(57))),
            assigned(name, concat(prefix[:-1], "-", _B56)),
        ),
    )


def _bearer(prefix: str) -> Shape:
    return text("curl -H 'Authorization: Bearer ", part("secret", concat(prefix, _B56)), "' https://api.vercel.com/v2/user\n")


_OLDER = concat("q7W", an(21))
_HOOK = concat("https://api.vercel.com/v1/integrations/deploy/prj_", an(28), "/")

RULES = (
    _prefixed(ACCESS, str(ACCESS), "vcp_", "VERCEL_TOKEN",
              text("vercel deploy --prod --token=", part("secret", concat("vcp_", _B56)), "\n")),
    _prefixed(INTEGRATION, str(INTEGRATION), "vci_", "VERCEL_TOKEN", _bearer("vci_")),
    _prefixed(APP, str(APP), "vca_", "ACCESS_TOKEN", _bearer("vca_")),
    _prefixed(APP, "vercel/app-refresh-token", "vcr_", "REFRESH_TOKEN",
              text('{"refreshToken": "', part("secret", concat("vcr_", _B56)), '"}\n')),
    _prefixed(GATEWAY, str(GATEWAY), "vck_", "AI_GATEWAY_API_KEY",
              text('createGateway({ apiKey: "', part("secret", concat("vck_", _B56)), '" })\n')),
    Rule(
        "vercel/access-token-older",
        ACCESS,
        named(rb"(?:vercel|zeit|now)[_-](?:api[_-]?|access[_-]?|auth[_-]?)?token", mixed(24), rb"(?![A-Za-z0-9_=-])"),
        score=65,
        examples=(
            assigned("VERCEL_TOKEN", _OLDER),
            assigned("VERCEL_TOKEN", _OLDER, form="      {name}: '{value}'\n"),
            assigned("vercel-token", _OLDER, form="          {name}: {value}\n"),
        ),
        near_misses=(
            assigned("VERCEL_TOKEN", concat("q7W", an(20))),
            assigned("VERCEL_TOKEN", concat("q7W", an(22))),
            assigned("VERCEL_PROJECT_ID", _OLDER),
        ),
    ),
    Rule(
        str(BLOB),
        BLOB,
        token(rb"vercel_blob_rw_[A-Za-z0-9]{14,18}_[A-Za-z0-9]{26,40}", rb"(?![A-Za-z0-9_])"),
        examples=(
            assigned("BLOB_READ_WRITE_TOKEN", concat("vercel_blob_rw_", an(16), "_", an(30)), form='{name}="{value}"\n'),
            json_member("BLOB_READ_WRITE_TOKEN", concat("vercel_blob_rw_", an(16), "_", an(30))),
            text("put(name, body, { token: '", part("secret", concat("vercel_blob_rw_", an(16), "_", an(30))), "' })\n"),
        ),
        near_misses=(
            assigned("BLOB_READ_WRITE_TOKEN", concat("vercel_blob_rw_", an(16), "_", an(25))),
            assigned("BLOB_READ_WRITE_TOKEN", concat("vercel_blob_ro_", an(16), "_", an(30))),
            assigned("BLOB_READ_WRITE_TOKEN", concat("vercel_blob_rw_", an(16), "-", an(30))),
        ),
    ),
    Rule(
        str(HOOK),
        HOOK,
        rb"api\.vercel\.com/v1/integrations/deploy/(?:prj_[A-Za-z0-9]{20,40}|Qm[A-Za-z0-9]{44})/(?P<secret>[A-Za-z0-9_-]{10})" + SLUG,
        examples=(
            text("curl -X POST ", _HOOK, part("secret", an(10)), "\n"),
            text("VERCEL_DEPLOY_HOOK=", _HOOK, part("secret", an(10)), "\n"),
            text('{"hook": "', _HOOK, part("secret", an(10)), '"}\n'),
        ),
        near_misses=(
            text("curl -X POST ", _HOOK, an(9), "\n"),
            text("curl -X POST ", _HOOK, an(11), "\n"),
            text("curl -X POST https://api.vercel.com/v1/integrations/deploys/prj_", an(28), "/", an(10), "\n"),
        ),
    ),
    Rule(
        str(EDGE),
        EDGE,
        rb"edge-config\.vercel\.com/ecfg_[A-Za-z0-9]{16,40}\?token=(?P<secret>" + UUID + rb")" + SLUG,
        examples=(
            text("EDGE_CONFIG=https://edge-config.vercel.com/ecfg_", lower(28), "?token=", part("secret", uuid4()), "\n"),
            text('createClient("https://edge-config.vercel.com/ecfg_', lower(28), "?token=", part("secret", uuid4()), '")\n'),
            text("curl 'https://edge-config.vercel.com/ecfg_", lower(28), "?token=", part("secret", uuid4()), "'\n"),
        ),
        near_misses=(
            text("EDGE_CONFIG=https://edge-config.vercel.com/ecfg_", lower(28), "?token=", an(36), "\n"),
            text("EDGE_CONFIG=https://edge-config.vercel.com/ecfg_", lower(28), "?digest=", uuid4(), "\n"),
            text("EDGE_CONFIG=https://edge-config.vercel.com/ecfg_", lower(28), "?token=", uuid4(), "0\n"),
        ),
    ),
    Rule(
        str(BYPASS),
        BYPASS,
        named(rb"vercel[_-](?:automation[_-]bypass[_-]secret|protection[_-]bypass)", rb"[A-Za-z0-9]{32}", WORD),
        score=65,
        examples=(
            assigned("VERCEL_AUTOMATION_BYPASS_SECRET", an(32)),
            text("curl -H 'x-vercel-protection-bypass: ", part("secret", an(32)), "' https://app-git-main-acme.vercel.app\n"),
            text("https://app.vercel.app/?x-vercel-protection-bypass=", part("secret", an(32)), "&x=1\n"),
        ),
        near_misses=(
            assigned("VERCEL_AUTOMATION_BYPASS_SECRET", an(31)),
            assigned("VERCEL_AUTOMATION_BYPASS_SECRET", an(33)),
            assigned("VERCEL_AUTOMATION_BYPASS_NAME", an(32)),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.vercel.com",)
VERIFIES = (ACCESS, INTEGRATION, APP)

_ASK = Question(
    "https://api.vercel.com", "/v2/user", bearer, ("user.id", "user.uid"),
    dead=(Said(403, ('"invalidtoken":true',)), Said(401, ('"invalidtoken":true',))), restricted=(Said(403, ('"code":"forbidden"',)),),
    who=("user.username", "user.defaultTeamId"),
)  # fmt: skip
verify = asks(dict.fromkeys(VERIFIES, _ASK))

CASES = for_all(
    VERIFIES,
    cases(
        ACCESS,
        '{"user":{"id":"AEIIDYVk59zbFF2Sxfyxxmua","username":"jane-doe","defaultTeamId":"team_acme"}}',
        Answer(403, '{"error":{"code":"forbidden","message":"Not authorized","invalidToken":true}}'),
        restricted=Answer(403, '{"error":{"code":"forbidden","message":"Not authorized"}}'),
    ),
)
