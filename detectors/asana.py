"""Asana personal access tokens and app secrets.

What it is: a personal access token: 1/ or 2/, the user's id, with 2/ also the token's id, a colon and 32 hex characters (older ones 0/ and 32
  hex characters); the client secret of an OAuth app (32 hex characters).
Where it is used: scripts, synchronisation with other trackers, MCP servers and agents; `.env`, CI.
What an attacker can do: read and change all tasks, projects, attachments and comments that the person can see.
How to replace it: My apps: create another token, deploy it, deauthorise the old one. A client secret is reset at the app's page.
Whether it lives: GET /api/1.0/users/me.
References: https://developers.asana.com/docs/personal-access-token
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.plugin import Companion, CredentialKind, Kind, Parts, Rule
from keyward.plugin.shapes import concat, digits, hexa, part, text
from keyward.plugin.verifier import Answer

from ._saas import contexts, misses, named, named_contexts, replace, secret, token
from ._vendor_answers import Question, Said, asks, bearer, cases

PAT = Kind("asana/pat")
CLIENT = Kind("asana/client-secret")

_APPS = "https://app.asana.com/0/my-apps"


def _user(parts: Parts) -> Mapping[str, str]:
    pieces = parts["secret"].partition(b":")[0].split(b"/")
    return {"user id": pieces[1].decode()} if len(pieces) > 1 and pieces[1].isdigit() else {}


KINDS = (
    CredentialKind(PAT, "Asana personal access token", "high", describe=_user, manual=replace("a new token", _APPS, "Deauthorise the old one."),
                   references=("https://developers.asana.com/docs/personal-access-token",)),
    CredentialKind(CLIENT, "Asana OAuth client secret", "high", public=("id",), manual=replace("a new client secret with Reset", _APPS),
                   references=("https://developers.asana.com/docs/oauth",)),
)  # fmt: skip

_NEW = concat("2/", digits(16), "/", digits(16), ":", hexa(32))

RULES = (
    Rule(
        str(PAT),
        PAT,
        token(rb"[012]/[0-9]{10,20}(?:/[0-9]{10,20})?:[0-9a-f]{32}", before=rb"A-Za-z0-9/."),
        score=85,
        examples=(*contexts("ASANA_ACCESS_TOKEN", _NEW), *contexts("ASANA_PAT", concat("1/", digits(16), ":", hexa(32)))),
        near_misses=misses(
            "ASANA_ACCESS_TOKEN", concat("2/", digits(16), "/", digits(16), ":", hexa(31)), concat("2/", digits(16), "/", digits(16), ":", hexa(33)),
            concat("3/", digits(16), "/", digits(16), ":", hexa(32)), concat("1/", digits(9), ":", hexa(32)), concat("1/", digits(16), "-", hexa(32)),
        ),
    ),
    Rule(
        "asana/pat-old",
        PAT,
        named(rb"asana[\w.-]{0,20}(?:token|key|pat)", secret(rb"0/[0-9a-f]{32}")),
        score=75,
        examples=named_contexts("ASANA_ACCESS_TOKEN", concat("0/", hexa(32))),
        near_misses=(
            *misses("ASANA_ACCESS_TOKEN", concat("0/", hexa(31)), concat("0/", hexa(33)), concat("5/", hexa(32))),
            *misses("ASSET_PATH", concat("0/", hexa(32))),
        ),
    ),
    Rule(
        str(CLIENT),
        CLIENT,
        named(rb"asana[\w.-]{0,12}client[_-]?secret", secret(rb"[0-9a-f]{32}")),
        score=65,
        companions=(Companion("id", rb"(?i:client[_-]?id)[\"']?\s{0,4}(?:=>|[:=])\s{0,4}[\"']?(?P<id>[0-9]{13,20})(?![0-9])", optional=True),),
        examples=(
            *named_contexts("ASANA_CLIENT_SECRET", hexa(32)),
            text("ASANA_CLIENT_ID=", part("id", digits(16)), "\nASANA_CLIENT_SECRET=", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(*misses("ASANA_CLIENT_SECRET", hexa(31), hexa(33), concat(hexa(31), "g")), *misses("ASSET_DIGEST", hexa(32))),
    ),
)  # fmt: skip

HOSTS = ("app.asana.com",)
VERIFIES = (PAT,)

_ASK = Question(
    "https://app.asana.com", "/api/1.0/users/me?opt_fields=gid,name", bearer, ("data.gid",),
    dead=(Said(401, ('"errors":[{"message":"not authorized"',)),), restricted=(Said(403, ('"errors":[{"message":"forbidden"',)),),
    who=("data.name", "data.gid"),
)  # fmt: skip
verify = asks({PAT: _ASK})

CASES = cases(
    PAT,
    '{"data":{"gid":"12345","name":"Greg Sanchez"}}',
    Answer(
        401,
        '{"errors":[{"message":"Not Authorized","help":"For more information on API status codes, read the docs on errors"}]}',
    ),
    restricted=Answer(403, '{"errors":[{"message":"Forbidden","help":"x"}]}'),
)
