"""Matrix access and refresh tokens, and Synapse's registration secret.

What it is: an access token of Synapse (syt_ with the user's name in base64) or of the Matrix Authentication Service (mat_, mct_),
  the refresh tokens beside them (syr_, mar_, mcr_), and the shared secret with which anybody may register administrators.
Where it is used: bots, bridges and agents in Matrix rooms; `.env`, bot configurations, `homeserver.yaml`.
What an attacker can do: act as the user in all rooms: read history that is not encrypted, write, leave, invite; with the
  registration secret make an administrator's account on the homeserver.
How to replace it: POST /_matrix/client/v3/logout with the token ends it; sign in again for a new one. Change
  `registration_shared_secret` in the server's configuration and restart it.
Whether it lives: an access token: GET /_matrix/client/v3/account/whoami at the home server that the operator names. A refresh
  token cannot be asked about without being used up.
References: https://github.com/element-hq/synapse/blob/develop/synapse/handlers/auth.py (generate_access_token)
  https://github.com/element-hq/matrix-authentication-service/blob/main/crates/data-model/src/tokens.rs
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule, Signal, checksum
from keyward.plugin.checksums import BASE62, crc32_base62, decode_base64
from keyward.plugin.shapes import LOWER, UPPER, Shape, an, chars, concat, lower
from keyward.plugin.verifier import Answer, Case

from ._saas import contexts, misses, named, named_contexts, secret, token
from ._token_probe import own_server
from ._vendor_answers import Question, Said, asks, bearer, cases

ACCESS = Kind("matrix/access-token")
REFRESH = Kind("matrix/refresh-token")
REGISTRATION = Kind("matrix/registration-secret")


def _user(parts: Parts) -> Mapping[str, str]:
    pieces = parts["secret"].split(b"_")
    if pieces[0] not in (b"syt", b"syr"):
        return {}
    name = decode_base64(b"_".join(pieces[1:-2]))
    return {"user": name.decode("ascii")} if name else {}


_LOGOUT = Manual(
    (
        "Sign in again for a new token.",
        "Update what uses the old one.",
        "End the old one: POST /_matrix/client/v3/logout with it.",
    ),
    "https://spec.matrix.org/latest/client-server-api/#post_matrixclientv3logout",
)
_SYNAPSE = "https://github.com/element-hq/synapse/blob/develop/synapse/handlers/auth.py"
_MAS = "https://github.com/element-hq/matrix-authentication-service/blob/main/crates/data-model/src/tokens.rs"

KINDS = (
    CredentialKind(ACCESS, "Matrix access token", "high", describe=_user, manual=_LOGOUT, references=(_SYNAPSE, _MAS)),
    CredentialKind(REFRESH, "Matrix refresh token", "high", describe=_user, manual=_LOGOUT, references=(_SYNAPSE, _MAS)),
    CredentialKind(REGISTRATION, "Matrix (Synapse) registration secret", "critical",
                   manual=Manual(("Change registration_shared_secret in homeserver.yaml and restart Synapse.", "Look for accounts that you did not make."),
                                 "https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#registration_shared_secret"),
                   references=("https://element-hq.github.io/synapse/latest/admin_api/register_api.html",)),
)  # fmt: skip


def _little_base62(body: bytes) -> bytes:
    """The CRC32 in base62 with the least significant digit first, then zeros on the left (Matrix Authentication Service)."""
    number, digits = zlib.crc32(body), bytearray()
    while number:
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return bytes(digits).rjust(6, b"0")


def _crc(parts: Parts) -> Signal:
    body, _, check = parts["secret"].rpartition(b"_")
    compute = crc32_base62 if body.startswith(b"sy") else _little_base62
    return checksum(compute(body) == check, "CRC32")


def _synapse(prefix: str, *, random: int = 20, joint: str = "_") -> Shape:
    user = lower(9).map(lambda name: base64.b64encode(name).rstrip(b"="))
    return concat(prefix, user, "_", chars(UPPER + LOWER, random)).tail(lambda body: joint.encode() + crc32_base62(body))


def _service(prefix: str, *, random: int = 30, joint: str = "_") -> Shape:
    return concat(prefix, an(random)).tail(lambda body: joint.encode() + _little_base62(body))


def _rule(kind: Kind, synapse: str, service: tuple[str, str]) -> Rule:
    names = b"|".join(prefix.encode() for prefix in service)
    return Rule(
        str(kind),
        kind,
        token(
            rb"(?:" + synapse.encode() + rb"[A-Za-z0-9+/_-]{1,120}_[A-Za-z]{20}|(?:" + names + rb")[A-Za-z0-9]{30})_[A-Za-z0-9]{6}",
            rb"(?![A-Za-z0-9_])",
        ),
        check=_crc,
        score=75,
        examples=(
            *contexts("MATRIX_TOKEN", _synapse(synapse)),
            *(shape for prefix in service for shape in contexts("MATRIX_TOKEN", _service(prefix))),
        ),
        near_misses=misses(
            "MATRIX_TOKEN", _synapse(synapse, random=19), _synapse(synapse, joint="-"), _synapse(synapse[:-1] + "-"),
            _service(service[0], random=29), _service(service[0], random=31), _service(service[0], joint="-"),
            concat(_service(service[0]), "x"),
        ),
    )  # fmt: skip


RULES = (
    _rule(ACCESS, "syt_", ("mat_", "mct_")),
    _rule(REFRESH, "syr_", ("mar_", "mcr_")),
    Rule(
        str(REGISTRATION),
        REGISTRATION,
        named(rb"registration_?shared_?secret", secret(rb"[A-Za-z0-9.,:;^&*_+=#~@-]{24,100}"), rb"(?![A-Za-z0-9.,:;^&*_+=#~@-])"),
        score=72,
        examples=named_contexts("REGISTRATION_SHARED_SECRET", chars(UPPER + LOWER + "0123456789^*_+=#~@", 50)),
        near_misses=(
            *misses("REGISTRATION_SHARED_SECRET", an(23), an(101), concat(an(20), "/", an(10))),
            *misses("OTHER_VALUE", an(50)),
        ),
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a token is of one home server, which the operator's configuration names."""

VERIFIES = (ACCESS,)

_LOCKED = ('"errcode":"m_user_locked"', '"errcode":"m_user_suspended"', '"errcode":"m_user_deactivated"')
_ASK = Question(
    "", "/_matrix/client/v3/account/whoami", bearer, ("user_id",), dead=(Said(401, ('"errcode":"m_unknown_token"',)),),
    restricted=(Said(401, _LOCKED, "the account is locked"), Said(403, _LOCKED, "the account is locked")), who=("user_id", "device_id"),
)  # fmt: skip
verify = own_server("matrix", asks({ACCESS: _ASK}))

CASES = cases(
    ACCESS,
    '{"user_id":"@joe:example.org","device_id":"ABC1234","is_guest":false}',
    Answer(401, '{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token.","soft_logout":false}'),
    Case("none arrived", ACCESS, (Answer(401, '{"errcode":"M_MISSING_TOKEN","error":"Missing access token"}'),), "unknown"),
    restricted=Answer(401, '{"errcode":"M_USER_LOCKED","error":"This account has been locked","soft_logout":true}'),
)
