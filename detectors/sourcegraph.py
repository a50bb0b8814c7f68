"""Sourcegraph access tokens.

What it is: access tokens of a Sourcegraph instance: `sgp_` with an optional instance id (16 hex digits, or `local`) and 40 hex
  digits, workspace tokens (`sgp_ws…`), and in the oldest form 40 hex digits. Segment's public API tokens also begin with
  `sgp_`, with 64 letters and digits.
Where it is used: `src` command line, editor extensions, `SRC_ACCESS_TOKEN`, MCP servers and agents that search code.
What an attacker can do: search and read all source code that the user can see, across every repository of the instance; a
  token with `site-admin:sudo` acts as any user.
How to replace it: create a new one in the user settings under Access tokens and delete the old one there.
Whether it lives: the GraphQL query `currentUser` at the operator's own server (or https://sourcegraph.com as base_url), since
  a token is of one server. It is refused in plain text.
References: https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token
  https://sourcegraph.com/docs/api/graphql
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import assigned, concat, hexa, json_member, part, text
from keyward.plugin.verifier import Answer, Case, Verdict

from ._forms import WORD, manual, named, token
from ._token_probe import own_server, put_plain
from ._vendor_answers import Question, cases, in_header

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

TOKEN = Kind("sourcegraph/access-token")

KINDS = (
    CredentialKind(TOKEN, "Sourcegraph access token", "critical", references=("https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token",),
                   manual=manual("https://sourcegraph.com/user/settings/tokens")),
)  # fmt: skip

_WORD_ = rb"(?![A-Za-z0-9_])"

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"sgp_(?:(?:[0-9A-Fa-f]{16}|local)_)?[0-9A-Fa-f]{40}", _WORD_),
        examples=(
            assigned("SRC_ACCESS_TOKEN", concat("sgp_", hexa(16), "_", hexa(40))),
            text(
                "curl -H 'Authorization: token ",
                part("secret", concat("sgp_local_", hexa(40))),
                "' https://sourcegraph.acme.org/.api/graphql\n",
            ),
            json_member("accessToken", concat("sgp_", hexa(40))),
        ),
        near_misses=(
            assigned("SRC_ACCESS_TOKEN", concat("sgp_", hexa(39))),
            assigned("SRC_ACCESS_TOKEN", concat("sgp_", hexa(16), "_", hexa(41))),
            assigned("SRC_ACCESS_TOKEN", concat("sgp_", hexa(15), "_", hexa(40))),
            assigned("SRC_ACCESS_TOKEN", concat("sgp-", hexa(40))),
        ),
    ),
    Rule(
        "sourcegraph/workspace-token",
        TOKEN,
        token(rb"sgp_ws[0-9a-f]{32}_[0-9a-f]{40}", _WORD_),
        examples=(
            assigned("SRC_ACCESS_TOKEN", concat("sgp_ws", hexa(32), "_", hexa(40))),
            json_member("accessToken", concat("sgp_ws", hexa(32), "_", hexa(40))),
            text("Authorization: token ", part("secret", concat("sgp_ws", hexa(32), "_", hexa(40))), "\n"),
        ),
        near_misses=(
            assigned("SRC_ACCESS_TOKEN", concat("sgp_ws", hexa(31), "_", hexa(40))),
            assigned("SRC_ACCESS_TOKEN", concat("sgp_ws", hexa(32), "_", hexa(41))),
            assigned("SRC_ACCESS_TOKEN", concat("sgp_ws", hexa(32), "-", hexa(40))),
        ),
    ),
    Rule(
        "sourcegraph/access-token-older",
        TOKEN,
        named(rb"src_access_token|sourcegraph[_-]?(?:api[_-]?|access[_-]?)?token", rb"[0-9a-f]{40}", WORD),
        score=65,
        examples=(
            assigned("SRC_ACCESS_TOKEN", hexa(40)),
            assigned("sourcegraph_token", hexa(40), form='{name}: "{value}"\n'),
            json_member("sourcegraphAccessToken", hexa(40)),
        ),
        near_misses=(
            assigned("SRC_ACCESS_TOKEN", hexa(39)),
            assigned("SRC_ACCESS_TOKEN", hexa(41)),
            assigned("SRC_REVISION", hexa(40)),
        ),
    ),
)

HOSTS: tuple[str, ...] = ()
"""None: a token is of one server, which the operator's configuration names."""

VERIFIES = (TOKEN,)

_ASK = Question(
    "", "/.api/graphql", in_header("authorization", "token "), ("data.currentUser.username",), dead=(), who=("data.currentUser.username",),
    method="POST", json={"query": "{ currentUser { username } }"},
)  # fmt: skip


def _there(credential: Credential, target: Target, ports: Ports) -> Verdict:
    return put_plain(_ASK, "Invalid access token.", credential, target, ports)


verify = own_server("sourcegraph", _there)

CASES = cases(
    TOKEN,
    '{"data":{"currentUser":{"username":"ada"}}}',
    Answer(401, "Invalid access token."),
    Case("nobody", TOKEN, (Answer(200, '{"data":{"currentUser":null}}'),), "unknown"),
)
