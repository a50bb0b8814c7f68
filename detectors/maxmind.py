"""MaxMind license keys.

What it is: a license key of MaxMind: 6 letters and digits, `_`, 29, and `_mmk`, 40 in all; those made before March 2023 have
  16 letters and digits.
Where it is used: `MAXMIND_LICENSE_KEY`, `GeoIP.conf`, addresses with `license_key=`.
What an attacker can do: download the account's databases and use its web services, on its bill.
How to replace it: generate a new key at maxmind.com, Account, Manage license keys, and delete the old one.
References: https://dev.maxmind.com/geoip/release-notes/2023-03-16-changes-to-maxmind-license-keys/
  https://support.maxmind.com/knowledge-base/articles/replace-your-maxmind-license-key
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, lower

from ._cloud import by_name, by_prefix, credential
from ._forms import mixed

KEY = Kind("maxmind/license-key")

KINDS = (
    credential(
        KEY,
        "MaxMind license key",
        "medium",
        "https://www.maxmind.com/en/accounts/current/license-key",
        see="https://dev.maxmind.com/geoip/release-notes/2023-03-16-changes-to-maxmind-license-keys/",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
        "MAXMIND_LICENSE_KEY",
        concat(an(6), "_", an(29), "_mmk"),
        (
            concat(an(6), "_", an(28), "_mmk"),
            concat(an(6), "_", an(30), "_mmk"),
            concat(an(6), "_", an(29), "_mml"),
        ),
        score=85,
        anchor=rb"_mmk",
    ),
    by_name(
        KEY,
        rb"maxmind[a-z0-9_. -]{0,16}(?:license_?-?key|key)|geoip[a-z0-9_. -]{0,16}license_?-?key",
        mixed(16),
        "MAXMIND_LICENSE_KEY",
        an(16),
        (an(15), an(17), lower(16)),
        score=68,
        id="maxmind/license-key-old",
    ),
)
