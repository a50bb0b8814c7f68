"""A small provider for the engine's own tests: it mints keys, or takes chosen ones, or rolls them in place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import tests_support

from keyward.errors import ProviderError, Refused, SlotsFull
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.plugin.ports import Http, Ports
from keyward.plugin.rotator import AdminNeed, Capabilities, Held, Inventory, Issued, Job, Origin, Overlap, Rotator
from keyward.plugin.verifier import evidence
from keyward.testing.fakes.server import FakeProvider, Fault, Request, Response

KIND = Kind("toy/key")


class Toy(FakeProvider):
    """Keys by id; `/keys` is the admin's, `/me` the key's own."""

    RULES = ("its own",)

    def __init__(self, slots: int = 0, marks: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.admin = tests_support.token(1).decode()
        self.slots, self.marks = slots, marks
        self.keys: dict[str, dict[str, Any]] = {}
        self.number = 0

    def mint(self, principal: str, name: str = "", value: str = "") -> tuple[str, str]:
        self.number += 1
        value = value or hashlib.sha256(f"{self.admin}{self.number}".encode()).hexdigest()
        self.keys[f"k{self.number}"] = {"principal": principal, "name": name, "value": value, "active": True}
        return f"k{self.number}", value

    def handle(self, request: Request) -> Response:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.path == "/me":
            key = next((k for k in self.keys.values() if k["value"] == bearer), None)
            if key is None:
                return Response(401, {})
            return Response(200 if key["active"] else 403, {"principal": key["principal"]})
        if bearer != self.admin:
            return Response(401, {"error": f"bad key {bearer}"})
        if request.path == "/keys" and request.method == "GET":
            shown = [
                {"id": i, "active": k["active"], "name": k["name"] if self.marks else ""}
                for i, k in self.keys.items()
                if k["principal"] == request.query["principal"]
            ]
            return Response(200, {"keys": shown})
        if request.path == "/keys" and request.method == "POST":
            asked = request.json()
            if self.slots and sum(k["principal"] == asked["principal"] for k in self.keys.values()) >= self.slots:
                return Response(409, {})
            id, value = self.mint(asked["principal"], asked.get("name", ""))
            return Response(201, {"id": id, "value": value})
        id, _, action = request.path.removeprefix("/keys/").partition("/")
        if action == "value":  # the chosen kind: one key, its value replaced
            asked = request.json()
            self.keys[id]["value"] = asked["value"]
            return Response(200, {})
        if action == "roll":
            self.keys[id]["value"] = hashlib.sha256(self.keys[id]["value"].encode()).hexdigest()
            return Response(200, {"value": self.keys[id]["value"]})
        if id not in self.keys:
            return Response(404, {})
        if request.method == "DELETE":
            del self.keys[id]
            return Response(204)
        self.keys[id]["active"] = request.json()["active"]
        return Response(200, {})


class ToyRotator(Rotator):
    """Mints; `own`, with marks, lane-owned or not as the scope says."""

    kinds = (KIND,)
    origin = Origin.MINTED
    capabilities = Capabilities(reversible_disable=True, marks=True, settle=5, propagation=5)
    admin = AdminNeed(("token",))
    calls: Mapping[str, tuple[str, ...]] = {
        "QUARANTINE": ("PATCH /keys/{id}",),
        "RESERVE": ("GET /keys",),
        "ISSUE": ("POST /keys",),
        "PROVE": ("GET /me",),
        "REVOKE": ("GET /me", "PATCH /keys/{id}", "DELETE /keys/{id}"),
        "CONFIRM": ("GET /me",),
    }

    def _http(self, job: Job) -> Http:
        return job.ports.http(job.base_url(""), {"authorization": f"Bearer {job.admin_text('token')}"})

    def identify(self, job: Job, parts: SecretParts) -> str:
        id = parts["id"].reveal().decode()
        if id not in self.inventory(job).ids():
            raise Refused(f"{id} is not a key of {job.scope_text('principal')}", hint="Check the admin credential's account.")
        return id

    def inventory(self, job: Job) -> Inventory:
        principal = job.scope_text("principal")
        reply = self._http(job).request("GET", "/keys", query={"principal": principal})
        _ok(reply)
        held = tuple(
            Held(k["id"], k["active"], mark=k["name"] if k["name"].startswith("keyward:") else "")
            for k in reply.object()["keys"]
        )
        return Inventory(principal, held, lane_owned=job.scope_text("lane_owned") == "yes")

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        body = {"principal": job.scope_text("principal"), "name": job.mark}
        reply = self._http(job).request("POST", "/keys", json=body)
        _ok(reply)
        made = reply.object()
        return Issued(made["id"], {"id": Secret(made["id"].encode()), "secret": Secret(made["value"].encode())})

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        _ok(self._http(job).request("PATCH", f"/keys/{id}", json={"active": False}), gone=True)

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        _ok(self._http(job).request("PATCH", f"/keys/{id}", json={"active": True}))

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        _ok(self._http(job).request("DELETE", f"/keys/{id}"), gone=True)


class ToyChosen(ToyRotator):
    """Takes a value of ours in place: the old one dies with it."""

    origin = Origin.CHOSEN
    capabilities = Capabilities(overlap=Overlap.NONE, settle=5, propagation=5)
    calls = MappingProxyType(
        {"ISSUE": ("PUT /keys/{id}/value",), "PROVE": ("GET /me",), "REVOKE": ("GET /me",), "CONFIRM": ("GET /me",)}
    )

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        import secrets

        return {"id": old["id"], "secret": Secret(secrets.token_hex(24).encode())}

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        id = old["id"].reveal().decode()
        body = {"value": new["secret"].reveal().decode()}
        _ok(self._http(job).request("PUT", f"/keys/{id}/value", json=body))
        return Issued(id, new)

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        """The old value died when the new one came."""

    revoke = disable


def _ok(reply: Any, *, gone: bool = False) -> None:
    if reply.status == 401:
        raise Refused("the admin token is refused", hint="Check the admin reference.")
    if reply.status == 409:
        raise SlotsFull("no free slot")
    if reply.status >= 300 and not (gone and reply.status == 404):
        raise ProviderError(f"status {reply.status}")


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    http = ports.http(target.base_url)
    try:
        reply = http.request("GET", "/me", headers={"authorization": f"Bearer {credential.text('secret')}"})
    except ProviderError as error:
        return Unknown(str(error))
    seen = evidence("GET /me", http, reply, ports, credential.text("id"))
    if reply.status == 200:
        return Live(seen, str(json.loads(reply.body)["principal"]))
    return Dead(seen) if reply.status == 401 else Restricted(seen, "inactive")


class ToyWorld:
    host = "127.0.0.1"

    def __init__(self, toy: Toy, rotator: Rotator, lane_owned: bool) -> None:
        self.toy, self.rotator = toy, rotator
        self.others = [toy.mint("lane", "the colleague's") if not lane_owned else toy.mint("other"), toy.mint("other")]
        self.id, value = toy.mint("lane", "made by hand")
        self.old: SecretParts = {"id": Secret(self.id.encode()), "secret": Secret(value.encode())}
        self.admin: SecretParts = {"token": Secret(toy.admin.encode())}
        scope = {"principal": "lane", "lane_owned": "yes" if lane_owned else "no"}
        self.entry = Entry("lane", "key", KIND, "test", "lanes/lane/key", Target(base_url=toy.url), scope, {"token": "env:T"})

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        return verify(credential, self.entry.target, ports)

    def works(self, parts: SecretParts) -> bool:
        value = parts["secret"].reveal().decode()
        return any(key["value"] == value and key["active"] for key in self.toy.keys.values())

    def working(self) -> int:
        others = [id for id, _ in self.others]
        return sum(k["active"] for id, k in self.toy.keys.items() if id not in others)

    def others_untouched(self) -> bool:
        return all(self.toy.keys.get(id, {}).get("value") == value and self.toy.keys[id]["active"] for id, value in self.others)

    def changes(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.toy.changes]

    def fail(self, how: str, number: int) -> bool:
        self.toy.fail(Fault(how, skip=number, changing=True))
        return True

    def fail_reading(self, how: str, number: int) -> None:
        self.toy.fail(Fault(how, skip=number, reading=True, times=1_000_000))

    def well(self) -> None:
        self.toy.faults.clear()


@contextmanager
def toy_world(rotator: Rotator, *, lane_owned: bool = False, marks: bool = True) -> Iterator[ToyWorld]:
    with Toy(marks=marks) as toy:
        yield ToyWorld(toy, rotator, lane_owned)
