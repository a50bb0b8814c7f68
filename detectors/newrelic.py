"""New Relic keys.

What it is: license (ingest) keys, which end with NRAL; user keys (NRAK-), which call NerdGraph and the REST API; the older
  admin, REST, insert, query and synthetics keys; browser keys (NRJS-), which are public by design.
Where it is used: agents' `newrelic.yml`, `newrelic.ini`, Helm values, Lambda layers, Terraform, CI deployment markers.
What an attacker can do: with a user key, read all data of the user's accounts and change alerts and dashboards; with a
  license or insert key, submit false data and run up the bill; with a query key, read events.
How to replace it: create a new key on the API keys page, deploy it, delete the old one. A license key of an account that was
  made with it can only be rotated there.
Whether it lives: the GraphQL query `actor`, at the US and the EU site, which do not know each other's keys. A licence key
  only writes, so it is not asked about.
References: https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/
"""

from __future__ import annotations

from typing import Any

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, hexa, part, text, upper
from keyward.plugin.verifier import Answer

from ._cloud import SLUG, WORD, by_name, by_prefix, credential, header, places, wrong
from ._token_probe import at
from ._vendor_answers import Question, Said, asks, cases, in_header

LICENSE = Kind("newrelic/license-key")
USER = Kind("newrelic/user-key")
LEGACY = Kind("newrelic/legacy-key")
BROWSER = Kind("newrelic/browser-key")

_KEYS = "https://one.newrelic.com/api-keys"
_DOC = "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"

KINDS = (
    credential(LICENSE, "New Relic license key", "medium", _KEYS, see=_DOC),
    credential(USER, "New Relic user key", "high", _KEYS, see=_DOC),
    credential(LEGACY, "New Relic admin, REST, insert, query or synthetics key", "high", _KEYS, see=_DOC),
    credential(BROWSER, "New Relic browser key (public)", "low", _KEYS, see=_DOC),
)  # fmt: skip


def _rule(kind: Kind, prefix: str, count: int, alphabet: bytes, body: Any, name: str, **options: Any) -> Rule:
    return by_prefix(
        kind, prefix.encode() + alphabet + rb"{%d}" % count, name, concat(prefix, body(count)),
        (concat(prefix, body(count - 1)), concat(prefix, body(count + 1)), concat(prefix.replace("-", "_"), body(count))),
        edge=SLUG, id=f"{kind}-{prefix[:4].lower()}", **options,
    )  # fmt: skip


def _license(first: str) -> Shape:
    return concat(first, hexa(36 - len(first)), "NRAL")


RULES = (
    Rule(
        str(LICENSE),
        LICENSE,
        rb"(?<![A-Za-z0-9])(?P<secret>(?:[0-9a-f]{6}|[a-z]{2,3}[0-9]{2}x{1,2})[0-9a-fA-F]{30}NRAL)" + WORD,
        anchor=rb"[0-9a-fA-F]{30}NRAL",
        score=80,
        examples=(*places("NEW_RELIC_LICENSE_KEY", _license("")), assigned("license_key", _license("eu01xx"), form="  {name}: '{value}'\n"), header("X-License-Key: ", _license(""))),
        near_misses=wrong("license", concat(hexa(35), "NRAL"), concat(hexa(37), "NRAL"), concat(hexa(36), "NRAX"), concat(an(20), "-", hexa(15), "NRAL")),
    ),
    by_name(
        LICENSE, rb"new_?relic[\w.-]{0,8}(?:license|licence)(?:[_.-]?key)?", rb"[0-9a-f]{40}", "NEW_RELIC_LICENSE_KEY", hexa(40), (hexa(39), hexa(41), an(40)),
        id="newrelic/license-key-old",
    ),
    _rule(USER, "NRAK-", 27, rb"[A-Z0-9]", upper, "NEW_RELIC_API_KEY", score=85, more=(header("Api-Key: ", concat("NRAK-", upper(27))),)),
    _rule(LEGACY, "NRAA-", 27, rb"[0-9a-f]", hexa, "NEW_RELIC_ADMIN_API_KEY", score=80),
    _rule(LEGACY, "NRRA-", 42, rb"[0-9a-f]", hexa, "NEW_RELIC_REST_API_KEY", score=80),
    _rule(LEGACY, "NRII-", 32, rb"[A-Za-z0-9_-]", b64url, "NEW_RELIC_INSERT_KEY", score=80, more=(header("X-Insert-Key: ", concat("NRII-", b64url(32))),)),
    _rule(LEGACY, "NRIQ-", 32, rb"[A-Za-z0-9_-]", b64url, "NEW_RELIC_QUERY_KEY", score=80, more=(header("X-Query-Key: ", concat("NRIQ-", b64url(32))),)),
    _rule(LEGACY, "NRSP-", 41, rb"[A-Za-z0-9_-]", b64url, "NEW_RELIC_SYNTHETICS_LOCATION_KEY", score=75),
    by_prefix(
        BROWSER, rb"NRJS-[0-9a-f]{19}", "NEW_RELIC_BROWSER_KEY", concat("NRJS-", hexa(19)), (concat("NRJS-", hexa(18)), concat("NRJS-", hexa(20)), concat("NRJS_", hexa(19))), score=30,
        more=(text('NREUM.info={licenseKey:"', part("secret", concat("NRJS-", hexa(19))), '"}\n'),),
    ),
)  # fmt: skip

HOSTS = ("api.newrelic.com", "api.eu.newrelic.com")
VERIFIES = (USER,)

_WORDS = (
    '"error_code":"bad_api_key"',
    "bad api key or no api key",
    "api-key provided is invalid",
    "missing api key or an invalid api key",
)
_ASK = at(HOSTS, Question(
    "", "/graphql", in_header("api-key"), ("data.actor.user.id",), dead=(Said(401, _WORDS), Said(200, _WORDS)),
    who=("data.actor.user.name", "data.actor.user.id"), method="POST", json={"query": "{ actor { user { id name } } }"},
))  # fmt: skip
verify = asks({USER: _ASK})

CASES = cases(
    USER,
    '{"data":{"actor":{"user":{"id":1000000001,"name":"Ada"}}}}',
    Answer(401, '{"errors":[{"extensions":{"error_code":"BAD_API_KEY"},"message":"Bad API Key or no API Key provided"}]}'),
)
