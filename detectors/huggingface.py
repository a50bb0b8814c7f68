"""Hugging Face tokens.

What it is: user access tokens (`hf_` and 34 letters), organisation tokens (`api_org_`, no longer issued) and the OAuth tokens of
  apps and Spaces (`hf_oauth_` and a JSON Web Token; its form is unverified).
Where it is used: `huggingface_hub`, `hf auth login` (`~/.cache/huggingface/token`, `stored_tokens`), git remotes, notebooks, Spaces,
  inference clients; `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`.
What an attacker can do: what the token's role allows: read private and gated models and data sets, with a write token change
  models that others download and run; spend inference credits.
How to replace it: make a new token at huggingface.co/settings/tokens (fine-grained, only the repositories it needs) and delete
  the old one. Whoever holds a leaked token can end it with POST /api/credentials/revoke, without a login.
References: https://huggingface.co/docs/hub/security-tokens
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import ALNUM, Shape, an, assigned, chars, concat, json_member, jwt, part, text
from keyward.plugin.verifier import Answer

from ._model_vendor import prefixed, replace
from ._vendor_answers import Question, Said, asks, bearer, cases

USER = Kind("huggingface/user-token")
ORGANISATION = Kind("huggingface/organisation-token")
OAUTH = Kind("huggingface/oauth-token")

_URL = "https://huggingface.co/settings/tokens"
_DOCS = ("https://huggingface.co/docs/hub/security-tokens",)
_LETTERS = ALNUM[:52]


def _claims(parts: Parts) -> Mapping[str, object]:
    claims = jwt_claims(parts["secret"][len(b"hf_oauth_") :])
    return claims[1] if claims else {}


def _describe(parts: Parts) -> Mapping[str, str]:
    return {name: str(value)[:80] for name, value in _claims(parts).items() if name in ("sub", "exp")}


def _structure(parts: Parts) -> Signal | None:
    return structure(bool(_claims(parts)), "JWT structure")


KINDS = (
    CredentialKind(USER, "Hugging Face user access token", "critical", manual=replace(_URL), references=_DOCS),
    CredentialKind(ORGANISATION, "Hugging Face organisation token", "critical", references=_DOCS,
                   manual=replace(_URL, "Organisation tokens are no longer issued: create a user or service account token instead.",
                                  "Update what uses the old one.", "Delete the old one in the organisation's settings.")),
    CredentialKind(OAUTH, "Hugging Face OAuth token", "high", describe=_describe, references=("https://huggingface.co/docs/hub/oauth",),
                   manual=replace("https://huggingface.co/settings/connected-applications", "Remove the application's authorisation.",
                                  "Authorise it again.")),
)  # fmt: skip


def _letters(kind: Kind, prefix: str, pattern: bytes) -> Rule:
    def token(count: int, end: str = "", start: str = prefix) -> Shape:
        return concat(start, chars(_LETTERS, count), end)

    good = token(34)
    return Rule(
        str(kind),
        kind,
        prefixed(pattern + rb"[A-Za-z]{34}", edge=rb"(?![A-Za-z0-9_])"),
        score=80,
        examples=(
            assigned("HF_TOKEN", good),
            text("git clone https://someone:", part("secret", good), "@huggingface.co/acme/model\n"),
            json_member("token", good),
            text('login(token="', part("secret", good), '")\n'),
        ),
        near_misses=(
            assigned("HF_TOKEN", token(33)), assigned("HF_TOKEN", token(35)), assigned("HF_TOKEN", token(33, "_")),
            assigned("HF_TOKEN", token(34, start=prefix[:-1] + "-")), assigned("HF_TOKEN", token(16, "_") + token(17, start="")),
        ),
    )  # fmt: skip


_OAUTH = concat("hf_oauth_", jwt('{"sub":"x","exp":1790000000}', algorithm="EdDSA", signature=86))

RULES = (
    _letters(USER, "hf_", rb"hf_"),
    _letters(ORGANISATION, "api_org_", rb"api_org_"),
    Rule(
        str(OAUTH),
        OAUTH,
        prefixed(rb"hf_oauth_(?:_refresh_)?eyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{40,700}"),
        check=_structure,
        window=4000,
        examples=(assigned("HF_TOKEN", _OAUTH), json_member("access_token", _OAUTH), text("Authorization: Bearer ", part("secret", _OAUTH), "\n")),
        near_misses=(
            assigned("HF_TOKEN", concat("hf_oauth_", an(60))), assigned("HF_TOKEN", concat("hf-oauth-", jwt('{"sub":"x"}'))),
            assigned("HF_TOKEN", concat("hf_oauth_", "eyJ", an(30), ".eyJ", an(30))),
        ),
    ),
)  # fmt: skip

# ---- asking the vendor

HOSTS = ("huggingface.co",)
_WHOAMI = Question(
    "https://huggingface.co", "/api/whoami-v2", bearer, ("name",),
    (Said(401, ("invalid username or password", "invalid credentials", "invalid user token", "is expired")),),
    who=("type", "name", "auth.accessToken.displayName", "auth.accessToken.role"),
)  # fmt: skip
QUESTIONS = {USER: _WHOAMI, ORGANISATION: _WHOAMI, OAUTH: _WHOAMI}
"""Asks whose token it is, and its role (https://huggingface.co/docs/hub/api#get-apiwhoami-v2)."""
VERIFIES = tuple(QUESTIONS)
verify = asks(QUESTIONS)
_MINE = '{"type":"user","name":"ann","auth":{"type":"access_token","accessToken":{"displayName":"ci","role":"write"}}}'
CASES = tuple(
    case for kind in VERIFIES for case in cases(kind, _MINE, Answer(401, '{"error":"Invalid username or password."}'))
)
