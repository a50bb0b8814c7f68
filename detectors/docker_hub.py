"""Docker Hub tokens.

What it is: personal access tokens (`dckr_pat_…`) and organisation access tokens (`dckr_oat_…`) of Docker Hub, and the older
  personal tokens, which are bare UUIDs.
Where it is used: `docker login`, CI variables (`DOCKERHUB_TOKEN`, `DOCKER_PASSWORD`), `~/.docker/config.json` (there in
  base64 with the user name).
What an attacker can do: pull private images, with everything that was built into them; with write access push an image with
  malicious code under a tag that others deploy.
How to replace it: create a new token at app.docker.com, Account settings, Personal access tokens (for an organisation in the
  Admin Console), log in again where the old one was used, and delete it. Compare the digests of recently pushed tags.
References: https://docs.docker.com/security/access-tokens/
  https://docs.docker.com/enterprise/security/access-tokens/
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, json_member, part, text, uuid4

from ._forms import UUID, manual, named, token

PERSONAL = Kind("docker-hub/personal-token")
ORGANISATION = Kind("docker-hub/organisation-token")

_DOCS = ("https://docs.docker.com/security/access-tokens/",)

KINDS = (
    CredentialKind(PERSONAL, "Docker Hub personal access token", "critical", public=("user",), references=_DOCS,
                   manual=manual("https://app.docker.com/settings/personal-access-tokens")),
    CredentialKind(ORGANISATION, "Docker Hub organisation access token", "critical", public=("user",), references=_DOCS,
                   manual=manual("https://docs.docker.com/enterprise/security/access-tokens/")),
)  # fmt: skip

_USER = Companion(
    "user",
    rb"(?:-u[ =]?|--username[ =]|(?i:docker(?:hub|_hub)?_user(?:name)?)[\"']?\s{0,3}[:=]\s{0,3})[\"']?(?P<user>[a-z0-9][a-z0-9_-]{2,29})(?![A-Za-z0-9_-])",
    within=200,
    optional=True,
)


def _rule(kind: Kind, prefix: str, length: int, user: str) -> Rule:
    value: Shape = concat(prefix, b64url(length))
    return Rule(
        str(kind),
        kind,
        token(prefix.encode() + rb"[A-Za-z0-9_-]{%d}" % length),
        score=80,
        companions=(_USER,),
        examples=(
            assigned("DOCKERHUB_TOKEN", value),
            text("docker login -u ", part("user", user), " -p ", part("secret", value), "\n"),
            text("DOCKER_USERNAME=", part("user", user), "\nDOCKER_PASSWORD=", part("secret", value), "\n"),
            json_member("dockerToken", value),
        ),
        near_misses=(
            assigned("DOCKERHUB_TOKEN", concat(prefix, b64url(length - 1))),
            assigned("DOCKERHUB_TOKEN", concat(prefix, b64url(length + 1))),
            assigned("DOCKERHUB_TOKEN", concat(prefix[:-1], "-", b64url(length))),
        ),
    )


RULES = (
    _rule(PERSONAL, "dckr_pat_", 27, "devacme"),
    _rule(ORGANISATION, "dckr_oat_", 32, "acmeorg"),
    Rule(
        "docker-hub/personal-token-uuid",
        PERSONAL,
        named(rb"docker[_-]?(?:hub[_-]?)?(?:access[_-]?)?(?:token|pat|password)", UUID),
        score=60,
        companions=(_USER,),
        examples=(
            assigned("DOCKERHUB_TOKEN", uuid4()),
            assigned("DOCKER_PASSWORD", uuid4(), form='    {name}: "{value}"\n'),
            json_member("dockerHubAccessToken", uuid4()),
        ),
        near_misses=(
            assigned("DOCKERHUB_TOKEN", concat(uuid4(), "0")),
            assigned("DOCKERHUB_ID", uuid4()),
            assigned("DOCKERHUB_TOKEN", an(36)),
        ),
    ),
)
