"""The kubernetes consumer: the real client against a stateful API server."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError, HostRefused
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.rotate.consumers import kubernetes
from keyward.testing.fakes.kubernetes import FakeKubernetes
from keyward.testing.fakes.server import Fault

ALL = ("get secrets", "patch secrets", "get deployments", "patch deployments", "get statefulsets", "patch statefulsets",
       "get daemonsets", "patch daemonsets")  # fmt: skip
OLD, NEW = secrets.token_hex(16), secrets.token_hex(16)


class Watch:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        pass


def values(old: str = OLD, new: str = NEW, user: str = "app", **more: Any) -> Values:
    def parts(value: str) -> dict[str, Secret]:
        return {"secret": Secret(value.encode()), "username": Secret(user.encode())} if value else {}

    return Values("shop", "db", "vault:lanes/shop/db", parts(old), parts(new), more.get("rotation", "r1"))


@pytest.fixture
def cluster() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as fake:
        fake.add_secret("shop", "db", DB_PASSWORD=OLD.encode(), DB_USER=b"app", TLS_KEY=b"somebody else's")
        for kind in ("deployment", "statefulset", "daemonset"):
            fake.add_workload(kind, "shop", f"{kind}-a")
        yield fake


def consumer(
    cluster: FakeKubernetes, *rights: str, watch: Watch | None = None, **options: object
) -> kubernetes.KubernetesSecret:
    token = cluster.allow(*(rights or ALL))
    table = {"namespace": "shop", "name": "db", "key": "DB_PASSWORD", "server": cluster.url, "token": "env:T", **options}
    table = {key: value for key, value in table.items() if value is not None}
    ports = Ports(kubernetes.hosts(table), clock=ManualClock(), fences=(watch,) if watch else ())
    return kubernetes.make(table, ports, lambda reference: Secret(token.encode()))


def test_one_key_is_replaced_and_the_others_stay(cluster: FakeKubernetes) -> None:
    watch = Watch()
    one = consumer(cluster, watch=watch)
    assert one.holds(values()) is Holds.OLD
    with pytest.raises(ConsumerError):
        one.verify(values())
    assert one.apply(values()) == "patched DB_PASSWORD"
    assert cluster.value("shop", "db", "DB_PASSWORD") == NEW.encode()
    assert cluster.value("shop", "db", "TLS_KEY") == b"somebody else's"
    assert one.holds(values()) is Holds.NEW
    assert one.verify(values()) == "read back"
    assert one.apply(values()) == "it was there already"
    assert [call.what for call in watch.calls if call.changes] == ["patch_namespaced_secret shop/db"]
    assert len(watch.calls) == len(cluster.seen)
    assert one.rollback(values())
    assert cluster.value("shop", "db", "DB_PASSWORD") == OLD.encode()
    assert OLD not in repr(watch.calls) and NEW not in repr(watch.calls)


def test_several_keys_and_a_list_with_fallbacks(cluster: FakeKubernetes) -> None:
    several = consumer(cluster, key=None, keys=["DB_PASSWORD=secret", "DB_USER=username"])
    assert several.holds(values()) is Holds.OLD  # the user name is the same before and after, and tells nothing
    several.apply(values(user="app"))
    assert several.holds(values()) is Holds.NEW
    listing = consumer(cluster, key="DB_PASSWORD", fallbacks=",")
    newer = secrets.token_hex(8)
    listing.apply(values(NEW, newer))
    assert cluster.value("shop", "db", "DB_PASSWORD") == f"{newer},{NEW}".encode()
    assert listing.holds(values(NEW, newer)) is Holds.NEW
    listing.verify(values(NEW, newer))
    listing.apply(values("", newer))  # after the overlap there is no old one
    assert cluster.value("shop", "db", "DB_PASSWORD") == newer.encode()


def test_what_is_neither_is_not_overwritten(cluster: FakeKubernetes) -> None:
    cluster.add_secret("shop", "db", DB_PASSWORD=b"changed by hand")
    one = consumer(cluster)
    assert one.holds(values()) is Holds.OTHER
    with pytest.raises(ConsumerChanged):
        one.apply(values())
    with pytest.raises(ConsumerChanged):
        one.rollback(values())
    assert cluster.value("shop", "db", "DB_PASSWORD") == b"changed by hand"
    assert cluster.changes == []
    cluster.add_secret("shop", "db", DB_USER=b"app")
    assert one.holds(values()) is Holds.NOTHING
    one.apply(values())
    assert cluster.value("shop", "db", "DB_PASSWORD") == NEW.encode()


def test_a_line_end_behind_the_old_value_is_no_difference(cluster: FakeKubernetes) -> None:
    cluster.add_secret("shop", "db", DB_PASSWORD=OLD.encode() + b"\n")
    assert consumer(cluster).holds(values()) is Holds.OLD


def test_a_write_of_somebody_else_in_between_wins(cluster: FakeKubernetes) -> None:
    one = consumer(cluster)
    cluster.beaten["db"] = {"TLS_KEY": b"theirs"}
    with pytest.raises(ConsumerChanged, match="409"):
        one.apply(values())
    assert cluster.value("shop", "db", "DB_PASSWORD") == OLD.encode()
    one.apply(values())
    assert cluster.value("shop", "db", "TLS_KEY") == b"theirs"


@pytest.mark.parametrize("kind", ["deployment", "statefulset", "daemonset"])
def test_workloads_are_restarted_once(cluster: FakeKubernetes, kind: str) -> None:
    one = consumer(cluster, restart=[f"{kind}/{kind}-a"])
    one.apply(values())
    assert one.verify(values()) == f"read back; restarted {kind}/{kind}-a"
    assert cluster.annotations(kind, "shop", f"{kind}-a") == {"keyward/rotation": "r1"}
    changes = len(cluster.changes)
    one.verify(values())
    assert len(cluster.changes) == changes
    one.rollback(values())
    assert cluster.annotations(kind, "shop", f"{kind}-a") == {"keyward/rotation": "r1-back"}


def test_a_restart_that_hangs_is_told(cluster: FakeKubernetes) -> None:
    cluster.rolls = False
    one = consumer(cluster, restart=["deployment/deployment-a"], timeout=10)
    one.apply(values())
    with pytest.raises(ConsumerError, match="does not run anew after 10 s"):
        one.verify(values())


@pytest.mark.parametrize(
    ("rights", "said", "hint"),
    [(("get secrets",), "403", "`patch` on `secrets`"), (("patch secrets",), "403", "`get` on `secrets`")],
)
def test_a_missing_right_is_named_and_the_servers_words_are_not_passed_on(
    cluster: FakeKubernetes, rights: tuple[str, ...], said: str, hint: str
) -> None:
    with pytest.raises(ConsumerError, match=said) as caught:
        consumer(cluster, *rights).apply(values())
    assert hint in caught.value.hint
    shown = str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None and "forbidden" not in shown
    assert cluster.value("shop", "db", "DB_PASSWORD") == OLD.encode()


def test_every_other_refusal(cluster: FakeKubernetes) -> None:
    cluster.add_secret("shop", "fixed", immutable=True, DB_PASSWORD=OLD.encode())
    with pytest.raises(ConsumerError, match="422"):
        consumer(cluster, name="fixed").apply(values())
    with pytest.raises(ConsumerError, match="404"):
        consumer(cluster, name="missing").holds(values())
    wrong = kubernetes.make(
        {"namespace": "shop", "name": "db", "key": "K", "server": cluster.url, "token": "env:T"},
        Ports(Hosts().with_url(cluster.url)),
        lambda reference: Secret(b"wrong"),
    )
    with pytest.raises(ConsumerError, match="401"):
        wrong.holds(values())
    cluster.fail(Fault("500", method="GET"))
    with pytest.raises(ConsumerError, match="500"):
        consumer(cluster).holds(values())


@pytest.mark.parametrize("how", ["lost", "reset"])
def test_a_lost_answer_is_put_right_by_doing_it_again(cluster: FakeKubernetes, how: str) -> None:
    one = consumer(cluster)
    cluster.fail(Fault(how, method="PATCH"))
    with pytest.raises(ConsumerError, match="does not answer"):
        one.apply(values())
    assert [seen.method for seen in cluster.seen].count("PATCH") == (1 if how == "lost" else 0)  # sent once, not tried again
    one.apply(values())
    assert one.verify(values())


def test_a_kubeconfig(cluster: FakeKubernetes, tmp_path: Path) -> None:
    token = cluster.allow(*ALL)
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "other",
        "clusters": [{"name": "c", "cluster": {"server": cluster.url}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }  # fmt: skip
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    table = {"namespace": "shop", "name": "db", "key": "DB_PASSWORD", "kubeconfig": str(path), "context": "prod"}
    one = kubernetes.make(table, Ports(kubernetes.hosts(table)), lambda reference: Secret(b""))
    one.apply(values())
    assert one.verify(values()) == "read back"
    del table["context"]
    with pytest.raises(ConfigError, match="`context`"):
        kubernetes.hosts(table)


def test_only_the_configured_server_is_asked(cluster: FakeKubernetes) -> None:
    table = {"namespace": "shop", "name": "db", "key": "K", "server": cluster.url, "token": "env:T"}
    one = kubernetes.make(table, Ports(Hosts()), lambda reference: Secret(b"x"))
    with pytest.raises((ConsumerError, HostRefused), match="is not a host"):
        one.holds(values())
    assert cluster.seen == []


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"namespace": ""}, "namespace"),
        ({"key": None}, "key"),
        ({"keys": ["A=secret"]}, "keys"),
        ({"key": None, "keys": ["A"]}, "keys"),
        ({"restart": ["pod/x"]}, "restart"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_options_are_named(cluster: FakeKubernetes, more: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=f"`{key}`"):
        consumer(cluster, **more)


def test_a_credential_without_the_part_is_refused(cluster: FakeKubernetes) -> None:
    with pytest.raises(ConsumerError, match="no part `id`; it has: secret, username"):
        consumer(cluster, part="id").apply(values())
