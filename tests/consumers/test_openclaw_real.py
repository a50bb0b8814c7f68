"""The real npm package: a gateway on loopback with a real OpenBao behind its Vault plugin, started once for all that needs one.

First the openclaw consumer, then whole rotations of OpenClaw's own secrets through the engine, which the detector proves.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from consumers.openclaw_house import HOOKS_PATH, House, Watch, values
from consumers.real_openclaw import RealOpenClaw
from keyward.detectors import openclaw as detector
from keyward.rotators import openclaw as rotator

from keyward.errors import ConsumerChanged, ConsumerError, Refused
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.rotation import Proved
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Unknown
from keyward.plugin.clock import SystemClock
from keyward.plugin.consumer import Holds
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.rotator import Job
from keyward.plugin.store import Slot
from keyward.rotate.consumers import openclaw
from keyward.rotate.consumers.openclaw_reference import OpenClawReference
from keyward.rotate.engine import Rotation
from keyward.rotate.journal import Journal, new_rotation_id
from keyward.rotate.parties import Options, Parties, Placed
from keyward.testing.file_store import FileStore
from keyward.testing.servers.openbao import OpenBao

ROTATOR = rotator.OpenClawSecret()
CONSTANTS = {"gateway-token": "GATEWAY_TOKEN", "hooks-token": "HOOKS"}
"""The detector's names of the kinds."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with OpenBao() as bao:
        house = House(RealOpenClaw(tmp_path_factory.mktemp("openclaw")), bao)
        try:
            house.prepare()
            yield house
        finally:
            house.claw.stop()


def test_a_key_in_the_store_is_replaced_reloaded_and_rolled_back(house: House) -> None:
    consumer, new = house.consumer(name="HOUSE_API_KEY"), secrets.token_urlsafe(24)
    change = values(house.stored, new)
    assert consumer.holds(change) is Holds.OLD
    with pytest.raises(ConsumerError):
        consumer.verify(change)
    house.watch.calls.clear()
    consumer.apply(change)
    assert consumer.holds(change) is Holds.NEW
    assert consumer.verify(change) == "read back; secrets reload: ok, 0 warnings"
    changing = [call.what for call in house.watch.calls if call.changes]
    assert changing == ["openclaw secrets store set", "openclaw secrets reload"]
    assert consumer.apply(change) == "it was there already"
    assert house.claw.audit()["status"] != "unresolved"
    consumer.rollback(change)
    assert consumer.holds(change) is Holds.OLD
    assert consumer.holds(values(new, "x")) is Holds.OTHER
    with pytest.raises(ConsumerChanged):
        consumer.apply(values(new, secrets.token_hex(8)))
    assert consumer.holds(change) is Holds.OLD
    assert house.consumer(name="NOT_THERE").holds(change) is Holds.NOTHING


def test_the_field_that_the_vault_plugin_reads_is_replaced_and_the_others_stay(house: House) -> None:
    consumer = house.consumer(place="vault", url=house.bao.url, token="env:BAO_TOKEN", path="providers/second")
    change = values(house.kept, secrets.token_urlsafe(24))
    assert consumer.holds(change) is Holds.OLD
    consumer.apply(change)
    assert house.kept_now() == {"apiKey": change.new["secret"].reveal().decode(), "note": "stays"}
    assert consumer.verify(change).endswith("0 warnings")
    consumer.rollback(change)
    assert house.kept_now()["apiKey"] == house.kept


def test_the_gateways_own_token_in_its_store(house: House) -> None:
    """The new one is in force after `verify`, which has to log in with the old one; the detector sees both."""
    consumer = house.consumer(name="GATEWAY_TOKEN", own_credential=True, gateway=house.claw.socket)
    new = secrets.token_urlsafe(24)
    change = values(house.gateway, new)
    assert isinstance(house.verdict("GATEWAY_TOKEN", house.gateway), Live)
    assert isinstance(house.verdict("GATEWAY_TOKEN", new), Dead)
    consumer.apply(change)
    with pytest.raises(ConsumerError, match="unauthorized"):  # without being told that it is the gateway's own
        house.consumer(name="GATEWAY_TOKEN").verify(change)
    consumer.verify(change)
    assert isinstance(house.verdict("GATEWAY_TOKEN", new), Live)
    assert isinstance(house.verdict("GATEWAY_TOKEN", house.gateway), Dead)
    consumer.verify(change)  # once more, as after a resume
    house.gateway = new


def test_the_hooks_token_in_the_configuration(house: House) -> None:
    consumer, new = house.consumer(place="config", field="hooks.token"), secrets.token_urlsafe(24)
    change = values(house.hooks, new)
    assert isinstance(house.verdict("HOOKS", house.hooks), Live)
    assert isinstance(house.verdict("HOOKS", house.gateway), Dead)  # the gateway's token does not open the hooks
    assert consumer.holds(change) is Holds.OLD
    consumer.apply(change)
    consumer.verify(change)
    deadline = Ports(Hosts()).clock
    until = deadline.monotonic() + 60
    while not isinstance(house.verdict("HOOKS", new), Live) and deadline.monotonic() < until:
        deadline.sleep(0.5)  # the gateway watches the file
    assert isinstance(house.verdict("HOOKS", new), Live)
    assert isinstance(house.verdict("HOOKS", house.hooks), Dead)
    house.hooks = new
    assert json.loads((house.claw.state / "openclaw.json").read_text())["hooks"]["path"] == HOOKS_PATH
    with pytest.raises(ConsumerError, match="is a reference"):
        house.consumer(place="config", field="gateway.auth.token.id.none").holds(change) is Holds.OTHER or house.consumer(
            place="config", field="gateway.auth.token"
        ).holds(change)


@pytest.mark.parametrize(("source", "provider"), [("store", "housethree"), ("vault", "housefour")])
def test_a_plain_text_becomes_a_reference_that_the_gateway_resolves(house: House, source: str, provider: str) -> None:
    """To OpenClaw's own store, and to the lane's, which its Vault plugin reads. Each command takes seconds, so there are few."""
    name = "HOUSE_THREE" if source == "store" else "lanes/house/key/secret"
    field = ("models", "providers", provider, "apiKey")
    consumer = house.consumer(place="reference", field=".".join(field), source=source, name=name)
    new = secrets.token_urlsafe(24)
    change = values(house.plain, new)
    assert isinstance(consumer, OpenClawReference)
    if source == "vault":
        house.keep(new, "lanes/house/key", "secret")  # PROMOTE did it
    else:
        consumer.ready()
    assert house.written(*field) == house.plain and consumer.holds(change) is Holds.OLD
    consumer.apply(change)
    held = house.written(*field)
    assert isinstance(held, dict) and held["id"] == name and consumer.holds(change) is Holds.NEW
    assert consumer.verify(change).endswith("0 warnings")


def test_a_place_that_can_hold_no_reference_is_told_beforehand(house: House) -> None:
    consumer = house.consumer(place="reference", field="models.providers.housethree.baseUrl", name="HOUSE_URL")
    with pytest.raises(ConsumerError, match="can hold no reference"):
        consumer.ready()  # type: ignore[attr-defined]


def test_no_value_is_told(house: House) -> None:
    shown = repr(house.watch.calls)
    for value in (house.gateway, house.hooks, house.stored, house.kept, house.bao.token):
        assert value not in shown


# whole rotations


def secret(value: str) -> SecretParts:
    return {"secret": Secret(value.encode())}


def entry_of(house: House, kind: str) -> Entry:
    return Entry("house", "gateway", Kind(f"openclaw/{kind}"), "test", "lanes/house/gateway", house.target)


def ports_of(house: House, *fences: Watch) -> Ports:
    return Ports(Hosts().with_url(house.claw.url), fences=fences)


@pytest.mark.parametrize("kind", ["gateway-token", "hooks-token"])
def test_a_whole_rotation_of_its_own_secrets(house: House, tmp_path: Path, kind: str) -> None:
    old = house.gateway if kind == "gateway-token" else house.hooks
    own: dict[str, object] = {"name": "GATEWAY_TOKEN", "own_credential": True, "gateway": house.claw.socket}
    options = own if kind == "gateway-token" else {"place": "config", "field": "hooks.token"}
    options |= {"command": house.claw.command, "state_dir": str(house.claw.state), "timeout": 120}
    entry, clock, watch = entry_of(house, kind), SystemClock(), Watch()
    with ports_of(house, watch) as ports:
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
            consumers=(Placed(spec, openclaw.make(options, ports, lambda reference: Secret(b""))),),
        )
        journal = Journal.create(str(tmp_path / "rotations"), new_rotation_id(clock), clock, ())
        outcome = Rotation(parties, journal, Options()).run()
        assert isinstance(outcome, Proved), outcome
        current = store.read(entry.path, Slot.CURRENT)
    assert current is not None
    new = current.parts["secret"].reveal().decode()
    assert isinstance(house.verdict(CONSTANTS[kind], new), Live)
    assert isinstance(house.verdict(CONSTANTS[kind], old), Dead)
    assert old not in repr(watch.calls) and new not in repr(watch.calls)
    if kind == "gateway-token":
        house.gateway = new
    else:
        house.hooks = new


def test_only_what_this_gateway_takes_is_its_own(house: House) -> None:
    for kind, value, field in (
        ("gateway-token", house.gateway, "gateway.auth.token"),
        ("hooks-token", house.hooks, "hooks.token"),
    ):
        with ports_of(house) as ports:
            job = Job(entry_of(house, kind), ports)
            assert ROTATOR.identify(job, secret(value)) == field
            assert ROTATOR.inventory(job).ids() == {field}
            with pytest.raises(Refused, match="does not take the value"):
                ROTATOR.identify(job, secret(secrets.token_urlsafe(24)))
            with pytest.raises(Refused, match="base_url"):
                ROTATOR.identify(job._replace(entry=job.entry._replace(target=Target())), secret(value))


def test_a_value_is_chosen_and_issuing_and_revoking_call_nobody(house: House) -> None:
    watch = Watch()
    with ports_of(house, watch) as ports:
        job = Job(entry_of(house, "hooks-token"), ports)
        new = ROTATOR.choose(job, secret("old"))
        assert len(new["secret"]) >= 43 and new != ROTATOR.choose(job, secret("old"))
        assert ROTATOR.issue(job, new, {}).parts == new
        ROTATOR.revoke(job, "hooks.token", {})
    assert watch.calls == []


def test_a_gateway_that_has_no_hooks_there_tells_nothing(house: House) -> None:
    target = Target(base_url=house.claw.url)  # the path is another one
    with ports_of(house) as ports:
        assert isinstance(detector.verify(Credential(detector.HOOKS, secret(house.hooks)), target, ports), Unknown)
        assert isinstance(detector.verify(Credential(detector.HOOKS, secret("x")), Target(), ports), Unknown)


def test_a_reload_with_a_warning_does_not_count(house: House) -> None:
    """Last: the vault behind the plugin is sealed, and OpenClaw says ok with a warning."""
    consumer = house.consumer(name="HOUSE_API_KEY")
    change = values("", house.stored)
    consumer.verify(change)
    house.bao_request("POST", "auth/token/create", {}).raise_for_status()
    house.bao_request("PUT", "sys/seal").raise_for_status()
    with pytest.raises(ConsumerError, match=r"warningCount [1-9]; 0 is required"):
        consumer.verify(change)
