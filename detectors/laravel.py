"""Laravel's APP_KEY.

What it is: `base64:` and 32 bytes (16 for AES-128) in base64: the key for cookies, encrypted columns and signed URLs.
Where it is used: `.env`, phpunit.xml, compose files, Forge and Vapor settings.
What an attacker can do: forge and read cookies; where an encrypted value is unserialised, run code on the server, which has
  been used against many sites in the open.
How to replace it: put the old key into APP_PREVIOUS_KEYS (Laravel 11 and later), run `php artisan key:generate`, encrypt stored
  columns anew, then drop the old key. Cookies under the old key end.
References: https://laravel.com/docs/encryption
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import assigned, b64, concat, raw

APP_KEY = Kind("laravel/app-key")

KINDS = (
    CredentialKind(
        APP_KEY,
        "Laravel APP_KEY",
        "critical",
        manual=Manual(
            ("Keep the old key in APP_PREVIOUS_KEYS.", "php artisan key:generate", "Encrypt stored columns anew, then drop the old key."),
            "https://laravel.com/docs/encryption#gracefully-rotating-encryption-keys",
        ),
        references=("https://laravel.com/docs/encryption",),
        rotates=True,
    ),
)


def _check(parts: Parts) -> Signal | None:
    key = decode_base64(parts["secret"].removeprefix(b"base64:"))
    return structure(key is not None and len(key) in (16, 32), "a key of 16 or 32 bytes")


def _encode(data: bytes) -> bytes:
    import base64

    return b"base64:" + base64.b64encode(data)


_KEY = raw(32).map(_encode)

RULES = (
    Rule(
        "laravel/app-key",
        APP_KEY,
        rb"(?<![A-Za-z0-9])(?P<secret>base64:(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{22}==))(?![A-Za-z0-9+/=])",
        specificity=STRUCTURAL,
        score=65,
        check=_check,
        examples=(
            assigned("APP_KEY", _KEY),
            assigned("APP_KEY", _KEY, form='<env name="{name}" value="{value}"/>\n'),
            assigned("APP_KEY", _KEY, form="      {name}: {value}\n"),
            assigned("APP_KEY", raw(16).map(_encode)),
        ),
        near_misses=(
            assigned("APP_KEY", concat("base64:", b64(42), "=")),
            assigned("APP_KEY", concat("base64:", b64(44), "=")),
            assigned("APP_KEY", concat("base64-", b64(43), "=")),
        ),
    ),
)
