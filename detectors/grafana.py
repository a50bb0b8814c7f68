"""Grafana tokens.

What it is: tokens of service accounts (glsa_), access policy tokens of Grafana Cloud (glc_), and the older API keys, which
  are base64 of a JSON object and begin with `eyJrIjoi`.
Where it is used: Terraform, provisioning scripts, dashboards as code; agents that send metrics, logs and traces to the cloud.
What an attacker can do: a service account with the role Admin reads all data sources through Grafana, and their settings; a
  cloud token reads or writes the telemetry that its policy names.
How to replace it: add a second token to the same service account or access policy, deploy it, delete the old one.
Whether it lives: GET /api/org at the operator's own server; what the token may not do is refused in other words. A Cloud
  access policy token does not tell its region's address, so it is not asked about.
References: https://grafana.com/docs/grafana/latest/administration/service-accounts/
  https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/
"""

from __future__ import annotations

import base64
import json
from typing import Any

from keyward.plugin import Kind, Parts, Rule, Signal, checksum, structure
from keyward.plugin.checksums import crc32_hex_little, decode_base64
from keyward.plugin.shapes import Shape, an, concat, digits, hexa, text
from keyward.plugin.verifier import Answer, Case

from ._cloud import Fields, by_prefix, credential, header, places, wrong
from ._token_probe import for_all, own_server
from ._vendor_answers import Question, Said, asks, bearer, cases

SERVICE_ACCOUNT = Kind("grafana/service-account-token")
CLOUD = Kind("grafana/cloud-access-policy-token")
API_KEY = Kind("grafana/api-key")

_DOC = "https://grafana.com/docs/grafana/latest/administration/service-accounts/"


def _loaded(value: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(decode_base64(value.removeprefix(b"glc_")) or b"null")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _describe(parts: Parts) -> Fields:
    loaded = _loaded(parts["secret"])
    region = loaded["m"].get("r") if isinstance(loaded.get("m"), dict) else None
    facts = {"organisation": loaded.get("o") or loaded.get("id"), "name": loaded.get("n"), "region": region}
    return {name: str(fact)[:60] for name, fact in facts.items() if fact}


KINDS = (
    credential(SERVICE_ACCOUNT, "Grafana service account token", "high", _DOC, "Add a second token to the service account: Administration, Service accounts.",
               "Update what uses the old one.", "Delete the old token.", see=_DOC),
    credential(CLOUD, "Grafana Cloud access policy token", "high", "https://grafana.com/profile/org#access-policies", "Add a second token to the access policy.",
               "Update what uses the old one.", "Delete the old token.", see="https://grafana.com/docs/grafana-cloud/developer-resources/api-reference/cloud-api/", describe=_describe),
    credential(API_KEY, "Grafana API key (old)", "high", _DOC, "Replace it by a service account with a token.", "Delete the old key.", see=_DOC, describe=_describe),
)  # fmt: skip


def _crc(parts: Parts) -> Signal | None:
    """The last eight digits are the CRC32 of what is before the last underscore, least significant byte first."""
    token = parts["secret"]
    return checksum(crc32_hex_little(token[:37]) == token[38:], "CRC32")


def _is_cloud(parts: Parts) -> Signal | None:
    return structure("k" in _loaded(parts["secret"]), "JSON with a key")


def _is_api_key(parts: Parts) -> Signal | None:
    """Embedded reports of Power BI begin alike and hold other members."""
    holds = {"k", "n", "id"} <= _loaded(parts["secret"]).keys()
    return (
        structure(True, "JSON with key, name and organisation") if holds else Signal("structure", -60, "not a key of Grafana")
    )


def _encode(data: bytes) -> bytes:
    return base64.b64encode(data)


_TOKEN = concat("glsa_", an(32)).tail(lambda token: b"_" + crc32_hex_little(token))
_CLOUD = concat(
    "glc_", concat('{"o":"', digits(6), '","n":"stack-', digits(6), '-metrics","k":"', an(24), '","m":{"r":"eu"}}').map(_encode)
)
_KEY = concat('{"k":"', an(32), '","n":"deploy","id":1}').map(_encode)


def _other() -> Shape:
    return concat('{"k":"', an(32), '","t":"', an(20), '","c":8}').map(_encode)


RULES = (
    by_prefix(
        SERVICE_ACCOUNT, rb"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}", "GRAFANA_TOKEN", _TOKEN,
        (concat("glsa_", an(31), "_", hexa(8)), concat("glsa_", an(32), "_", hexa(9)), concat("glsa_", an(32), "-", hexa(8)), concat("glsb_", an(32), "_", hexa(8))), score=80,
        check=_crc, more=(header("Authorization: Bearer ", _TOKEN),),
    ),
    by_prefix(
        CLOUD, rb"glc_eyJ[A-Za-z0-9+/_-]{50,400}={0,2}", "GRAFANA_CLOUD_API_KEY", _CLOUD, (concat("glc_eyJ", an(40)), concat("glc_", an(100)), concat("glc-eyJ", an(100))),
        edge=rb"(?![A-Za-z0-9+/=_-])", score=80, check=_is_cloud, more=(header("Authorization: Bearer ", _CLOUD),),
    ),
    Rule(
        str(API_KEY),
        API_KEY,
        rb"(?<![A-Za-z0-9+/_.-])(?P<secret>eyJrIjoi[A-Za-z0-9+/_-]{60,200}={0,2})(?![A-Za-z0-9+/=_.-])",
        score=55,
        check=_is_api_key,
        examples=(*places("GRAFANA_API_KEY", _KEY), header("Authorization: Bearer ", _KEY)),
        near_misses=(*wrong("GRAFANA_API_KEY", concat("eyJrIjoi", an(40)), _other()), text("https://app.powerbi.com/view?r=", _other(), "\n")),
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a Grafana is somebody's own server, which the operator's configuration names."""

VERIFIES = (SERVICE_ACCOUNT, API_KEY)

_IDS = ('"messageid":"api-key.invalid"', '"messageid":"api-key.expired"', '"messageid":"api-key.revoked"')
_OLD = ('"message":"invalid api key"', '"message":"expired api key"', '"message":"revoked api key"')
_ASK = Question(
    "", "/api/org", bearer, ("id",), dead=(Said(401, _IDS + _OLD),), restricted=(Said(403, ('"accesserrorid"', "permissions needed")),), who=("name",),
)  # fmt: skip
verify = own_server("grafana", asks(dict.fromkeys(VERIFIES, _ASK)))

CASES = for_all(
    VERIFIES,
    cases(
        SERVICE_ACCOUNT,
        '{"id":1,"name":"Main Org."}',
        Answer(401, '{"extra":null,"message":"Invalid API key","messageId":"api-key.invalid","statusCode":401,"traceID":""}'),
        Case("before version 10", SERVICE_ACCOUNT, (Answer(401, '{"message":"Expired API key"}'),), "dead"),
        restricted=Answer(403, '{"accessErrorId":"ACE1","message":"Permissions needed: orgs:read","title":"Access denied"}'),
    ),
)
