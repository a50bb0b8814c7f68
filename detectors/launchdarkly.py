"""LaunchDarkly keys.

What it is: access tokens (`api-` and a UUID), SDK keys of servers (`sdk-`), mobile keys (`mob-`) and Relay Proxy keys
  (`rel-`). A mobile key ships inside apps and is no secret.
Where it is used: `LAUNCHDARKLY_ACCESS_TOKEN`, `LAUNCHDARKLY_SDK_KEY`, `LD_SDK_KEY`, Terraform, server configuration.
What an attacker can do: with an access token read and switch feature flags within its role; with an SDK key read all flags of
  an environment with their targeting rules, which may name customers; with a relay key those of every environment.
How to replace it: create a new token at app.launchdarkly.com, Organization settings, Authorization, and delete the old one;
  reset an SDK key on the environment's page, with a grace period during which both work.
Whether it lives: GET /api/v2/caller-identity, at each of the three sites. SDK, relay and mobile keys have no such request.
References: https://launchdarkly.com/docs/home/account/api
  https://launchdarkly.com/docs/sdk/concepts/client-side-server-side#keys
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, concat, json_member, part, text, uuid4
from keyward.plugin.verifier import Answer

from ._forms import SLUG, manual
from ._token_probe import at
from ._vendor_answers import Question, Said, asks, cases, in_header

ACCESS = Kind("launchdarkly/access-token")
SDK = Kind("launchdarkly/sdk-key")
RELAY = Kind("launchdarkly/relay-key")
MOBILE = Kind("launchdarkly/mobile-key")

_KEYS = "https://app.launchdarkly.com/settings/projects"
_REFERENCES = ("https://launchdarkly.com/docs/home/account/api",)

KINDS = (
    CredentialKind(ACCESS, "LaunchDarkly access token", "high", manual=manual("https://app.launchdarkly.com/settings/authorization"),
                   references=_REFERENCES),
    CredentialKind(SDK, "LaunchDarkly SDK key", "medium", references=_REFERENCES,
                   manual=manual(_KEYS, "Reset the key with a grace period.", "Update the servers.")),
    CredentialKind(RELAY, "LaunchDarkly Relay Proxy key", "high", references=_REFERENCES,
                   manual=manual("https://app.launchdarkly.com/settings/relay", "Reset the key.", "Update the relay.")),
    CredentialKind(MOBILE, "LaunchDarkly mobile key", "low", references=_REFERENCES,
                   manual=manual(_KEYS, "Nothing has to be done: the key ships in apps.", "Reset it only if an app must be cut off.")),
)  # fmt: skip

_UUID4 = rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def _rule(kind: Kind, prefix: str, score: int, name: str, extra: Shape) -> Rule:
    value = concat(prefix, "-", uuid4())
    return Rule(
        str(kind),
        kind,
        rb"(?<![A-Za-z0-9_-])(?P<secret>" + prefix.encode() + rb"-" + _UUID4 + rb")" + SLUG,
        score=score,
        examples=(assigned(name, value), json_member(name.lower(), value), extra),
        near_misses=(
            assigned(name, concat(prefix, "_", uuid4())),
            assigned(name, concat(value, "0")),
            assigned(name, concat("x" + prefix, "-", uuid4())),
            assigned(name, concat(prefix, "-", an(36))),
        ),
    )


def _of(prefix: str) -> Shape:
    return part("secret", concat(prefix, "-", uuid4()))


RULES = (
    _rule(
        ACCESS,
        "api",
        60,
        "LAUNCHDARKLY_ACCESS_TOKEN",
        text("curl -H 'Authorization: ", _of("api"), "' https://app.launchdarkly.com/api/v2/flags\n"),
    ),
    _rule(SDK, "sdk", 65, "LAUNCHDARKLY_SDK_KEY", text('ldclient.set_config(Config("', _of("sdk"), '"))\n')),
    _rule(RELAY, "rel", 60, "AUTO_CONFIG_KEY", text("[Main]\nautoConfigKey = ", _of("rel"), "\n")),
    _rule(MOBILE, "mob", 40, "LAUNCHDARKLY_MOBILE_KEY", text('LDConfig(mobileKey: "', _of("mob"), '")\n')),
)

HOSTS = ("app.launchdarkly.com", "app.eu.launchdarkly.com", "app.launchdarkly.us")
VERIFIES = (ACCESS,)

_ASK = at(HOSTS, Question(
    "", "/api/v2/caller-identity", in_header("authorization"), ("accountId",), dead=(Said(401, ("invalid access token", "invalid account id header")),),
    restricted=(Said(403, ('"code":"forbidden"',)),), who=("tokenName", "accountId"),
))  # fmt: skip
verify = asks({ACCESS: _ASK})

CASES = cases(
    ACCESS,
    '{"accountId":"57be1db38b75bf0772d11383","authKind":"token","tokenName":"ci","serviceToken":true}',
    Answer(401, '{"code":"unauthorized","message":"Invalid access token"}'),
    restricted=Answer(403, '{"code":"forbidden","message":"Forbidden. Access to the requested resource was denied."}'),
)
