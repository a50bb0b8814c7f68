"""Google Cloud, Gemini and Firebase credentials.

What it is: API keys (AIza…, and the newer AQ.… bound to a service account), service-account keys (a JSON file with a private
  key), OAuth client secrets (GOCSPX-) with their client id, access and refresh tokens, HMAC keys of Cloud Storage, Gmail
  application passwords, reCAPTCHA secrets and the retired Firebase server keys.
Where it is used: `GEMINI_API_KEY`, `GOOGLE_APPLICATION_CREDENTIALS`, `client_secret.json`, `~/.config/gcloud`, CI variables
  with a service account in base64, mobile and web applications, SMTP settings.
What an attacker can do: spend on Gemini and Maps; with a service account, read buckets and databases or take the project;
  with a refresh token, act as the user until it is revoked. The key of a Firebase web configuration is public by design.
How to replace it: create a new key beside the old one in the console, deploy it, disable the old one, then delete it.
  Access and refresh tokens are revoked with POST https://oauth2.googleapis.com/revoke by anybody who holds them.
References: https://cloud.google.com/docs/authentication/api-keys  https://cloud.google.com/iam/docs/keys-create-delete
  https://developers.google.com/identity/protocols/oauth2/web-server
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from keyward.plugin import Companion, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import LOWER, Shape, assigned, b64, b64url, chars, concat, digits, hexa, lower, part, text, upper
from keyward.plugin.verifier import Answer, Case

from ._cloud import SLUG, Fields, by_name, by_prefix, credential, header
from ._vendor_answers import Question, Said, asks, cases, in_header, nothing

if TYPE_CHECKING:
    from keyward.model.credential import Credential


API_KEY = Kind("google/api-key")
AUTH_KEY = Kind("google/auth-key")
SERVICE_ACCOUNT = Kind("google/service-account-key")
OAUTH_CLIENT = Kind("google/oauth-client-secret")
ACCESS_TOKEN = Kind("google/access-token")
REFRESH_TOKEN = Kind("google/refresh-token")
HMAC = Kind("google/storage-hmac-key")
APP_PASSWORD = Kind("google/app-password")
RECAPTCHA = Kind("google/recaptcha-secret")
FCM = Kind("google/fcm-server-key")

_CREDENTIALS = "https://console.cloud.google.com/apis/credentials"
_ACCOUNTS = "https://console.cloud.google.com/iam-admin/serviceaccounts"
_OAUTH = "https://developers.google.com/identity/protocols/oauth2/web-server"
_ESCAPES = re.compile(rb"-----[A-Z ]{10,40}-----|\\+[nr]|[^A-Za-z0-9+/]")


def _file(value: bytes) -> dict[str, object] | None:
    """The service-account file, if the value is the whole file in base64."""
    if value.startswith(b"-----"):
        return None
    loaded = json.loads(decode_base64(value) or b"null")
    return loaded if isinstance(loaded, dict) else None


def _canonical(value: bytes) -> bytes:
    """The key's base64 data alone, whether it stood in a file, in an escaped line or in a file in base64."""
    loaded = _file(value)
    return _ESCAPES.sub(b"", str(loaded["private_key"]).encode() if loaded else value)


def _describe_account(parts: Parts) -> Fields:
    loaded = _file(parts["secret"]) if "secret" in parts else None
    email = str(loaded["client_email"]) if loaded else parts.get("email", b"").decode("ascii", "replace")
    key_id = str(loaded["private_key_id"]) if loaded else parts.get("id", b"").decode("ascii", "replace")
    project = (
        email.partition("@")[2].removesuffix(".iam.gserviceaccount.com") if email.endswith(".iam.gserviceaccount.com") else ""
    )
    facts = {"service account": email, "project": project, "key id": key_id}
    return {name: fact[:100] for name, fact in facts.items() if fact}


KINDS = (
    credential(API_KEY, "Google API key", "high", _CREDENTIALS, "Create a key restricted to the same APIs and callers.", "Update what uses the old one.",
               "Delete the old key; it can be restored for 30 days.", see="https://cloud.google.com/docs/authentication/api-keys", public=("app",)),
    credential(AUTH_KEY, "Google Gemini auth key", "critical", "https://aistudio.google.com/api-keys", see="https://ai.google.dev/gemini-api/docs/api-key"),
    credential(SERVICE_ACCOUNT, "Google Cloud service-account key", "critical", _ACCOUNTS, "Create a second key for the same service account (ten at most).",
               "Update what uses the old one.", "Disable the old key, watch, then delete it.", see="https://cloud.google.com/iam/docs/keys-create-delete",
               public=("email", "id"), describe=_describe_account, canonical=_canonical),
    credential(OAUTH_CLIENT, "Google OAuth client secret", "high", "https://console.cloud.google.com/auth/clients", "Add a second secret to the client.",
               "Update the application.", "Disable and delete the old secret.", see=_OAUTH, public=("id",)),
    credential(ACCESS_TOKEN, "Google OAuth access token", "medium", "https://myaccount.google.com/connections", "Revoke it with POST https://oauth2.googleapis.com/revoke.",
               "It ends by itself after an hour.", see=_OAUTH),
    credential(REFRESH_TOKEN, "Google OAuth refresh token", "critical", "https://myaccount.google.com/connections", "Revoke it with POST https://oauth2.googleapis.com/revoke.",
               "Sign in again to get a new one.", see=_OAUTH, public=("id",)),
    credential(HMAC, "Google Cloud Storage HMAC key", "critical", "https://console.cloud.google.com/storage/settings;tab=interoperability", "Create a new HMAC key.",
               "Update what uses the old one.", "Set the old key to inactive, then delete it.", see="https://cloud.google.com/storage/docs/authentication/hmackeys",
               identity=("secret", "id"), public=("id",)),
    credential(APP_PASSWORD, "Google application password", "high", "https://myaccount.google.com/apppasswords", "Create a new application password.",
               "Update the mail settings.", "Delete the old one.", see="https://support.google.com/accounts/answer/185833"),
    credential(RECAPTCHA, "Google reCAPTCHA secret", "low", "https://www.google.com/recaptcha/admin", see="https://developers.google.com/recaptcha/docs/verify"),
    credential(FCM, "Firebase Cloud Messaging server key (retired)", "low", "https://console.firebase.google.com/", "Delete the key; the API that took it was shut down in 2024.",
               see="https://firebase.google.com/docs/cloud-messaging/migrate-v1"),
)  # fmt: skip


def _web_configuration(parts: Parts) -> Signal | None:
    return Signal("public", -50, "stands in a Firebase application's configuration") if "app" in parts else None


def _is_file(parts: Parts) -> Signal | None:
    try:
        loaded = _file(parts["secret"])
    except ValueError:
        loaded = None
    return structure(bool(loaded) and b"PRIVATE KEY" in str(loaded).encode(), "a service-account file")


def _no_words(parts: Parts) -> Signal | None:
    value = parts["secret"].replace(b" ", b"")
    rising = sum(value[at + 1] - value[at] == 1 for at in range(len(value) - 1))
    return Signal("shape", -40, "letters in the order of the alphabet") if rising > 7 or len(set(value)) < 6 else None


_APP = Companion("app", rb"1:[0-9]{6,14}:(?:web|android|ios):[0-9a-f]{10,40}", within=1200, optional=True)
_CLIENT_ID = Companion(
    "id", rb"(?<![A-Za-z0-9])(?P<id>[0-9]{6,14}-[0-9a-z]{32}\.apps\.googleusercontent\.com)", within=700, optional=True
)
_EMAIL = Companion(
    "email", rb"(?<![A-Za-z0-9-])(?P<email>[a-z0-9][a-z0-9-]{2,80}@[a-z0-9.-]{2,60}\.gserviceaccount\.com)", within=600, optional=True
)

_Q = rb"\\{0,3}[\"']"
_BODY = rb"[A-Za-z0-9+/=\\\s]{400,4400}"
_PEM = rb"(?P<secret>-----BEGIN (?:RSA )?PRIVATE KEY-----" + _BODY + rb"-----END (?:RSA )?PRIVATE KEY-----)"
_KEY_ID = rb"private_key_id" + _Q + rb"\s{0,4}:\s{0,4}" + _Q + rb"(?P<id>[0-9a-f]{40})" + _Q
_KEY = rb"private_key" + _Q + rb"\s{0,4}:\s{0,4}" + _Q
_STARTS = tuple(
    b'{%s"type":%s"service_account"' % (gap, space)
    for gap, space in ((b"\n  ", b" "), (b"", b""), (b"", b" "), (b"\n    ", b" "))
)
_BASE64_START = rb"(?:" + b"|".join(base64.b64encode(start[: len(start) // 3 * 3]) for start in _STARTS) + rb")"


def _pem(newline: str = "\\n") -> Shape:
    lines = [piece for _ in range(24) for piece in (b64(64), newline)]
    return concat("-----BEGIN PRIVATE KEY-----", newline, "MII", b64(61), newline, *lines, "-----END PRIVATE KEY-----")


def _account() -> Shape:
    return part("email", concat("deploy-", lower(4), "@acme-prod.iam.gserviceaccount.com"))


def _json(id_first: bool = True, escape: str = "") -> Shape:
    quote = escape + '"'
    key_id = text(quote, "private_key_id", quote, ": ", quote, part("id", hexa(40)), quote, ", ")
    key = text(quote, "private_key", quote, ": ", quote, part("secret", _pem(escape + "\\n")), escape + "\\n", quote, ", ")
    email = text(quote, "client_email", quote, ": ", quote, _account(), quote)
    kind = text(quote, "type", quote, ": ", quote, "service_account", quote, ", ")
    return text("{", kind, key_id, key, email, "}\n") if id_first else text("{", email, ", ", key, key_id, kind, "}\n")


def _plain_file() -> Shape:
    return text('{\n  "type": "service_account",\n  "project_id": "acme-prod",\n  "private_key_id": "', hexa(40), '",\n  "private_key": "', _pem(),
                '\\n",\n  "client_email": "deploy@acme-prod.iam.gserviceaccount.com"\n}\n')  # fmt: skip


_AIZA = concat("AIza", "Sy", b64url(33))
_AQ = concat("AQ.", "Ab8RN6", b64url(44))
_GOCSPX = concat("GOCSPX-", b64url(28))
_ID = concat(digits(12), "-", lower(32), ".apps.googleusercontent.com")
_REFRESH = concat("1//0", b64url(99))

RULES = (
    by_prefix(
        API_KEY, rb"AIza[A-Za-z0-9_-]{35}", "GEMINI_API_KEY", _AIZA, (concat("AIza", b64url(34)), concat("AIza", b64url(36)), concat("AIzb", b64url(35))),
        edge=SLUG, check=_web_configuration, companions=(_APP,),
        more=(
            text("https://maps.googleapis.com/maps/api/js?key=", part("secret", _AIZA), "&libraries=places\n"),
            header("x-goog-api-key: ", _AIZA),
        ),
    ),
    by_prefix(
        AUTH_KEY, rb"AQ\.Ab8RN6[A-Za-z0-9_-]{43,46}", "GEMINI_API_KEY", _AQ, (concat("AQ.Ab8RN6", b64url(41)), concat("AQ.Ab8RN6", b64url(48)), concat("AQ-Ab8RN6", b64url(44))),
        edge=SLUG, score=85, more=(header("x-goog-api-key: ", _AQ),),
    ),
    Rule(
        str(SERVICE_ACCOUNT),
        SERVICE_ACCOUNT,
        _KEY_ID + rb"\s{0,4},\s{0,20}" + _Q + _KEY + _PEM,
        anchor=_KEY_ID.replace(rb"(?P<id>", rb"(?:"),
        score=90,
        window=6000,
        companions=(_EMAIL,),
        examples=(_json(), _json(escape="\\"), text("GOOGLE_CREDENTIALS='", _json(), "'\n")),
        near_misses=(
            text('{"private_key_id": "', hexa(40), '", "private_key": "-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n"}\n'),
            text('{"private_key_id": "', hexa(40), '", "client_email": "', _account(), '"}\n'),
            text('{"private_key_id": "', hexa(39), '", "key": "', b64(800), '"}\n'),
        ),
    ),
    Rule(
        "google/service-account-key-sorted",
        SERVICE_ACCOUNT,
        _KEY + _PEM + rb"[\\nr]{0,8}" + _Q + rb"\s{0,4},\s{0,20}" + _Q + _KEY_ID,
        anchor=_KEY + rb"-----BEGIN (?:RSA )?PRIVATE KEY-----",
        score=90,
        window=6000,
        companions=(_EMAIL,),
        examples=(_json(False), _json(False, "\\"), text("  sa.json: '", _json(False), "'\n")),
        near_misses=(
            text('{"private_key": "', _pem(), '\\n", "public_key_id": "', hexa(40), '"}\n'),
            text('{"private_key": "', _pem(), '\\n", "private_key_id": "', hexa(39), '"}\n'),
            text('{"private_key": "', _pem(), '\\n"}\n'),
        ),
    ),
    Rule(
        "google/service-account-key-variable",
        SERVICE_ACCOUNT,
        rb"(?i:(?:firebase|google|gcp|gcloud|gcs|vertex|bigquery|gsheets?)[\w.-]{0,24}private_?key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?" + _PEM,
        anchor=rb"(?i:(?:firebase|google|gcp|gcloud|gcs|vertex|bigquery|gsheets?)[\w.-]{0,24}private_?key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?-----BEGIN",
        window=6000,
        companions=(_EMAIL,),
        examples=(
            text("FIREBASE_CLIENT_EMAIL=", _account(), '\nFIREBASE_PRIVATE_KEY="', part("secret", _pem()), '\\n"\n'),
            text('GOOGLE_PRIVATE_KEY="', part("secret", _pem("\n")), '"\n'),
            text("gcp_service_account_private_key: '", part("secret", _pem()), "\\n'\n"),
        ),
        near_misses=(
            text('FIREBASE_PRIVATE_KEY="-----BEGIN PRIVATE KEY-----\\n', b64(64), '\\n-----END PRIVATE KEY-----"\n'),
            text('FIREBASE_PUBLIC_KEY="', _pem().map(lambda t: t.replace(b"PRIVATE", b"PUBLIC")), '"\n'),
            text('SERVER_PRIVATE_KEY="', _pem(), '"\n'),
        ),
    ),
    Rule(
        "google/service-account-key-base64",
        SERVICE_ACCOUNT,
        rb"(?<![A-Za-z0-9+/])(?P<secret>" + _BASE64_START + rb"[A-Za-z0-9+/]{1200,6000}={0,2})(?![A-Za-z0-9+/=])",
        anchor=_BASE64_START,
        score=80,
        window=7000,
        check=_is_file,
        examples=(
            assigned("GCP_SA_KEY", _plain_file().map(base64.b64encode)),
            assigned("GOOGLE_CREDENTIALS", _plain_file().map(lambda t: base64.b64encode(json.dumps(json.loads(t)).encode())), form='{name}: "{value}"\n'),
            assigned("key.json", _plain_file().map(lambda t: base64.b64encode(json.dumps(json.loads(t), separators=(",", ":")).encode())), form="  {name}: {value}\n"),
        ),
        near_misses=(
            assigned("GCP_SA_KEY", _plain_file().map(lambda t: base64.b64encode(t.replace(b"service_account", b"authorized_user")))),
            assigned("GCP_SA_KEY", _plain_file().map(lambda t: base64.b64encode(t[:400]))),
            assigned("GCP_SA_KEY", _plain_file().map(lambda t: base64.b64encode(t)[3:])),
        ),
    ),
    by_prefix(
        OAUTH_CLIENT, rb"GOCSPX-[A-Za-z0-9_-]{28}", "GOOGLE_CLIENT_SECRET", _GOCSPX,
        (concat("GOCSPX-", b64url(27)), concat("GOCSPX-", b64url(29)), concat("GOCSPX_", b64url(28))), edge=SLUG, score=80, companions=(_CLIENT_ID,),
        more=(text('{"web":{"client_id":"', part("id", _ID), '","client_secret":"', part("secret", _GOCSPX), '"}}\n'),),
    ),
    by_prefix(
        ACCESS_TOKEN, rb"ya29\.[A-Za-z0-9_.-]{40,2000}", "GOOGLE_OAUTH_ACCESS_TOKEN", concat("ya29.", "a0Af", b64url(160)),
        (concat("ya29.", b64url(30)), concat("ya28.", b64url(160)), concat("ya29_", b64url(160))), edge=SLUG, window=2500,
        more=(header("Authorization: Bearer ", concat("ya29.", "c.", b64url(160))),),
    ),
    by_prefix(
        REFRESH_TOKEN, rb"1(?:\\?/){2}0[A-Za-z0-9_-]{60,150}", "GOOGLE_REFRESH_TOKEN", _REFRESH,
        (concat("1//0", b64url(50)), concat("1//0", b64url(170)), concat("1/0", b64url(99))), edge=SLUG, score=80, companions=(_CLIENT_ID,),
        more=(
            text('{"client_id": "', part("id", _ID), '", "refresh_token": "', part("secret", _REFRESH), '", "type": "authorized_user"}\n'),
            text('{"refresh_token":"', part("secret", concat("1\\/\\/0", b64url(99))), '"}\n'),
        ),
    ),
    Rule(
        str(HMAC),
        HMAC,
        rb"(?<![A-Za-z0-9])(?P<id>GOOG(?:1E[A-Z0-9]{55,57}|[A-Z0-9]{20}))(?![A-Za-z0-9])",
        score=80,
        alone=-40,
        companions=(Companion("secret", rb"(?<![A-Za-z0-9+/])(?P<secret>(?=[a-z0-9+/]{0,39}[A-Z])(?=[A-Z0-9+/]{0,39}[a-z])[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])"),),
        examples=(
            text("GCS_ACCESS_KEY=", part("id", concat("GOOG1E", upper(55))), "\nGCS_SECRET=", part("secret", b64(40)), "\n"),
            text("[Credentials]\ngs_access_key_id = ", part("id", concat("GOOG", upper(20))), "\ngs_secret_access_key = ", part("secret", b64(40)), "\n"),
            text('{"accessId": "', part("id", concat("GOOG1E", upper(55))), '", "secret": "', part("secret", b64(40)), '"}\n'),
        ),
        near_misses=(
            text("id=GOOG1E", upper(50), "\nkey=", b64(40), "\n"),
            text("id=GOOG", upper(19), "\nkey=", b64(40), "\n"),
            text("id=GOOG", upper(20), "\nkey=", hexa(40), "\n"),
        ),
    ),
    by_name(
        APP_PASSWORD, rb"(?:gmail|google)[_-]?(?:app[_-]?|smtp[_-]?)?pass(?:word|wd)?", rb"[a-z]{4}(?: [a-z]{4}){3}|[a-z]{16}", "GMAIL_APP_PASSWORD",
        concat(*[piece for _ in range(4) for piece in (chars(LOWER, 4), " ")][:-1]),
        (concat(*[piece for _ in range(3) for piece in (chars(LOWER, 4), " ")][:-1]), chars(LOWER, 15), chars(LOWER, 17), concat(chars(LOWER, 15), "7")),
        check=_no_words, more=(assigned("GMAIL_PASSWORD", chars(LOWER, 16)),),
    ),
    by_name(
        RECAPTCHA, rb"recaptcha[\w.-]{0,12}(?:secret|private)(?:[_.-]?key)?", rb"6L[A-Za-z0-9_-]{38}", "RECAPTCHA_SECRET_KEY", concat("6Le", b64url(37)),
        (concat("6Le", b64url(36)), concat("6Le", b64url(38)), concat("7Le", b64url(37))), edge=SLUG, score=65, other="RECAPTCHA_SITE",
    ),
    by_prefix(
        FCM, rb"AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{134}", "FCM_SERVER_KEY", concat("AAAA", b64url(7), ":", "APA91b", b64url(134)),
        (concat("AAAA", b64url(7), ":APA91b", b64url(133)), concat("AAAA", b64url(6), ":APA91b", b64url(134)), concat("AAAA", b64url(7), "-APA91b", b64url(134))), edge=SLUG, score=60,
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("generativelanguage.googleapis.com", "oauth2.googleapis.com", "www.google.com")
_LIMITED = (
    Said(403, ("api_key_service_blocked", "service_disabled"), "the key may not call this API, and may call others"),
    Said(
        403,
        ("_referrer_blocked", "ip_address_blocked", "android_app_blocked", "ios_app_blocked"),
        "the key works from elsewhere only",
    ),
    Said(403, ("reported as leaked",), "Gemini refuses it as leaked, and other APIs may not"),
    Said(403, ("consumer_suspended",), "the project is suspended"),
)
_FORM = Said(
    401, ("access_token_type_unsupported",), "this API does not take keys of the new form, so that its refusal says nothing"
)
_MODELS = Question(
    "https://generativelanguage.googleapis.com", "/v1beta/models?pageSize=1", in_header("x-goog-api-key"), ("models",),
    (Said(400, ('"reason":"api_key_invalid"',)),), _LIMITED, puzzling=(_FORM,),
)  # fmt: skip
_TOKEN_INFO = Question(
    "https://oauth2.googleapis.com", "/tokeninfo", nothing, ("expires_in", "exp"),
    (Said(400, ('"error":"invalid_token"', '"error_description":"invalid value"')),), who=("email", "azp"), scopes="scope", until="exp",
    method="POST", form=lambda credential: {"access_token": credential.text("secret")},
)  # fmt: skip


def _code_that_is_none(credential: Credential) -> dict[str, str]:
    secret, client = credential.text("secret"), credential.text("id")
    place = "https://localhost"
    return {
        "grant_type": "authorization_code",
        "code": "none",
        "redirect_uri": place,
        "client_id": client,
        "client_secret": secret,
    }


_CLIENT_CHECK = Question(
    "https://oauth2.googleapis.com", "/token", nothing, (),
    (Said(401, ("client secret is invalid", "oauth client was not found", '"error":"deleted_client"')),),
    (Said(401, ('"error":"disabled_client"',), "the client is disabled"),),
    known=(Said(400, ('"error":"invalid_grant"',)),), needs=("id",), method="POST", form=_code_that_is_none,
)  # fmt: skip
_SITE = Question(
    "https://www.google.com", "/recaptcha/api/siteverify", nothing, (), (Said(200, ('"invalid-input-secret"',)),),
    known=(Said(200, ('"invalid-input-response"', '"timeout-or-duplicate"')),), method="POST",
    form=lambda credential: {"secret": credential.text("secret"), "response": "none"},
)  # fmt: skip
QUESTIONS = {API_KEY: _MODELS, AUTH_KEY: _MODELS, ACCESS_TOKEN: _TOKEN_INFO, OAUTH_CLIENT: _CLIENT_CHECK, RECAPTCHA: _SITE}
"""Lists Gemini's models with a key (a wrong one is answered with 400, a limited one with 403), asks about a token, or sends a code that
is none, which a right client secret gets refused in other words than a wrong one (https://ai.google.dev/api/models,
https://developers.google.com/identity/protocols/oauth2/web-server, https://developers.google.com/recaptcha/docs/verify)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)


def _reason(name: str, status: int = 403) -> Answer:
    return Answer(status, f'{{"error":{{"code":{status},"message":"x","details":[{{"reason":"{name}"}}]}}}}')


_SOME_CLIENT = {"id": "1-a.apps.googleusercontent.com"}
CASES = (
    *(
        case
        for kind in (API_KEY, AUTH_KEY)
        for case in (
            *cases(kind, '{"models":[{"name":"models/x"}]}', _reason("API_KEY_INVALID", 400), restricted=_reason("API_KEY_SERVICE_BLOCKED")),
            Case("from elsewhere only", kind, (_reason("API_KEY_IP_ADDRESS_BLOCKED"),), "restricted"),
            Case("leaked", kind, (Answer(403, '{"error":{"message":"Your API key was reported as leaked."}}'),), "restricted"),
            Case("another mistake", kind, (_reason("FIELD_INVALID", 400),), "unknown"),
            Case("a form that is not known", kind, (_reason("ACCESS_TOKEN_TYPE_UNSUPPORTED", 401),), "unknown"),
        )
    ),
    *cases(ACCESS_TOKEN, '{"azp":"1","scope":"openid email","exp":"1800000000","expires_in":"300"}',
           Answer(400, '{"error":"invalid_token","error_description":"Invalid Value"}')),
    Case("the code is refused", OAUTH_CLIENT, (Answer(400, '{"error":"invalid_grant"}'),), "live", _SOME_CLIENT),
    Case("the client is refused", OAUTH_CLIENT,
         (Answer(401, '{"error":"invalid_client","error_description":"The provided client secret is invalid."}'),), "dead", _SOME_CLIENT),
    Case("disabled", OAUTH_CLIENT, (Answer(401, '{"error":"disabled_client"}'),), "restricted", _SOME_CLIENT),
    Case("another mistake", OAUTH_CLIENT, (Answer(400, '{"error":"invalid_request"}'),), "unknown", _SOME_CLIENT),
    Case("the answer is refused", RECAPTCHA, (Answer(200, '{"success":false,"error-codes":["invalid-input-response"]}'),), "live"),
    Case("the secret is refused", RECAPTCHA, (Answer(200, '{"success":false,"error-codes":["invalid-input-secret"]}'),), "dead"),
    Case("another mistake", RECAPTCHA, (Answer(200, '{"success":false,"error-codes":["bad-request"]}'),), "unknown"),
)  # fmt: skip
