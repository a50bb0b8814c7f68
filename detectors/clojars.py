"""Clojars deploy tokens.

What it is: a token that publishes to clojars.org: `CLOJARS_` and 60 hex digits.
Where it is used: `CLOJARS_PASSWORD` beside `CLOJARS_USERNAME` in CI, `~/.m2/settings.xml`, `~/.lein/profiles.clj`.
What an attacker can do: publish new versions of the group's libraries, or of one if the token is scoped; its users run
  what is published.
How to replace it: create a new token at clojars.org, Deploy Tokens, and disable the old one. After a leak look through
  the versions published since.
References: https://github.com/clojars/clojars-web/wiki/Deploy-Tokens
  https://github.com/clojars/clojars-web (src/clojars/db.clj: how one is made and known)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_prefix, credential

TOKEN = Kind("clojars/deploy-token")

KINDS = (
    credential(
        TOKEN,
        "Clojars deploy token",
        "critical",
        "https://clojars.org/tokens",
        see="https://github.com/clojars/clojars-web/wiki/Deploy-Tokens",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"CLOJARS_[0-9a-f]{60}",
        "CLOJARS_PASSWORD",
        concat("CLOJARS_", hexa(60)),
        (
            concat("CLOJARS_", hexa(59)),
            concat("CLOJARS_", hexa(61)),
            concat("CLOJARS-", hexa(60)),
        ),
        score=85,
    ),
)
