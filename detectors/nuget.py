"""NuGet keys and feed passwords.

What it is: API keys of the NuGet gallery (`oy2` and 43 characters of base32), and passwords of private feeds that stand in clear in
  a `nuget.config`.
Where it is used: `dotnet nuget push --api-key`, CI variables (`NUGET_API_KEY`), `nuget.config` in repositories.
What an attacker can do: with a key publish versions of the packages that its pattern covers, with malicious code; with a
  feed password read the private packages of that feed, often push them too.
How to replace it: regenerate or delete the key in the gallery, API Keys; keys live a year at most. For a feed, change the
  password or token there, and store the new one outside the repository (`%VARIABLE%` in the file). Trusted publishing from
  CI needs no key.
References: https://learn.microsoft.com/nuget/nuget-org/scoped-api-keys
  https://learn.microsoft.com/nuget/reference/nuget-config-file#packagesourcecredentials
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import LOWER, an, assigned, chars, concat, json_member, part, text

from ._forms import manual
from ._passwords import judge

KEY = Kind("nuget/api-key")
FEED = Kind("nuget/feed-password")

KINDS = (
    CredentialKind(KEY, "NuGet API key", "critical", references=("https://learn.microsoft.com/nuget/nuget-org/scoped-api-keys",),
                   manual=manual("https://learn.microsoft.com/en-us/nuget/nuget-org/publish-a-package", "Regenerate the key.", "Update what uses it.",
                                 "Check the versions published meanwhile.")),
    CredentialKind(FEED, "NuGet feed password", "high", public=("user",),
                   references=("https://learn.microsoft.com/nuget/reference/nuget-config-file#packagesourcecredentials",),
                   manual=manual("https://learn.microsoft.com/nuget/consume-packages/consuming-packages-authenticated-feeds",
                                 "Change the password or token at the feed.", "Put a %VARIABLE% in its place in nuget.config.")),
)  # fmt: skip

_B32 = LOWER + "234567"
_KEY = concat("oy2", chars(_B32, 43))
_XML = '<add key="ClearTextPassword" value="'

RULES = (
    Rule(
        str(KEY),
        KEY,
        rb"(?<![A-Za-z0-9+/_-])(?P<secret>oy2[a-z2-7]{43})(?![A-Za-z0-9+/_=-])",
        examples=(
            assigned("NUGET_API_KEY", _KEY),
            text("dotnet nuget push app.nupkg --api-key ", part("secret", _KEY), " --source https://nuget.internal/v3/index.json\n"),
            text("X-NuGet-ApiKey: ", part("secret", _KEY), "\n"),
            json_member("nugetKey", _KEY),
        ),
        near_misses=(
            assigned("NUGET_API_KEY", concat("oy2", chars(_B32, 42))),
            assigned("NUGET_API_KEY", concat("oy2", chars(_B32, 44))),
            assigned("NUGET_API_KEY", concat("oy2", chars(_B32, 42), "1")),
            assigned("NUGET_API_KEY", concat("oz2", chars(_B32, 43))),
        ),
    ),
    Rule(
        str(FEED),
        FEED,
        rb"key\s?=\s?[\"']ClearTextPassword[\"']\s{1,8}value\s?=\s?[\"'](?P<secret>[^\"'\s<>]{4,200})(?=[\"'])",
        score=70,
        specificity=STRUCTURAL,
        check=judge,
        companions=(
            Companion("user", rb"key\s?=\s?[\"']Username[\"']\s{1,8}value\s?=\s?[\"'](?P<user>[^\"'<>]{1,100})[\"']", within=200, optional=True),
        ),
        examples=(
            text('<add key="Username" value="', part("user", "deploy"), '" />\n    ', _XML, part("secret", an(16)), '" />\n'),
            text("<acme>\n      ", _XML, part("secret", an(24)), '" />\n</acme>\n'),
            text("<add key='ClearTextPassword' value='", part("secret", an(12)), "'/>\n"),
        ),
        near_misses=(
            text(_XML, '%FEED_PASSWORD%" />\n'),
            text('<add key="Password" value="', an(24), '" />\n'),
            text(_XML, an(3), '" />\n'),
            text(_XML, 'password" />\n'),
        ),
    ),
)
