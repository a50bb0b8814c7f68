"""OpenClaw's own secrets: the gateway's token or password, and the hooks token.

What is possible: a new value, chosen here. The gateway reads it from its own store or configuration, so whoever writes it there
  applies it: that is the `openclaw` consumer of the lane, and `issue` does nothing. Hence the order: the new value is stored and
  distributed first and proved then; the old one dies in the same moment.
What is manual: paired devices have tokens of their own and stay connected; `openclaw devices list` shows them, `openclaw devices remove`
  ends them. A value from the gateway's environment needs a restart. `openclaw.json.bak*` keep the former values.

Settings     | read from | meaning
base_url     | target    | the gateway (`http://127.0.0.1:18789`), where the value is proved; no default
hooks_path   | target    | options.hooks_path: `/hooks` unless set

Consumers: gateway token in OpenClaw's store: `type = "openclaw"`, `name = "GATEWAY_TOKEN"`, `own_credential = true`,
  `gateway = "ws://127.0.0.1:18789"`. In the configuration: `place = "config"`, `field = "gateway.auth.token"`. The hooks token can stand
  in the configuration alone: `field = "hooks.token"`. Then every client: `gateway.remote.token`, and whoever calls the hooks.
Rights: whatever the consumer needs; the rotator itself needs none.
Traps: `gateway.auth.mode` must be set, or a change is applied only by a restart. The hooks token must differ from the gateway's.
References: https://docs.openclaw.ai/gateway/secrets  https://docs.openclaw.ai/gateway/security
  docs/gateway/configuration/hot-reload.md and docs/gateway/config-hooks.md of the npm package openclaw 2026.9.6
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from types import MappingProxyType

from keyward.errors import Refused
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.rotator import Capabilities, Held, Inventory, Issued, Job, Origin, Overlap, Rotator

TOKEN, PASSWORD, HOOKS = Kind("openclaw/gateway-token"), Kind("openclaw/gateway-password"), Kind("openclaw/hooks-token")
FIELDS = {TOKEN: "gateway.auth.token", PASSWORD: "gateway.auth.password", HOOKS: "hooks.token"}
"""The one place that each has in a gateway: its id."""


class OpenClawSecret(Rotator):
    """One gateway has one of each."""

    kinds = tuple(FIELDS)
    scope_names: tuple[str, ...] = ()
    gives = ("secret",)
    title = "OpenClaw gateway and hooks"
    origin = Origin.CHOSEN
    capabilities = Capabilities(overlap=Overlap.NONE, slots=1, settle=60.0, propagation=60.0, applied_by_consumers=True)
    references = ("https://docs.openclaw.ai/gateway/secrets",)
    calls = MappingProxyType(dict.fromkeys(("PROVE", "REVOKE", "CONFIRM"), ("POST /tools/invoke",)))

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        return {step: (f"POST {_asked(entry)}",) for step in self.calls}

    def identify(self, job: Job, parts: SecretParts) -> str:
        if not job.target.base_url:
            raise Refused(f"{job.entry.ref}: target.base_url does not name the gateway", hint="Add it in the configuration.")
        http = job.ports.http(job.base_url(""), {"Authorization": f"Bearer {parts['secret'].reveal().decode()}"})
        # an empty request, which names nothing to do: it is refused as such (400) only after the login
        reply = http.request("POST", _asked(job.entry), json={}, changes=False)
        if reply.status != 400:
            raise Refused(
                f"{job.entry.ref}: this gateway does not take the value ({reply.status})",
                hint="It was replaced already, or is another gateway's: check target.base_url.",
            )
        return FIELDS[job.entry.kind]

    def inventory(self, job: Job) -> Inventory:
        return Inventory(job.target.base_url, (Held(FIELDS[job.entry.kind]),), lane_owned=True)

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        return {**old, "secret": Secret(secrets.token_urlsafe(32).encode())}

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        return Issued(FIELDS[job.entry.kind], new)

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        """Nothing: the old one ended when the gateway took the new one."""


def _asked(entry: Entry) -> str:
    """The path that tells whether a value is in force."""
    if entry.kind == HOOKS:
        return entry.target.options.get("hooks_path", "/hooks").rstrip("/") + "/wake"
    return "/tools/invoke"


ROTATORS: tuple[Rotator, ...] = (OpenClawSecret(),)
