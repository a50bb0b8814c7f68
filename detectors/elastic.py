"""Elasticsearch and Elastic Cloud API keys.

What it is: API keys of a cluster, an id and a key of URL-safe base64, written as `id:key` or as base64 of that; API keys of
  Elastic Cloud's organisation and of serverless projects (essu_).
Where it is used: Filebeat, Logstash, Fleet and the clients (`Authorization: ApiKey …`), Terraform, CI.
What an attacker can do: what the key's roles allow: read and delete indices, often logs full of personal data; an
  organisation key creates and deletes deployments.
How to replace it: create a new key with the same role descriptors (Stack Management, API keys), deploy it, invalidate the old
  one; DELETE /_security/api_key with the key itself also works, if it may manage its own.
References: https://www.elastic.co/docs/deploy-manage/api-keys/elasticsearch-api-keys
  https://www.elastic.co/docs/deploy-manage/api-keys/elastic-cloud-api-keys
"""

from __future__ import annotations

import base64
import re

from keyward.plugin import Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import an, assigned, b64url, concat, part, text

from ._cloud import Fields, by_prefix, credential, header, named

API_KEY = Kind("elastic/api-key")
CLOUD = Kind("elastic/cloud-api-key")

_DOC = "https://www.elastic.co/docs/deploy-manage/api-keys/elasticsearch-api-keys"
_PAIR = re.compile(rb"[A-Za-z0-9_-]{20}:[A-Za-z0-9_-]{22}\Z")


def _describe(parts: Parts) -> Fields:
    pair = parts["secret"] if b":" in parts["secret"] else decode_base64(parts["secret"]) or b""
    return {"key id": pair[:20].decode("ascii")} if _PAIR.match(pair) else {}


KINDS = (
    credential(API_KEY, "Elasticsearch API key", "high", "https://cloud.elastic.co/home", "Create a new key with the same roles: Stack Management, Security, API keys.",
               "Update what uses the old one.", "Invalidate the old key.", see=_DOC, public=("id",), describe=_describe),
    credential(CLOUD, "Elastic Cloud API key", "critical", "https://cloud.elastic.co/account/keys", see="https://www.elastic.co/docs/deploy-manage/api-keys/elastic-cloud-api-keys"),
)  # fmt: skip


def _is_pair(parts: Parts) -> Signal | None:
    value = parts["secret"]
    holds = _PAIR.match(value if b":" in value else decode_base64(value) or b"")
    return structure(True, "an id and a key") if holds else Signal("structure", -15, "not an id and a key")


_PLAIN = concat(b64url(20), ":", b64url(22))
_ENCODED = _PLAIN.map(base64.b64encode)
_EDGE = rb"(?![A-Za-z0-9+/=])"
_CLOUD = concat("essu_", concat(b64url(20), ":", b64url(22)).map(base64.b64encode))

RULES = (
    Rule(
        "elastic/api-key-encoded",
        API_KEY,
        named(rb"(?:elastic[\w.-]{0,20}|(?<![A-Za-z0-9])(?:es|kibana|fleet|beats)_)api[_-]?key|(?:authorization[\"']?\s{0,3}[:=,]\s{0,3}[\"']?|[\"'` ])apikey", rb"[A-Za-z0-9+/]{58}==", _EDGE),
        score=65,
        check=_is_pair,
        examples=(
            assigned("ELASTIC_API_KEY", _ENCODED),
            header("Authorization: ApiKey ", _ENCODED),
            assigned("ELASTICSEARCH_API_KEY", _ENCODED, form='        - name: {name}\n          value: "{value}"\n'),
        ),
        near_misses=(
            assigned("ELASTIC_API_KEY", concat(an(57), "==")),
            assigned("ELASTIC_API_KEY", concat(an(59), "==")),
            assigned("ELASTIC_CLOUD_ID", _ENCODED),
        ),
    ),
    Rule(
        "elastic/api-key-pair",
        API_KEY,
        named(rb"api[_-]?key", rb"[A-Za-z0-9_-]{20}:[A-Za-z0-9_-]{22}"),
        score=60,
        check=_is_pair,
        examples=(
            assigned("api_key", _PLAIN, form='output.elasticsearch:\n  hosts: ["https://es.corp.io:9243"]\n  {name}: "{value}"\n'),
            assigned("ES_API_KEY", _PLAIN),
            text('  api_key => "', part("secret", _PLAIN), '"\n'),
        ),
        near_misses=(
            assigned("api_key", concat(b64url(19), ":", b64url(22))),
            assigned("api_key", concat(b64url(20), ":", b64url(21))),
            assigned("api_key", concat(b64url(20), ":", b64url(23))),
            assigned("host", _PLAIN),
        ),
    ),
    by_prefix(
        CLOUD, rb"essu_[A-Za-z0-9+/]{58,200}={0,2}", "EC_API_KEY", _CLOUD, (concat("essu_", an(57)), concat("essu_", an(205)), concat("essu-", an(60))), edge=_EDGE, score=80,
        more=(header("Authorization: ApiKey ", _CLOUD),),
    ),
)  # fmt: skip

