"""Cloudsmith keys and entitlement tokens.

What it is: API keys of a Cloudsmith user or service account (`csa_` and 36 characters, by other scanners; 40 hex digits in
  the older form), and entitlement tokens, which stand in the download addresses of private repositories.
Where it is used: `CLOUDSMITH_API_KEY`, `~/.cloudsmith/credentials.ini`, package managers' configuration
  (`dl.cloudsmith.io/TOKEN/…`), Dockerfiles.
What an attacker can do: with a key read, push and delete packages that others install; with an entitlement token download the
  private packages of a repository.
How to replace it: refresh the key at cloudsmith.io, Settings, API key (it changes at once); refresh or delete the
  entitlement token on the repository's page.
References: https://docs.cloudsmith.com/accounts-and-teams/api-key
  https://docs.cloudsmith.com/software-distribution/entitlement-tokens
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, concat, hexa, json_member, part, text

from ._forms import WORD, manual, mixed, named, token

KEY = Kind("cloudsmith/api-key")
ENTITLEMENT = Kind("cloudsmith/entitlement-token")

KINDS = (
    CredentialKind(KEY, "Cloudsmith API key", "critical", references=("https://docs.cloudsmith.com/accounts-and-teams/api-key",),
                   manual=manual("https://cloudsmith.io/user/settings/api/", "Refresh the key.", "Update what uses it.")),
    CredentialKind(ENTITLEMENT, "Cloudsmith entitlement token", "medium",
                   references=("https://docs.cloudsmith.com/software-distribution/entitlement-tokens",),
                   manual=manual("https://docs.cloudsmith.com/software-distribution/entitlement-tokens",
                                 "Refresh the token on the repository's page.", "Update the addresses that hold it.")),
)  # fmt: skip

_KEY = concat("csa_", hexa(30), an(6))
_ENTITLEMENT = concat("q7W", an(13))

RULES = (
    Rule(
        str(KEY),
        KEY,
        token(rb"csa_[0-9a-f]{30}[A-Za-z0-9]{6}", rb"(?![A-Za-z0-9_])"),
        examples=(
            assigned("CLOUDSMITH_API_KEY", _KEY),
            text("[default]\napi_key = ", part("secret", _KEY), "\n"),
            text("curl -H 'X-Api-Key: ", part("secret", _KEY), "' https://api.cloudsmith.io/v1/user/self/\n"),
        ),
        near_misses=(
            assigned("CLOUDSMITH_API_KEY", concat("csa_", hexa(30), an(5))),
            assigned("CLOUDSMITH_API_KEY", concat("csa_", hexa(30), an(7))),
            assigned("CLOUDSMITH_API_KEY", concat("csa_", hexa(29), "g", an(6))),
        ),
    ),
    Rule(
        "cloudsmith/api-key-older",
        KEY,
        named(rb"cloudsmith[_.-]?(?:(?:api|access|auth)[_.-]?){0,2}(?:key|token)", rb"[0-9a-f]{40}", WORD),
        score=65,
        examples=(
            assigned("CLOUDSMITH_API_KEY", hexa(40)),
            assigned("cloudsmith-api-key", hexa(40), form="          {name}: '{value}'\n"),
            json_member("cloudsmithToken", hexa(40)),
        ),
        near_misses=(
            assigned("CLOUDSMITH_API_KEY", hexa(39)),
            assigned("CLOUDSMITH_API_KEY", hexa(41)),
            assigned("CLOUDSMITH_COMMIT", hexa(40)),
        ),
    ),
    Rule(
        str(ENTITLEMENT),
        ENTITLEMENT,
        rb"dl\.cloudsmith\.io/(?P<secret>" + mixed(16) + rb")(?=/)",
        examples=(
            text("--index-url https://dl.cloudsmith.io/", part("secret", _ENTITLEMENT), "/acme/app/python/simple/\n"),
            text("curl -1sLf https://dl.cloudsmith.io/", part("secret", _ENTITLEMENT), "/acme/app/setup.deb.sh | bash\n"),
            text('url "https://dl.cloudsmith.io/', part("secret", _ENTITLEMENT), '/acme/app/maven/"\n'),
        ),
        near_misses=(
            text("https://dl.cloudsmith.io/", concat("q7W", an(12)), "/acme/app/\n"),
            text("https://dl.cloudsmith.io/", concat("q7W", an(14)), "/acme/app/\n"),
            text("https://dl.cloudsmith.io/public/acme/app/deb/debian\n"),
        ),
    ),
)
