"""Supabase keys and access tokens.

What it is: secret keys of a project (sb_secret_), the older service_role key (a JSON Web Token without end), personal access
  tokens of the management API (sbp_), and the JWT secret; publishable and anon keys are public by design.
Where it is used: server code, edge functions, CI migrations (`SUPABASE_ACCESS_TOKEN`), `.env` files of web applications, into
  whose browser part a service_role key gets by mistake.
What an attacker can do: secret and service_role keys go past row-level security, so they read and change every table and
  every file of the project; an access token manages all projects of its owner; the JWT secret signs in as anybody.
How to replace it: create a new secret key under Settings, API Keys, deploy it, delete the old one. The service_role key only
  changes with the JWT secret, together with the anon key; move to secret keys and switch the old ones off.
Whether it lives: an access token: GET /v1/organizations of the management API. A key of a project: GET /auth/v1/settings of
  the project, which a service_role key names inside; for a secret key the operator's options.project must. Public keys and
  the JWT secret are not asked about.
References: https://supabase.com/docs/guides/api/api-keys  https://supabase.com/docs/reference/api/introduction
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from keyward.plugin import Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import Shape, an, b64, b64url, concat, hexa, lower, part, text
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._cloud import SLUG, Fields, by_name, by_prefix, credential, encodings, expiry, header, places, wrong
from ._vendor_answers import Question, Said, bearer, cases, in_header, put

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

SECRET_KEY = Kind("supabase/secret-key")
SERVICE_ROLE = Kind("supabase/service-role-key")
ACCESS_TOKEN = Kind("supabase/access-token")
JWT_SECRET = Kind("supabase/jwt-secret")
PUBLISHABLE = Kind("supabase/publishable-key")

_KEYS = "https://supabase.com/dashboard/project/_/settings/api-keys"
_DOC = "https://supabase.com/docs/guides/api/api-keys"


def _describe(parts: Parts) -> Fields:
    claims = jwt_claims(parts["secret"])
    if claims is None:
        return {}
    payload, end = claims[1], claims[1].get("exp")
    facts = {
        "project": payload.get("ref"),
        "role": payload.get("role"),
        "expires": expiry(end) if isinstance(end, int) else None,
    }
    return {name: str(fact)[:60] for name, fact in facts.items() if fact}


KINDS = (
    credential(SECRET_KEY, "Supabase secret key", "critical", _KEYS, see=_DOC),
    credential(SERVICE_ROLE, "Supabase service_role key", "critical", "https://supabase.com/dashboard/project/_/settings/jwt",
               "Create a secret key and move the servers to it.", "Switch off the legacy keys, or change the JWT secret: that ends anon and service_role keys and all sessions.",
               see=_DOC, describe=_describe),
    credential(ACCESS_TOKEN, "Supabase access token", "critical", "https://supabase.com/dashboard/account/tokens", see="https://supabase.com/docs/reference/api/introduction"),
    credential(JWT_SECRET, "Supabase JWT secret", "critical", "https://supabase.com/dashboard/project/_/settings/jwt", "Move the project to signing keys, or generate a new secret.",
               "Update servers and clients: all keys and sessions signed with it end.", see="https://supabase.com/docs/guides/auth/signing-keys"),
    credential(PUBLISHABLE, "Supabase publishable or anon key (public)", "low", _KEYS, see=_DOC, describe=_describe),
)  # fmt: skip


def _check(parts: Parts) -> Signal | None:
    claims = jwt_claims(parts["secret"])
    issuer = str(claims[1].get("iss", "")) if claims else ""
    if issuer == "supabase-demo":
        return Signal("sample", -60, "the key that every local Supabase has")
    return structure(claims is not None and claims[1].get("role") in ("service_role", "anon"), "a key of Supabase")


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _key(role: str, issuer: str = "supabase") -> Shape:
    """A key whose project is drawn at random."""
    payload = concat('{"iss":"', issuer, '","ref":"', lower(20), '","role":"', role, '","iat":1700000000,"exp":2015000000}')
    return concat(concat('{"alg":"HS256","typ":"JWT"}').map(_encode), ".", payload.map(_encode), ".", b64url(43))


def _role_rule(kind: Kind, role: str, name: str, score: int) -> Rule:
    value = _key(role)
    mark = encodings(b'"role":"' + role.encode() + b'"')
    return Rule(
        f"{kind}-jwt", kind,
        rb"(?<![A-Za-z0-9_.-])(?P<secret>eyJ[A-Za-z0-9_-]{20,80}\.eyJ[A-Za-z0-9_-]{0,300}?(?:" + mark + rb")[A-Za-z0-9_-]{2,300}\.[A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])",
        anchor=rb"(?:" + mark + rb")", score=score, window=1200, check=_check,
        examples=(
            *places(name, value),
            text("const supabase = createClient('https://acme.supabase.co', '", part("secret", value), "')\n"),
            header("apikey: ", value),
        ),
        near_misses=wrong("OTHER_TOKEN", _key("authenticated"), _key(role, "supabase-demo"), concat(_key(role), "abc"), _key(role).map(lambda t: t[:-3])),
    )  # fmt: skip


_SECRET = concat("sb_secret_", b64url(22), "_", an(8))

RULES = (
    by_prefix(
        SECRET_KEY, rb"sb_secret_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{8}", "SUPABASE_SECRET_KEY", _SECRET,
        (concat("sb_secret_", b64url(21), "_", an(8)), concat("sb_secret_", b64url(22), "_", an(9)), concat("sb_secret-", b64url(22), "_", an(8)), concat("sb_secret_", an(31))),
        edge=SLUG, score=85, more=(header("apikey: ", _SECRET),),
    ),
    _role_rule(SERVICE_ROLE, "service_role", "SUPABASE_SERVICE_ROLE_KEY", 75),
    _role_rule(PUBLISHABLE, "anon", "SUPABASE_ANON_KEY", 20),
    by_prefix(
        PUBLISHABLE, rb"sb_publishable_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{8}", "SUPABASE_PUBLISHABLE_KEY", concat("sb_publishable_", b64url(22), "_", an(8)),
        (concat("sb_publishable_", b64url(21), "_", an(8)), concat("sb_publishable_", b64url(22), "_", an(9)), concat("sb-publishable_", b64url(22), "_", an(8))), edge=SLUG, score=30,
    ),
    by_prefix(
        ACCESS_TOKEN, rb"sbp_(?:oauth_|v0_)?[0-9a-f]{40}", "SUPABASE_ACCESS_TOKEN", concat("sbp_", hexa(40)), (concat("sbp_", hexa(39)), concat("sbp_", hexa(41)), concat("sbq_", hexa(40))),
        edge=SLUG, score=80, more=(header("Authorization: Bearer ", concat("sbp_oauth_", hexa(40))),),
    ),
    by_name(
        JWT_SECRET, rb"supabase[\w.-]{0,12}jwt[_.-]?secret(?:[_.-]?key)?", rb"[A-Za-z0-9+/]{86}==", "SUPABASE_JWT_SECRET", concat(b64(86), "=="), (concat(b64(85), "=="), concat(b64(87), "==")),
        edge=rb"(?![A-Za-z0-9+/=])", score=75,
    ),
)  # fmt: skip

HOSTS = ("api.supabase.com", "*.supabase.co")
VERIFIES = (ACCESS_TOKEN, SERVICE_ROLE, SECRET_KEY)

_ACCOUNT = Question(
    "https://api.supabase.com", "/v1/organizations", bearer, ("",),
    dead=(Said(401, ('{"message":"unauthorized"}', "jwt could not be decoded")),), who=("0.name",),
)  # fmt: skip
_PROJECT = Question(
    "", "/auth/v1/settings", in_header("apikey"), ("external",), dead=(Said(401, ('"message":"invalid api key"', "legacy api keys are disabled")),),
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks with a key at its project. `target.options`: `project`, the reference of a secret key's project."""
    if credential.kind == ACCESS_TOKEN:
        return put(_ACCOUNT, credential, target, ports)
    project = credential.text("id") or target.options.get("project", "")
    if credential.kind == SERVICE_ROLE:
        claims = jwt_claims(credential.parts["secret"].reveal())
        project = str(claims[1].get("ref", "")) if claims else ""
    if not re.fullmatch("[a-z0-9]{16,24}", project) and not target.base_url:
        return Unknown("target.options.project does not name the project")
    return put(_PROJECT._replace(base=f"https://{project}.supabase.co"), credential, target, ports)


_REFUSED = Answer(401, '{"message":"Invalid API key","hint":"Double check your Supabase `anon` or `service_role` API key."}')
_SETTINGS = '{"external":{"email":true},"disable_signup":false,"mailer_autoconfirm":false}'
_DISABLED = Answer(401, '{"message":"Legacy API keys are disabled","hint":"Your legacy API keys were disabled"}')
CASES = (
    *cases(ACCESS_TOKEN, '[{"id":"acme","name":"Acme"}]', Answer(401, '{"message":"Unauthorized"}')),
    *cases(SERVICE_ROLE, _SETTINGS, _REFUSED, Case("switched off", SERVICE_ROLE, (_DISABLED,), "dead")),
    *cases(SECRET_KEY, _SETTINGS, _REFUSED, Case("of whose project nobody knows", SECRET_KEY, (_REFUSED,), "unknown"), parts={"id": "abcdefghijklmnopqrst"}),
)  # fmt: skip
