"""CircleCI API tokens.

What it is: personal API tokens (`CCIPAT_…`) and project tokens (`CCIPRJ_…`), each with an id and 40 hex digits; in the older
  form the 40 digits alone; and tokens in status badge addresses, which normally may read the status only.
Where it is used: `~/.circleci/cli.yml`, the variables `CIRCLE_TOKEN` and `CIRCLECI_CLI_TOKEN`, `Circle-Token` headers, status
  badge and webhook addresses (`?circle-token=`).
What an attacker can do: with a personal token everything the user may do at CircleCI: start pipelines, change settings, add
  SSH keys, and by running a job read the secrets of contexts and projects; a project token reaches one project.
How to replace it: create a new token at app.circleci.com, User settings, Personal API tokens (or Project settings, API
  permissions) and delete the old one. After a leak rotate the contexts' and projects' variables as well.
Whether it lives: GET /api/v2/me. A wrong token is refused in plain text, a missing one in JSON. A project's token would have
  to be asked about with its project.
References: https://circleci.com/docs/managing-api-tokens/
  https://circleci.com/docs/contexts/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, concat, hexa, json_member, part, text
from keyward.plugin.verifier import Answer, Case, Verdict

from ._forms import WORD, manual, named, token
from ._token_probe import put_plain
from ._vendor_answers import Question, Said, cases, in_header

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

PERSONAL = Kind("circleci/personal-token")
PROJECT = Kind("circleci/project-token")
BADGE = Kind("circleci/badge-token")

_DOCS = ("https://circleci.com/docs/managing-api-tokens/",)

KINDS = (
    CredentialKind(PERSONAL, "CircleCI personal API token", "critical", references=_DOCS,
                   manual=manual("https://app.circleci.com/settings/user/tokens", "Create a new token.", "Update what uses the old one.",
                                 "Delete the old one.", "Rotate the variables of the contexts and projects it reached.")),
    CredentialKind(PROJECT, "CircleCI project API token", "high", references=_DOCS,
                   manual=manual("https://circleci.com/docs/managing-api-tokens/#creating-a-project-api-token",
                                 "Create a new token in the project's settings.", "Update what uses the old one.", "Delete the old one.")),
    CredentialKind(BADGE, "CircleCI status badge token", "low", references=("https://circleci.com/docs/status-badges/",),
                   manual=manual("https://circleci.com/docs/status-badges/", "See in the project's settings that its scope is Status.",
                                 "If it is another, create a Status token, put it into the badge and delete the old one.")),
)  # fmt: skip


def _rule(kind: Kind, prefix: str) -> Rule:
    value = concat(prefix, "_", an(22), "_", hexa(40))
    return Rule(
        str(kind),
        kind,
        token(prefix.encode() + rb"_[A-Za-z0-9]{22}_[0-9a-f]{40}", rb"(?![A-Za-z0-9_])"),
        score=80,
        examples=(
            assigned("CIRCLE_TOKEN", value),
            text("host: https://circleci.com\nendpoint: graphql-unstable\ntoken: ", part("secret", value), "\n"),
            text("curl -H 'Circle-Token: ", part("secret", value), "' https://circleci.com/api/v2/me\n"),
            json_member("circleToken", value),
        ),
        near_misses=(
            assigned("CIRCLE_TOKEN", concat(prefix, "_", an(21), "_", hexa(40))),
            assigned("CIRCLE_TOKEN", concat(prefix, "_", an(22), "_", hexa(41))),
            assigned("CIRCLE_TOKEN", concat(prefix, "_", an(22), "-", hexa(40))),
        ),
    )


_NO_BADGE = b"".join(
    rb"(?<!" + before + rb")" for before in (rb"\.svg\?", rb"\.png\?", rb"=svg&", rb"=shield&", rb"=svg&amp;", rb"=shield&amp;")
)
"""Tokens in the address of a status badge are made to be public; they have a kind of their own."""

RULES = (
    _rule(PERSONAL, "CCIPAT"),
    _rule(PROJECT, "CCIPRJ"),
    Rule(
        "circleci/personal-token-older",
        PERSONAL,
        _NO_BADGE
        + named(
            rb"circle(?:[_-]?ci)?[_-]?(?:cli[_-]?|api[_-]?|access[_-]?|personal[_-]?){0,2}(?:token|key)", rb"[0-9a-f]{40}", WORD
        ),
        score=65,
        examples=(
            assigned("CIRCLECI_CLI_TOKEN", hexa(40)),
            text("curl -H 'Circle-Token: ", part("secret", hexa(40)), "' https://circleci.com/api/v1.1/me\n"),
            text("curl 'https://circleci.com/api/v1.1/project/gh/acme/app?circle-token=", part("secret", hexa(40)), "'\n"),
        ),
        near_misses=(
            assigned("CIRCLE_TOKEN", hexa(39)),
            assigned("CIRCLE_TOKEN", hexa(41)),
            assigned("CIRCLE_SHA1", hexa(40)),
        ),
    ),
    Rule(
        str(BADGE),
        BADGE,
        rb"\.(?:svg|png)\?(?:style=[a-z-]{2,20}&(?:amp;)?)?circle-token=(?P<secret>[0-9a-f]{40})" + WORD,
        score=40,
        examples=(
            text(
                "[![CI](https://circleci.com/gh/acme/app.svg?style=svg&circle-token=",
                part("secret", hexa(40)),
                ")](https://circleci.com/gh/acme/app)\n",
            ),
            text("https://circleci.com/gh/acme/app.svg?style=shield&circle-token=", part("secret", hexa(40)), "\n"),
            text('<img src="https://circleci.com/gh/acme/app.png?circle-token=', part("secret", hexa(40)), '">\n'),
        ),
        near_misses=(
            text("https://circleci.com/gh/acme/app.svg?style=svg&circle-token=", hexa(39), "\n"),
            text("https://circleci.com/gh/acme/app.svg?style=svg&circle-token=", hexa(41), "\n"),
            text("https://circleci.com/gh/acme/app.svg?style=svg&revision=", hexa(40), "\n"),
        ),
    ),
)

HOSTS = ("circleci.com",)
VERIFIES = (PERSONAL,)

_ASK = Question(
    "https://circleci.com", "/api/v2/me", in_header("circle-token"), ("id",),
    dead=(Said(401, ('"message":"invalid token provided',)),), who=("login", "name"),
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks whose token it is."""
    return put_plain(_ASK, "Invalid token provided.", credential, target, ports)


CASES = cases(
    PERSONAL,
    '{"id":"497f6eca-6276-4993-bfeb-53cbbbba6f08","login":"ada","name":"Ada"}',
    Answer(401, "Invalid token provided."),
    Case("none arrived", PERSONAL, (Answer(401, '{"message":"You must log in first."}'),), "unknown"),
)
