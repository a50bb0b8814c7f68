"""Buildkite tokens.

What it is: API access tokens (`bkua_`), agent and cluster tokens (`bkct_`, `bkar_`), agent session and job tokens (`bkaa_`,
  `bkaj_`), package registry and portal tokens (`bkpt_`, `bkpat_`). The vendor documents the prefixes and, by its samples, the
  lengths of some; those of the others are from other scanners, unverified.
Where it is used: `BUILDKITE_API_TOKEN`, `~/.config/bk.yaml`, `buildkite-agent.cfg`, `BUILDKITE_AGENT_TOKEN`, job logs.
What an attacker can do: with an API token read builds and their logs, start builds, change pipelines, as far as its scopes go;
  with an agent or cluster token register an agent that receives the cluster's jobs with their secrets.
How to replace it: an API token can kill itself with DELETE https://api.buildkite.com/v2/access-token; a new one is made at
  Personal settings, API access tokens. An agent token is replaced on the cluster's Agent tokens page.
Whether it lives: GET /v2/access-token, what the token is and which scopes it has. Tokens of agents, jobs and registries have
  no such request.
References: https://buildkite.com/docs/platform/security/tokens
  https://buildkite.com/docs/agent/self-hosted/tokens
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, hexa, json_member, lower, part, text
from keyward.plugin.verifier import Answer

from ._forms import SLUG, WORD, manual, named, token
from ._vendor_answers import Question, Said, asks, bearer, cases

API = Kind("buildkite/api-token")
AGENT = Kind("buildkite/agent-token")
JOB = Kind("buildkite/job-token")
PACKAGES = Kind("buildkite/registry-token")

_DOCS = ("https://buildkite.com/docs/platform/security/tokens",)

KINDS = (
    CredentialKind(API, "Buildkite API access token", "critical", references=_DOCS,
                   manual=manual("https://buildkite.com/user/api-access-tokens")),
    CredentialKind(AGENT, "Buildkite agent token", "high", references=_DOCS,
                   manual=manual("https://buildkite.com/docs/agent/self-hosted/tokens", "Create a new token for the cluster.",
                                 "Restart the agents with it.", "Revoke the old one.", "Look for agents that nobody knows.")),
    CredentialKind(JOB, "Buildkite agent session or job token", "medium", references=_DOCS,
                   manual=manual("https://buildkite.com/docs/agent/self-hosted/tokens",
                                 "Cancel the job, or stop the agent: the token ends with it.", "Keep it out of the log.")),
    CredentialKind(PACKAGES, "Buildkite registry or portal token", "high", references=_DOCS,
                   manual=manual("https://buildkite.com/docs/package-registries")),
)  # fmt: skip


def _rule(kind: Kind, rule_id: str, body: bytes, sample: Shape, name: str, extra: Shape, near: tuple[Shape, ...]) -> Rule:
    return Rule(
        rule_id,
        kind,
        token(body, SLUG),
        examples=(assigned(name, sample), json_member("token", sample), extra),
        near_misses=tuple(assigned(name, wrong) for wrong in near),
    )


def _fixed(kind: Kind, prefix: str, length: int, name: str, extra: str = "Authorization: Token ") -> Rule:
    value = concat(prefix, b64url(length))
    near = (concat(prefix, b64url(length - 1)), concat(prefix, b64url(length + 1)), concat(prefix[:-1], "-", b64url(length)))
    body = prefix.encode() + rb"[A-Za-z0-9_-]{%d}" % length
    return _rule(kind, f"buildkite/{prefix[:-1]}", body, value, name, text(extra, part("secret", value), "\n"), near)


RULES = (
    _rule(API, str(API), rb"bkua_(?:[A-Za-z0-9]{53}|[A-Za-z0-9]{40})", concat("bkua_", an(53)), "BUILDKITE_API_TOKEN",
          text("curl -H 'Authorization: Bearer ", part("secret", concat("bkua_", lower(40))), "' https://api.buildkite.com/v2/user\n"),
          (concat("bkua_", an(39)), concat("bkua_", an(41)), concat("bkua_", an(54)), concat("bkua-", an(53)))),
    Rule(
        "buildkite/api-token-older",
        API,
        named(rb"buildkite[_-]?(?:api[_-]?|access[_-]?|graphql[_-]?){1,2}token", rb"[0-9a-f]{40}", WORD),
        score=65,
        examples=(
            assigned("BUILDKITE_API_TOKEN", hexa(40)),
            assigned("BUILDKITE_API_ACCESS_TOKEN", hexa(40), form="  {name}: '{value}'\n"),
            json_member("buildkiteApiToken", hexa(40)),
        ),
        near_misses=(
            assigned("BUILDKITE_API_TOKEN", hexa(39)),
            assigned("BUILDKITE_API_TOKEN", hexa(41)),
            assigned("BUILDKITE_COMMIT", hexa(40)),
        ),
    ),
    _fixed(AGENT, "bkct_", 73, "BUILDKITE_AGENT_TOKEN", "buildkite-agent start --token "),
    _fixed(AGENT, "bkar_", 73, "BUILDKITE_AGENT_TOKEN"),
    Rule(
        "buildkite/agent-token-older",
        AGENT,
        named(rb"buildkite[_-]?agent[_-]?token", rb"(?:[0-9a-f]{50}|[0-9a-f]{40})", WORD),
        score=65,
        examples=(
            assigned("BUILDKITE_AGENT_TOKEN", hexa(50)),
            text("docker run -e BUILDKITE_AGENT_TOKEN=", part("secret", hexa(50)), " buildkite/agent\n"),
            text("BuildkiteAgentToken: ", part("secret", hexa(40)), "\n"),
        ),
        near_misses=(
            assigned("BUILDKITE_AGENT_TOKEN", hexa(39)),
            assigned("BUILDKITE_AGENT_TOKEN", hexa(51)),
            assigned("BUILDKITE_AGENT_NAME", hexa(50)),
        ),
    ),
    _fixed(JOB, "bkaa_", 75, "BUILDKITE_AGENT_ACCESS_TOKEN"),
    _rule(JOB, "buildkite/bkaj", rb"bkaj_[A-Za-z0-9_.-]{200,500}", concat("bkaj_", b64url(333)), "BUILDKITE_AGENT_ACCESS_TOKEN",
          text("Authorization: Token ", part("secret", concat("bkaj_", b64url(333))), "\n"),
          (concat("bkaj_", b64url(190)), concat("bkaj-", b64url(333)), concat("bkak_", b64url(333)))),
    _rule(PACKAGES, "buildkite/bkpt", rb"bkpt_[A-Za-z0-9_.-]{120,400}", concat("bkpt_", b64url(199)), "BUILDKITE_REGISTRY_TOKEN",
          text("docker login packages.buildkite.com/acme -u buildkite -p ", part("secret", concat("bkpt_", b64url(199))), "\n"),
          (concat("bkpt_", b64url(110)), concat("bkpt-", b64url(199)), concat("bkpu_", b64url(199)))),
    _fixed(PACKAGES, "bkpat_", 54, "BUILDKITE_PORTAL_TOKEN"),
)  # fmt: skip

HOSTS = ("api.buildkite.com",)
VERIFIES = (API,)

_ASK = Question(
    "https://api.buildkite.com", "/v2/access-token", bearer, ("uuid",), dead=(Said(401, ("please supply a valid api access token",)),),
    who=("user.name", "uuid"), scopes="scopes",
)  # fmt: skip
verify = asks({API: _ASK})

CASES = cases(
    API,
    '{"uuid":"b63254c0-3271-4a98-8270-7cfbd6c2f14e","scopes":["read_builds","read_user"],"user":{"name":"Ada"}}',
    Answer(401, '{"message":"Authentication required. Please supply a valid API Access Token: https://buildkite.com/docs/apis/rest-api"}'),
)  # fmt: skip
