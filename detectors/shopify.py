"""Shopify access tokens and app secrets.

What it is: an Admin API access token (shpat_, shpca_, shppa_, shpua_ or shptka_ with 32 hex characters), an app's client secret
  (shpss_). Bare 32 hex tokens from before 2020 and storefront tokens, which are public, are not reported.
Where it is used: apps and automation for shops, themes in CI; `.env`, header X-Shopify-Access-Token.
What an attacker can do: read orders and customers (names, addresses), change products, prices and themes, within the token's scopes; with
  the client secret forge webhooks and sessions, and get tokens of installed shops.
How to replace it: uninstall and install the custom app again, or rotate the app's client secret and get new tokens with it. A holder
  can uninstall the app with DELETE /admin/api_permissions/current.json.
Whether it lives: GET /admin/oauth/access_scopes.json at the shop that the operator names, which every token may ask.
References: https://shopify.dev/docs/apps/build/authentication-authorization
  https://shopify.dev/docs/apps/build/authentication-authorization/client-secrets/rotate-revoke-client-credentials
  The prefix shprt_ of refresh tokens is unverified.
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import concat, hexa, part, text
from keyward.plugin.verifier import Answer, Case

from ._saas import contexts, misses, replace, token
from ._token_probe import own_server
from ._vendor_answers import Question, Said, asks, cases, in_header

TOKEN = Kind("shopify/access-token")
SECRET = Kind("shopify/app-secret")
REFRESH = Kind("shopify/refresh-token")

_REFERENCES = ("https://shopify.dev/docs/apps/build/authentication-authorization",)
_ADMIN = "https://admin.shopify.com/settings/apps/development"

KINDS = (
    CredentialKind(TOKEN, "Shopify access token", "high", public=("shop",),
                   manual=Manual(("Uninstall the custom app and install it again, or rotate the app's client secret.", "Update what uses the old token."), _ADMIN),
                   references=_REFERENCES),
    CredentialKind(SECRET, "Shopify app client secret", "critical",
                   manual=replace("a second client secret at the app's settings", "https://dev.shopify.com/dashboard", "Revoke the old secret."),
                   references=("https://shopify.dev/docs/apps/build/authentication-authorization/client-secrets/rotate-revoke-client-credentials",)),
    CredentialKind(REFRESH, "Shopify refresh token", "high",
                   manual=Manual(("Rotate the app's client secret; refresh tokens end with it.", "Get new tokens."), "https://dev.shopify.com/dashboard"),
                   references=_REFERENCES),
)  # fmt: skip

_SHOP = Companion("shop", rb"(?<![A-Za-z0-9-])(?P<shop>[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com)", optional=True)


def _rule(kind: Kind, prefixes: tuple[str, ...], name: str) -> Rule:
    first = prefixes[0]
    value = concat(first, hexa(32))
    return Rule(
        str(kind),
        kind,
        token(rb"(?:" + "|".join(prefixes).encode() + rb")[0-9a-fA-F]{32}"),
        companions=(_SHOP,),
        score=88,
        examples=(
            *(shape for prefix in prefixes for shape in contexts(name, concat(prefix, hexa(32)), "X-Shopify-Access-Token: ")),
            text("SHOP=", part("shop", "acme-shoes.myshopify.com"), "\n", name, "=", part("secret", value), "\n"),
        ),
        near_misses=misses(
            name, concat(first, hexa(31)), concat(first, hexa(33)), concat(first[:-1], "-", hexa(32)), concat(first, hexa(31), "g"),
            concat("shpxx_", hexa(32)),
        ),
    )  # fmt: skip


RULES = (
    _rule(TOKEN, ("shpat_", "shpca_", "shppa_", "shpua_", "shptka_"), "SHOPIFY_ACCESS_TOKEN"),
    _rule(SECRET, ("shpss_",), "SHOPIFY_API_SECRET"),
    _rule(REFRESH, ("shprt_",), "SHOPIFY_REFRESH_TOKEN"),
)

HOSTS: tuple[str, ...] = ()
"""None: a token is of one shop, and only the operator says of which."""

VERIFIES = (TOKEN,)

_ASK = Question(
    "", "/admin/oauth/access_scopes.json", in_header("x-shopify-access-token"), ("access_scopes",),
    dead=(Said(401, ("invalid api key or access token",)),), restricted=(Said(403, ('{"errors":"[api]',)),),
)  # fmt: skip
verify = own_server("shopify", asks({TOKEN: _ASK}))

CASES = cases(
    TOKEN,
    '{"access_scopes":[{"handle":"read_products"},{"handle":"write_orders"}]}',
    Answer(401, '{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}'),
    Case("no such shop", TOKEN, (Answer(404, '{"errors":"Not Found"}'),), "unknown"),
    restricted=Answer(403, '{"errors":"[API] This action requires merchant approval for a scope."}'),
)
