"""Gitea, Forgejo and Codeberg tokens.

What it is: access tokens of a Gitea or Forgejo instance (40 hex digits, told by the name or host beside them), secrets of
  OAuth2 applications (`gto_`), tokens that register Actions runners, and an instance's internal token.
Where it is used: git remotes, CI (Woodpecker, Drone), `tea` and `fj` configuration, `app.ini` of the server.
What an attacker can do: with an access token read and change repositories within its scopes; with a runner registration token
  receive jobs and their secrets; with the internal token call the server's private interface as the server itself.
How to replace it: create a new token under Settings, Applications (codeberg.org/user/settings/applications) and delete the
  old one. Regenerate the internal token with `gitea generate secret INTERNAL_TOKEN` and restart the server.
Whether it lives: GET /api/v1/user at the operator's own server; a token without the scope read:user is refused in other
  words. The other secrets have no such request.
References: https://docs.gitea.com/development/api-usage
  https://forgejo.org/docs/latest/user/token-scope/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import LOWER, an, assigned, chars, concat, hexa, json_member, jwt, part, text
from keyward.plugin.verifier import Answer

from ._forms import WORD, manual, named, token
from ._token_probe import own_server
from ._vendor_answers import Question, Said, asks, cases, in_header

ACCESS = Kind("gitea/access-token")
OAUTH = Kind("gitea/oauth-secret")
RUNNER = Kind("gitea/runner-registration-token")
INTERNAL = Kind("gitea/internal-token")

_DOCS = "https://docs.gitea.com/development/api-usage"

KINDS = (
    CredentialKind(ACCESS, "Gitea or Forgejo access token", "critical", references=(_DOCS,),
                   manual=manual("https://codeberg.org/user/settings/applications")),
    CredentialKind(OAUTH, "Gitea or Forgejo OAuth2 client secret", "high", references=("https://docs.gitea.com/development/oauth2-provider",),
                   manual=manual("https://docs.gitea.com/development/oauth2-provider", "Regenerate the secret in the application's settings.",
                                 "Update the application.")),
    CredentialKind(RUNNER, "Gitea or Forgejo runner registration token", "high", references=("https://docs.gitea.com/usage/actions/act-runner",),
                   manual=manual("https://docs.gitea.com/usage/actions/act-runner", "Reset the token on the runners page.",
                                 "Remove runners that nobody knows.")),
    CredentialKind(INTERNAL, "Gitea or Forgejo internal token", "critical", references=("https://docs.gitea.com/administration/config-cheat-sheet",),
                   manual=manual("https://docs.gitea.com/administration/config-cheat-sheet",
                                 "Run `gitea generate secret INTERNAL_TOKEN`.", "Put it into app.ini.", "Restart the server.")),
)  # fmt: skip


def _internal(parts: Parts) -> Signal | None:
    claims = jwt_claims(parts["secret"])
    return structure(claims is not None and "nbf" in claims[1], "JSON Web Token with a start")


_NAME = rb"(?:gitea|forgejo|codeberg)[_.-]?(?:(?:api|access|auth|user|admin|bot)[_.-]?){0,2}(?:token|key|password)"
_B32 = LOWER + "234567"
_INTERNAL = jwt('{"nbf":1700000000}')

RULES = (
    Rule(
        str(ACCESS),
        ACCESS,
        named(_NAME, rb"[0-9a-f]{40}", WORD),
        score=65,
        examples=(
            assigned("GITEA_TOKEN", hexa(40)),
            assigned("FORGEJO_API_TOKEN", hexa(40), form="      {name}: '{value}'\n"),
            json_member("codebergToken", hexa(40)),
        ),
        near_misses=(
            assigned("GITEA_TOKEN", hexa(39)),
            assigned("GITEA_TOKEN", hexa(41)),
            assigned("GITEA_COMMIT", hexa(40)),
        ),
    ),
    Rule(
        "gitea/access-token-remote",
        ACCESS,
        rb"[:/](?P<secret>[0-9a-f]{40})@(?:codeberg\.org|(?:gitea|forgejo)\.[a-z0-9.-]{4,60})" + WORD,
        score=75,
        examples=(
            text("https://", part("secret", hexa(40)), "@codeberg.org/acme/app.git\n"),
            text("https://dev:", part("secret", hexa(40)), "@gitea.acme.org/acme/app.git\n"),
            text("\turl = https://dev:", part("secret", hexa(40)), "@forgejo.acme.org/acme/app\n"),
        ),
        near_misses=(
            text("https://dev:", hexa(39), "@codeberg.org/acme/app.git\n"),
            text("https://dev:", hexa(41), "@codeberg.org/acme/app.git\n"),
            text("https://acme.org/tree/", hexa(40), "?codeberg.org\n"),
        ),
    ),
    Rule(
        str(OAUTH),
        OAUTH,
        token(rb"gto_[a-z2-7]{52}", rb"(?![A-Za-z0-9_])"),
        examples=(
            assigned("GITEA_CLIENT_SECRET", concat("gto_", chars(_B32, 52))),
            text("DRONE_GITEA_CLIENT_SECRET=", part("secret", concat("gto_", chars(_B32, 52))), "\n"),
            json_member("client_secret", concat("gto_", chars(_B32, 52))),
        ),
        near_misses=(
            assigned("GITEA_CLIENT_SECRET", concat("gto_", chars(_B32, 51))),
            assigned("GITEA_CLIENT_SECRET", concat("gto_", chars(_B32, 53))),
            assigned("GITEA_CLIENT_SECRET", concat("gto_", chars(_B32, 51), "1")),
        ),
    ),
    Rule(
        str(RUNNER),
        RUNNER,
        named(rb"(?:gitea|forgejo)_(?:actions_)?runner_(?:registration_)?token", rb"[A-Za-z0-9]{40}", WORD),
        score=65,
        examples=(
            assigned("GITEA_RUNNER_REGISTRATION_TOKEN", an(40)),
            assigned("GITEA_RUNNER_REGISTRATION_TOKEN", an(40), form='  {name}: "{value}"\n'),
            text("docker run -e GITEA_RUNNER_REGISTRATION_TOKEN=", part("secret", an(40)), " gitea/act_runner\n"),
        ),
        near_misses=(
            assigned("GITEA_RUNNER_REGISTRATION_TOKEN", an(39)),
            assigned("GITEA_RUNNER_REGISTRATION_TOKEN", an(41)),
            assigned("GITEA_RUNNER_NAME", an(40)),
        ),
    ),
    Rule(
        str(INTERNAL),
        INTERNAL,
        named(rb"internal_token", rb"eyJhbGciOi[A-Za-z0-9_-]{10,60}\.eyJuYmYiOj[A-Za-z0-9_-]{8,40}\.[A-Za-z0-9_-]{43}"),
        score=70,
        check=_internal,
        examples=(
            assigned("INTERNAL_TOKEN", _INTERNAL, form="[security]\nINSTALL_LOCK = true\n{name} = {value}\n"),
            assigned("GITEA__security__INTERNAL_TOKEN", _INTERNAL),
            assigned("INTERNAL_TOKEN", _INTERNAL, form="      {name}: {value}\n"),
        ),
        near_misses=(
            assigned("INTERNAL_TOKEN", jwt('{"nbf":1700000000}', signature=42)),
            assigned("INTERNAL_TOKEN", jwt('{"sub":"somebody"}')),
            assigned("EXTERNAL_TOKEN", _INTERNAL),
        ),
    ),
)

HOSTS: tuple[str, ...] = ()
"""None: a token is of one server, which the operator's configuration names."""

VERIFIES = (ACCESS,)

_ASK = Question(
    "", "/api/v1/user", in_header("authorization", "token "), ("login",), dead=(Said(401, ("invalid username, password or token",)),),
    restricted=(Said(403, ("required scope",), "the token is valid, and lacks the scope read:user"),), who=("login",),
)  # fmt: skip
verify = own_server("gitea", asks({ACCESS: _ASK}))

CASES = cases(
    ACCESS,
    '{"id":1,"login":"ada","is_admin":false}',
    Answer(401, '{"message":"invalid username, password or token","url":"https://gitea.example/api/swagger"}'),
    restricted=Answer(403, '{"message":"token does not have at least one of required scope(s): [read:user]","url":"x"}'),
)
