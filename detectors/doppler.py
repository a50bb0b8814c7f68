"""Doppler tokens.

What it is: tokens of the Doppler secrets manager: personal (`dp.pt.`), command line (`dp.ct.`), service (`dp.st.`, with the
  config's name), service account (`dp.sa.`, short-lived ones `dp.said.`), SCIM (`dp.scim.`) and audit (`dp.audit.`). The
  length of the body, 40 to 44, is from other scanners.
Where it is used: `DOPPLER_TOKEN` in servers, containers and CI, `~/.doppler/.doppler.yaml`.
What an attacker can do: read the secrets that the token reaches: all of the account's with a personal or command line token,
  those of one config with a service token; many may also change them.
How to replace it: the holder can kill it with POST https://api.doppler.com/v3/auth/revoke; a new one is made in the dashboard
  (Tokens, or the config's Access page). After a leak rotate every secret that it could read.
Whether it lives: GET /v3/me, which every token may ask; it tells the token's name and when it was last used.
References: https://docs.doppler.com/reference/api
  https://docs.doppler.com/docs/service-tokens
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, concat, json_member, part, text
from keyward.plugin.verifier import Answer, Case

from ._forms import WORD, manual, token
from ._token_probe import for_all
from ._vendor_answers import Question, Said, asks, bearer, cases

PERSONAL = Kind("doppler/personal-token")
CLI = Kind("doppler/cli-token")
SERVICE = Kind("doppler/service-token")
ACCOUNT = Kind("doppler/service-account-token")
SCIM = Kind("doppler/scim-token")
AUDIT = Kind("doppler/audit-token")

_DASHBOARD = "https://dashboard.doppler.com/workplace/tokens"


def _kind(name: Kind, title: str, severity: str, url: str = _DASHBOARD) -> CredentialKind:
    steps = (
        "Create a new token.",
        "Update what uses the old one.",
        "Revoke the old one.",
        "Rotate the secrets that it could read.",
    )
    return CredentialKind(
        name, title, severity, manual=manual(url, *steps), references=("https://docs.doppler.com/reference/api",)
    )


KINDS = (
    _kind(PERSONAL, "Doppler personal token", "critical"),
    _kind(CLI, "Doppler CLI token", "critical"),
    _kind(SERVICE, "Doppler service token", "critical", "https://docs.doppler.com/docs/service-tokens"),
    _kind(ACCOUNT, "Doppler service account token", "critical", "https://docs.doppler.com/docs/service-accounts"),
    _kind(SCIM, "Doppler SCIM token", "high"),
    _kind(AUDIT, "Doppler audit token", "medium"),
)


def _rule(kind: Kind, marker: str, middle: bytes = b"", example_middle: str = "") -> Rule:
    value = concat("dp.", marker, ".", example_middle, an(43))
    return Rule(
        f"doppler/{marker}",
        kind,
        token(b"dp\\." + marker.encode() + rb"\." + middle + rb"[A-Za-z0-9]{40,44}", WORD),
        score=80,
        examples=(
            assigned("DOPPLER_TOKEN", value),
            text("docker run -e DOPPLER_TOKEN='", part("secret", value), "' acme/app\n"),
            text("scoped:\n  /:\n    token: ", part("secret", value), "\n"),
            json_member("dopplerToken", concat("dp.", marker, ".", an(43))),
        ),
        near_misses=(
            assigned("DOPPLER_TOKEN", concat("dp.", marker, ".", an(39))),
            assigned("DOPPLER_TOKEN", concat("dp.", marker, ".", an(45))),
            assigned("DOPPLER_TOKEN", concat("dp_", marker, "_", an(43))),
            assigned("DOPPLER_TOKEN", concat("dp.", "xx.", an(43))),
        ),
    )


RULES = (
    _rule(PERSONAL, "pt"),
    _rule(CLI, "ct"),
    _rule(SERVICE, "st", rb"(?:[a-z0-9][a-z0-9_-]{1,59}\.)?", "prd_eu."),
    _rule(ACCOUNT, "sa"),
    _rule(ACCOUNT, "said"),
    _rule(SCIM, "scim"),
    _rule(AUDIT, "audit"),
)

HOSTS = ("api.doppler.com",)
VERIFIES = (PERSONAL, CLI, SERVICE, ACCOUNT)

_ASK = Question(
    "https://api.doppler.com", "/v3/me", bearer, ("workplace.slug", "workplace.name"),
    dead=(Said(401, ('"invalid auth token"', '"invalid service token"')),), restricted=(Said(403, ('{"messages":[',)),),
    who=("workplace.name", "name", "type"), used="last_seen_at",
)  # fmt: skip
verify = asks(dict.fromkeys(VERIFIES, _ASK))

CASES = for_all(
    VERIFIES,
    cases(
        PERSONAL,
        '{"workplace":{"name":"Acme","slug":"9ce6"},"type":"personal","name":"ci","last_seen_at":"2026-01-01T12:00:00Z"}',
        Answer(401, '{"messages":["Invalid Auth token"],"success":false}'),
        Case(
            "none arrived", PERSONAL, (Answer(401, '{"messages":["Please provide an api key."],"success":false}'),), "unknown"
        ),
        restricted=Answer(403, '{"messages":["This token does not have access to requested project"],"success":false}'),
    ),
)
