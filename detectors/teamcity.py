"""TeamCity access tokens.

What it is: an access token of a user of a TeamCity server, in three parts; the first one is always the same header
  (`{"typ": "TCV2"}` in base64).
Where it is used: `TEAMCITY_TOKEN` in build scripts, Terraform, IDE plug-ins, curl with `Authorization: Bearer`.
What an attacker can do: all that the user may do on the server: read build parameters and artifacts, change and start
  builds, and so run code on the agents.
How to replace it: create a new token on the profile page, Access Tokens, and delete the old one there.
References: https://www.jetbrains.com/help/teamcity/rest/teamcity-rest-api-documentation.html
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG

TOKEN = Kind("teamcity/access-token")

KINDS = (
    credential(
        TOKEN,
        "TeamCity access token",
        "critical",
        "https://www.jetbrains.com/help/teamcity/configuring-your-user-profile.html",
        see="https://www.jetbrains.com/help/teamcity/rest/teamcity-rest-api-documentation.html",
    ),
)


_HEAD = "eyJ0eXAi" + "OiAiVENWMiJ9."


RULES = (
    by_prefix(
        TOKEN,
        rb"eyJ0eXAiOiAiVENWMiJ9\.[A-Za-z0-9_-]{36}\.[A-Za-z0-9_-]{48}",
        "TEAMCITY_TOKEN",
        concat(_HEAD, b64url(36), ".", b64url(48)),
        (
            concat(_HEAD, b64url(35), ".", b64url(48)),
            concat(_HEAD, b64url(36), ".", b64url(47)),
            concat(_HEAD, b64url(36), ".", b64url(49)),
        ),
        edge=SLUG,
        score=85,
    ),
)
