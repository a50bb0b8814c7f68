"""Datadog API keys, application keys and access tokens.

What it is: API keys (32 hex digits) that submit data, application keys (40 hex digits, or ddapp_) that read and change with
  the rights of their owner, personal access tokens (ddpat_), and client tokens (pub…), which are public by design.
Where it is used: the agent's `datadog.yaml`, Helm values, Lambda layers, CI visibility, Terraform; headers DD-API-KEY and
  DD-APPLICATION-KEY. The lengths are those in use for years; the newer prefixes are unverified.
What an attacker can do: with both keys, read logs, traces and dashboards, change monitors and users; with an API key alone,
  submit false data and run up the bill.
How to replace it: create a new key in Organization Settings, deploy it, then revoke the old one. The site (datadoghq.com,
  datadoghq.eu, us3, us5, ap1 …) decides which organisation it belongs to.
Whether it lives: GET /api/v1/validate, at the site beside the key, else at every site, since no site knows the keys of
  another. An application key cannot be asked about without its API key.
References: https://docs.datadoghq.com/account_management/api-app-keys/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import an, concat, hexa, part, text
from keyward.plugin.verifier import Answer, Verdict

from ._cloud import block, by_name, by_prefix, credential, header
from ._token_probe import at, put_where
from ._vendor_answers import Question, Said, cases, in_header

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

API_KEY = Kind("datadog/api-key")
APP_KEY = Kind("datadog/application-key")
PAT = Kind("datadog/personal-access-token")
CLIENT_TOKEN = Kind("datadog/client-token")

_SETTINGS = "https://app.datadoghq.com/organization-settings/"
_DOC = "https://docs.datadoghq.com/account_management/api-app-keys/"

KINDS = (
    credential(API_KEY, "Datadog API key", "medium", _SETTINGS + "api-keys", see=_DOC, public=("site",)),
    credential(APP_KEY, "Datadog application key", "high", _SETTINGS + "application-keys", see=_DOC, public=("site",)),
    credential(PAT, "Datadog personal access token", "high", _SETTINGS + "personal-access-tokens", see=_DOC),
    credential(CLIENT_TOKEN, "Datadog client token (public)", "low", _SETTINGS + "client-tokens", see=_DOC),
)  # fmt: skip

_SITE = Companion(
    "site", rb"(?<![A-Za-z0-9])(?P<site>(?:(?:us[35]|ap[12])\.)?datadoghq\.(?:com|eu)|ddog-gov\.com)", optional=True
)
_OWNER = rb"(?:data_?dog|(?<![A-Za-z0-9])dd)(?:[_.-]?[a-z]{2,8})?[\"']?(?::\s{1,12})?[_.-]?"
_API, _APP = concat(hexa(32)), concat(hexa(40))

RULES = (
    by_name(
        API_KEY, _OWNER + rb"[\"']?api[_.-]?key|" + block(rb"datadog", rb"api_key"), rb"[0-9a-f]{32}", "DD_API_KEY", _API, (hexa(31), hexa(33), an(32)), score=65, companions=(_SITE,), other="etag",
        more=(
            header("DD-API-KEY: ", _API),
            text("datadog:\n  apiKey: ", part("secret", _API), "\n  site: ", part("site", "datadoghq.eu"), "\n"),
            text('api_client = Datadog(datadog_api_key="', part("secret", _API), '")\n'),
            text('provider "datadog" {\n  api_key = "', part("secret", _API), '"\n}\n'),
            text("docker run -e DD_API_KEY=", part("secret", _API), " gcr.io/datadoghq/agent:7\n"),
        ),
    ),
    Rule(
        "datadog/api-key-of-the-agent",
        API_KEY,
        rb"(?<![A-Za-z0-9_.-])api_key:\s{1,4}[\"']?(?P<secret>[0-9a-f]{32})[\"']?\s{0,4}\n(?:[^\n]{0,80}\n){0,6}(?:site:\s{1,4}[\"']?(?P<site>[a-z0-9.]{0,6}(?:datadoghq|ddog-gov)\.(?:com|eu))|dd_url:)",
        anchor=rb"api_key:\s{1,4}[\"']?[0-9a-f]{32}",
        score=70,
        window=800,
        examples=(
            text("api_key: ", part("secret", _API), "\nsite: ", part("site", "datadoghq.eu"), "\n"),
            text('api_key: "', part("secret", _API), '"\n\n# the site\nsite: ', part("site", "us5.datadoghq.com"), "\n"),
            text("api_key: ", part("secret", _API), "\nlogs_enabled: true\ndd_url: https://app.datadoghq.com\n"),
        ),
        near_misses=(
            text("api_key: ", hexa(31), "\nsite: datadoghq.eu\n"),
            text("api_key: ", hexa(33), "\nsite: datadoghq.eu\n"),
            text("api_key: ", hexa(32), "\nsite: corp.io\n"),
        ),
    ),
    by_name(
        APP_KEY, _OWNER + rb"[\"']?app(?:lication)?[_.-]?key|" + block(rb"datadog", rb"api_key\s{0,6}=\s{0,3}[^\s]{6,60}\s{1,12}app_key"), rb"[0-9a-f]{40}", "DD_APP_KEY", _APP, (hexa(39), hexa(41)), score=65, companions=(_SITE,), other="commit",
        more=(
            header("DD-APPLICATION-KEY: ", _APP),
            text('provider "datadog" {\n  api_key = var.dd_api\n  app_key = "', part("secret", _APP), '"\n}\n'),
            text("datadog:\n  appKey: ", part("secret", _APP), "\n"),
        ),
    ),
    by_prefix(
        APP_KEY, rb"ddapp_[A-Za-z0-9]{34}", "DD_APP_KEY", concat("ddapp_", an(34)), (concat("ddapp_", an(33)), concat("ddapp_", an(35)), concat("ddapp-", an(34))),
        id="datadog/application-key-prefixed", more=(header("DD-APPLICATION-KEY: ", concat("ddapp_", an(34))),),
    ),
    by_prefix(
        PAT, rb"ddpat_[A-Za-z0-9_]{30,80}", "DD_PAT", concat("ddpat_", an(40)), (concat("ddpat_", an(29)), concat("ddpat_", an(81)), concat("ddpat-", an(40))),
        more=(header("Authorization: Bearer ", concat("ddpat_", an(40))),),
    ),
    by_name(
        CLIENT_TOKEN, rb"(?:datadog|dd|rum)?[_.-]?client[_.-]?token", rb"pub[0-9a-f]{32}", "DD_CLIENT_TOKEN", concat("pub", hexa(32)), (concat("pub", hexa(31)), concat("pub", hexa(33))),
        score=35, other="pub_key",
    ),
)  # fmt: skip

_SITES = (
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "datadoghq.eu",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "ddog-gov.com",
)
HOSTS = tuple(f"api.{site}" for site in _SITES)
VERIFIES = (API_KEY,)

_ASK = at(
    HOSTS, Question("", "/api/v1/validate", in_header("dd-api-key"), ("valid",), dead=(Said(403, ('"errors":["forbidden"]',)),))
)


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Has the key validated at its site."""
    return put_where(_ASK, "api." + credential.text("site"), credential, target, ports)


CASES = cases(
    API_KEY, '{"valid":true}', Answer(403, '{"status":"error","code":403,"errors":["Forbidden"],"statuspage":"http://status.datadoghq.com"}'), parts={"site": ""}
)  # fmt: skip
