"""Railway tokens.

What it is: account, workspace and project tokens of railway.com. All are bare UUIDs, so only the name beside them tells.
Where it is used: `RAILWAY_API_TOKEN` (account, workspace) and `RAILWAY_TOKEN` (one project and environment), CI,
  `~/.railway/config.json`, `Project-Access-Token` headers.
What an attacker can do: with an account token read the variables of all projects, deploy and delete services and databases;
  a project token does the same in one environment.
How to replace it: create a new token at railway.com, Account settings, Tokens (or Project settings, Tokens) and delete the
  old one. After a leak rotate the variables it reached.
References: https://docs.railway.com/integrations/api
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, concat, json_member, part, text, uuid4

from ._forms import UUID, manual, named

TOKEN = Kind("railway/api-token")

KINDS = (
    CredentialKind(TOKEN, "Railway token", "critical", manual=manual("https://railway.com/account/tokens"),
                   references=("https://docs.railway.com/integrations/api",)),
)  # fmt: skip

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        named(rb"railway[_-]?(?:(?:api|auth|access|project|team|deploy)[_-]?){0,2}(?:token|key)|project-access-token", UUID),
        score=65,
        examples=(
            assigned("RAILWAY_TOKEN", uuid4()),
            assigned("RAILWAY_API_TOKEN", uuid4(), form="      {name}: {value}\n"),
            text("curl -H 'Project-Access-Token: ", part("secret", uuid4()), "' https://backboard.railway.app/graphql/v2\n"),
            json_member("railwayToken", uuid4()),
        ),
        near_misses=(
            assigned("RAILWAY_TOKEN", concat(uuid4(), "0")),
            assigned("RAILWAY_PROJECT_ID", uuid4()),
            assigned("RAILWAY_TOKEN", an(36)),
        ),
    ),
)
