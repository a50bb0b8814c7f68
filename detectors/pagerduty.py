"""PagerDuty API keys and integration keys.

What it is: REST API keys of an account or a user (20 characters; those of users begin with `u+`), and the routing or
  integration keys of services (32 characters) that raise incidents.
Where it is used: Terraform, on-call scripts, chat bots (`Authorization: Token token=…`); `alertmanager.yml`, monitoring tools
  and the Events API.
What an attacker can do: with an API key, read schedules, people's phone numbers and incidents, silence alerts and change
  escalation; with a routing key, wake people up with false incidents.
How to replace it: there is no API for keys. Create a new key under Integrations, API Access Keys, deploy it, disable the old
  one, then delete it. A service's integration key is replaced by adding a new integration.
Whether it lives: GET /abilities, at the US and the EU site, which do not know each other's keys. A routing key only writes,
  so it is not asked about.
References: https://support.pagerduty.com/main/docs/api-access-keys  https://developer.pagerduty.com/docs/authentication
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import an, assigned, b64url, chars, concat, hexa, lower, part, text
from keyward.plugin.verifier import Answer, Case

from ._cloud import WORD, block, by_name, credential, named
from ._token_probe import at
from ._vendor_answers import Question, Said, asks, cases, in_header

API_KEY = Kind("pagerduty/api-key")
ROUTING = Kind("pagerduty/routing-key")

KINDS = (
    credential(API_KEY, "PagerDuty API key", "high", "https://support.pagerduty.com/main/docs/api-access-keys", "Create a new key: Integrations, API Access Keys, or My Profile, User Settings.",
               "Update what uses the old one.", "Disable the old key, then delete it.", see="https://developer.pagerduty.com/docs/authentication"),
    credential(ROUTING, "PagerDuty routing or integration key", "medium", "https://support.pagerduty.com/main/docs/services-and-integrations", "Add a new integration to the service or orchestration.",
               "Update what sends events.", "Delete the old integration.", see="https://developer.pagerduty.com/docs/events-api-v2/overview/"),
)  # fmt: skip

_BODY = rb"(?:[uye][+_][A-Za-z0-9_+-]{18}|(?=[A-Za-z_+-]{0,19}[0-9])(?=[a-z0-9_+-]{0,19}[A-Z])[A-Za-z0-9_+-]{20})"
_EDGE = rb"(?![A-Za-z0-9_+=/-])"
_USER = concat("u+", b64url(18))
_ACCOUNT = concat("y_", "Q7", b64url(16))
_ROUTE = rb"(?:R[A-Z0-9]{31}|[0-9a-f]{32}|(?=[a-z]{0,31}[0-9])[a-z0-9]{32})"

RULES = (
    by_name(
        API_KEY, rb"(?:pager_?duty[\w.-]{0,16}|(?<![A-Za-z0-9])pd[\w-]{0,16})(?:token|api[_-]?key)|" + block(rb"pagerduty", rb"token"), _BODY, "PAGERDUTY_TOKEN", _USER, (concat("u+", b64url(17)), concat("u+", b64url(19)), concat("u/", b64url(18))),
        edge=_EDGE, more=(assigned("token", _USER, form='provider "pagerduty" {\n  {name} = "{value}"\n}\n'), assigned("PAGERDUTY_API_KEY", _ACCOUNT), assigned("pagerduty_token", concat("a", "Q7", b64url(17)), form='{name} = "{value}"\n')),
    ),
    Rule(
        "pagerduty/api-key-header",
        API_KEY,
        rb"(?i:token token=)[\"'\\]{0,2}(?P<secret>" + _BODY + rb")" + _EDGE,
        score=65,
        examples=(
            text("curl -H 'Authorization: Token token=", part("secret", _USER), "' https://api.pagerduty.com/users\n"),
            text("headers = {'Authorization': 'Token token=", part("secret", _ACCOUNT), "'}\n"),
            text('"Authorization": "Token token=', part("secret", concat("Q7x", b64url(17))), '",\n'),
        ),
        near_misses=(
            text("Authorization: Token token=", concat("Q7", b64url(17)), "\n"),
            text("Authorization: Token token=", concat("Q7", b64url(20)), "\n"),
            text("Authorization: Token key=", concat("Q7", b64url(18)), "\n"),
        ),
    ),
    Rule(
        str(ROUTING),
        ROUTING,
        named(rb"(?:pager_?duty[\w.-]{0,16}|(?<![A-Za-z0-9])pd[\w-]{0,16})(?:routing|service|integration|events)[\w.-]{0,8}key|(?<![A-Za-z0-9])(?:routing|service)_key", _ROUTE, WORD),
        score=60,
        examples=(
            assigned("PAGERDUTY_ROUTING_KEY", concat("R", chars("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", 31))),
            assigned("routing_key", hexa(32), form="receivers:\n  - name: oncall\n    pagerduty_configs:\n      - {name}: {value}\n"),
            assigned("PAGERDUTY_SERVICE_KEY", hexa(32), form='{name}: "{value}"\n'),
            assigned("routing_key", lower(32), form='{"{name}": "{value}"}\n'.replace('{"{', '["{').replace('"}\n', '"]\n')),
        ),
        near_misses=(
            assigned("PAGERDUTY_ROUTING_KEY", hexa(31)),
            assigned("PAGERDUTY_ROUTING_KEY", hexa(33)),
            assigned("routing_key", "orders.created.european.customers"),
            assigned("partition_key", hexa(32)),
            assigned("PAGERDUTY_ROUTING_KEY", concat(an(15), "-", an(16))),
        ),
    ),
)  # fmt: skip

HOSTS = ("api.pagerduty.com", "api.eu.pagerduty.com")
VERIFIES = (API_KEY,)

_ASK = at(HOSTS, Question(
    "", "/abilities", in_header("authorization", "Token token="), ("abilities",), dead=(Said(401, ('"code":2006,', '"code":2006}')),),
    restricted=(Said(403, ('"code":2010,', '"code":2010}')),), also={"accept": "application/vnd.pagerduty+json;version=2"},
))  # fmt: skip
verify = asks({API_KEY: _ASK})

CASES = cases(
    API_KEY,
    '{"abilities":["sso","teams"]}',
    Answer(401, '{"error":{"message":"Invalid Credentials","code":2006}}'),
    Case("refused without a word", API_KEY, (Answer(401),), "unknown"),
    restricted=Answer(403, '{"error":{"message":"Access Denied","code":2010}}'),
)
