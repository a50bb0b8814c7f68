"""What goes wrong with a real OpenBao, and what the vault store says of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from stores.conftest import OpenVault, new_mount
from stores.store_parts import Watch

from keyward.errors import HostRefused, StoreConflict, StoreDenied, StoreError, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.plugin.store import Slot
from keyward.stores.vault import VaultStore, keyward_policy, policy_text
from keyward.stores.vault_auth import token_login
from keyward.stores.vault_client import VaultClient
from keyward.testing.fakes.server import FakeProvider, Request, Response
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.servers.process import free_port
from keyward.testing.servers.relay import Fate, Judge, Relay
from keyward.testing.store_contract import shown, value

PATH = "lanes/a/key"


def restricted(server: OpenBao, name: str, rules: dict[str, tuple[str, ...]]) -> str:
    """A token that may do only this."""
    server.request("PUT", f"sys/policies/acl/{name}", {"policy": policy_text(rules)})
    return server.new_token(name)


def test_a_sealed_server_is_unavailable_and_nothing_is_written(bao_on_disk: OpenBao, open_vault: OpenVault) -> None:
    store = open_vault(bao_on_disk, new_mount(bao_on_disk, 2))
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    bao_on_disk.seal()
    try:
        for act in (
            lambda: store.read(PATH, Slot.CURRENT),
            lambda: store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1),
            lambda: open_vault(bao_on_disk, "kv").read(PATH, Slot.CURRENT),
        ):
            with pytest.raises(StoreUnavailable, match="sealed") as caught:
                act()
            assert caught.value.certain
        health = store.health()
        assert not health.usable and "sealed" in health.detail
    finally:
        bao_on_disk.unseal()
    assert store.health().usable
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1)


def test_a_token_that_was_revoked_or_ended(bao: OpenBao, open_vault: OpenVault) -> None:
    mount = new_mount(bao, 2)
    token = bao.new_token("root")
    store = open_vault(bao, mount, token=token)
    version = store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    bao.request("POST", "auth/token/revoke", {"token": token})
    for act in (
        lambda: store.read(PATH, Slot.CURRENT),
        lambda: store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=version),
    ):
        with pytest.raises(StoreDenied, match="not valid any more") as caught:
            act()
        assert token not in shown(caught.value)
    assert not store.health().usable
    held = open_vault(bao, mount).read(PATH, Slot.CURRENT)
    assert held is not None and held.version == version


def test_a_token_that_ends_while_it_is_used(bao: OpenBao, open_vault: OpenVault) -> None:
    """The server's own clock decides, so this waits for a token of one second."""
    token = bao.new_token("root", ttl="1s", explicit_max_ttl="1s")
    store = open_vault(bao, new_mount(bao, 2), token=token)
    assert store.read(PATH, Slot.CURRENT) is None
    ended = threading.Event()
    while not ended.wait(0.1):
        try:
            store.read(PATH, Slot.CURRENT)
        except StoreDenied as error:
            assert "not valid any more" in str(error)
            ended.set()


def test_a_denial_names_the_path_and_the_capability(bao: OpenBao, open_vault: OpenVault) -> None:
    mount = new_mount(bao, 2)
    token = restricted(bao, "reads-one", {f"{mount}/data/{PATH}": ("read",), f"{mount}/metadata/{PATH}": ("read",)})
    store = open_vault(bao, mount, token=token)
    assert store.read(PATH, Slot.CURRENT) is None
    for act, place, capability in (
        (lambda: store.read(PATH, Slot.PENDING), f"{mount}/data/keyward/pending/{PATH}", "read"),
        (lambda: store.write(PATH, Slot.CURRENT, {}, {}, expected=0), f"{mount}/data/{PATH}", "create"),
        (lambda: store.write(PATH, Slot.CURRENT, {}, {}, expected=3), f"{mount}/data/{PATH}", "update"),
        (lambda: list(store.paths()), f"{mount}/metadata/", "list"),
    ):
        with pytest.raises(StoreDenied) as caught:
            act()
        assert place in str(caught.value) and capability in caught.value.hint
    health = store.health()
    assert not health.usable and f"on {mount}/data/keyward/pending/x" in health.detail


def test_the_policy_that_keyward_documents_is_enough(bao: OpenBao, open_vault: OpenVault) -> None:
    for version in (1, 2):
        mount = new_mount(bao, version)
        bao.request("PUT", f"sys/policies/acl/keyward-{mount}", {"policy": keyward_policy(mount, version)})
        store = open_vault(bao, mount, token=bao.new_token(f"keyward-{mount}"))
        assert store.health().usable, store.health().detail
        for slot in Slot:
            at = store.write(PATH, slot, {"secret": value()}, {"lane": "a"}, expected=0)
            store.write(PATH, slot, {"secret": value()}, {"lane": "a"}, expected=at)
        assert list(store.paths()) == [PATH]
        assert store.destroy_old(PATH) == (1 if version == 2 else 0)
        for slot in Slot:
            held = store.read(PATH, slot)
            assert held is not None
            store.erase(PATH, slot, expected=held.version)
        assert list(store.paths()) == []


def test_erasing_leaves_no_version_and_no_metadata(bao: OpenBao, open_vault: OpenVault) -> None:
    mount = new_mount(bao, 2)
    store = open_vault(bao, mount)
    version = store.write(PATH, Slot.CURRENT, {"secret": value()}, {"lane": "a"}, expected=0)
    version = store.write(PATH, Slot.CURRENT, {"secret": value()}, {"lane": "a"}, expected=version)
    store.erase(PATH, Slot.CURRENT, expected=version)
    for place in (f"{mount}/metadata/{PATH}", f"{mount}/data/{PATH}?version=1"):
        with pytest.raises(AssertionError, match="404"):
            bao.request("GET", place)


def test_destroyed_versions_cannot_be_read_or_restored(bao: OpenBao, open_vault: OpenVault) -> None:
    mount, leaked = new_mount(bao, 2), value()
    store = open_vault(bao, mount)
    store.write(PATH, Slot.CURRENT, {"secret": leaked}, {}, expected=0)
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1)
    before = bao.request("GET", f"{mount}/data/{PATH}?version=1")
    assert before["data"]["data"]["secret"] == leaked.reveal().decode()
    assert store.destroy_old(PATH) == 1
    bao.request("POST", f"{mount}/undelete/{PATH}", {"versions": [1]})
    with pytest.raises(AssertionError, match="404"):
        bao.request("GET", f"{mount}/data/{PATH}?version=1")


def test_a_version_that_somebody_deleted_is_an_empty_slot(bao: OpenBao, open_vault: OpenVault) -> None:
    mount = new_mount(bao, 2)
    store = open_vault(bao, mount)
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    for delete in (("DELETE", f"data/{PATH}", None), ("PUT", f"destroy/{PATH}", {"versions": [2]})):
        bao.request(delete[0], f"{mount}/{delete[1]}", delete[2])
        assert store.read(PATH, Slot.CURRENT) is None
        assert list(store.paths()) == []
        held = store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
        assert held in (2, 3) and list(store.paths()) == [PATH]


def test_fields_that_somebody_else_wrote_are_parts(bao: OpenBao, open_vault: OpenVault) -> None:
    for version in (1, 2):
        mount = new_mount(bao, version)
        fields = {"apiKey": "text", "port": 5432, "nested": {"a": [1]}}
        place, body = (f"{mount}/data/{PATH}", {"data": fields}) if version == 2 else (f"{mount}/{PATH}", fields)
        bao.request("POST", place, body)
        store = open_vault(bao, mount)
        held = store.read(PATH, Slot.CURRENT)
        assert held is not None and held.version == 1 and held.labels == {}
        assert {name: part.reveal() for name, part in held.parts.items()} == {
            "apiKey": b"text", "port": b"5432", "nested": b'{"a": [1]}',
        }  # fmt: skip
        with pytest.raises(StoreConflict):
            store.write(PATH, Slot.CURRENT, {"apiKey": value()}, {}, expected=0)
        store.write(PATH, Slot.CURRENT, {"apiKey": value()}, {}, expected=1)


@pytest.mark.parametrize("marker", ["{", "[]", '{"format": 9}', '{"format": 1, "base64": ["apiKey"]}', 7])
def test_a_damaged_marker_is_refused_without_showing_the_value(bao: OpenBao, open_vault: OpenVault, marker: object) -> None:
    mount = new_mount(bao, 2)
    secret = value().reveal().decode() + "!"
    bao.request("POST", f"{mount}/data/{PATH}", {"data": {"apiKey": secret, "_keyward": marker}})
    with pytest.raises(StoreError) as caught:
        open_vault(bao, mount).read(PATH, Slot.CURRENT)
    assert secret not in shown(caught.value)


def test_consumers_read_each_part_as_a_field_and_people_the_labels(bao: OpenBao, open_vault: OpenVault) -> None:
    mount, secret = new_mount(bao, 2), value()
    bao.request("POST", f"{mount}/metadata/{PATH}", {"custom_metadata": {"owner": "somebody"}})
    labels = {"lane": "a", "kind": "openai/key", "rotation": "r-7"}
    open_vault(bao, mount).write(PATH, Slot.CURRENT, {"apiKey": secret}, labels, expected=0)
    assert bao.request("GET", f"{mount}/data/{PATH}")["data"]["data"]["apiKey"] == secret.reveal().decode()
    metadata = bao.request("GET", f"{mount}/metadata/{PATH}")["data"]["custom_metadata"]
    assert metadata == {
        "owner": "somebody", "keyward_lane": "a", "keyward_kind": "openai/key", "keyward_rotation": "r-7", "keyward_version": "1",
    }  # fmt: skip


def test_labels_hold_although_metadata_may_not_be_written(bao: OpenBao, open_vault: OpenVault) -> None:
    mount = new_mount(bao, 2)
    token = restricted(bao, f"no-metadata-{mount}", {f"{mount}/data/*": ("create", "read", "update")})
    store = open_vault(bao, mount, token=token)
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {"lane": "a"}, expected=0)
    held = store.read(PATH, Slot.CURRENT)
    assert held is not None and held.labels == {"lane": "a"}
    assert f"patch on {mount}/metadata/x" in store.health().detail.replace("read, delete, ", "")


def test_a_wrong_mount_is_named(bao: OpenBao, open_vault: OpenVault) -> None:
    with pytest.raises(StoreDenied, match="no mount nowhere/"):
        open_vault(bao, "nowhere").read(PATH, Slot.CURRENT)
    with pytest.raises(StoreError, match="nothing is mounted"):
        open_vault(bao, "nowhere", kv_version=2).read(PATH, Slot.CURRENT)
    with pytest.raises(StoreError, match="no key-value engine"):
        open_vault(bao, "sys").read(PATH, Slot.CURRENT)
    assert "no mount nowhere/" in open_vault(bao, "nowhere").health().detail


@pytest.mark.parametrize("version", [1, 2])
def test_the_version_of_the_engine_is_found_without_a_right_to_the_mounts(
    bao: OpenBao, open_vault: OpenVault, version: int
) -> None:
    mount = new_mount(bao, version)
    token = restricted(bao, f"only-{mount}", {f"{mount}/data/{PATH}": ("read",), f"{mount}/{PATH}": ("read",)})
    with pytest.raises(AssertionError, match="403"):
        bao.request("GET", "sys/mounts", token=token)
    store = open_vault(bao, mount, token=token)
    assert store.kv_version == version
    assert store.read(PATH, Slot.CURRENT) is None


def test_nobody_at_the_address_is_certain(open_vault: OpenVault, bao: OpenBao) -> None:
    clock = ManualClock()
    store = open_vault(bao, "secret", address=f"http://127.0.0.1:{free_port()}", kv_version=2, clock=clock)
    for act in (
        lambda: store.read(PATH, Slot.CURRENT),
        lambda: store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0),
    ):
        with pytest.raises(StoreUnavailable, match="no answer from") as caught:
            act()
        assert caught.value.certain


def requests_with(words: bytes, fate: Fate) -> Judge:
    """Requests whose first line has these words meet this fate."""
    return lambda piece: fate if words in piece.partition(b"\r\n")[0] else Fate.PASS


@pytest.fixture
def proxy(bao: OpenBao) -> Iterator[Relay]:
    with Relay("127.0.0.1", urlsplit(bao.url).port or 0) as running:
        yield running


def test_a_lost_answer_to_a_write_is_uncertain_and_the_value_is_there(
    bao: OpenBao, open_vault: OpenVault, proxy: Relay
) -> None:
    mount, secret = new_mount(bao, 2), value()
    watch = Watch()
    store = open_vault(bao, mount, watch, address=proxy.url, clock=ManualClock())
    assert store.read(PATH, Slot.PENDING) is None
    proxy.judge = requests_with(b"POST /v1/" + mount.encode(), Fate.LOSE)
    with pytest.raises(StoreUnavailable) as caught:
        store.write(PATH, Slot.PENDING, {"secret": secret}, {"rotation": "r-1"}, expected=0)
    assert not caught.value.certain
    assert secret.reveal().decode() not in shown(caught.value)
    assert [call.what for call in watch.calls if call.changes] == [f"POST /v1/{mount}/data/keyward/pending/{PATH}"]
    held = store.read(PATH, Slot.PENDING)
    assert held is not None and held.parts == {"secret": secret} and held.labels == {"rotation": "r-1"}


def test_a_write_that_never_arrived_is_uncertain_too(bao: OpenBao, open_vault: OpenVault, proxy: Relay) -> None:
    mount = new_mount(bao, 2)
    store = open_vault(bao, mount, address=proxy.url, clock=ManualClock(), kv_version=2)
    proxy.judge = requests_with(b"POST", Fate.DROP)
    with pytest.raises(StoreUnavailable) as caught:
        store.write(PATH, Slot.PENDING, {"secret": value()}, {}, expected=0)
    assert not caught.value.certain
    assert store.read(PATH, Slot.PENDING) is None


def test_a_lost_answer_to_a_read_is_asked_again(bao: OpenBao, open_vault: OpenVault, proxy: Relay) -> None:
    mount = new_mount(bao, 2)
    watch, clock = Watch(), ManualClock()
    store = open_vault(bao, mount, watch, address=proxy.url, clock=clock, kv_version=2)
    store.read(PATH, Slot.CURRENT)
    proxy.judge = requests_with(b"GET", Fate.LOSE)
    watch.calls.clear()
    with pytest.raises(StoreUnavailable) as caught:
        store.read(PATH, Slot.CURRENT)
    assert caught.value.certain
    assert [call.what for call in watch.calls] == [f"GET /v1/{mount}/data/{PATH}"] * 3


class Freeze:
    """A fence that stops the server when a write is about to be sent, and kills it once the client waits."""

    def __init__(self, server: OpenBao) -> None:
        self.server = server

    def before(self, call: Call) -> None:
        if call.changes:
            self.server.pause()
            threading.Timer(0.3, self.server.kill).start()

    def after(self, call: Call, outcome: str) -> None: ...


def test_a_server_that_is_killed_during_a_write(bao_on_disk: OpenBao, open_vault: OpenVault) -> None:
    mount, old = new_mount(bao_on_disk, 2), value()
    before = open_vault(bao_on_disk, mount)
    before.write(PATH, Slot.CURRENT, {"secret": old}, {}, expected=0)
    store = open_vault(bao_on_disk, mount, Freeze(bao_on_disk), kv_version=2)
    store.read(PATH, Slot.CURRENT)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1)
        assert not caught.value.certain
    finally:
        bao_on_disk.kill()
        bao_on_disk.start()
        bao_on_disk.unseal()
    held = before.read(PATH, Slot.CURRENT)
    assert held is not None and held.parts == {"secret": old}
    before.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1)


class Odd(FakeProvider):
    """A server that is no Vault, or not the active one."""

    answer = Response(200, b"<html>")

    def handle(self, request: Request) -> Response:
        return self.answer


@pytest.mark.parametrize(
    ("answer", "certain"),
    [
        (Response(307, None, {"Location": "http://127.0.0.1:1/v1/x"}), True),
        (Response(500, {"errors": ["internal"]}), False),
        (Response(502, b"bad gateway"), False),
        (Response(503, {"errors": ["no leader"]}), False),
        (Response(501, {"errors": ["not initialised"]}), True),
        (Response(429, {"errors": ["slow down"]}), True),
        (Response(200, b"<html>"), False),
    ],
)
def test_answers_of_a_server_that_cannot_serve(open_vault: OpenVault, bao: OpenBao, answer: Response, certain: bool) -> None:
    with Odd() as server:
        server.answer = Response(200, {"data": {"ttl": 0}})
        store = open_vault(bao, "secret", address=server.url, kv_version=2, clock=ManualClock(), token="t")
        store.client.ask(lambda c: None, None)  # type: ignore[arg-type]
        server.answer = answer
        secret = value()
        with pytest.raises(StoreUnavailable) as caught:
            store.write(PATH, Slot.PENDING, {"secret": secret}, {}, expected=0)
        assert caught.value.certain == certain
        assert secret.reveal().decode() not in shown(caught.value)
        assert not store.health().usable
        assert len([seen for seen in server.seen if seen.method == "POST" and "data" in seen.path]) == (
            3 if answer.status == 429 else 1
        )


def test_an_address_that_the_ports_do_not_know_gets_nothing(bao: OpenBao) -> None:
    asked: list[str] = []

    def token() -> Secret:
        asked.append("token")
        return Secret(bao.token.encode())

    client = VaultClient(bao.url, Ports(Hosts()), token_login(token))
    with pytest.raises(HostRefused):
        VaultStore("x", client, kv_version=2).read(PATH, Slot.CURRENT)


def test_plain_http_to_another_host_is_refused() -> None:
    address = "http://vault.example:8200"
    client = VaultClient(address, Ports(Hosts().with_url(address)), token_login(lambda: Secret(b"t")))
    with pytest.raises(HostRefused, match="without TLS"):
        VaultStore("x", client, kv_version=2).read(PATH, Slot.CURRENT)


def test_the_environment_and_the_home_folder_are_not_asked_for_a_token(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", bao.token)
    monkeypatch.setenv("VAULT_ADDR", bao.url)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".vault-token").write_text(bao.token)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    ports = Ports(Hosts().with_url(bao.url))
    with pytest.raises(StoreDenied):
        VaultStore("x", VaultClient(bao.url, ports, token_login(lambda: Secret(b"wrong")))).read(PATH, Slot.CURRENT)
    good = VaultStore("x", VaultClient(bao.url, ports, token_login(lambda: Secret(bao.token.encode()))))
    assert good.read(PATH, Slot.CURRENT) is None


class Fresh(FakeProvider):
    """A server whose engine was just mounted: it refuses the first writes with the words of OpenBao's KV engine."""

    refusals = 3

    def handle(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(200, {"data": {"ttl": 0}})
        self.refusals -= 1
        if self.refusals >= 0:
            words = "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period"
            return Response(400, {"errors": [words]})
        return Response(200, {"data": {"version": 1}})


@pytest.mark.parametrize(("refusals", "usable"), [(3, True), (10_000, False)])
def test_an_engine_that_is_not_ready_yet_is_waited_for(
    open_vault: OpenVault, bao: OpenBao, refusals: int, usable: bool
) -> None:
    with Fresh() as server:
        server.refusals = refusals
        clock = ManualClock()
        store = open_vault(bao, "secret", address=server.url, kv_version=2, clock=clock, token="t")
        if usable:
            assert store.write(PATH, Slot.PENDING, {"secret": value()}, {}, expected=0) == 1
            return
        began = clock.monotonic()
        with pytest.raises(StoreUnavailable, match="not ready") as caught:
            store.write(PATH, Slot.PENDING, {"secret": value()}, {}, expected=0)
        assert caught.value.certain and 15 <= clock.monotonic() - began < 20
