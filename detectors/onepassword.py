"""1Password service account tokens, Connect credentials and secret keys.

What it is: tokens of service accounts (ops_ and base64 of a JSON object that holds the keys), the token and the
  `1password-credentials.json` of a Connect server, and the secret key of a person's account (A3-…).
Where it is used: the op command line in CI (`OP_SERVICE_ACCOUNT_TOKEN`), the Kubernetes operator and Terraform provider
  (`OP_CONNECT_TOKEN`); the secret key stands in Emergency Kits.
What an attacker can do: read every item of the vaults that the token was given. A secret key alone opens nothing; with e-mail
  address and account password it opens the account.
How to replace it: rotate the service account's token, or create a new one and delete the old account; issue a new Connect
  token and revoke the old one; then rotate what the vaults held. A secret key is regenerated in the profile.
References: https://developer.1password.com/docs/service-accounts/  https://developer.1password.com/docs/connect/
  https://support.1password.com/secret-key-security/
"""

from __future__ import annotations

import base64
import json

from keyward.plugin import Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import b64url, concat, hexa, jwt, part, text, upper

from ._cloud import SLUG, Fields, by_name, by_prefix, credential, header

SERVICE_ACCOUNT = Kind("onepassword/service-account-token")
CONNECT_TOKEN = Kind("onepassword/connect-token")
CONNECT_FILE = Kind("onepassword/connect-credentials")
SECRET_KEY = Kind("onepassword/secret-key")

_INTEGRATIONS = "https://my.1password.com/developer-tools/directory"


def _loaded(parts: Parts) -> dict[str, object]:
    try:
        loaded = json.loads(decode_base64(parts["secret"].removeprefix(b"ops_")) or b"null")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _describe(parts: Parts) -> Fields:
    loaded = _loaded(parts)
    return {name: str(loaded[key])[:80] for key, name in (("signInAddress", "address"), ("email", "account")) if key in loaded}


KINDS = (
    credential(SERVICE_ACCOUNT, "1Password service account token", "critical", _INTEGRATIONS, "Rotate the token of the service account.", "Update what uses it.",
               "Rotate the items that its vaults held.", see="https://developer.1password.com/docs/service-accounts/manage-service-accounts/", describe=_describe),
    credential(CONNECT_TOKEN, "1Password Connect token", "critical", _INTEGRATIONS, "Issue a new access token for the Connect server.", "Update what uses the old one.",
               "Revoke the old token.", see="https://developer.1password.com/docs/connect/manage-connect/"),
    credential(CONNECT_FILE, "1Password Connect server credentials", "critical", _INTEGRATIONS, "Create a new Connect server with its own credentials file.", "Deploy it.",
               "Delete the old server.", see="https://developer.1password.com/docs/connect/get-started/"),
    credential(SECRET_KEY, "1Password secret key", "high", "https://my.1password.com/profile", "Regenerate the secret key in the profile.", "Sign in again on every device.",
               "Change the account password if it may have leaked too.", see="https://support.1password.com/secret-key-security/"),
)  # fmt: skip


def _is_token(parts: Parts) -> Signal | None:
    return structure({"secretKey", "muk"} <= _loaded(parts).keys(), "JSON with the account's keys")


_PAYLOAD = concat('{"signInAddress":"acme.1password.com","userAuth":{"method":"SRPg-4096","salt":"', b64url(22), '"},"email":"', hexa(12), '@1passwordserviceaccounts.com","srpX":"', hexa(64),
                  '","muk":{"alg":"A256GCM","k":"', b64url(43), '"},"secretKey":"A3-', upper(6), "-", upper(26), '"}')  # fmt: skip
_OPS = concat("ops_", _PAYLOAD.map(lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")))
_CONNECT = jwt('{"1password.com/auuid":"ABC","1password.com/fts":["vaultaccess"],"iat":1700000000}', algorithm="ES256", signature=86)
_OTHER = jwt('{"iss":"com.1password.b5","sub":"ABC","iat":1700000000}', algorithm="ES256", signature=86)
_CLAIM = base64.b64encode(b'{"1password.com')
_KEY = concat("A3-", upper(6), "-", upper(6), "-", upper(5), "-", upper(5), "-", upper(5), "-", upper(5))
_GROUPS = rb"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{6}-[A-Z0-9]{5}|[A-Z0-9]{11})(?:-[A-Z0-9]{5}){3}"

RULES = (
    by_prefix(
        SERVICE_ACCOUNT, rb"ops_eyJ[A-Za-z0-9_-]{250,2000}={0,2}", "OP_SERVICE_ACCOUNT_TOKEN", _OPS, (concat("ops_eyJ", b64url(240)), concat("ops_", b64url(400)), concat("ops-eyJ", b64url(400))),
        edge=rb"(?![A-Za-z0-9_=-])", score=80, check=_is_token, window=3000,
    ),
    by_name(
        CONNECT_TOKEN, rb"op_connect_(?:api_)?token|(?:onepassword|1password|op_connect)[\w.-]{0,12}token", rb"eyJ[A-Za-z0-9_-]{20,400}\.ey[IJ][A-Za-z0-9_-]{20,2000}\.[A-Za-z0-9_-]{80,90}",
        "OP_CONNECT_TOKEN", _OTHER, (concat("eyJ", b64url(100)), jwt('{"iss":"x"}', signature=20)), other="REQUEST", edge=SLUG, score=70, window=3000, id="onepassword/connect-token-named",
    ),
    by_prefix(
        CONNECT_TOKEN, rb"eyJ[A-Za-z0-9_-]{20,400}\." + _CLAIM + rb"[A-Za-z0-9_-]{20,2000}\.[A-Za-z0-9_-]{80,90}", "TOKEN", _CONNECT,
        (jwt('{"1password.org/auuid":"ABC","iat":1700000000}', signature=86), jwt('{"1password.com/auuid":"ABC","iat":1700000000}', signature=70),
         jwt('{"1password.com/auuid":"ABC","iat":1700000000}', signature=95)), edge=SLUG, score=80, window=3000,
        anchor=rb"\." + _CLAIM, more=(header("Authorization: Bearer ", _CONNECT),),
    ),
    Rule(
        str(CONNECT_FILE),
        CONNECT_FILE,
        rb"\"uniqueKey\"\s{0,4}:\s{0,4}\{[^{}]{0,300}?\"k\"\s{0,4}:\s{0,4}\"(?P<secret>[A-Za-z0-9_-]{43})\"",
        anchor=rb"\"uniqueKey\"\s{0,4}:\s{0,4}\{",
        score=75,
        examples=tuple(
            text(before, '"uniqueKey": {', inner, '"k": "', part("secret", b64url(43)), '"', after)
            for before, inner, after in (
                ('{"verifier": {"salt": "abc"}, "encCredentials": {"kid": "localauthv2keykid"}, "version": "2", ', '"alg": "A256GCM", "ext": true, ', ', "kty": "oct"}}\n'),
                ("", "", "}\n"),
                ('"version": "2",\n  ', '\n    "alg": "A256GCM",\n    "ext": true,\n    ', ',\n    "kty": "oct"\n  }\n'),
            )
        ),
        near_misses=(
            text('"uniqueKey": {"alg": "A256GCM", "k": "', b64url(42), '"}\n'),
            text('"uniqueKey": {"alg": "A256GCM", "k": "', b64url(44), '"}\n'),
            text('"uniqueName": {"alg": "A256GCM", "k": "', b64url(43), '"}\n'),
        ),
    ),
    by_prefix(
        SECRET_KEY, _GROUPS, "OP_SECRET_KEY", _KEY,
        (concat("A3-", upper(6), "-", upper(11), "-", upper(5), "-", upper(5)), concat("A4-", upper(6), "-", upper(11), "-", upper(5), "-", upper(5), "-", upper(5)),
         concat("A3_", upper(6), "-", upper(11), "-", upper(5), "-", upper(5), "-", upper(5))), edge=rb"(?![A-Za-z0-9-])",
        more=(text("Secret Key: ", part("secret", concat("A3-", upper(6), "-", upper(11), "-", upper(5), "-", upper(5), "-", upper(5))), "\n"),),
    ),
)  # fmt: skip
