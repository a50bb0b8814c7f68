"""Django's SECRET_KEY.

What it is: the key that signs sessions, password reset links and everything made with `django.core.signing`; `startproject`
  writes 50 characters with the prefix `django-insecure-`.
Where it is used: settings.py, `.env`, `DJANGO_SECRET_KEY`, Docker and Ansible settings.
What an attacker can do: forge sessions and reset links, and so become any user; with pickled sessions, run code on the server.
How to replace it: make a new one with `django.core.management.utils.get_random_secret_key`, keep the old one for a while in
  SECRET_KEY_FALLBACKS if sessions shall live on, then drop it.
References: https://docs.djangoproject.com/en/stable/ref/settings/#secret-key
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.shapes import DIGITS, LOWER, Shape, an, assigned, chars, concat

KEY = Kind("django/secret-key")

KINDS = (
    CredentialKind(
        KEY,
        "Django SECRET_KEY",
        "high",
        manual=Manual(
            (
                "Make a new key with get_random_secret_key().",
                "Set it, and put the old one into SECRET_KEY_FALLBACKS only if sessions must live on.",
                "Remove the old one; everybody logs in again.",
            ),
            "https://docs.djangoproject.com/en/stable/ref/settings/#secret-key",
        ),
        references=("https://docs.djangoproject.com/en/stable/ref/settings/#secret-key",),
        rotates=True,
    ),
)


def _check(parts: Parts) -> Signal | None:
    if parts["secret"].startswith(b"django-insecure-"):
        return Signal("context", -5, "marked as insecure: made by startproject for development")
    marks = sum(not (48 <= c <= 57 or 97 <= c <= 122) for c in parts["secret"])
    return Signal("structure", 10 if marks >= 4 else -30, "50 characters of Django's alphabet")


_KEY: Shape = concat(chars(LOWER + DIGITS, 24), chars("!@#%^&*(-_=+)", 6), chars(LOWER + DIGITS, 20))
_SET = rb"[a-z0-9!@#$%^&*(\-_=+)]{50}"

RULES = (
    Rule(
        "django/secret-key",
        KEY,
        rb"(?:(?:DJANGO_)?SECRET_KEY|django_secret_key)[\"']?\]?\s{0,4}[:=,]\s{0,4}(?:[rb]?[\"'])?(?P<secret>(?:django-insecure-)?" + _SET + rb")(?![a-zA-Z0-9!@#$%^&*(\-_=+])",
        specificity=STRUCTURAL,
        score=78,
        check=_check,
        examples=(
            assigned("SECRET_KEY", _KEY, form="{name} = '{value}'\n"),
            assigned("SECRET_KEY", concat("django-insecure-", _KEY), form='{name} = "{value}"\n'),
            assigned("DJANGO_SECRET_KEY", _KEY),
        ),
        near_misses=(
            assigned("SECRET_KEY", chars(LOWER + DIGITS + "!@#-_", 49), form="{name} = '{value}'\n"),
            assigned("SECRET_KEY", chars(LOWER + DIGITS + "!@#-_", 51), form="{name} = '{value}'\n"),
            assigned("SECRET_KEY", an(50), form="{name} = '{value}'\n"),
            assigned("SECRET_KEY", "os.environ", form="{name} = {value}['DJANGO_SECRET_KEY']\n"),
        ),
    ),
    Rule(
        "django/secret-key-insecure",
        KEY,
        rb"(?P<secret>django-insecure-" + _SET + rb")(?![a-zA-Z0-9!@#$%^&*(\-_=+])",
        anchor=rb"django-insecure-",
        specificity=STRUCTURAL,
        score=60,
        check=_check,
        examples=(
            assigned("key", concat("django-insecure-", _KEY), form="{name} = config('KEY', default='{value}')\n"),
            assigned("key", concat("django-insecure-", _KEY)),
            assigned("key", concat("django-insecure-", _KEY), form='  {name}: "{value}"\n'),
        ),
        near_misses=(
            assigned("key", concat("django-insecure-", chars(LOWER, 49))),
            assigned("key", concat("django-insecure-", chars(LOWER, 51))),
            assigned("key", concat("django-secure-", chars(LOWER, 50))),
        ),
    ),
)  # fmt: skip
