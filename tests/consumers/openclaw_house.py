"""A house with a real OpenClaw gateway and a real OpenBao behind its Vault plugin: the values that they hold, and who asks them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

import httpx
from consumers.real_openclaw import RealOpenClaw
from keyward.detectors import openclaw as detector

from keyward.model.credential import Credential, Target
from keyward.model.secret import Secret
from keyward.model.verdict import Verdict
from keyward.plugin.consumer import Values
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.rotate.consumers import openclaw
from keyward.testing.servers.openbao import OpenBao

HOOKS_PATH = "/in"


class Watch:
    """A fence that remembers what passed."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        pass


class House:
    """The gateway, the vault, and the values that they hold now."""

    def __init__(self, claw: RealOpenClaw, bao: OpenBao) -> None:
        self.claw, self.bao = claw, bao
        self.gateway, self.hooks, self.stored, self.kept, self.plain = (secrets.token_urlsafe(24) for _ in range(5))
        self.watch = Watch()

    def prepare(self) -> None:
        ref = {"source": "store", "provider": "default", "id": "HOUSE_API_KEY"}
        vault = {"source": "exec", "provider": "vault", "id": "providers/second/apiKey"}
        self.claw.configure(
            hooks={"enabled": True, "path": HOOKS_PATH, "token": self.hooks},
            secrets={
                "providers": {"vault": {"source": "exec", "pluginIntegration": {"pluginId": "vault", "integrationId": "vault"}}}
            },
            models={
                "providers": {
                    "houseone": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": ref, "models": []},
                    "housetwo": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": vault, "models": []},
                    "housethree": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": self.plain, "models": []},
                    "housefour": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": self.plain, "models": []},
                }
            },
        )
        self.claw.store("GATEWAY_TOKEN", self.gateway.encode())
        self.claw.store("HOUSE_API_KEY", self.stored.encode())
        self.keep(self.kept)
        self.claw.start({"VAULT_ADDR": self.bao.url, "VAULT_TOKEN": self.bao.token})

    def keep(self, value: str, path: str = "providers/second", field: str = "apiKey") -> None:
        self.bao_request("POST", f"secret/data/{path}", {"data": {field: value, "note": "stays"}}).raise_for_status()

    def kept_now(self) -> dict[str, str]:
        return dict(self.bao_request("GET", "secret/data/providers/second").json()["data"]["data"])

    def bao_request(self, method: str, path: str, body: object = None) -> httpx.Response:
        return httpx.request(
            method, f"{self.bao.url}/v1/{path}", headers={"X-Vault-Token": self.bao.token}, json=body, trust_env=False
        )

    def consumer(self, **options: object) -> openclaw.OpenClaw:
        table: Mapping[str, object] = {
            "command": self.claw.command,
            "state_dir": str(self.claw.state),
            "timeout": 120,
            **options,
        }
        ports = Ports(openclaw.hosts(table), fences=(self.watch,))
        return openclaw.make(table, ports, lambda reference: Secret(self.bao.token.encode()))

    def verdict(self, kind: str, value: str) -> Verdict:
        with Ports(Hosts().with_url(self.claw.url)) as ports:
            credential = Credential(getattr(detector, kind), {"secret": Secret(value.encode())})
            return detector.verify(credential, self.target, ports)

    @property
    def target(self) -> Target:
        return Target(base_url=self.claw.url, options={"hooks_path": HOOKS_PATH})

    def written(self, *path: str) -> object:
        """What stands in `openclaw.json`."""
        value: Any = json.loads((self.claw.state / "openclaw.json").read_text())
        for step in path:
            value = value[step]
        return value


def values(old: str, new: str) -> Values:
    parts = [{"secret": Secret(each.encode())} if each else {} for each in (old, new)]
    return Values("house", "key", "vault:lanes/house/key", parts[0], parts[1], "r1")
