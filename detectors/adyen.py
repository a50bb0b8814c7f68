"""Adyen API keys and HMAC keys.

What it is: an API key in three parts joined by hyphens: base64 that begins with AQE, 32 bytes in base64, and some 16 characters with odd
  punctuation; an HMAC key of 64 capital hex characters that signs webhooks. Client keys (live_…, test_…) are public. Keys of test and
  live accounts look the same.
Where it is used: shops and platforms; header X-API-Key, `.env`, Java and .NET configuration.
What an attacker can do: with a live key make, capture and refund payments, read stored payment details, on platforms pay out; with the
  HMAC key forge notifications of payments.
How to replace it: Customer Area, Developers, API credentials: generate a new API key; the old one stays valid for 24 hours. HMAC keys
  are generated at the webhook's settings.
References: https://docs.adyen.com/development-resources/api-credentials/ https://docs.adyen.com/development-resources/webhooks/
  The lengths of the first and last part come from samples and are unverified.
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import ALNUM, Shape, b64, chars, concat, lower, upper_hex

from ._saas import contexts, misses, named, named_contexts, secret, token

API_KEY = Kind("adyen/api-key")
HMAC = Kind("adyen/hmac-key")

KINDS = (
    CredentialKind(API_KEY, "Adyen API key", "critical",
                   manual=Manual(("Generate a new API key for the credential; the old one ends after 24 hours.", "Update what uses it."),
                                 "https://ca-live.adyen.com/ca/ca/config/api_credentials_new.shtml"),
                   references=("https://docs.adyen.com/development-resources/api-credentials/",)),
    CredentialKind(HMAC, "Adyen HMAC key", "medium",
                   manual=Manual(("Generate a new HMAC key at the webhook's settings.", "Accept both in the receiver until the old one is gone."),
                                 "https://ca-live.adyen.com/ca/ca/config/showthirdparty.shtml"),
                   references=("https://docs.adyen.com/development-resources/webhooks/",)),
)  # fmt: skip


def _key(*, first: int = 92, second: int = 43, last: int = 16, start: str = "AQE", dash: str = "-") -> Shape:
    return concat(start, b64(first), "==", dash, b64(second), "=-", chars(ALNUM + "~(^<{;*", last))


RULES = (
    Rule(
        str(API_KEY),
        API_KEY,
        token(rb"AQ[EF][A-Za-z0-9+/]{60,160}={0,2}-[A-Za-z0-9+/]{43}=-[!#-&(-\[\]-_a-~]{14,20}", before=rb"A-Za-z0-9+/"),
        score=88,
        examples=contexts("ADYEN_API_KEY", _key(), "X-API-Key: "),
        near_misses=misses(
            "ADYEN_API_KEY", _key(first=50), _key(first=170), _key(second=42), _key(second=44), _key(last=13), _key(start="AQA"), _key(dash="_"),
        ),
    ),
    Rule(
        str(HMAC),
        HMAC,
        named(rb"adyen[\w.-]{0,20}hmac[\w.-]{0,8}", secret(rb"[0-9A-F]{64}")),
        score=68,
        examples=named_contexts("ADYEN_HMAC_KEY", upper_hex(64)),
        near_misses=(
            *misses("ADYEN_HMAC_KEY", upper_hex(63), upper_hex(65), concat(upper_hex(63), "G"), lower(64)),
            *misses("IMAGE_DIGEST", upper_hex(64)),
        ),
    ),
)  # fmt: skip
