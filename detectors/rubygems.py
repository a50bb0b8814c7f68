"""RubyGems API keys.

What it is: an API key of RubyGems, `rubygems_` and 48 hex digits, with scopes chosen when it is made.
Where it is used: `~/.gem/credentials`, CI variables `GEM_HOST_API_KEY` and `RUBYGEMS_API_KEY`.
What an attacker can do: with the scope `push_rubygem` release versions with malicious code; with others yank versions, add
  owners, or read the dashboard. If the account asks for a second factor at the API level too, the key alone is not enough.
How to replace it: delete it on the site of RubyGems, Settings, API keys, and make a new one with the fewest scopes, for one gem; or
  run `gem signout` and sign in again. Trusted publishing from CI needs no key.
References: https://guides.rubygems.org/api-key-scopes/
  https://guides.rubygems.org/trusted-publishing/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import assigned, concat, hexa, json_member, part, text, upper

from ._forms import manual, token

KEY = Kind("rubygems/api-key")

KINDS = (
    CredentialKind(KEY, "RubyGems API key", "critical", references=("https://guides.rubygems.org/api-key-scopes/",),
                   manual=manual("https://guides.rubygems.org/api-key-scopes/", "Make a new key with the fewest scopes, or set up trusted publishing.",
                                 "Update what uses the old one.", "Delete the old one.", "Check the versions released meanwhile.")),
)  # fmt: skip

_KEY = concat("rubygems_", hexa(48))

RULES = (
    Rule(
        str(KEY),
        KEY,
        token(rb"rubygems_[0-9a-f]{48}", rb"(?![A-Za-z0-9_])"),
        score=80,
        examples=(
            text("---\n:rubygems_api_key: ", part("secret", _KEY), "\n"),
            assigned("GEM_HOST_API_KEY", _KEY),
            text("curl -H 'Authorization:", part("secret", _KEY), "' https://gems.internal/api/v1/gems.json\n"),
            json_member("rubygemsKey", _KEY),
        ),
        near_misses=(
            assigned("GEM_HOST_API_KEY", concat("rubygems_", hexa(47))),
            assigned("GEM_HOST_API_KEY", concat("rubygems_", hexa(49))),
            assigned("GEM_HOST_API_KEY", concat("rubygems-", hexa(48))),
            assigned("GEM_HOST_API_KEY", concat("rubygems_G", upper(47))),
        ),
    ),
)
