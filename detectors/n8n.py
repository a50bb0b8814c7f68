"""n8n keys.

What it is: a key of the public API of an n8n server: a JSON Web Token of issuer `n8n` for `public-api`; older ones are
  `n8n_api_` and 80 hex digits; and the key that encrypts the server's stored credentials.
Where it is used: `N8N_API_KEY`, header `X-N8N-API-KEY`, MCP settings; `N8N_ENCRYPTION_KEY`, `~/.n8n/config`.
What an attacker can do: with an API key read and change workflows and run them with the credentials stored there; with
  the encryption key and a copy of the database read these credentials.
How to replace it: create a new API key in the server's settings, n8n API, and delete the old one. The encryption key
  cannot be changed in place: rotate the credentials that it guards.
References: https://docs.n8n.io/api/authentication/
  https://docs.n8n.io/hosting/configuration/configuration-examples/encryption-key/
  https://github.com/n8n-io/n8n (packages/cli/src/services/public-api-key.service.ts: both forms of API keys)
"""

from __future__ import annotations

from keyward.plugin import Kind, Parts, Signal, structure
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import b64, b64url, concat, hexa, jwt, upper

from ._cloud import by_name, by_prefix, credential
from ._forms import SLUG

KEY = Kind("n8n/api-key")
ENCRYPTION = Kind("n8n/encryption-key")

KINDS = (
    credential(
        KEY, "n8n API key", "critical", "https://docs.n8n.io/api/authentication/", see="https://docs.n8n.io/api/authentication/"
    ),
    credential(
        ENCRYPTION,
        "n8n encryption key",
        "critical",
        "https://docs.n8n.io/hosting/configuration/configuration-examples/encryption-key/",
        see="https://docs.n8n.io/hosting/configuration/configuration-examples/encryption-key/",
    ),
)


_KEY = jwt('{"sub":"3b1f6c1e-64a5-4f0b-9f55-2f9d1c3a7b60","iss":"n8n","aud":"public-api","iat":1790000000}')


def _claims(parts: Parts) -> Signal | None:
    """Any other token is somebody else's."""
    said = jwt_claims(parts["secret"])
    ours = said is not None and said[1].get("iss") == "n8n" and said[1].get("aud") == "public-api"
    return structure(True, "issuer and audience are n8n's") if ours else Signal("structure", -100, "not of n8n's API")


RULES = (
    by_prefix(
        KEY,
        rb"eyJhbGciOi[A-Za-z0-9_-]{20,60}\.eyJ[A-Za-z0-9_-]{60,300}\.[A-Za-z0-9_-]{43}",
        "N8N_API_KEY",
        _KEY,
        (
            concat("eyJhbGciOi", b64url(26), ".eyJ", b64url(70), ".", b64url(42)),
            concat("eyJhbGciOi", b64url(26), ".", b64url(90), ".", b64url(43)),
            jwt('{"sub":"1f","iss":"n8n","aud":"mcp-server-api","iat":1790000000,"jti":"0c"}'),
        ),
        edge=SLUG,
        score=75,
        check=_claims,
        anchor=rb"eyJhbGciOi[A-Za-z0-9_-]{20,60}\.eyJ[A-Za-z0-9_-]{60}",
    ),
    by_prefix(
        KEY,
        rb"n8n_api_[0-9a-f]{80}",
        "N8N_API_KEY",
        concat("n8n_api_", hexa(80)),
        (
            concat("n8n_api_", hexa(79)),
            concat("n8n_api_", hexa(81)),
            concat("n8n_app_", hexa(80)),
        ),
        score=90,
        id="n8n/api-key-old",
    ),
    by_name(
        ENCRYPTION,
        rb"n8n_encryption_key",
        rb"[A-Za-z0-9+/_=-]{20,64}",
        "N8N_ENCRYPTION_KEY",
        b64(32),
        (
            b64(18),
            b64(66),
            concat("${", upper(12), "}"),
        ),
        edge=rb"(?![A-Za-z0-9+/_=-])",
        score=72,
    ),
)
