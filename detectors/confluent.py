"""Confluent Cloud API keys.

What it is: a key of sixteen capitals and digits with its secret: 64 characters, which begin with `cflt` and end with a
  checksum since 2025; before that, any base64.
Where it is used: Kafka clients (`sasl.username`, `sasl.password`, `sasl.jaas.config`), connectors, schema registry settings,
  Terraform and the confluent command line.
What an attacker can do: read and write the topics that the key's account may; a cloud key manages environments, clusters and
  other keys.
How to replace it: an account may have several keys. Create a new one for the same resource, deploy it, watch the old one's
  use fall to nothing, then delete it.
References: https://docs.confluent.io/cloud/current/security/authenticate/workload-identities/service-accounts/api-keys/overview.html
"""

from __future__ import annotations

import base64
import zlib

from keyward.plugin import Kind, Parts, Rule, Signal, checksum
from keyward.plugin.shapes import assigned, b64, concat, part, text, upper

from ._cloud import beside, by_prefix, credential, named

API_KEY = Kind("confluent/api-key")

_DOC = "https://docs.confluent.io/cloud/current/security/authenticate/workload-identities/service-accounts/api-keys/overview.html"

KINDS = (credential(API_KEY, "Confluent Cloud API key", "critical", "https://confluent.cloud/settings/api-keys", see=_DOC, public=("id",)),)

_EDGE = rb"(?![A-Za-z0-9+/=])"
_ID = beside("id", rb"sasl[_.-]?username|(?:api|cluster|registry|cloud)[_.-]?(?:api[_.-]?)?key|key", rb"[A-Z0-9]{16}")
_B64 = rb"(?=[^0-9]{0,63}[0-9])(?=[^A-Z]{0,63}[A-Z])[A-Za-z0-9+/]{64}"


def _tail(body: bytes) -> bytes:
    """The first six characters of the base64 form of the CRC32, as four little-endian bytes."""
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "little"))[:6]


def _check(parts: Parts) -> Signal | None:
    secret = parts["secret"]
    return checksum(_tail(secret[4:58]) == secret[58:], "CRC32") if secret.startswith(b"cflt") and len(secret) == 64 else None


_NEW = concat("cflt", b64(54)).tail(lambda token: _tail(token[4:]))
_OLD = b64(64)

RULES = (
    by_prefix(
        API_KEY, rb"cflt[A-Za-z0-9+/]{60}", "CONFLUENT_CLOUD_API_SECRET", _NEW, (concat("cflt", b64(59)), concat("cflt", b64(61)), concat("cfl+", "=", b64(59))),
        edge=_EDGE, score=80, check=_check, companions=(_ID,), id="confluent/api-secret",
        more=(
            text("CONFLUENT_CLOUD_API_KEY=", part("id", upper(16)), "\nCONFLUENT_CLOUD_API_SECRET=", part("secret", _NEW), "\n"),
            text("sasl.username=", part("id", upper(16)), "\nsasl.password=", part("secret", _NEW), "\n"),
        ),
    ),
    Rule(
        "confluent/api-secret-old",
        API_KEY,
        named(rb"confluent[\w.-]{0,24}(?:secret|password)|sasl[_.-]password", _B64, _EDGE),
        score=65,
        companions=(_ID,),
        examples=(
            assigned("CONFLUENT_CLOUD_API_SECRET", _OLD),
            text("sasl.username=", part("id", upper(16)), "\nsasl.password=", part("secret", _OLD), "\n"),
            text('"sasl.username": "', part("id", upper(16)), '",\n"sasl.password": "', part("secret", _OLD), '"\n'),
        ),
        near_misses=(
            assigned("CONFLUENT_CLOUD_API_SECRET", b64(63)),
            assigned("CONFLUENT_CLOUD_API_SECRET", b64(65)),
            assigned("CONFLUENT_CLUSTER", _OLD),
        ),
    ),
    Rule(
        "confluent/jaas",
        API_KEY,
        rb"username=\\?[\"'](?P<id>[A-Z0-9]{16})\\?[\"']\s{1,4}password=\\?[\"'](?P<secret>[A-Za-z0-9+/]{64})\\?[\"']",
        check=_check,
        examples=tuple(
            text(before, part("id", upper(16)), middle, part("secret", secret), after)
            for before, middle, secret, after in (
                ('sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="', '" password="', _OLD, '";\n'),
                ("sasl.jaas.config: PlainLoginModule required username='", "' password='", _NEW, "';\n"),
                ('"jaas": "PlainLoginModule required username=\\"', '\\" password=\\"', _NEW, '\\";"\n'),
            )
        ),
        near_misses=(
            text('username="', upper(15), '" password="', b64(64), '";\n'),
            text('username="', upper(16), '" password="', b64(63), '";\n'),
            text('username="', upper(16), '" passhash="', b64(64), '";\n'),
        ),
    ),
)  # fmt: skip
