"""JSON Web Tokens.

What it is: a signed statement of an issuer about a user or a service: header, payload and signature in URL-safe base64,
  joined by dots.
Where it is used: API calls, session cookies, service-to-service calls, links; often pasted into scripts, tests and logs.
What an attacker can do: act as the token's subject towards the services that trust its issuer, until it expires. The
  payload says who that is, and when it ends; a token without `exp` stays good until the signing key changes.
How to replace it: log the subject out or revoke the token at its issuer; where the issuer keeps no list, change its signing
  key. Then take a new token.
References: https://datatracker.ietf.org/doc/html/rfc7519
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import assigned, b64url, concat, json_member, jwt, part, text

JWT = Kind("jwt/token")


def _describe(parts: Parts) -> Mapping[str, str]:
    claims = jwt_claims(parts["secret"])
    if claims is None:
        return {}
    header, payload = claims
    facts = {"algorithm": header.get("alg"), "issuer": payload.get("iss"), "subject": payload.get("sub")}
    expires = payload.get("exp")
    if isinstance(expires, (int, float)) and 0 < expires < 32503680000:
        facts["expires"] = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires))
    return {name: str(fact)[:80] for name, fact in facts.items() if isinstance(fact, (str, int)) and fact != ""}


def _check(parts: Parts) -> Signal | None:
    token = parts["secret"]
    claims = jwt_claims(token)
    if claims is None or "alg" not in claims[0]:
        return Signal("structure", -60, "header and payload are not those of a JSON Web Token")
    header, payload = claims
    if not token.rpartition(b".")[2]:
        return Signal("signature", -40, "no signature" if str(header["alg"]).lower() == "none" else "the signature is cut off")
    expires = payload.get("exp")
    if isinstance(expires, (int, float)) and expires < time.time():
        return Signal("expired", -20, "its time is over")
    if payload.get("sub") == "1234567890" or payload.get("name") == "John Doe":
        return Signal("sample", -30, "the payload of the documentation's token")
    return Signal("structure", 5, "header and payload can be read")


KINDS = (
    CredentialKind(
        JWT,
        "JSON Web Token",
        "medium",
        describe=_describe,
        manual=Manual(
            (
                "Find the issuer (`iss`) and end the session or revoke the token there.",
                "If the issuer cannot revoke a single token, change its signing key.",
                "Take a new token.",
            ),
            "https://datatracker.ietf.org/doc/html/rfc7519",
        ),
        references=("https://datatracker.ietf.org/doc/html/rfc7519",),
    ),
)

_TOKEN = jwt('{"iss":"https://id.corp.io/","sub":"svc-orders","aud":"api","exp":4102444800}')
_SERVICE = jwt('{"iss":"https://id.corp.io/","sub":"svc-billing","scope":"read write"}', algorithm="RS256", signature=342)

RULES = (
    Rule(
        "jwt/token",
        JWT,
        rb"(?<![A-Za-z0-9_.-])(?P<secret>eyJ[A-Za-z0-9_-]{8,1200}\.eyJ[A-Za-z0-9_-]{8,7000}\.[A-Za-z0-9_-]{0,1400})(?![A-Za-z0-9_-])",
        anchor=rb"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8}",
        specificity=STRUCTURAL,
        score=55,
        window=9000,
        check=_check,
        examples=(
            assigned("ACCESS_TOKEN", _TOKEN),
            text("curl -H 'Authorization: Bearer ", part("secret", _SERVICE), "' https://api.corp.io/orders\n"),
            json_member("id_token", _TOKEN),
            text("GET /download?token=", part("secret", _TOKEN), " HTTP/1.1\n"),
        ),
        near_misses=(
            assigned("TOKEN", concat("eyJ", b64url(40), ".", b64url(60))),
            assigned("TOKEN", concat("eyJ", b64url(40), ".eyJ", b64url(60), ".", b64url(43))),
            assigned("TOKEN", jwt('{"iss":"https://id.corp.io/","exp":1500000000}')),
            assigned("TOKEN", jwt('{"iss":"https://id.corp.io/"}', algorithm="none").map(lambda t: t[: t.rindex(b".") + 1])),
        ),
    ),
)  # fmt: skip
