"""Signing secrets of applications and webhooks.

What it is: a random value in a variable such as JWT_SECRET, SECRET_KEY, SESSION_SECRET, WEBHOOK_SECRET, COOKIE_SECRET,
  ENCRYPTION_KEY: the application signs or encrypts with it, or checks that a message comes from whom it says.
Where it is used: `.env`, compose files, Helm values, settings of Flask, Express, NestJS, Next.js, Spring and their like.
What an attacker can do: forge sessions and tokens of any user, send forged webhooks, decrypt stored fields.
How to replace it: set a new random value; sessions and tokens signed with the old one end. For an encryption key, decrypt with the
  old and encrypt with the new before the old is dropped. For a webhook, set it on both sides.
References: https://owasp.org/www-project-web-security-testing-guide/  https://datatracker.ietf.org/doc/html/rfc7518#section-3.2
"""

from __future__ import annotations

import re

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.letters import is_drawn, is_random
from keyward.plugin.shapes import an, assigned, b64, b64url, concat, hexa, json_member

from ._passwords import is_weak

SIGNING = Kind("app/signing-secret")

KINDS = (
    CredentialKind(
        SIGNING,
        "Application signing secret",
        "high",
        manual=Manual(
            (
                "Make a new random value (openssl rand -base64 32).",
                "Set it wherever the application runs, and on the sender's side for a webhook.",
                "Expect that sessions and tokens signed with the old one end.",
            ),
            "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
        ),
        references=("https://datatracker.ietf.org/doc/html/rfc7518#section-3.2",),
        rotates=True,
    ),
)


def _check(parts: Parts) -> Signal | None:
    value = parts["secret"]
    if is_weak(value):
        return Signal("context", -40, "a word of documentation")
    if re.fullmatch(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", value):
        return Signal("context", -40, "the name of a constant")
    if re.search(rb"&[a-z_]{2,20}=", value):
        return Signal("context", -40, "goes on with the next parameter of a URL")
    return (
        Signal("random", 10, "looks random")
        if is_random(value) or is_drawn(value)
        else Signal("random", -30, "does not look random")
    )


_NAMES = (
    rb"(?i:jwt_?(?:access_?|refresh_?|auth_?|private_?)?(?:token_?)?(?:secret|signing_?key)(?:_?key)?|(?:next)?auth_?secret|(?:session|cookie|webhook|csrf|hmac|signing|app|flask|payload|better_auth|hook)_?(?:signing_?)?secret(?:_?key)?|"
    rb"secret_?key|encryption_?key|(?:app|session|cookie|crypt(?:o)?|security|hash|signing|hmac|salt)_(?:secret_)?key|cookie_?salt|app_?keys|token_?secret)"
)

RULES = (
    Rule(
        "app/signing-secret",
        SIGNING,
        rb"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{1,20}_){0,3}" + _NAMES + rb"[\"']?\]?\s{0,4}(?:(?::|=>|=)\s{0,4}(?:[rb]?[\"'])?|,\s{0,4}[rb]?[\"'])(?P<secret>[A-Za-z0-9+/_=~!@#%^&*.-]{16,256})(?=[\s\"',;]|\Z)",
        anchor=_NAMES + rb"[\"']?\]?\s{0,4}(?::|=>|=|,)\s{0,4}[rb]?[\"']?[A-Za-z0-9+/_=~!@#%^&*.-]{8}",
        specificity=STRUCTURAL,
        score=60,
        check=_check,
        examples=(
            assigned("JWT_SECRET", b64url(43)),
            assigned("SECRET_KEY", hexa(64), form="app.config['{name}'] = '{value}'\n"),
            assigned("WEBHOOK_SECRET", an(32), form="      {name}: {value}\n"),
            json_member("SESSION_SECRET", concat(b64(43), "=")),
        ),
        near_misses=(
            assigned("JWT_SECRET", an(15)),
            assigned("JWT_SECRET", "this-is-not-my-signing-value"),
            assigned("SESSION_SECRET_FILE", "/run/secrets/session"),
            assigned("JWT_SECRET", "config.get.jwtSecret.value"),
            assigned("copy_secret_key", concat("gnutls_pkcs11_", "copy_x509_privkey2"), form="these are {name}, {value}\n"),
        ),
    ),
)  # fmt: skip
