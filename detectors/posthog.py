"""PostHog keys.

What it is: a personal key of PostHog, `phx_` and a random number of 32 or 35 bytes in base 62 (43 to 48 letters and digits;
  40 to 50 accepted); `phs_` (a project's feature flags), `pha_` and `phr_` (OAuth) have the same form. `phc_` keys of
  projects are public.
Where it is used: `POSTHOG_PERSONAL_API_KEY`, CI that uploads source maps, MCP settings.
What an attacker can do: read analytics and recordings of users, change flags and so what the product does.
How to replace it: create a new personal key in the settings and delete the old one; a project's secret is reset on the
  project's page.
References: https://posthog.com/docs/api
  https://github.com/PostHog/posthog (posthog/models/utils.py: prefixes, lengths, alphabet)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG

KEY = Kind("posthog/personal-api-key")
OTHER = Kind("posthog/secret-token")

KINDS = (
    credential(
        KEY,
        "PostHog personal API key",
        "high",
        "https://app.posthog.com/settings/user-api-keys",
        see="https://posthog.com/docs/api",
    ),
    credential(
        OTHER,
        "PostHog project secret or OAuth token",
        "high",
        "https://app.posthog.com/settings/user-api-keys",
        see="https://posthog.com/docs/api",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"phx_[A-Za-z0-9]{40,50}",
        "POSTHOG_PERSONAL_API_KEY",
        concat("phx_", an(43)),
        (
            concat("phx_", an(39)),
            concat("phx_", an(51)),
            concat("phx_", an(20), "_", an(22)),
            concat("phc_", an(43)),
        ),
        edge=SLUG,
        score=85,
    ),
    by_prefix(
        OTHER,
        rb"ph[sar]_[A-Za-z0-9]{40,50}",
        "POSTHOG_SECURE_KEY",
        concat("phs_", an(43)),
        (
            concat("phs_", an(39)),
            concat("phs_", an(51)),
            concat("phz_", an(43)),
        ),
        edge=SLUG,
        score=72,
    ),
)
