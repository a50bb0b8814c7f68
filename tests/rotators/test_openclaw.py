"""OpenClaw's own secrets, through the engine, at a real gateway: the openclaw consumer applies them, the detector proves them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from consumers.real_openclaw import RealOpenClaw
from keyward.detectors import openclaw as detector
from keyward.rotators import openclaw

from keyward.errors import Refused
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.rotation import Proved
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Unknown
from keyward.plugin.clock import SystemClock
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.plugin.rotator import Job
from keyward.plugin.store import Slot
from keyward.rotate.consumers import openclaw as consumer
from keyward.rotate.engine import Rotation
from keyward.rotate.journal import Journal, new_rotation_id
from keyward.rotate.parties import Options, Parties, Placed
from keyward.testing.file_store import FileStore

ROTATOR = openclaw.OpenClawSecret()


class Watch:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        pass


def secret(value: str) -> SecretParts:
    return {"secret": Secret(value.encode())}


class Gateway:
    def __init__(self, root: Path) -> None:
        self.claw = RealOpenClaw(root)
        self.token, self.hooks = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

    def start(self) -> None:
        self.claw.configure(hooks={"enabled": True, "path": "/in", "token": self.hooks}, plugins={"enabled": False})
        self.claw.store("GATEWAY_TOKEN", self.token.encode())
        self.claw.start({})

    def entry(self, kind: str) -> Entry:
        target = Target(base_url=self.claw.url, options={"hooks_path": "/in"})
        return Entry("house", "gateway", Kind(f"openclaw/{kind}"), "test", "lanes/house/gateway", target)

    def ports(self, *fences: Watch) -> Ports:
        return Ports(Hosts().with_url(self.claw.url), fences=fences)

    def verdict(self, kind: str, value: str) -> object:
        with self.ports() as ports:
            entry = self.entry(kind)
            return detector.verify(Credential(entry.kind, secret(value)), entry.target, ports)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("openclaw"))
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.claw.stop()


@pytest.mark.parametrize("kind", ["gateway-token", "hooks-token"])
def test_a_whole_rotation(gateway: Gateway, tmp_path: Path, kind: str) -> None:
    old = gateway.token if kind == "gateway-token" else gateway.hooks
    own: dict[str, object] = {"name": "GATEWAY_TOKEN", "own_credential": True, "gateway": gateway.claw.socket}
    options = own if kind == "gateway-token" else {"place": "config", "field": "hooks.token"}
    options |= {"command": gateway.claw.command, "state_dir": str(gateway.claw.state), "timeout": 120}
    entry, clock, watch = gateway.entry(kind), SystemClock(), Watch()
    with gateway.ports(watch) as ports:
        store = FileStore(str(tmp_path / "store.json"), ports)
        store.write(entry.path, Slot.CURRENT, secret(old), {}, expected=0)
        spec = ConsumerSpec("openclaw", options)
        parties = Parties(
            Lane("house", entries=(entry,), consumers=(spec,)),
            entry,
            ROTATOR,
            store,
            ports,
            clock,
            verify=lambda credential: detector.verify(credential, entry.target, ports),
            consumers=(Placed(spec, consumer.make(options, ports, lambda reference: Secret(b""))),),
        )
        journal = Journal.create(str(tmp_path / "rotations"), new_rotation_id(clock), clock, ())
        outcome = Rotation(parties, journal, Options()).run()
        assert isinstance(outcome, Proved), outcome
        current = store.read(entry.path, Slot.CURRENT)
    assert current is not None
    new = current.parts["secret"].reveal().decode()
    assert isinstance(gateway.verdict(kind, new), Live)
    assert isinstance(gateway.verdict(kind, old), Dead)
    assert old not in repr(watch.calls) and new not in repr(watch.calls)
    if kind == "gateway-token":
        gateway.token = new
    else:
        gateway.hooks = new


def test_only_what_this_gateway_takes_is_its_own(gateway: Gateway) -> None:
    for kind, value, field in (
        ("gateway-token", gateway.token, "gateway.auth.token"),
        ("hooks-token", gateway.hooks, "hooks.token"),
    ):
        with gateway.ports() as ports:
            job = Job(gateway.entry(kind), ports)
            assert ROTATOR.identify(job, secret(value)) == field
            assert ROTATOR.inventory(job).ids() == {field}
            with pytest.raises(Refused, match="does not take the value"):
                ROTATOR.identify(job, secret(secrets.token_urlsafe(24)))
            with pytest.raises(Refused, match="base_url"):
                ROTATOR.identify(job._replace(entry=job.entry._replace(target=Target())), secret(value))


def test_a_value_is_chosen_and_issuing_and_revoking_call_nobody(gateway: Gateway) -> None:
    watch = Watch()
    with gateway.ports(watch) as ports:
        job = Job(gateway.entry("hooks-token"), ports)
        new = ROTATOR.choose(job, secret("old"))
        assert len(new["secret"]) >= 43 and new != ROTATOR.choose(job, secret("old"))
        assert ROTATOR.issue(job, new, {}).parts == new
        ROTATOR.revoke(job, "hooks.token", {})
    assert watch.calls == []


def test_a_gateway_that_has_no_hooks_there_tells_nothing(gateway: Gateway) -> None:
    target = Target(base_url=gateway.claw.url)  # the path is another one
    with gateway.ports() as ports:
        assert isinstance(detector.verify(Credential(detector.HOOKS, secret(gateway.hooks)), target, ports), Unknown)
        assert isinstance(detector.verify(Credential(detector.HOOKS, secret("x")), Target(), ports), Unknown)
