"""Clerk secret keys.

What it is: a secret key of Clerk: `sk_live_` or `sk_test_` and 40 to 50 letters and digits (42 in public code). Stripe's keys begin alike, so
  that the name tells them apart. The publishable key is public.
Where it is used: `CLERK_SECRET_KEY`, `.env.local` of web applications.
What an attacker can do: with a live key read and change every user of the application, and log in as any of them.
How to replace it: add a new secret key in the dashboard, API keys, and delete the old one.
References: https://clerk.com/docs/guides/development/clerk-environment-variables
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_name, credential, vendor

KEY = Kind("clerk/secret-key")
TEST = Kind("clerk/test-key")

KINDS = (
    credential(
        KEY,
        "Clerk secret key",
        "critical",
        "https://dashboard.clerk.com/last-active?path=api-keys",
        see="https://clerk.com/docs/guides/development/clerk-environment-variables",
    ),
    credential(
        TEST,
        "Clerk key of a development instance",
        "medium",
        "https://dashboard.clerk.com/last-active?path=api-keys",
        see="https://clerk.com/docs/guides/development/clerk-environment-variables",
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(b"clerk"),
        rb"sk_live_[A-Za-z0-9]{40,50}",
        "CLERK_SECRET_KEY",
        concat("sk_live_", an(42)),
        (
            concat("sk_live_", an(39)),
            concat("sk_live_", an(51)),
            concat("sk_life_", an(42)),
        ),
        score=90,
        other="STRIPE_SECRET_KEY",
    ),
    by_name(
        TEST,
        vendor(b"clerk"),
        rb"sk_test_[A-Za-z0-9]{40,50}",
        "CLERK_SECRET_KEY",
        concat("sk_test_", an(42)),
        (
            concat("sk_test_", an(39)),
            concat("sk_test_", an(51)),
            concat("sk_best_", an(42)),
        ),
        score=60,
        other="STRIPE_SECRET_KEY",
    ),
)
