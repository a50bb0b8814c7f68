"""Snowflake programmatic access tokens.

What it is: a programmatic access token (PAT), a JSON Web Token that Snowflake signs (issuer `SF:…`) and that stands wherever
  a password may.
Where it is used: the connectors and SnowSQL (`~/.snowflake/connections.toml`), the SQL API, dbt profiles, Airflow, Terraform,
  notebooks.
What an attacker can do: read and export whatever the roles of the token's user may see, unless a network policy forbids the
  address, and use warehouses at the owner's cost.
How to replace it: ALTER USER … ROTATE PROGRAMMATIC ACCESS TOKEN gives a new value and lets the old one live for a day unless
  told otherwise; REMOVE ends it at once. Neither can be done in a session that logged in with such a token.
References: https://docs.snowflake.com/en/user-guide/programmatic-access-tokens
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import b64url, concat, jwt, part, text

from ._cloud import Fields, credential, encodings, expired, expiry, header, places, wrong

PAT = Kind("snowflake/programmatic-access-token")

_PAT_DOC = "https://docs.snowflake.com/en/user-guide/programmatic-access-tokens"


def _payload(parts: Parts) -> dict[str, object]:
    claims = jwt_claims(parts["secret"])
    return claims[1] if claims else {}


def _describe(parts: Parts) -> Fields:
    end, issuer = _payload(parts).get("exp"), _payload(parts).get("iss")
    return {"issuer": str(issuer)[:40], **({"expires": expiry(end)} if isinstance(end, int) else {})}


KINDS = (
    credential(PAT, "Snowflake programmatic access token", "critical", "https://app.snowflake.com/",
               "Rotate it: ALTER USER … ROTATE PROGRAMMATIC ACCESS TOKEN … (the old one lives on for a day unless told otherwise).", "Update what uses it.",
               "Remove it: ALTER USER … REMOVE PROGRAMMATIC ACCESS TOKEN.", see=_PAT_DOC, public=("account",), describe=_describe),
)  # fmt: skip

_ISSUER = b'"iss":"SF:'


def _check(parts: Parts) -> Signal | None:
    payload = _payload(parts)
    end = payload.get("exp")
    late = expired(end) if isinstance(end, int) else None
    return late or structure(str(payload.get("iss", "")).startswith("SF:"), "a token of Snowflake")


_ACCOUNT = Companion("account", rb"(?<![A-Za-z0-9_.-])(?P<account>[A-Za-z0-9][A-Za-z0-9_.-]{2,60})\.snowflakecomputing\.com", optional=True)
_TOKEN = jwt('{"p":"2931048:2931044","iss":"SF:1049","exp":4102444800}', algorithm="ES256", signature=86)
_OTHER = jwt('{"p":"2931048:2931044","iss":"https://id.corp.io","exp":4102444800}', algorithm="ES256", signature=86)

RULES = (
    Rule(
        str(PAT),
        PAT,
        rb"(?<![A-Za-z0-9_.-])(?P<secret>eyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{0,400}?(?:" + encodings(_ISSUER) + rb")[A-Za-z0-9_-]{4,600}\.[A-Za-z0-9_-]{60,600})(?![A-Za-z0-9_-])",
        anchor=rb"(?:" + encodings(_ISSUER) + rb")",
        score=75,
        window=2500,
        check=_check,
        companions=(_ACCOUNT,),
        examples=(
            *places("SNOWFLAKE_PASSWORD", _TOKEN),
            header("Authorization: Bearer ", _TOKEN),
            text("[prod]\naccount = 'acme'\nhost = ", part("account", "acme-prod"), ".snowflakecomputing.com\npassword = '", part("secret", _TOKEN), "'\n"),
        ),
        near_misses=wrong("TOKEN", _OTHER, jwt('{"iss":"SF:1049","exp":1500000000}', algorithm="ES256", signature=86), jwt('{"iss":"SF:1049"}', signature=20), concat("eyJ", b64url(200))),
    ),
)  # fmt: skip

