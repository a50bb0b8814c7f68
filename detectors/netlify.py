"""Netlify credentials.

What it is: personal access tokens (`nfp_…`; 43 characters or 64 hex digits in the older forms) and build hooks, whose
  address is their only protection.
Where it is used: CI variables (`NETLIFY_AUTH_TOKEN`), `~/.config/netlify/config.json`, deploy scripts, webhooks of CMSs.
What an attacker can do: with a token everything the account may do: deploy to its domains, read environment variables and
  form submissions, change DNS; with a build hook start builds and so use up build minutes.
How to replace it: create a new token at app.netlify.com, User settings, Applications, and delete the old one there. A build
  hook is replaced in the site's build settings.
Whether it lives: GET /api/v1/user.
References: https://docs.netlify.com/api/get-started/#authentication
  https://docs.netlify.com/configure-builds/build-hooks/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, b64url, chars, concat, hexa, json_member, part, text
from keyward.plugin.verifier import Answer

from ._forms import WORD, manual, mixed, named, token
from ._vendor_answers import Question, Said, asks, bearer, cases

ACCESS = Kind("netlify/access-token")
HOOK = Kind("netlify/build-hook")

KINDS = (
    CredentialKind(ACCESS, "Netlify personal access token", "critical", references=("https://docs.netlify.com/api/get-started/#authentication",),
                   manual=manual("https://app.netlify.com/user/applications#personal-access-tokens", "Create a new token with an end.",
                                 "Update what uses the old one.", "Delete the old one.", "Rotate the sites' environment variables.")),
    CredentialKind(HOOK, "Netlify build hook", "low", references=("https://docs.netlify.com/configure-builds/build-hooks/",),
                   manual=manual("https://docs.netlify.com/configure-builds/build-hooks/", "Add a new build hook to the site.",
                                 "Update what calls it.", "Delete the old one.")),
)  # fmt: skip

_TOKEN = concat("nfp_", an(36))
_NAME = rb"netlify[_.-]?(?:(?:api|auth|access|personal)[_.-]?){0,2}(?:token|key)"
_OLDER = concat("q7W", b64url(40))

RULES = (
    Rule(
        str(ACCESS),
        ACCESS,
        token(rb"nfp_[A-Za-z0-9]{36,48}", rb"(?![A-Za-z0-9_])"),
        examples=(
            assigned("NETLIFY_AUTH_TOKEN", _TOKEN),
            text('{"users": {"1": {"auth": {"token": "', part("secret", _TOKEN), '"}}}}\n'),
            text("netlify deploy --prod --auth ", part("secret", concat("nfp_", an(40))), "\n"),
        ),
        near_misses=(
            assigned("NETLIFY_AUTH_TOKEN", concat("nfp_", an(35))),
            assigned("NETLIFY_AUTH_TOKEN", concat("nfp_", an(49))),
            assigned("NETLIFY_AUTH_TOKEN", concat("nfq_", an(36))),
        ),
    ),
    Rule(
        "netlify/access-token-older",
        ACCESS,
        named(_NAME, rb"(?:" + mixed(43, b"A-Za-z0-9_-") + rb"|[0-9a-f]{64})"),
        score=65,
        examples=(
            assigned("NETLIFY_AUTH_TOKEN", _OLDER),
            assigned("NETLIFY_ACCESS_TOKEN", hexa(64), form='{name}: "{value}"\n'),
            json_member("netlifyToken", _OLDER),
        ),
        near_misses=(
            assigned("NETLIFY_AUTH_TOKEN", concat("q7W", b64url(39))),
            assigned("NETLIFY_AUTH_TOKEN", hexa(65)),
            assigned("NETLIFY_AUTH_TOKEN", chars("abcdefghijklmnopqrstuvwxyz-", 43)),
            assigned("NETLIFY_SITE_NAME", _OLDER),
        ),
    ),
    Rule(
        str(HOOK),
        HOOK,
        rb"api\.netlify\.com/build_hooks/(?P<secret>[0-9a-f]{24})" + WORD,
        examples=(
            text("curl -X POST -d {} https://api.netlify.com/build_hooks/", part("secret", hexa(24)), "\n"),
            text("BUILD_HOOK=https://api.netlify.com/build_hooks/", part("secret", hexa(24)), "?clear_cache=true\n"),
            text('{"url": "https://api.netlify.com/build_hooks/', part("secret", hexa(24)), '"}\n'),
        ),
        near_misses=(
            text("https://api.netlify.com/build_hooks/", hexa(23), "\n"),
            text("https://api.netlify.com/build_hooks/", hexa(25), "\n"),
            text("https://api.netlify.com/build_hook/", hexa(24), "\n"),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.netlify.com",)
VERIFIES = (ACCESS,)

_ASK = Question(
    "https://api.netlify.com", "/api/v1/user", bearer, ("id",),
    dead=(Said(401, ('{"code":401,"message":"access denied"',)),), who=("slug", "id"), used="last_login",
)  # fmt: skip
verify = asks({ACCESS: _ASK})

CASES = cases(
    ACCESS,
    '{"id":"5d3f0000aabbccddeeff0011","uid":"1","slug":"jane","last_login":"2026-01-01T12:00:00Z"}',
    Answer(401, '{"code":401,"message":"Access Denied"}'),
)
