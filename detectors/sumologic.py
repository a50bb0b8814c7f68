"""Sumo Logic access keys.

What it is: an access id (`su` and 12 letters and digits) and its key (64); addresses of HTTP sources hold a key of their
  own.
Where it is used: `SUMO_ACCESS_ID` and `SUMO_ACCESS_KEY`, collectors' user.properties, Terraform; the addresses in agents'
  configuration.
What an attacker can do: with a key all that its user may do: search logs, change collectors; with a source's address send
  false logs.
How to replace it: create a new key at Preferences, My Access Keys, deactivate and delete the old one; regenerate a
  source's address in its settings.
References: https://www.sumologic.com/help/docs/manage/security/access-keys/
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import an, b64url, concat, part, text

from ._cloud import by_name, credential

KEY = Kind("sumologic/access-key")
SOURCE = Kind("sumologic/source-address")

KINDS = (
    credential(
        KEY,
        "Sumo Logic access key",
        "high",
        "https://service.sumologic.com/ui/#/preferences",
        see="https://www.sumologic.com/help/docs/manage/security/access-keys/",
        public=("id",),
    ),
    credential(
        SOURCE,
        "Sumo Logic HTTP source address",
        "low",
        "https://service.sumologic.com/ui/#/preferences",
        see="https://www.sumologic.com/help/docs/manage/security/access-keys/",
    ),
)

RULES = (
    by_name(
        KEY,
        rb"sumo[a-z0-9_. -]{0,16}(?:access_?-?key|secret|token)",
        rb"[A-Za-z0-9]{64}",
        "SUMO_ACCESS_KEY",
        an(64),
        (
            an(63),
            an(65),
            concat(an(63), "_"),
        ),
        score=74,
        companions=(Companion("id", rb"(?<![A-Za-z0-9])(?P<id>su[A-Za-z0-9]{12})(?![A-Za-z0-9])", within=300, optional=True),),
    ),
    Rule(
        str(SOURCE),
        SOURCE,
        rb"sumologic\.com/receiver/v1/http/(?P<secret>[A-Za-z0-9_=-]{80,140})(?![A-Za-z0-9_=-])",
        score=80,
        examples=tuple(
            text(
                before,
                "https://endpoint4.collection.eu.sumologic.com/receiver/v1/http/",
                part("secret", concat(b64url(86), "==")),
                after,
            )
            for before, after in (("SUMO_URL=", "\n"), ('{"url": "', '"}\n'), ("curl -X POST -d @x ", "\n"))
        ),
        near_misses=(
            text("URL=https://endpoint4.collection.eu.sumologic.com/receiver/v1/http/", b64url(70), "\n"),
            text("URL=https://endpoint4.collection.eu.sumologic.com/other/v1/http/", b64url(88), "\n"),
            text("URL=https://endpoint4.collection.corp.io/receiver/v1/http/", b64url(88), "\n"),
        ),
    ),
)
