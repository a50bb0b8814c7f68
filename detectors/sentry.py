"""Sentry authentication tokens and DSNs.

What it is: tokens of an organisation (sntrys_), of a user (sntryu_), of internal and public integrations (sntryi_, sntrya_),
  and the older ones of 64 hex digits; DSNs, of which only the old form with a secret is more than an address.
Where it is used: sentry-cli (`.sentryclirc`, `sentry.properties`), source map uploads in CI, Terraform.
What an attacker can do: with a user's or an integration's token, read issues with the personal data and secrets they often
  hold, and change projects; an organisation token can upload releases and source maps. A DSN only allows sending events.
How to replace it: create a new token under Settings, Auth Tokens, deploy it, delete the old one. The newer prefixes of
  integrations are unverified.
Whether it lives: GET /api/0/, which tells a token's scopes. Sentry is also run by people themselves: a refusal of sentry.io
  counts for an organisation's token that names sentry.io inside, for others only where `host` says so or the operator's
  base_url.
References: https://docs.sentry.io/account/auth-tokens/  https://docs.sentry.io/concepts/key-terms/dsn-explainer/
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from keyward.model.secret import Secret
from keyward.plugin import Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import an, b64, concat, digits, hexa, lower, part, text
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._cloud import Fields, by_name, by_prefix, credential, header
from ._token_probe import for_all, public_or_own, setting
from ._vendor_answers import Question, Said, asks, bearer, cases

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

ORGANISATION = Kind("sentry/organization-token")
USER = Kind("sentry/user-token")
INTEGRATION = Kind("sentry/integration-token")
DSN = Kind("sentry/dsn")
OLD_DSN = Kind("sentry/dsn-with-secret")

_TOKENS = "https://docs.sentry.io/account/auth-tokens/"


def _loaded(parts: Parts) -> dict[str, object]:
    try:
        loaded = json.loads(decode_base64(parts["secret"].split(b"_")[1]) or b"null")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _describe(parts: Parts) -> Fields:
    return {name: str(fact)[:80] for name, fact in _loaded(parts).items() if name in ("org", "url", "region_url")}


KINDS = (
    credential(ORGANISATION, "Sentry organization token", "high", "https://sentry.io/orgredirect/organizations/:orgslug/settings/auth-tokens/", see=_TOKENS, describe=_describe),
    credential(USER, "Sentry user token", "high", "https://sentry.io/settings/account/api/auth-tokens/", see=_TOKENS),
    credential(INTEGRATION, "Sentry integration token", "high", "https://sentry.io/orgredirect/organizations/:orgslug/settings/developer-settings/", see=_TOKENS),
    credential(DSN, "Sentry DSN (public)", "low", "https://sentry.io/orgredirect/organizations/:orgslug/settings/projects/:projectslug/keys/",
               "Only if somebody floods the project: create a new client key, deploy it, disable the old one.", see="https://docs.sentry.io/concepts/key-terms/dsn-explainer/", public=("host",)),
    credential(OLD_DSN, "Sentry DSN with a secret key (old)", "medium", "https://sentry.io/orgredirect/organizations/:orgslug/settings/projects/:projectslug/keys/",
               see="https://docs.sentry.io/concepts/key-terms/dsn-explainer/", public=("host",)),
)  # fmt: skip


def _is_token(parts: Parts) -> Signal | None:
    return structure({"iat", "url", "org"} <= _loaded(parts).keys(), "JSON with organisation and address")


_ORG = concat(
    "sntrys_",
    concat('{"iat":17', digits(8), ".5", ',"url":"https://sentry.io","region_url":"https://de.sentry.io","org":"acme-', lower(3), '"}').map(base64.b64encode),
    "_", b64(43),
)  # fmt: skip


def _simple(kind: Kind, prefix: str, name: str) -> Rule:
    value = concat(prefix, hexa(64))
    return by_prefix(
        kind, prefix.encode() + rb"[0-9a-f]{64}", name, value, (concat(prefix, hexa(63)), concat(prefix, hexa(65)), concat(prefix.replace("_", "-"), hexa(64))),
        id=f"{kind}-{prefix[:-1]}", score=85, more=(header("Authorization: Bearer ", value),),
    )  # fmt: skip


RULES = (
    by_prefix(
        ORGANISATION, rb"sntrys_eyJ[A-Za-z0-9+/_-]{60,500}={0,2}_[A-Za-z0-9+/]{43}", "SENTRY_AUTH_TOKEN", _ORG,
        (concat("sntrys_eyJ", an(40), "_", b64(43)), concat("sntrys_eyJ", an(120), "_", an(42)), concat("sntrys-eyJ", an(120), "_", b64(43))), edge=rb"(?![A-Za-z0-9+/=_-])",
        score=85, check=_is_token, window=900, more=(text("[auth]\ntoken=", part("secret", _ORG), "\n"),),
    ),
    _simple(USER, "sntryu_", "SENTRY_AUTH_TOKEN"),
    _simple(INTEGRATION, "sntryi_", "SENTRY_AUTH_TOKEN"),
    _simple(INTEGRATION, "sntrya_", "SENTRY_TOKEN"),
    by_name(USER, rb"sentry[\w.-]{0,8}auth[_.-]?token", rb"[0-9a-f]{64}", "SENTRY_AUTH_TOKEN", hexa(64), (hexa(63), hexa(65), an(64)), id="sentry/user-token-old"),
    Rule(
        str(DSN),
        DSN,
        rb"https://(?P<secret>[0-9a-f]{32})@(?P<host>o[0-9]{1,12}\.ingest(?:\.[a-z]{2})?\.sentry\.io)/[0-9]{1,20}",
        score=30,
        examples=tuple(
            text(before, "https://", part("secret", hexa(32)), "@", part("host", concat("o", digits(6), ".ingest.de.sentry.io")), "/", digits(8), after)
            for before, after in (("SENTRY_DSN=", "\n"), ('Sentry.init({ dsn: "', '" })\n'), ('{"dsn": "', '"}\n'))
        ),
        near_misses=(
            text("https://", hexa(31), "@o1234.ingest.sentry.io/42\n"),
            text("https://", hexa(33), "@o1234.ingest.sentry.io/42\n"),
            text("https://", hexa(32), "@o1234.ingest.corp.io/42\n"),
        ),
    ),
    Rule(
        str(OLD_DSN),
        OLD_DSN,
        rb"https?://[0-9a-f]{32}:(?P<secret>[0-9a-f]{32})@(?P<host>[a-z0-9][a-z0-9.-]{3,80})(?::[0-9]{2,5})?/[0-9]{1,20}",
        anchor=rb"https?://[0-9a-f]{32}:[0-9a-f]{32}@",
        score=70,
        examples=tuple(
            text(before, "https://", hexa(32), ":", part("secret", hexa(32)), "@", part("host", "sentry.corp.io"), "/7", after)
            for before, after in (("SENTRY_DSN=", "\n"), ("RAVEN_CONFIG = {'dsn': '", "'}\n"), ('{"dsn": "', '"}\n'))
        ),
        near_misses=(
            text("https://", hexa(32), ":", hexa(31), "@sentry.corp.io/7\n"),
            text("https://", hexa(31), ":", hexa(32), "@sentry.corp.io/7\n"),
            text("https://", hexa(32), "@sentry.corp.io/7\n"),
        ),
    ),
)  # fmt: skip

HOSTS = ("sentry.io",)
VERIFIES = (ORGANISATION, USER, INTEGRATION)

_ASK = Question(
    "https://sentry.io", "/api/0/", bearer, ("auth.scopes",),
    dead=(Said(401, ('"detail":"invalid token"', '"detail":"invalid org token"', '"detail":"token expired"')),),
    who=("user.name", "user.id"), scopes="auth.scopes",
)  # fmt: skip
_anywhere = public_or_own("sentry", HOSTS, asks(dict.fromkeys(VERIFIES, _ASK)))


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks a token for its scopes. `target.base_url`: of a server of one's own."""
    if credential.kind == ORGANISATION:
        from urllib.parse import urlsplit

        named = urlsplit(str(_loaded({"secret": credential.parts["secret"].reveal()}).get("url", ""))).hostname or ""
        if named != "sentry.io" and not target.base_url:
            return Unknown(f"it is of a server of one's own: {setting('sentry')}")
        credential = credential._replace(parts={**credential.parts, "host": Secret(named.encode())})
    return _anywhere(credential, target, ports)


_THEIRS = {"host": "sentry.io"}
_INVALID = Answer(401, '{"detail":"Invalid token"}')
CASES = (
    *for_all(VERIFIES, cases(
        USER, '{"version":"0","auth":{"scopes":["event:read","project:read"]},"user":{"id":"1","name":"Ada"}}', _INVALID,
        Case("of an organisation, refused", USER, (Answer(401, '{"detail":"Invalid org token"}'),), "dead", _THEIRS),
        Case("expired", USER, (Answer(401, '{"detail":"Token expired"}'),), "dead", _THEIRS),
        Case("none arrived", USER, (Answer(401, '{"detail":"Authentication credentials were not provided."}'),), "unknown", _THEIRS),
        Case("nobody's scopes", USER, (Answer(200, '{"version":"0","auth":null,"user":null}'),), "unknown", _THEIRS),
        parts=_THEIRS,
    )),
    Case("perhaps of another server", USER, (_INVALID,), "unknown"),
    Case("perhaps of another server", INTEGRATION, (_INVALID,), "unknown"),
)  # fmt: skip
