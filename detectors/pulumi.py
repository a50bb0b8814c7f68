"""Pulumi access tokens.

What it is: an access token of Pulumi Cloud, personal, team or organisation: `pul-` and 40 hex digits.
Where it is used: `PULUMI_ACCESS_TOKEN` in CI, `~/.pulumi/credentials.json`.
What an attacker can do: read the stacks' state and decrypt their secrets, read environments of Pulumi ESC and with them cloud
  credentials, start deployments, delete stacks; an organisation token with admin rights reaches all of it.
How to replace it: create a new token at app.pulumi.com, Account, Access tokens (or the organisation's page) and delete the
  old one there. After a leak rotate the secrets that the stacks hold.
Whether it lives: GET /api/user. A back end of one's own is asked instead where the operator's base_url names it; its tokens
  look the same, so without it a refusal counts only where `host` says api.pulumi.com.
References: https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import assigned, concat, hexa, json_member, part, text
from keyward.plugin.verifier import Answer, Case

from ._forms import manual, token
from ._token_probe import public_or_own
from ._vendor_answers import Question, Said, asks, cases, in_header

TOKEN = Kind("pulumi/access-token")

KINDS = (
    CredentialKind(TOKEN, "Pulumi access token", "critical",
                   references=("https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",),
                   manual=manual("https://app.pulumi.com/account/tokens", "Create a new token with an end.", "Update what uses the old one.",
                                 "Delete the old one.", "Rotate the secrets that the stacks hold.")),
)  # fmt: skip

_TOKEN = concat("pul-", hexa(40))

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        token(rb"pul-[0-9a-f]{40}"),
        score=80,
        examples=(
            assigned("PULUMI_ACCESS_TOKEN", _TOKEN),
            text('{"accessTokens": {"https://api.pulumi.com": "', part("secret", _TOKEN), '"}}\n'),
            text("curl -H 'Authorization: token ", part("secret", _TOKEN), "' https://api.pulumi.com/api/user\n"),
            json_member("pulumiAccessToken", _TOKEN),
        ),
        near_misses=(
            assigned("PULUMI_ACCESS_TOKEN", concat("pul-", hexa(39))),
            assigned("PULUMI_ACCESS_TOKEN", concat("pul-", hexa(41))),
            assigned("PULUMI_ACCESS_TOKEN", concat("pul_", hexa(40))),
        ),
    ),
)

HOSTS = ("api.pulumi.com",)
VERIFIES = (TOKEN,)

_ASK = Question(
    "https://api.pulumi.com", "/api/user", in_header("authorization", "token "), ("githubLogin",),
    dead=(Said(401, ("no credentials provided or are invalid",)),), who=("githubLogin", "tokenInfo.name"), also={"accept": "application/vnd.pulumi+8"},
)  # fmt: skip
verify = public_or_own("pulumi", HOSTS, asks({TOKEN: _ASK}))

_INVALID = Answer(401, '{"code":401,"message":"Unauthorized: No credentials provided or are invalid."}')
CASES = cases(
    TOKEN,
    '{"id":"1","githubLogin":"ada","name":"Ada","tokenInfo":{"name":"ci"}}',
    _INVALID,
    Case("perhaps of another back end", TOKEN, (_INVALID,), "unknown"),
    parts={"host": "api.pulumi.com"},
)
