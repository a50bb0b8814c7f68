"""Snowflake access tokens and passwords.

What it is: programmatic access tokens (PAT), which are JSON Web Tokens signed by Snowflake (issuer `SF:…`), and passwords of
  users in connection settings and in `snowflake://` URLs.
Where it is used: the connectors and SnowSQL (`~/.snowflake/connections.toml`, `~/.snowsql/config`), dbt profiles, Airflow,
  Terraform, notebooks; a PAT stands wherever a password may.
What an attacker can do: read and export whatever the user's roles may see, and use warehouses; logins that have only a
  password were how many companies lost their data in 2024.
How to replace it: ALTER USER … ROTATE or REMOVE PROGRAMMATIC ACCESS TOKEN; a password with ALTER USER … SET PASSWORD.
  Better give service users a key pair, which has two slots and can be changed without a gap.
References: https://docs.snowflake.com/en/user-guide/programmatic-access-tokens
  https://docs.snowflake.com/en/user-guide/key-pair-auth
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from keyward.plugin import Companion, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import jwt_claims
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, digits, jwt, part, text

from ._cloud import Fields, credential, encodings, expired, expiry, header, places, wrong

PAT = Kind("snowflake/programmatic-access-token")
PASSWORD = Kind("snowflake/password")

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
    credential(PASSWORD, "Snowflake password", "critical", "https://app.snowflake.com/", "Set a new one: ALTER USER … SET PASSWORD.",
               "Update what uses it; prefer a key pair for services.", "Read LOGIN_HISTORY for foreign addresses.",
               see="https://docs.snowflake.com/en/user-guide/admin-user-management", public=("user", "account"), canonical=unquote_to_bytes),
)  # fmt: skip

_ISSUER = b'"iss":"SF:'


def _check(parts: Parts) -> Signal | None:
    payload = _payload(parts)
    end = payload.get("exp")
    late = expired(end) if isinstance(end, int) else None
    return late or structure(str(payload.get("iss", "")).startswith("SF:"), "a token of Snowflake")


def _strength(parts: Parts) -> Signal | None:
    """A password is only known by its name here, so that a word or a call is told apart by its look."""
    secret = unquote_to_bytes(parts["secret"])
    classes = sum(any(low <= c <= high for c in secret) for low, high in ((48, 57), (65, 90), (97, 122)))
    if any(c in b"()[]{}<>$" for c in secret) or classes < 2:
        return Signal("shape", -40, "looks like a word or an expression")
    return None


_ACCOUNT = Companion("account", rb"(?i:snowflake_?account[\"']?\s{0,4}[:=]\s{0,4}[\"']?|https://)?(?P<account>[A-Za-z0-9][A-Za-z0-9_.-]{2,60})\.snowflakecomputing\.com", optional=True)
_TOKEN = jwt('{"p":"2931048:2931044","iss":"SF:1049","exp":4102444800}', algorithm="ES256", signature=86)
_OTHER = jwt('{"p":"2931048:2931044","iss":"https://id.corp.io","exp":4102444800}', algorithm="ES256", signature=86)
_SECRET = concat(an(8), "4w", an(4))


def _url(secret: Shape, scheme: str = "snowflake") -> Shape:
    return text(scheme, "://", part("user", "LOADER"), ":", part("secret", secret), "@", part("account", concat("acme-ab", digits(5))), "/ANALYTICS/PUBLIC?warehouse=WH\n")


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
    Rule(
        "snowflake/password-named",
        PASSWORD,
        rb"(?i:snowflake_?(?:db_?|user_?)?(?:password|passwd|pwd)|snowsql_pwd)[\"']?\]?\s{0,4}(?:=>|[:=,])\s{0,4}[\"']?(?P<secret>[^\s\"'`<>,;\\]{8,72})(?=[\s\"'`,;]|\Z)",
        score=60,
        check=_strength,
        examples=(
            assigned("SNOWFLAKE_PASSWORD", _SECRET),
            assigned("SNOWSQL_PWD", _SECRET, form='export {name}="{value}"\n'),
            assigned("snowflake_password", _SECRET, form='{"{name}": "{value}"}\n'.replace('{"{', '["{').replace('"}\n', '"]\n')),
        ),
        near_misses=(
            assigned("SNOWFLAKE_PASSWORD", "${SF_PASS}"),
            assigned("SNOWFLAKE_PASSWORD", "getpass.getpass()"),
            assigned("SNOWFLAKE_PASSWORD", "password"),
            assigned("SNOWFLAKE_PASSWORD", an(6)),
        ),
    ),
    Rule(
        "snowflake/url",
        PASSWORD,
        rb"snowflake://(?P<user>[A-Za-z0-9_.%@+-]{1,60}):(?P<secret>[^\s\"'`<>@/:{}$]{6,80})@(?P<account>[A-Za-z0-9][A-Za-z0-9_.-]{3,80})",
        score=75,
        check=_strength,
        examples=(_url(_SECRET), text("SNOWFLAKE_URL=", _url(_SECRET)), text('engine = create_engine("', _url(_SECRET), '")\n')),
        near_misses=(
            _url(_SECRET, "snowfall"),
            text("snowflake://LOADER@acme/ANALYTICS?authenticator=externalbrowser\n"),
            text("snowflake://<user>:<password>@<account>/db\n"),
        ),
    ),
)  # fmt: skip

