"""The rotators of Vault's tokens and secret_ids keep the contract, against a real OpenBao behind a door that loses answers."""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from contract_worlds import REGISTRY, parts

from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.verdict import Verdict
from keyward.plugin.ports import Ports, new_client
from keyward.plugin.verifier import ask, hosts_for
from keyward.testing.fakes.server import FakeProvider, Fault, Request, Response
from keyward.testing.rotator_contract import RotatorContract, impatient
from keyward.testing.servers.openbao import OpenBao

_numbers = itertools.count()


class Door(FakeProvider):
    """Passes every request on to the server as it came; what a fake arranges and remembers is arranged and remembered here."""

    RULES = ("all is the server's: https://openbao.org/api-docs/auth/",)

    def __init__(self, bao: OpenBao) -> None:
        super().__init__()
        self._port = urlsplit(bao.url).port or 0

    def handle(self, request: Request) -> Response:
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            kept = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
            link.request(request.method, request.path, request.body or None, kept)
            answer = link.getresponse()
            return Response(answer.status, answer.read(), {"Content-Type": "application/json"})
        finally:
            link.close()

    def may_change(self, request: Request) -> bool:
        """Questions are asked by POST, too."""
        questions = ("/lookup", "/lookup-accessor", "/capabilities-self")
        return request.method in ("POST", "PUT", "DELETE") and not request.path.endswith(questions)

    def is_change(self, request: Request, response: Response) -> bool:
        return self.may_change(request) and response.status < 300


class VaultWorld:
    """One lane at the server, and somebody else's credential beside it."""

    host = "127.0.0.1"

    def __init__(self, bao: OpenBao, door: Door, kind: str) -> None:
        self.bao, self.door, self.lane = bao, door, f"contract{next(_numbers)}"
        self.rotator = REGISTRY.rotators()[Kind(kind)]
        policy = self.rotator.admin.policy.replace("LANE", self.lane)
        bao.request("PUT", f"sys/policies/acl/admin-{self.lane}", {"policy": policy})
        self.admin = parts(token=bao.new_token(f"admin-{self.lane}", "default"))
        self.entry = Entry(
            self.lane,
            "key",
            Kind(kind),
            "test",
            f"lanes/{self.lane}/key",
            Target(base_url=door.url),
            self.scope,
            {"token": "env:T"},
        )
        self.old = self.make()

    scope: ClassVar[Mapping[str, object]] = {}

    def make(self) -> SecretParts:
        raise NotImplementedError

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        verifier = REGISTRY.verifier(self.entry.kind)
        assert verifier is not None
        client = getattr(self, "client", new_client)  # a check by login is a changing call, too
        with Ports(hosts_for(verifier, self.entry.target), clock=ports.clock, fences=ports.fences, client=client) as own:
            return ask(verifier, credential, self.entry.target, own)

    def changes(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.door.changes]

    def fail(self, how: str, number: int) -> bool:
        self.door.fail(Fault(how, skip=number, changing=True))
        self.client = impatient if how == "hang" else new_client
        return True

    def fail_reading(self, how: str, number: int) -> None:
        self.door.fail(Fault(how, skip=number, reading=True, times=1_000_000))

    def well(self) -> None:
        self.door.faults.clear()

    def known(self, path: str, body: object) -> Any:
        """The `data` of a lookup; None for what is gone."""
        try:
            answer = self.bao.request("POST", path, body)
        except AssertionError:
            return None
        return (answer or {}).get("data")


class TokenWorld(VaultWorld):
    scope: ClassVar[Mapping[str, object]] = {"policies": ["default"], "ttl": "1h"}

    def make(self) -> SecretParts:
        self.theirs = self.bao.new_token("default", meta={"lane": self.lane, "name": "another"})
        return parts(secret=self.bao.new_token("default"))

    def works(self, parts: SecretParts) -> bool:
        return self.known("auth/token/lookup", {"token": parts["secret"].reveal().decode()}) is not None

    def working(self) -> int:
        found = int(self.works(self.old))
        for accessor in self.bao.request("LIST", "auth/token/accessors")["data"]["keys"]:
            meta = (self.known("auth/token/lookup-accessor", {"accessor": accessor}) or {}).get("meta") or {}
            found += meta.get("lane") == self.lane and meta.get("name") == "key"
        return found

    def others_untouched(self) -> bool:
        return self.known("auth/token/lookup", {"token": self.theirs}) is not None


class SecretIdWorld(VaultWorld):
    def make(self) -> SecretParts:
        self.entry = self.entry._replace(scope={"role": self.lane})
        self.path = f"auth/approle/role/{self.lane}"
        self.bao.request("POST", self.path, {"token_policies": "default", "token_ttl": "1h"})
        role_id = str(self.bao.request("GET", f"{self.path}/role-id")["data"]["role_id"])
        self.theirs = self._secret_id(who="ci")
        old = self._secret_id()
        login = {"role_id": role_id, "secret_id": old}
        self.session = str(self.bao.request("POST", "auth/approle/login", login)["auth"]["client_token"])
        return parts(secret=old, role_id=role_id)

    def _secret_id(self, **metadata: str) -> str:
        made = self.bao.request("POST", f"{self.path}/secret-id", {"metadata": json.dumps(metadata)})
        return str(made["data"]["secret_id"])

    def works(self, parts: SecretParts) -> bool:
        """A secret_id that is gone, but whose session lives, counts as working."""
        value = parts["secret"].reveal().decode()
        if value == self.old["secret"].reveal().decode() and self.known("auth/token/lookup", {"token": self.session}):
            return True
        return self.known(f"{self.path}/secret-id/lookup", {"secret_id": value}) is not None

    def working(self) -> int:
        return len(self.bao.request("LIST", f"{self.path}/secret-id")["data"]["keys"]) - 1

    def others_untouched(self) -> bool:
        return self.known(f"{self.path}/secret-id/lookup", {"secret_id": self.theirs}) is not None


@pytest.fixture(scope="module")
def own_bao() -> Iterator[OpenBao]:
    with OpenBao() as server:
        server.request("POST", "sys/auth/approle", {"type": "approle"})
        yield server


class _Contract(RotatorContract):
    kind: type[VaultWorld]
    name: str

    @pytest.fixture(autouse=True)
    def _server(self, own_bao: OpenBao) -> None:
        self.bao = own_bao

    def world(self, folder: str) -> AbstractContextManager[VaultWorld]:
        return self._world()

    @contextmanager
    def _world(self) -> Iterator[VaultWorld]:
        with Door(self.bao) as door:
            yield self.kind(self.bao, door, self.name)
        root = self.bao.request("GET", "auth/token/lookup-self")["data"]["accessor"]
        for accessor in self.bao.request("LIST", "auth/token/accessors")["data"]["keys"]:
            if accessor != root:  # a listing costs a request a token: the next world begins without those of this one
                self.bao.request("POST", "auth/token/revoke-accessor", {"accessor": accessor})


class TestVaultToken(_Contract):
    kind, name = TokenWorld, "vault/token"


class TestVaultSecretId(_Contract):
    kind, name = SecretIdWorld, "vault/approle-secret-id"


del _Contract, RotatorContract  # or pytest would collect them
