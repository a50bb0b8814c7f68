"""Containment at Tencent Cloud Lighthouse: the real SDK against a local server that checks signatures and keeps state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyward.errors import HostRefused, Refused, Uncertain, UsageError
from keyward.incident import firewall, lighthouse
from keyward.incident.lighthouse_api import Api, QuotaFull, VersionMismatch, hosts_for
from keyward.incident.settings import Machine
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Hosts, Ports
from keyward.testing.fakes.lighthouse import FakeLighthouse, rule
from keyward.testing.fakes.server import Fault
from keyward.testing.fakes.tencent import Key, User

pytest.importorskip("tencentcloud.lighthouse", reason="tencentcloud-sdk-python-lighthouse is not installed")

OPERATOR = ("203.0.113.7",)


class NowClock(ManualClock):
    """The signature needs the present time; waiting costs nothing."""

    def __init__(self) -> None:
        import time

        super().__init__(time.time())


@pytest.fixture
def clock() -> ManualClock:
    return NowClock()


@pytest.fixture
def fake(clock: ManualClock) -> Iterator[FakeLighthouse]:
    with FakeLighthouse(clock=clock, throttle=False, quoting=True) as made:
        yield made


def user_with(fake: FakeLighthouse, *actions: str) -> tuple[User, Key]:
    user = fake.make_user("keyward-incident", fake.make_policy("p", *actions).id)
    return user, fake.make_key(user)


def api_of(fake: FakeLighthouse, clock: ManualClock, key: Key | None = None, region: str = "ap-singapore") -> Api:
    key = key or user_with(fake, "lighthouse:*")[1]
    machine = Machine(fake.instance.id, region, base_url=fake.url)
    admin = {"id": Secret(key.id.encode()), "secret": Secret(key.secret.encode())}
    return Api(machine, admin, Ports(hosts_for(machine), clock=clock))


def test_a_snapshot_is_waited_for_until_it_is_normal(fake: FakeLighthouse, clock: ManualClock) -> None:
    told: list[str] = []
    name = lighthouse.snapshot_name("bot-leak")
    taken = lighthouse.take_snapshot(api_of(fake, clock), fake.instance.id, name, clock, wait=600, tell=told.append)
    assert taken.id in fake.snapshots and taken.seconds >= 60 and not taken.found
    assert any(text.startswith("CREATING") for text in told)
    assert [each.label for each in fake.changes] == ["CreateInstanceSnapshot"]


def test_a_snapshot_that_is_there_is_not_made_twice(fake: FakeLighthouse, clock: ManualClock) -> None:
    api, id = api_of(fake, clock), fake.instance.id
    first = lighthouse.take_snapshot(api, id, "keyward-x", clock, wait=600)
    again = lighthouse.take_snapshot(api, id, "keyward-x", clock, wait=600)
    assert again.id == first.id and again.found and len(fake.snapshots) == 1


def test_a_lost_reply_makes_no_second_snapshot(fake: FakeLighthouse, clock: ManualClock) -> None:
    fake.fail(Fault("lost", label="CreateInstanceSnapshot"))
    taken = lighthouse.take_snapshot(api_of(fake, clock), fake.instance.id, "keyward-x", clock, wait=600)
    assert list(fake.snapshots) == [taken.id]


def test_a_snapshot_that_fails_is_said_and_the_next_run_makes_another(fake: FakeLighthouse, clock: ManualClock) -> None:
    fake.fail_snapshots = 1
    api = api_of(fake, clock)
    with pytest.raises(lighthouse.SnapshotFailed):
        lighthouse.take_snapshot(api, fake.instance.id, "keyward-x", clock, wait=600)
    taken = lighthouse.take_snapshot(api, fake.instance.id, "keyward-x", clock, wait=600)
    assert not fake.snapshots[taken.id].failed and len(fake.snapshots) == 2


def test_a_full_quota_says_what_to_do(fake: FakeLighthouse, clock: ManualClock) -> None:
    api, id = api_of(fake, clock), fake.instance.id
    for name in ("a", "b"):
        lighthouse.take_snapshot(api, id, name, clock, wait=600)
    with pytest.raises(QuotaFull) as caught:
        lighthouse.take_snapshot(api, id, "c", clock, wait=600)
    assert "quota" in caught.value.hint


def test_a_slow_snapshot_is_no_success(fake: FakeLighthouse, clock: ManualClock) -> None:
    fake.snapshot_seconds = 10_000
    with pytest.raises(Uncertain, match="not whole"):
        lighthouse.take_snapshot(api_of(fake, clock), fake.instance.id, "keyward-x", clock, wait=60)


def test_the_firewall_is_shut_but_for_the_operator_and_opened_again(fake: FakeLighthouse, clock: ManualClock) -> None:
    api, id = api_of(fake, clock), fake.instance.id
    before = lighthouse.read_firewall(api, id)
    wanted = firewall.lock_down((*OPERATOR, "2001:db8::1/128"), 22, "bot-leak")
    after = lighthouse.write_firewall(api, id, wanted, clock)
    assert [(each["Protocol"], each["Port"], each["CidrBlock"] or each["Ipv6CidrBlock"]) for each in fake.instance.rules] == [
        ("TCP", "22", "203.0.113.7/32"),
        ("TCP", "22", "2001:db8::1/128"),
    ]
    assert after.version == before.version + 1
    lighthouse.write_firewall(api, id, wanted, clock)
    assert fake.instance.version == after.version, "a set that is there already is not written again"

    lighthouse.write_firewall(api, id, before.rules, clock, only_over=wanted)
    assert firewall.same(lighthouse.read_firewall(api, id).rules, before.rules)


def test_rules_that_somebody_else_gave_are_not_overwritten(fake: FakeLighthouse, clock: ManualClock) -> None:
    api, id = api_of(fake, clock), fake.instance.id
    before = lighthouse.read_firewall(api, id)
    wanted = firewall.lock_down(OPERATOR, 22, "x")
    lighthouse.write_firewall(api, id, wanted, clock)
    fake.instance.rules.append(rule("TCP", "8443", "198.51.100.0/24"))
    fake.instance.version += 1
    with pytest.raises(Refused, match="other rules"):
        lighthouse.write_firewall(api, id, before.rules, clock, only_over=wanted)


def test_a_busy_firewall_and_a_new_version_are_tried_again(fake: FakeLighthouse, clock: ManualClock) -> None:
    fake.busy_firewall = 2
    wanted = firewall.lock_down(OPERATOR, 22, "x")
    lighthouse.write_firewall(api_of(fake, clock), fake.instance.id, wanted, clock)
    assert len(fake.instance.rules) == 1

    api = api_of(fake, clock, fake.make_key(next(u for u in fake.users.values() if u.name)))
    with pytest.raises(VersionMismatch):
        rules = [firewall.to_request(each) for each in wanted]
        api("ModifyFirewallRules", InstanceId=fake.instance.id, FirewallRules=rules, FirewallVersion=99)


def test_a_lost_reply_to_the_firewall_is_read_back(fake: FakeLighthouse, clock: ManualClock) -> None:
    fake.fail(Fault("lost", label="ModifyFirewallRules"))
    lighthouse.write_firewall(api_of(fake, clock), fake.instance.id, firewall.lock_down(OPERATOR, 22, "x"), clock)
    assert fake.instance.version == 2


def test_more_than_a_page_of_rules_is_read_whole(fake: FakeLighthouse, clock: ManualClock) -> None:
    fake.instance.rules = [rule("TCP", str(port), "0.0.0.0/0") for port in range(1000, 1100)]
    assert len(lighthouse.read_firewall(api_of(fake, clock), fake.instance.id).rules) == 100
    assert [firewall.to_request(firewall.from_answer(each))["Port"] for each in fake.instance.rules][:2] == ["1000", "1001"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.0/24", "0.0.0.0/0", "not an address", "fe80::1"])
def test_what_would_lock_everybody_out_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        firewall.lock_down((address,), 22, "x")
    with pytest.raises(UsageError):
        firewall.lock_down((), 22, "x")


def test_the_operators_address_comes_from_the_session() -> None:
    assert firewall.from_session({"SSH_CONNECTION": "203.0.113.9 50000 10.0.0.4 22"}) == ("203.0.113.9/32",)
    assert firewall.from_session({"SSH_CONNECTION": "::ffff:203.0.113.9 50000 10.0.0.4 22"}) == ("203.0.113.9/32",)
    assert firewall.from_session({"SSH_CONNECTION": "nonsense"}) == () == firewall.from_session({})


def test_a_missing_right_is_named_and_no_secret_is_told(fake: FakeLighthouse, clock: ManualClock) -> None:
    _, key = user_with(fake, "lighthouse:Describe*")
    with pytest.raises(Refused) as caught:
        lighthouse.take_snapshot(api_of(fake, clock, key), fake.instance.id, "x", clock, wait=60)
    assert "lighthouse:CreateInstanceSnapshot" in caught.value.hint
    shown = f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r} {caught.value.__cause__!r}"
    assert key.secret not in shown and key.id not in shown


def test_the_wrong_region_is_said(fake: FakeLighthouse, clock: ManualClock) -> None:
    with pytest.raises(Refused) as caught:
        lighthouse.read_firewall(api_of(fake, clock, region="ap-tokyo"), fake.instance.id)
    assert "region" in caught.value.hint


def test_another_host_is_not_asked(fake: FakeLighthouse, clock: ManualClock) -> None:
    machine = Machine(fake.instance.id, "ap-singapore", base_url="https://lighthouse.example.org")
    admin = {"id": Secret(b"x"), "secret": Secret(b"y")}
    with pytest.raises(HostRefused):
        Api(machine, admin, Ports(Hosts(("*.tencentcloudapi.com",)), clock=clock))("DescribeSnapshots")


def test_a_request_signed_with_another_secret_is_refused_and_changes_nothing(fake: FakeLighthouse, clock: ManualClock) -> None:
    _, key = user_with(fake, "lighthouse:*")
    other = Key(key.id, key.secret[::-1], key.created, "")
    with pytest.raises(Refused) as caught:
        lighthouse.take_snapshot(api_of(fake, clock, other), fake.instance.id, "x", clock, wait=60)
    assert "SignatureFailure" in str(caught.value) and not fake.snapshots and not fake.changes
    assert other.secret not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r}"
