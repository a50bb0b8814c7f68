"""Infisical service tokens and machine identities.

What it is: service tokens of a project (`st.` and three parts: id, secret, key), and the client secret of a machine identity
  (64 hex digits), which is used with a client id. The shapes are of tokens seen, not of documentation.
Where it is used: the infisical command line and agent, the Kubernetes operator, SDKs, CI (`INFISICAL_TOKEN`).
What an attacker can do: read, and with write access change, every secret of the environments that the token was given.
How to replace it: create a new token or client secret for the same identity, deploy it, revoke the old one; then rotate the
  secrets that it could read.
References: https://infisical.com/docs/documentation/platform/token
  https://infisical.com/docs/documentation/platform/identities/universal-auth
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, assigned, concat, hexa, jwt, part, text, uuid4

from ._cloud import SLUG, UUID, beside, by_name, by_prefix, credential, header

TOKEN = Kind("infisical/service-token")
CLIENT_SECRET = Kind("infisical/machine-identity-secret")
ACCESS_TOKEN = Kind("infisical/access-token")

_URL = "https://app.infisical.com/"
_DOC = "https://infisical.com/docs/documentation/platform/"

KINDS = (
    credential(TOKEN, "Infisical service token", "critical", _URL, "Replace it by a machine identity, or create a new token: project, Access Control, Service Tokens.",
               "Update what uses the old one.", "Delete the old token and rotate the secrets it could read.", see=_DOC + "token"),
    credential(CLIENT_SECRET, "Infisical machine identity secret", "critical", _URL, "Add a second client secret to the identity's Universal Auth.", "Update what uses the old one.",
               "Delete the old secret and rotate the secrets it could read.", see=_DOC + "identities/universal-auth", public=("client_id",)),
    credential(ACCESS_TOKEN, "Infisical access token", "high", _URL, "Revoke the identity's access tokens.", "Log in again with its client secret.", see=_DOC + "identities/machine-identities"),
)  # fmt: skip

_TOKEN = concat("st.", hexa(24), ".", hexa(32), ".", hexa(32))
_JWT = jwt('{"identityId":"x","authTokenType":"identityAccessToken","iat":1700000000,"exp":4102444800}')

RULES = (
    by_prefix(
        TOKEN, rb"st\.[0-9a-f-]{24,36}\.[0-9a-f]{32}\.[0-9a-f]{32}", "INFISICAL_TOKEN", _TOKEN,
        (concat("st.", hexa(23), ".", hexa(32), ".", hexa(32)), concat("st.", hexa(24), ".", hexa(32), ".", hexa(33)), concat("st-", hexa(24), ".", hexa(32), ".", hexa(32))),
        score=80, more=(header("Authorization: Bearer ", _TOKEN), assigned("INFISICAL_TOKEN", concat("st.", uuid4(), ".", hexa(32), ".", hexa(32)))),
    ),
    by_name(
        CLIENT_SECRET, rb"(?:infisical|universal_?auth)[\w.-]{0,32}client[_-]?secret", rb"[0-9a-f]{64}", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", hexa(64), (hexa(63), hexa(65), an(64)), score=70,
        companions=(beside("client_id", rb"client[_-]?id", UUID),),
        more=(text("INFISICAL_CLIENT_ID=", part("client_id", uuid4()), "\nINFISICAL_CLIENT_SECRET=", part("secret", hexa(64)), "\n"),),
    ),
    by_name(
        ACCESS_TOKEN, rb"infisical[\w.-]{0,16}token", rb"eyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{20,2000}\.[A-Za-z0-9_-]{43,360}", "INFISICAL_TOKEN", _JWT,
        (concat("eyJ", an(100)), jwt('{"iss":"x"}', signature=20)), edge=SLUG, score=65, window=3000,
    ),
)  # fmt: skip
