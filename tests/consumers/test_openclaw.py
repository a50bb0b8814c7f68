"""The openclaw consumer against the real npm package, with a gateway on loopback and a real OpenBao behind its Vault plugin."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from consumers.real_openclaw import RealOpenClaw
from keyward.detectors import openclaw as detector

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.model.credential import Credential, Target
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Verdict
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.rotate.consumers import openclaw
from keyward.testing.servers.openbao import OpenBao


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
        self.gateway, self.hooks, self.stored, self.kept = (secrets.token_urlsafe(24) for _ in range(4))
        self.watch = Watch()

    def prepare(self) -> None:
        ref = {"source": "store", "provider": "default", "id": "HOUSE_API_KEY"}
        vault = {"source": "exec", "provider": "vault", "id": "providers/second/apiKey"}
        self.claw.configure(
            hooks={"enabled": True, "path": "/hooks", "token": self.hooks},
            secrets={
                "providers": {"vault": {"source": "exec", "pluginIntegration": {"pluginId": "vault", "integrationId": "vault"}}}
            },
            models={
                "providers": {
                    "houseone": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": ref, "models": []},
                    "housetwo": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": vault, "models": []},
                }
            },
        )
        self.claw.store("GATEWAY_TOKEN", self.gateway.encode())
        self.claw.store("HOUSE_API_KEY", self.stored.encode())
        self.keep(self.kept)
        self.claw.start({"VAULT_ADDR": self.bao.url, "VAULT_TOKEN": self.bao.token})

    def keep(self, value: str) -> None:
        body = {"data": {"apiKey": value, "note": "stays"}}
        self._bao("POST", "secret/data/providers/second", body).raise_for_status()

    def kept_now(self) -> dict[str, str]:
        return dict(self._bao("GET", "secret/data/providers/second").json()["data"]["data"])

    def _bao(self, method: str, path: str, body: object = None) -> httpx.Response:
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
            return detector.verify(credential, Target(base_url=self.claw.url), ports)


def values(old: str, new: str) -> Values:
    parts = [{"secret": Secret(each.encode())} if each else {} for each in (old, new)]
    return Values("house", "key", "vault:lanes/house/key", parts[0], parts[1], "r1")


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
    assert json.loads((house.claw.state / "openclaw.json").read_text())["hooks"]["path"] == "/hooks"
    with pytest.raises(ConsumerError, match="is a reference"):
        house.consumer(place="config", field="gateway.auth.token.id.none").holds(change) is Holds.OTHER or house.consumer(
            place="config", field="gateway.auth.token"
        ).holds(change)


def test_no_value_is_told(house: House) -> None:
    shown = repr(house.watch.calls)
    for value in (house.gateway, house.hooks, house.stored, house.kept, house.bao.token):
        assert value not in shown


def test_a_reload_with_a_warning_does_not_count(house: House) -> None:
    """Last: the vault behind the plugin is sealed, and OpenClaw says ok with a warning."""
    consumer = house.consumer(name="HOUSE_API_KEY")
    change = values("", house.stored)
    consumer.verify(change)
    house._bao("POST", "auth/token/create", {}).raise_for_status()
    house._bao("PUT", "sys/seal").raise_for_status()
    with pytest.raises(ConsumerError, match="warningCount 1; 0 is required"):
        consumer.verify(change)


def stub(folder: Path, stdout: str, code: int = 0, stderr: str = "") -> list[str]:
    program = f"import sys; sys.stdin.buffer.read(); print({stdout!r}); print({stderr!r}, file=sys.stderr); sys.exit({code})"
    path = folder / "stub.py"
    path.write_text(program)
    return [sys.executable, str(path)]


@pytest.mark.parametrize(
    ("stdout", "code", "said"),
    [
        ('{"ok": true, "warningCount": 3}', 0, "warningCount 3"),
        ('{"ok": false}', 0, "not the JSON"),
        ('{"ok": true, "warningCount": false}', 0, "warningCount"),
        ("nothing", 0, "not the JSON"),
        ('{"ok": false, "error": {"message": "Gateway not reachable at ws://127.0.0.1:1"}}', 1, "not reachable"),
        ("your token is QUOTED-VALUE", 3, "exit 3"),
    ],
)
def test_every_other_answer_to_a_reload_is_an_error(tmp_path: Path, stdout: str, code: int, said: str) -> None:
    """What OpenClaw is not known to answer, played by a program of ours; its words are not passed on."""
    (tmp_path / "openclaw.json").write_text('{"a": {"b": "v1"}}')
    table = {"command": stub(tmp_path, stdout, code), "state_dir": str(tmp_path), "name": "X"}
    consumer = openclaw.make(table, Ports(Hosts()), lambda reference: Secret(b""))
    with pytest.raises(ConsumerError, match=said) as caught:
        consumer._reload({})
    assert "QUOTED" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({}, "name"),
        ({"name": "X", "plase": "store"}, "plase"),
        ({"name": "X", "place": "attic"}, "place"),
        ({"place": "config"}, "field"),
        ({"place": "vault", "path": "a", "token": "env:T"}, "url"),
        ({"place": "vault", "path": "a", "url": "http://127.0.0.1:1"}, "token"),
        ({"name": "X", "own_credential": True}, "gateway"),
        ({"name": "X", "timeout": 0}, "timeout"),
        ({"name": "X", "command": "openclaw"}, "command"),
    ],
)
def test_wrong_options_are_named(table: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=f"`{key}`"):
        openclaw.make(table, Ports(Hosts()), lambda reference: Secret(b""))


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "openclaw.json").write_text('{"hooks": {"token": "v1"}}')
    table = {"place": "config", "field": "hooks.token", "state_dir": str(tmp_path), "command": [str(tmp_path / "none")]}
    consumer = openclaw.make(table, Ports(Hosts()), lambda reference: Secret(b""))
    with pytest.raises(ConsumerError, match="cannot be called"):
        consumer.apply(values("v1", "v2"))
    (tmp_path / "openclaw.json").write_text("{hooks: {token: 'v1'}} // by hand")
    with pytest.raises(ConsumerError, match="JSON5"):
        consumer.holds(values("v1", "v2"))
