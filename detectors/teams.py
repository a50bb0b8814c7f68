"""Microsoft Teams incoming webhooks and Power Automate (Workflows) trigger URLs.

What it is: a URL that posts to a channel (webhook.office.com, outlook.office.com; being retired) or starts a flow
  (logic.azure.com, environment.api.powerplatform.com). Who has the URL needs nothing else; its `sig` is the secret of the flow's.
Where it is used: CI notices, alert managers, pages that send a form to a flow; `.env`, pipeline files, JavaScript.
What an attacker can do: post messages that colleagues trust to the channel; start the flow with any input, which does whatever
  the flow does (mail, files, approvals).
How to replace it: remove the connector from the channel and add a workflow instead; for a flow, save its trigger anew as a new
  one, or regenerate the access key of the logic app.
References: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
  https://learn.microsoft.com/en-us/azure/logic-apps/logic-apps-securing-a-logic-app
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Rule
from keyward.plugin.shapes import Shape, b64url, concat, digits, hexa, uuid4

from ._saas import SLASH, URLSAFE_EDGE, UUID, contexts, misses, replace, secret

WEBHOOK = Kind("teams/webhook")
FLOW = Kind("teams/power-automate-url")


def _tenant(parts: Parts) -> Mapping[str, str]:
    found = re.search(rb"@(" + UUID + rb")", parts["secret"])
    return {"tenant": found.group(1).decode()} if found else {}


def _environment(parts: Parts) -> Mapping[str, str]:
    """The host's 30 and 2 hex characters are the environment's id without hyphens."""
    found = re.search(rb"([0-9a-f]{30})\.([0-9a-f]{2})\.environment", parts["secret"])
    return {"environment": (found.group(1) + found.group(2)).decode()} if found else {}


def _unescaped(value: bytes) -> bytes:
    return value.replace(b"\\u0026", b"&").replace(b"&amp;", b"&").replace(b"\\", b"")


KINDS = (
    CredentialKind(WEBHOOK, "Microsoft Teams webhook", "medium", describe=_tenant, canonical=_unescaped,
                   manual=replace("a workflow (or a new connector) in the channel", "https://teams.microsoft.com/",
                                  "Remove the old connector from the channel."),
                   references=("https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",)),
    CredentialKind(FLOW, "Power Automate trigger URL", "high", describe=_environment, canonical=_unescaped,
                   manual=Manual(("Replace the flow's trigger with a new one, or regenerate the logic app's access key.",
                                  "Update what calls the old URL.", "Read the flow's run history."), "https://make.powerautomate.com/"),
                   references=("https://learn.microsoft.com/en-us/azure/logic-apps/logic-apps-securing-a-logic-app",)),
)  # fmt: skip

_TAIL = rb"/" + UUID + rb"@" + UUID + rb"/IncomingWebhook/[0-9a-f]{32}/" + UUID + rb"(?:/V2[A-Za-z0-9_-]{20,80})?"
_CALL = rb"/triggers/[A-Za-z0-9_-]{1,40}/paths/invoke"
_FLOW_HOSTS = (
    rb"https://(?:prod-[0-9]{1,3}\.[a-z0-9-]{4,24}\.logic\.azure\.com(?::443)?"
    rb"|(?:default)?[0-9a-f]{30}\.[0-9a-f]{2}\.environment\.api\.powerplatform\.com(?::443)?/powerautomate/automations/direct(?:/cu/[0-9]{1,3})?)"
    rb"/workflows/[0-9a-f]{32}"
)
_FLOW = (_FLOW_HOSTS + _CALL).replace(b"/", SLASH)


def _hook(*, host: str = "acme.webhook.office.com/webhookb2", size: int = 32, at: str = "@", end: str = "") -> Shape:
    return concat("https://", host, "/", uuid4(), at, uuid4(), "/IncomingWebhook/", hexa(size), "/", uuid4(), end)


def _flow(*, old: bool = True, size: int = 32, signature: int = 43, amp: str = "&", key: str = "sig") -> Shape:
    host = concat("https://prod-", digits(2), ".westeurope.logic.azure.com:443/workflows/") if old else concat(
        "https://default", hexa(30), ".", hexa(2), ".environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/")
    return concat(host, hexa(size), "/triggers/manual/paths/invoke?api-version=2016-06-01", amp, "sp=%2Ftriggers%2Fmanual%2Frun",
                  amp, "sv=1.0", amp, key, "=", b64url(signature))  # fmt: skip


RULES = (
    Rule(
        str(WEBHOOK),
        WEBHOOK,
        secret((rb"https://(?:[a-z0-9-]{1,40}\.webhook\.office\.com/webhookb2|outlook\.office(?:365)?\.com/webhook)" + _TAIL).replace(b"/", SLASH))
        + rb"(?![A-Za-z0-9])",
        score=85,
        examples=(
            *contexts("TEAMS_WEBHOOK_URL", _hook()),
            *contexts("TEAMS_WEBHOOK", _hook(host="outlook.office.com/webhook")),
            *contexts("TEAMS_WEBHOOK", concat(_hook(), "/V2", b64url(43))),
        ),
        near_misses=misses(
            "TEAMS_WEBHOOK_URL", _hook(size=31), _hook(size=33), _hook(at="-"), _hook(host="acme.webhook.test/webhookb2"), _hook(end="f0"),
        ),
    ),
    Rule(
        str(FLOW),
        FLOW,
        secret(_FLOW + rb"\?[^\s\"'<>`]{10,160}sig=[A-Za-z0-9_-]{43}") + URLSAFE_EDGE,
        anchor=_FLOW,
        window=900,
        score=85,
        examples=(
            *contexts("TEAMS_WEBHOOK", _flow()),
            *contexts("FLOW_URL", _flow(old=False)),
            *contexts("FLOW_URL", _flow(amp="&amp;")),
            *contexts("FLOW_URL", _flow(amp="\\u0026")),
        ),
        near_misses=misses(
            "FLOW_URL", _flow(signature=42), _flow(signature=44), _flow(size=31), _flow(key="sgn"), _flow(old=False, signature=42)
        ),
    ),
)  # fmt: skip
