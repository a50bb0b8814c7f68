"""DigitalOcean tokens and Spaces keys.

What it is: personal access tokens (dop_v1_), OAuth access and refresh tokens (doo_v1_, dor_v1_), access keys for Spaces
  object storage, and the bare 64 hex digits of tokens made before 2022.
Where it is used: doctl, Terraform, GitHub Actions, the Kubernetes cloud controller; Spaces keys in s3cmd and rclone.
What an attacker can do: with a token of full scope, create and destroy Droplets, read databases' passwords, kubeconfigs and
  container registries, and spend; with a Spaces key, read and change the buckets.
How to replace it: tokens are made only by hand, under API in the control panel; delete the old one there. Whoever holds an
  OAuth token can revoke it with POST /v1/oauth/revoke. Spaces keys have their own page and API.
Whether it lives: GET /v2/account, which every token may ask that has the scope account:read (403 without). A refresh token
  cannot be asked about without being used up.
References: https://docs.digitalocean.com/reference/api/create-personal-access-token/
  https://docs.digitalocean.com/products/spaces/how-to/manage-access/
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, assigned, b64, concat, hexa, part, text, upper
from keyward.plugin.verifier import Answer

from ._cloud import block, by_name, by_prefix, credential, header, named, random_looking
from ._token_probe import for_all
from ._vendor_answers import Question, Said, asks, bearer, cases

PAT = Kind("digitalocean/personal-access-token")
OAUTH = Kind("digitalocean/oauth-token")
REFRESH = Kind("digitalocean/refresh-token")
SPACES = Kind("digitalocean/spaces-key")

_TOKENS = "https://cloud.digitalocean.com/account/api/tokens"
_DOC = "https://docs.digitalocean.com/reference/api/create-personal-access-token/"

KINDS = (
    credential(PAT, "DigitalOcean personal access token", "critical", _TOKENS, see=_DOC),
    credential(OAUTH, "DigitalOcean OAuth access token", "critical", "https://cloud.digitalocean.com/account/api/access", see="https://docs.digitalocean.com/reference/api/oauth/"),
    credential(REFRESH, "DigitalOcean OAuth refresh token", "critical", "https://cloud.digitalocean.com/account/api/access", see="https://docs.digitalocean.com/reference/api/oauth/"),
    credential(SPACES, "DigitalOcean Spaces access key", "high", "https://cloud.digitalocean.com/spaces/access_keys",
               see="https://docs.digitalocean.com/products/spaces/how-to/manage-access/", identity=("secret", "id"), public=("id",)),
)  # fmt: skip


def _token(kind: Kind, prefix: str, name: str) -> Rule:
    value = concat(prefix, hexa(64))
    return by_prefix(
        kind, prefix.encode() + rb"[0-9a-f]{64}", name, value,
        (concat(prefix, hexa(63)), concat(prefix, hexa(65)), concat(prefix.replace("v1", "v9"), hexa(64)), concat(prefix, hexa(32), "-", hexa(31))), score=85,
        more=(header("Authorization: Bearer ", value), text("doctl auth init -t ", part("secret", value), "\n")),
    )  # fmt: skip


_LAST = rb"(?:token|key|pat)"
_BARE = b"|".join(
    named(start, rb"[0-9a-f]{64}", b"")
    for start in (
        rb"ocean_?(?:api_?|access_?|pat_?)?" + _LAST,
        rb"do_(?:api_?|access_?|pat_?)?" + _LAST,
        rb"do(?:(?:api|access|pat)_?)?" + _LAST,
        block(rb"digitalocean", rb"token"),
    )
)
"""Each with a literal of three bytes or more: `do` stands everywhere."""


def _pair(first: str, second: str, last: str = "\n") -> Shape:
    return text(first, part("id", concat("DO00", upper(16))), second, part("secret", b64(43)), last)


RULES = (
    _token(PAT, "dop_v1_", "DIGITALOCEAN_ACCESS_TOKEN"),
    _token(OAUTH, "doo_v1_", "DIGITALOCEAN_OAUTH_TOKEN"),
    _token(REFRESH, "dor_v1_", "DIGITALOCEAN_REFRESH_TOKEN"),
    by_name(
        PAT, rb"(?:digital_?ocean|(?<![A-Za-z0-9])do)_?(?:api_?|access_?|pat_?)?(?:token|key|pat)|" + block(rb"digitalocean", rb"token"), rb"[0-9a-f]{64}", "DIGITALOCEAN_TOKEN", hexa(64), (hexa(63), hexa(65)),
        id="digitalocean/token-unprefixed", anchor=_BARE, more=(assigned("do_token", hexa(64), form='{name} = "{value}"\n'), assigned("token", hexa(64), form='provider "digitalocean" {\n  {name} = "{value}"\n}\n')),
    ),
    Rule(
        "digitalocean/spaces-key-id",
        SPACES,
        rb"(?<![A-Za-z0-9])(?P<id>DO(?:00|80)[A-Z0-9]{16})(?![A-Za-z0-9])",
        alone=-40,
        companions=(Companion("secret", rb"(?<![A-Za-z0-9+/])(?P<secret>[A-Za-z0-9+/]{43})(?![A-Za-z0-9+/=])", check=random_looking),),
        examples=(
            _pair("SPACES_ACCESS_KEY_ID=", "\nSPACES_SECRET_ACCESS_KEY="),
            _pair("[default]\naccess_key = ", "\nhost_base = nyc3.digitaloceanspaces.com\nsecret_key = "),
            _pair('{"accessKeyId": "', '", "secretAccessKey": "', '"}\n'),
        ),
        near_misses=(
            text("key=DO00", upper(15), "\nvalue=", b64(43), "\n"),
            text("key=DO00", upper(17), "\nvalue=", b64(43), "\n"),
            text("key=DO00", upper(16), "\nvalue=", b64(42), "\n"),
        ),
    ),
    Rule(
        "digitalocean/spaces-secret",
        SPACES,
        named(rb"(?:do_?|digitalocean_?)?spaces[\w.-]{0,10}secret[\w.-]{0,12}", rb"[A-Za-z0-9+/]{43}", rb"(?![A-Za-z0-9+/=])"),
        score=65,
        examples=(
            assigned("SPACES_SECRET_ACCESS_KEY", b64(43)),
            assigned("DO_SPACES_SECRET", b64(43), form='{name}: "{value}"\n'),
            assigned("spaces_secret_key", b64(43), form='{name} = "{value}"\n'),
        ),
        near_misses=(
            assigned("SPACES_SECRET_ACCESS_KEY", b64(42)),
            assigned("SPACES_SECRET_ACCESS_KEY", b64(44)),
            assigned("SPACES_BUCKET", b64(43)),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.digitalocean.com",)
VERIFIES = (PAT, OAUTH)

_ASK = Question(
    "https://api.digitalocean.com", "/v2/account", bearer, ("account.uuid",),
    dead=(Said(401, ('"id":"unauthorized"',)),), restricted=(Said(403, ('"id":"forbidden"',)),), who=("account.team.name", "account.name"),
)  # fmt: skip
verify = asks(dict.fromkeys(VERIFIES, _ASK))

CASES = for_all(
    VERIFIES,
    cases(
        PAT,
        '{"account":{"uuid":"b6fr89dbf6d9156cace5f3c78dc9851d957381ef","name":"Sammy","team":{"uuid":"5df3e3004a17","name":"My Team"}}}',
        Answer(401, '{"id":"Unauthorized","message":"Unable to authenticate you"}'),
        restricted=Answer(403, '{"id":"Forbidden","message":"You are not authorized to perform this operation"}'),
    ),
)
