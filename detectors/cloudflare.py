"""Cloudflare tokens and keys.

What it is: user and account API tokens (cfut_, cfat_, or forty characters without a prefix), the global API key of an
  account (cfk_, or 37 hex digits), Origin CA keys, tunnel tokens, Access service tokens, R2 keys and Turnstile secrets.
Where it is used: wrangler, Terraform, certbot and acme.sh for DNS challenges, external-dns, cloudflared, rclone.
What an attacker can do: change DNS records and so take over mail and certificates, deploy Workers, read KV, D1 and R2,
  join a private network through a tunnel. The global key may do everything its user may.
How to replace it: roll the token in My Profile, API Tokens (the old value dies at once); the global key has a Change button
  there. Tunnel, Access and R2 credentials are rotated under Zero Trust and R2.
Whether it lives: GET /client/v4/user/tokens/verify, which every token may ask about itself; a token of an account only at GET
  /client/v4/accounts/ID/tokens/verify, so its account (`options.account_id`) must be known. The global key needs its owner's
  e-mail address, and whether key or address is wrong the answer does not tell.
References: https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/
  https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/configure-tunnels/remote-tunnel-permissions/
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from keyward.plugin import Companion, Kind, Parts, Rule, Signal, checksum, structure
from keyward.plugin.checksums import crc32_hex, decode_base64
from keyward.plugin.shapes import Shape, an, assigned, b64, b64url, concat, hexa, part, text, uuid4
from keyward.plugin.verifier import Answer, Case, Dead, Unknown, Verdict

from ._cloud import SLUG, Fields, beside, block, by_name, by_prefix, credential, header
from ._token_probe import first_known, for_all
from ._vendor_answers import Question, Said, bearer, cases, put

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

USER_TOKEN = Kind("cloudflare/user-api-token")
ACCOUNT_TOKEN = Kind("cloudflare/account-api-token")
TOKEN = Kind("cloudflare/api-token")
GLOBAL_KEY = Kind("cloudflare/global-api-key")
ORIGIN_CA = Kind("cloudflare/origin-ca-key")
TUNNEL = Kind("cloudflare/tunnel-token")
ACCESS = Kind("cloudflare/access-service-token")
R2 = Kind("cloudflare/r2-key")
TURNSTILE = Kind("cloudflare/turnstile-secret")

_TOKENS = "https://dash.cloudflare.com/profile/api-tokens"
_FORMATS = "https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/"
_ROLL = (
    "Roll the token: it gets a new value and keeps its rights.",
    "Update what uses it at once, because the old value is dead.",
)
_ONE = "https://one.dash.cloudflare.com/"


def _tunnel(parts: Parts) -> dict[str, object] | None:
    data = decode_base64(parts["secret"])
    try:
        loaded = json.loads(data) if data else None
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) and {"a", "t", "s"} <= loaded.keys() else None


def _describe_tunnel(parts: Parts) -> Fields:
    loaded = _tunnel(parts)
    return {"account": str(loaded["a"])[:40], "tunnel": str(loaded["t"])[:40]} if loaded else {}


KINDS = (
    credential(USER_TOKEN, "Cloudflare user API token", "critical", _TOKENS, *_ROLL, see=_FORMATS),
    credential(ACCOUNT_TOKEN, "Cloudflare account API token", "critical", "https://dash.cloudflare.com/?to=/:account/api-tokens", *_ROLL, see=_FORMATS),
    credential(TOKEN, "Cloudflare API token", "critical", _TOKENS, *_ROLL, see=_FORMATS),
    credential(GLOBAL_KEY, "Cloudflare global API key", "critical", _TOKENS, "Change the Global API Key.", "Replace it by a token with few rights.",
               see=_FORMATS, public=("email",)),
    credential(ORIGIN_CA, "Cloudflare Origin CA key", "high", _TOKENS, "Change the Origin CA Key.", "Review the certificates it issued.",
               see="https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/"),
    credential(TUNNEL, "Cloudflare tunnel token", "high", _ONE, "Refresh the tunnel's token.", "Restart cloudflared with the new one.",
               "Disconnect the other connectors.", see="https://developers.cloudflare.com/tunnel/advanced/tunnel-tokens/", describe=_describe_tunnel),
    credential(ACCESS, "Cloudflare Access service token", "high", _ONE, "Rotate the service token under Access controls.", "Update what uses it.",
               see="https://developers.cloudflare.com/cloudflare-one/access-controls/service-credentials/service-tokens/", public=("id",)),
    credential(R2, "Cloudflare R2 access key", "high", "https://dash.cloudflare.com/?to=/:account/r2/api-tokens",
               see="https://developers.cloudflare.com/r2/api/tokens/", public=("id", "endpoint")),
    credential(TURNSTILE, "Cloudflare Turnstile secret key", "medium", "https://dash.cloudflare.com/?to=/:account/turnstile",
               "Rotate the secret key; the old one stays good for two hours.", "Update the server.",
               see="https://developers.cloudflare.com/turnstile/troubleshooting/rotate-secret-key/"),
)  # fmt: skip


def _crc(parts: Parts) -> Signal | None:
    """The last eight digits are the CRC32 of the forty characters after the prefix."""
    body = parts["secret"].partition(b"_")[2]
    return checksum(crc32_hex(body[:40]) == body[40:], "CRC32")


def _check_tunnel(parts: Parts) -> Signal | None:
    return structure(_tunnel(parts) is not None, "JSON with account, tunnel and secret")


def _new(kind: Kind, prefix: str, name: str) -> Rule:
    value = concat(prefix, an(40)).tail(lambda token: crc32_hex(token.partition(b"_")[2]))
    return by_prefix(
        kind, prefix.encode() + rb"[A-Za-z0-9]{40}[0-9a-f]{8}", name, value,
        (concat(prefix, an(39), hexa(7)), concat(prefix, an(40), hexa(9)), concat(prefix, an(40), "ZYXW", hexa(4)), concat(prefix.replace("_", "-"), an(40), hexa(8))),
        id=f"{kind}-prefixed", score=80, check=_crc, more=(header("Authorization: Bearer ", value),),
    )  # fmt: skip


_TUNNEL = concat('{"a":"', hexa(32), '","t":"', uuid4(), '","s":"', b64(48), '"}').map(base64.b64encode)
_CF = rb"(?:cloudflare|(?<![A-Za-z0-9])cf)"


def _access(first: str, second: str) -> Shape:
    return text(first, part("id", concat(hexa(32), ".access")), second, part("secret", hexa(64)), '"\n')


RULES = (
    _new(USER_TOKEN, "cfut_", "CLOUDFLARE_API_TOKEN"),
    _new(ACCOUNT_TOKEN, "cfat_", "CLOUDFLARE_API_TOKEN"),
    _new(GLOBAL_KEY, "cfk_", "CLOUDFLARE_API_KEY"),
    by_name(
        TOKEN, _CF + rb"[\w.-]{0,16}token|cloudflare(?:\]|[\"']?:)\s{1,12}[\"']?(?:dns_)?api[_-]?token|" + block(rb"cloudflare", rb"api_token"), rb"(?!cf[au]t_)(?=[A-Za-z_-]{0,39}[0-9])(?=[a-z0-9_-]{0,39}[A-Z])[A-Za-z0-9_-]{40}", "CLOUDFLARE_API_TOKEN",
        concat("aQ7", b64url(37)), (b64url(39), b64url(41), hexa(40)), edge=SLUG, score=65,
        more=(
            assigned("api_token", concat("aQ7", b64url(37)), form='provider "cloudflare" {\n  {name} = "{value}"\n}\n'),
            assigned("apiToken", concat("aQ7", b64url(37)), form="cloudflare:\n  {name}: {value}\n"),
            assigned("dns_cloudflare_api_token", concat("aQ7", b64url(37)), form="{name} = {value}\n"), assigned("CF_Token", concat("aQ7", b64url(37)), form='export {name}="{value}"\n')),
    ),
    by_name(
        GLOBAL_KEY, rb"(?:" + _CF + rb"[\w.-]{0,8}(?:api[_-]?)?key|x-auth-key)", rb"[0-9a-f]{37}", "CLOUDFLARE_API_KEY", hexa(37), (hexa(36), hexa(38)),
        companions=(Companion("email", rb"(?<![A-Za-z0-9._+-])(?P<email>[A-Za-z0-9][A-Za-z0-9._+-]{0,60}@[A-Za-z0-9.-]{3,60}\.[a-z]{2,12})", optional=True),), score=70,
        more=(
            text("curl -H 'X-Auth-Email: ", part("email", "ops@corp.io"), "' -H 'X-Auth-Key: ", part("secret", hexa(37)), "'\n"),
            assigned("CF_Key", hexa(37), form='export {name}="{value}"\n'),
        ),
    ),
    by_prefix(
        ORIGIN_CA, rb"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}", "CF_ORIGIN_CA_KEY", concat("v1.0-", hexa(24), "-", hexa(146)),
        (concat("v1.0-", hexa(24), "-", hexa(145)), concat("v1.0-", hexa(24), "-", hexa(147)), concat("v1.0-", hexa(23), "-", hexa(146))),
    ),
    Rule(
        str(TUNNEL),
        TUNNEL,
        rb"(?<![A-Za-z0-9+/_.-])(?P<secret>eyJhIjoi[A-Za-z0-9+/_-]{120,400}={0,2})(?![A-Za-z0-9+/=._-])",
        score=60,
        check=_check_tunnel,
        examples=(
            assigned("TUNNEL_TOKEN", _TUNNEL),
            text("cloudflared tunnel run --token ", part("secret", _TUNNEL), "\n"),
            text("    command: tunnel --no-autoupdate run\n    environment:\n      - TUNNEL_TOKEN=", part("secret", _TUNNEL), "\n"),
        ),
        near_misses=(
            assigned("TUNNEL_TOKEN", concat("eyJhIjoi", an(100))),
            assigned("TUNNEL_TOKEN", concat("eyJhIjoi", an(200))),
            assigned("TUNNEL_TOKEN", concat("eyJhIjoi", an(160), ".", an(40))),
        ),
    ),
    Rule(
        str(ACCESS),
        ACCESS,
        rb"(?i:client[_-]?id)[\"']?\s{0,4}[:=,]\s{0,4}[\"']?(?P<id>[0-9a-f]{32}\.access)(?![A-Za-z0-9])",
        score=75,
        alone=-40,
        companions=(beside("secret", rb"client[_-]?secret", rb"[0-9a-f]{64}", optional=False),),
        examples=(
            _access("CF-Access-Client-Id: ", "\nCF-Access-Client-Secret: "),
            _access('CF_ACCESS_CLIENT_ID="', '"\nCF_ACCESS_CLIENT_SECRET="'),
            _access('{"client_id": "', '", "client_secret": "'),
        ),
        near_misses=(
            text("CF-Access-Client-Id: ", hexa(31), ".access\nCF-Access-Client-Secret: ", hexa(64), "\n"),
            text("CF-Access-Client-Id: ", hexa(32), ".access\nCF-Access-Client-Secret: ", hexa(63), "\n"),
            text("CF-Access-Client-Id: ", hexa(32), "-access\nCF-Access-Client-Secret: ", hexa(64), "\n"),
        ),
    ),
    by_name(
        R2, rb"(?<![A-Za-z0-9])r2[_.-][\w.-]{0,20}secret[\w.-]{0,12}", rb"[0-9a-f]{64}", "R2_SECRET_ACCESS_KEY", hexa(64), (hexa(63), hexa(65)), score=65,
        companions=(beside("id", rb"r2[_.-][\w.-]{0,20}key[_-]?id|access[_-]?key[_-]?id", rb"[0-9a-f]{32}"),),
        more=(text("R2_ACCESS_KEY_ID=", part("id", hexa(32)), "\nR2_SECRET_ACCESS_KEY=", part("secret", hexa(64)), "\n"),),
    ),
    Rule(
        "cloudflare/r2-endpoint",
        R2,
        rb"(?<![A-Za-z0-9])(?P<endpoint>[0-9a-f]{32}(?:\.eu|\.fedramp)?\.r2\.cloudflarestorage\.com)",
        score=65,
        alone=-80,
        companions=(
            beside("secret", rb"secret_?(?:access_?)?key", rb"[0-9a-f]{64}", optional=False),
            beside("id", rb"access_?key(?:_?id)?", rb"[0-9a-f]{32}"),
        ),
        examples=(
            text("[r2]\ntype = s3\naccess_key_id = ", part("id", hexa(32)), "\nsecret_access_key = ", part("secret", hexa(64)),
                 "\nendpoint = https://", part("endpoint", concat(hexa(32), ".r2.cloudflarestorage.com")), "\n"),
            text("AWS_SECRET_ACCESS_KEY=", part("secret", hexa(64)), "\nAWS_ENDPOINT_URL=https://", part("endpoint", concat(hexa(32), ".r2.cloudflarestorage.com")), "\n"),
            text('{"secretAccessKey": "', part("secret", hexa(64)), '", "endpoint": "https://', part("endpoint", concat(hexa(32), ".eu.r2.cloudflarestorage.com")), '"}\n'),
        ),
        near_misses=(
            text("secret_access_key = ", hexa(64), "\nendpoint = https://s3.corp.io\n"),
            text("secret_access_key = ", hexa(63), "\nendpoint = https://", hexa(32), ".r2.cloudflarestorage.com\n"),
            text("checksum = ", hexa(64), "\nendpoint = https://", hexa(32), ".r2.cloudflarestorage.com\n"),
        ),
    ),
    by_prefix(
        TURNSTILE, rb"0x4AAAAA[A-Za-z0-9_-]{26,29}", "TURNSTILE_SECRET_KEY", concat("0x4AAAAAAA", b64url(25)),
        (concat("0x4AAAAAAA", b64url(14)), concat("0x4AAAAAAA", b64url(36)), concat("0x4BAAAAAA", b64url(25))), edge=SLUG,
    ),
)  # fmt: skip

HOSTS = ("api.cloudflare.com",)
VERIFIES = (USER_TOKEN, ACCOUNT_TOKEN, TOKEN)

_USERS = Question(
    "https://api.cloudflare.com", "/client/v4/user/tokens/verify", bearer, ("result.status",),
    dead=(Said(401, ('"code":1000,',)), Said(400, ('"code":1000,',)), Said(200, ('"status":"disabled"', '"status":"expired"'))),
    restricted=(Said(403, ("cannot use the access token from location",), "it may not be used from this address"),),
    who=("result.id",), until="result.expires_on",
)  # fmt: skip


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks a token about itself. `target.options`: `account_id`, of a token that belongs to an account, not to a person. The old
    form does not tell whose it is: refused as a person's, it may still be an account's."""
    account = credential.text("id") or target.options.get("account_id", "")
    verdicts: list[Verdict] = []
    if credential.kind != ACCOUNT_TOKEN:
        verdicts.append(put(_USERS, credential, target, ports))
        if credential.kind == USER_TOKEN or not isinstance(verdicts[0], Dead):
            return verdicts[0]
    if not re.fullmatch("[0-9a-f]{32}", account):
        return Unknown("it may be a token of an account: target.options.account_id does not name it")
    verdicts.append(put(_USERS._replace(path=f"/client/v4/accounts/{account}/tokens/verify"), credential, target, ports))
    return first_known(verdicts)


_ACTIVE = '{"success":true,"errors":[],"result":{"id":"ed17574386854bf78a67040be0a770b0","status":"active","expires_on":"2027-01-01T00:00:00Z"}}'
_INVALID = Answer(401, '{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"messages":[],"result":null}')
_ELSEWHERE = Answer(
    403,
    '{"success":false,"errors":[{"code":9109,"message":"Cannot use the access token from location: 192.0.2.1"}],"result":null}',
)
_DISABLED = Answer(200, _ACTIVE.replace("active", "disabled"))
_EXPIRED = Answer(200, _ACTIVE.replace("active", "expired"))
_ACCOUNT = {"id": "023e105f4ecef8ad9ca31a8372d0c353"}

CASES = (
    *for_all((USER_TOKEN, ACCOUNT_TOKEN, TOKEN), (
        *cases(USER_TOKEN, _ACTIVE, _INVALID, restricted=_ELSEWHERE, parts=_ACCOUNT),
        Case("switched off", USER_TOKEN, (_DISABLED,), "dead", _ACCOUNT),
        Case("expired", USER_TOKEN, (_EXPIRED,), "dead", _ACCOUNT),
    )),
    Case("an account's, whose name is not known", ACCOUNT_TOKEN, (_INVALID,), "unknown"),
    Case("of whom nobody knows", TOKEN, (_INVALID,), "unknown"),
    Case("an account's", TOKEN, (_INVALID, Answer(200, _ACTIVE)), "live", _ACCOUNT),
)  # fmt: skip
