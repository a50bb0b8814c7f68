"""Git's extra header with a password.

What it is: `http.<url>.extraheader = AUTHORIZATION: basic …` in a git configuration. (Passwords in remote URLs and in
  `.git-credentials` are found by the pack url_credentials.)
Where it is used: `.git/config` that a CI checkout has left behind (actions/checkout writes it), Azure Pipelines, images built
  with the whole working copy inside.
What an attacker can do: read and, if the token may, push to the repositories of its owner; tokens of a CI job end with the job.
How to replace it: revoke the token at the code host and make a new one; set `persist-credentials: false` in the checkout step.
References: https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpextraHeader  https://github.com/actions/checkout
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import an, b64, part, text

from .basic_auth import ENCODED, check_pair

HEADER = Kind("git/extra-header")

KINDS = (
    CredentialKind(
        HEADER,
        "Password in git's extra header",
        "high",
        manual=Manual(
            ("Revoke the token at the code host.", "Remove the section: git config --unset-all http.URL.extraheader.", "Check out without persisted credentials."),
            "https://github.com/actions/checkout#usage",
        ),
        references=("https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpextraHeader",),
    ),
)

_SECRET = part("secret", ENCODED)

RULES = (
    Rule(
        "git/extra-header",
        HEADER,
        rb"(?i:extraheader)[\"']?\s{0,3}=?\s{0,3}[\"']?(?i:authorization): (?i:basic) (?P<secret>[A-Za-z0-9+/]{8,2000}={0,2})(?![A-Za-z0-9+/=])",
        specificity=STRUCTURAL,
        score=80,
        window=2200,
        check=check_pair,
        examples=(
            text('[http "https://git.corp.io/"]\n\textraheader = AUTHORIZATION: basic ', _SECRET, "\n"),
            text('git -c http.extraheader="AUTHORIZATION: basic ', _SECRET, '" fetch\n'),
            text("git config http.https://git.corp.io/.extraheader 'Authorization: Basic ", _SECRET, "'\n"),
        ),
        near_misses=(
            text("\textraheader = AUTHORIZATION: basic ***\n"),
            text("\textraheader = AUTHORIZATION: basic ", b64(40), "\n"),
            text("\textraheader = X-Trace: ", an(40), "\n"),
        ),
    ),
)  # fmt: skip
