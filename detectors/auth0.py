"""Auth0 client secrets.

What it is: the secret of an application (64 characters), with its client id (32 letters and digits) and the tenant's domain.
Where it is used: sign-in of web applications, machine-to-machine applications, Terraform; `.env`, serverless settings.
What an attacker can do: with a machine-to-machine application of the Management API read and change users, roles and connections, and
  so take over accounts; with a web application's secret get tokens in its name.
How to replace it: Applications, the application, Settings, Rotate secret; the old one ends at once, or POST
  /api/v2/clients/{id}/rotate-secret.
References: https://auth0.com/docs/get-started/applications/rotate-client-secret
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import an, b64url, concat, part, text

from ._saas import URLSAFE_EDGE, misses, named, named_contexts, secret, varied

CLIENT = Kind("auth0/client-secret")

KINDS = (
    CredentialKind(CLIENT, "Auth0 client secret", "critical", public=("id", "domain"),
                   manual=Manual(("Rotate the secret at the application's settings; the old one ends at once.", "Update what uses it."),
                                 "https://manage.auth0.com/#/applications"),
                   references=("https://auth0.com/docs/get-started/applications/rotate-client-secret",)),
)  # fmt: skip

_ID = Companion("id", rb"(?i:client_?id)[\"']?\s{0,4}(?:=>|[:=,])\s{0,4}[\"']?(?P<id>[A-Za-z0-9]{32})(?![A-Za-z0-9_-])", optional=True)
_DOMAIN = rb"(?<![A-Za-z0-9.-])(?P<domain>[a-z0-9][a-z0-9-]{1,60}(?:\.[a-z]{2}(?:-[0-9])?)?\.auth0\.com)"

RULES = (
    Rule(
        str(CLIENT),
        CLIENT,
        named(rb"auth0[\w.-]{0,16}secret", secret(rb"[A-Za-z0-9_-]{64}"), URLSAFE_EDGE),
        score=72,
        check=varied(),
        companions=(_ID, Companion("domain", _DOMAIN, optional=True)),
        examples=(
            *named_contexts("AUTH0_CLIENT_SECRET", b64url(64)),
            text("AUTH0_DOMAIN=", part("domain", "acme.eu.auth0.com"), "\nAUTH0_CLIENT_ID=", part("id", an(32)), "\nAUTH0_CLIENT_SECRET=",
                 part("secret", b64url(64)), "\n"),
        ),
        near_misses=(
            *misses("AUTH0_CLIENT_SECRET", b64url(63), b64url(65), concat(b64url(32), "$", b64url(31))),
            *misses("OTHER_VALUE", b64url(64)),
        ),
    ),
    Rule(
        "auth0/domain",
        CLIENT,
        _DOMAIN + rb"(?![A-Za-z0-9.-])",
        anchor=rb"\.auth0\.com",
        score=60,
        companions=(Companion("secret", named(rb"client_?secret", secret(rb"[A-Za-z0-9_-]{64}"), URLSAFE_EDGE), within=400), _ID),
        alone=-60,
        examples=(
            text('{"domain": "', part("domain", "acme.us.auth0.com"), '", "clientSecret": "', part("secret", b64url(64)), '"}\n'),
            text("curl https://", part("domain", "acme.auth0.com"), "/oauth/token -d 'client_secret=", part("secret", b64url(64)), "'\n"),
            text("client_secret: ", part("secret", b64url(64)), "\nissuer: https://", part("domain", "acme.eu.auth0.com"), "/\n"),
        ),
        near_misses=(
            text("client_secret: ", b64url(64), "\nissuer: https://acme.test/\n"),
            text("client_secret: ", b64url(63), "\nissuer: https://acme.auth0.com/\n"),
            text("client_secret: ", b64url(65), "\nissuer: https://acme.auth0.com/\n"),
        ),
    ),
)  # fmt: skip
