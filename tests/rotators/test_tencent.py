"""Tencent Cloud: the rotator through the official SDK, and the verifier, against the fake."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from keyward.detectors import tencent as detector
from keyward.rotators import _tencent_cam
from keyward.rotators.tencent import ROTATORS

from keyward.errors import HostRefused, ProviderError, Refused, SlotsFull, Throttled, Uncertain, Unreachable
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown
from keyward.plugin.clock import ManualClock, SystemClock
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.plugin.rotator import Change, Job
from keyward.testing.fakes.server import Fault
from keyward.testing.fakes.tencent import ADMINISTRATOR, Denied, FakeTencent, Key, User

ROTATOR = ROTATORS[0]
MARK = "keyward:r-20261122-1"


class Fence:
    """Remembers the calls that may change something."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.outcomes: list[tuple[str, str]] = []

    def before(self, call: Call) -> None:
        if call.changes:
            self.changes.append(call.what)

    def after(self, call: Call, outcome: str) -> None:
        self.outcomes.append((call.what, outcome))


class World:
    """A fake with a lane's sub-user, and jobs against it."""

    def __init__(self, fake: FakeTencent) -> None:
        self.fake, self.fence, self.clock = fake, Fence(), ManualClock(SystemClock().now())
        self.user = fake.make_user("keyward-prod", remark="keyward lane prod")
        self.root = fake.make_key(fake.root)

    def job(self, admin: Key | None = None, mark: str = MARK, base_url: str = "", **scope: object) -> Job:
        key = admin or self.root
        entry = Entry("prod", "cloud", detector.ACCESS_KEY, "vault", "prod/cloud", Target(base_url or self.fake.url), scope)
        ports = Ports(ROTATOR.hosts(entry), clock=self.clock, fences=(self.fence,))
        return Job(entry, ports, parts(key), mark)

    def verdict(self, values: SecretParts, kind: Any = detector.ACCESS_KEY) -> Any:
        target = Target(self.fake.url)
        with Ports(Hosts(detector.HOSTS).with_url(target.base_url), clock=SystemClock()) as ports:
            return detector.verify(Credential(kind, values), target, ports)


def parts(key: Key) -> SecretParts:
    return {"id": Secret(key.id.encode()), "secret": Secret(key.secret.encode())}


@pytest.fixture
def world() -> Iterator[World]:
    with FakeTencent(throttle=False) as fake:
        yield World(fake)


def test_a_key_is_replaced(world: World) -> None:
    old = world.fake.make_key(world.user)
    job = world.job()
    assert ROTATOR.identify(job, parts(old)) == old.id
    before = ROTATOR.inventory(job)
    assert (before.ids(), before.lane_owned) == ({old.id}, True)
    new = ROTATOR.issue(job, {}, parts(old))
    assert new.parts.keys() == {"id", "secret"} and new.id not in before.ids()
    held = ROTATOR.inventory(job).get(new.id)
    assert held is not None and held.mark == MARK and held.active
    assert abs((held.created or 0) - world.fake.clock.now()) < 60
    assert isinstance(world.verdict(new.parts), Live)

    ROTATOR.disable(job, old.id, parts(old))
    ROTATOR.disable(job, old.id, parts(old))
    assert isinstance(world.verdict(parts(old)), Dead)
    ROTATOR.enable(job, old.id, parts(old))
    live = world.verdict(parts(old))
    assert isinstance(live, Live) and live.evidence.public_id == old.id and str(world.user.uin) in live.principal
    ROTATOR.revoke(job, old.id, parts(old))
    ROTATOR.revoke(job, old.id, {})
    ROTATOR.disable(job, old.id, {})
    assert isinstance(world.verdict(parts(old)), Dead)
    assert ROTATOR.inventory(job).ids() == {new.id}
    assert world.verdict(new.parts).evidence.status == "ok"
    seen = [change.removeprefix("cam:") for change in world.fence.changes]
    assert [each for each in seen if each in {s.label for s in world.fake.changes}] == seen
    assert [s.label for s in world.fake.changes] == [
        "CreateAccessKey", *["UpdateAccessKey"] * 4, "DeleteAccessKey",
    ]  # fmt: skip


def test_a_key_that_is_disabled_already_is_deleted_without_disabling_it_again(world: World) -> None:
    """As the engine does it; an account may make five changes a second."""
    old = world.fake.make_key(world.user)
    ROTATOR.disable(world.job(), old.id, parts(old))
    ROTATOR.revoke(world.job(), old.id, parts(old))
    assert world.fence.changes == ["cam:UpdateAccessKey", "cam:DeleteAccessKey"]
    assert isinstance(world.verdict(parts(old)), Dead)


def test_every_call_goes_through_the_fence(world: World) -> None:
    old = world.fake.make_key(world.user)
    job = world.job()
    ROTATOR.issue(job, {}, {})
    ROTATOR.revoke(job, old.id, {})
    assert len(world.fence.outcomes) == len(world.fake.seen)
    assert world.fence.changes == ["cam:CreateAccessKey", "cam:UpdateAccessKey", "cam:DeleteAccessKey"]


def test_root_keys(world: World) -> None:
    other = world.fake.make_key(world.fake.root)
    job = world.job(root=True)
    assert ROTATOR.identify(job, parts(other)) == other.id
    assert not ROTATOR.inventory(job).lane_owned
    with pytest.raises(SlotsFull):
        ROTATOR.issue(job, {}, {})
    ROTATOR.revoke(job, other.id, {})
    assert isinstance(world.verdict(ROTATOR.issue(job, {}, {}).parts), Live)
    assert [w.code for w in ROTATOR.review(job, ROTATOR.inventory(job))] == ["root"]
    with pytest.raises(Refused, match="disable itself"):
        ROTATOR.disable(job, world.root.id, {})
    sub = world.fake.make_key(world.user)
    with pytest.raises(Refused, match="no root key"):
        ROTATOR.inventory(world.job(sub, root=True))


def test_only_the_exact_key_is_found(world: World) -> None:
    stranger = world.fake.make_key(world.fake.make_user("somebody"))
    world.fake.make_key(world.user)
    mine = world.fake.make_key(world.user)
    job = world.job()
    with pytest.raises(Refused, match="none of sub-user keyward-prod"):
        ROTATOR.identify(job, parts(stranger))
    assert ROTATOR.identify(job, {"secret": Secret(mine.secret.encode())}) == mine.id
    for lone in ({"secret": Secret(stranger.secret.encode())}, {}):
        with pytest.raises(Refused):
            ROTATOR.identify(job, lone)
    with pytest.raises(Refused, match="UinNotMatch"):
        ROTATOR.revoke(job, stranger.id, {})
    with pytest.raises(Refused, match="no sub-user nobody"):
        ROTATOR.inventory(world.job(user="nobody"))
    assert isinstance(world.verdict(parts(stranger)), Live)


def test_a_lost_reply_is_uncertain_and_the_mark_finds_the_orphan(world: World) -> None:
    job = world.job()
    before = ROTATOR.inventory(job).ids()
    world.fake.fail(Fault("lost", label="CreateAccessKey"))
    with pytest.raises(Uncertain):
        ROTATOR.issue(job, {}, {})
    orphans = [h for h in ROTATOR.inventory(job).held if h.id not in before and h.mark == MARK]
    assert len(orphans) == 1
    ROTATOR.revoke(job, orphans[0].id, {})
    assert ROTATOR.inventory(job).ids() == before


@pytest.mark.parametrize(
    ("how", "error"), [("reset", Uncertain), ("500", Uncertain), ("429", Throttled)], ids=["reset", "500", "429"]
)
def test_faults_of_a_changing_call(world: World, how: str, error: type[ProviderError]) -> None:
    world.fake.fail(Fault(how, label="CreateAccessKey"))
    with pytest.raises(error):
        ROTATOR.issue(world.job(), {}, {})
    assert ROTATOR.inventory(world.job()).held == () and world.fence.changes == ["cam:CreateAccessKey"]


def test_reading_calls_are_tried_again_and_a_server_that_is_away_is_unreachable(world: World) -> None:
    world.fake.fail(Fault("reset", label="ListAccessKeys", times=2))
    assert ROTATOR.inventory(world.job()).held == ()
    with FakeTencent() as gone:
        base_url = gone.url
    with pytest.raises(Unreachable):
        ROTATOR.issue(world.job(base_url=base_url), {}, {})


def test_no_proxy_of_the_environment_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeTencent() as gone:
        nowhere = gone.url
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nowhere)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert ROTATOR.inventory(world.job()).held == ()


def test_wrong_admin_missing_right_and_slots(world: World) -> None:
    wrong = Key(world.root.id, world.root.secret[::-1], 0.0, "")
    with pytest.raises(Refused, match="SignatureFailure"):
        ROTATOR.inventory(world.job(wrong))
    weak = world.fake.make_user("weak", world.fake.make_policy("read", "cam:GetUser", "cam:ListAccessKeys").id)
    admin = world.fake.make_key(weak)
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(world.job(admin), {}, {})
    assert caught.value.hint == "Allow `cam:CreateAccessKey` in its CAM policy."
    with pytest.raises(Refused, match="has no part `id`"):
        ROTATOR.inventory(world.job()._replace(admin={}))
    world.fake.make_key(world.user)
    world.fake.make_key(world.user)
    with pytest.raises(SlotsFull):
        ROTATOR.issue(world.job(), {}, {})
    with pytest.raises(HostRefused):
        job = world.job(base_url="https://cam.example.org")
        ROTATOR.inventory(job._replace(ports=Ports(Hosts(ROTATOR.public_hosts))))


def test_messages_that_quote_secrets_are_not_passed_on() -> None:
    with FakeTencent(quoting=True, throttle=False) as fake:
        world = World(fake)
        wrong = Key(world.root.id, secrets.token_hex(16), 0.0, "")
        weak = fake.make_key(fake.make_user("weak", fake.make_policy("read", "cam:GetUser").id))
        for act in (lambda: ROTATOR.inventory(world.job(wrong)), lambda: ROTATOR.issue(world.job(weak), {}, {})):
            with pytest.raises(ProviderError) as caught:
                act()
            error: BaseException | None = caught.value
            while error is not None:  # the SDK's own error, which quotes, must not hang on it either
                assert "Credential=" not in repr(error) and "TargetUin" not in repr(error)
                error = error.__cause__ or error.__context__


class International(FakeTencent):
    """Keys have no description there: the parameter is unknown."""

    def _do_CreateAccessKey(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        if "Description" in arguments:
            raise Denied("UnknownParameter")
        return super()._do_CreateAccessKey(caller, arguments)


def test_the_international_site_has_no_marks() -> None:
    with International(prefix="IKID", throttle=False) as fake:
        world = World(fake)
        for scope in ({}, {"site": "international"}):
            job = world.job(**scope)
            new = ROTATOR.issue(job, {}, {})
            assert new.id.startswith("IKID")
            inventory = ROTATOR.inventory(job)
            assert inventory.lane_owned and [held.mark for held in inventory.held if held.id == new.id] == [""]
        assert ROTATOR.capabilities_for(world.job().entry).marks
        assert not ROTATOR.capabilities_for(job.entry).marks
        assert world.fence.changes == ["cam:CreateAccessKey"] * 3


def test_provision_makes_a_sub_user_with_policy_and_boundary_once(world: World) -> None:
    world.fake.make_policy("boundary", "cos:*")
    policy = {"version": "2.0", "statement": [{"effect": "allow", "action": ["cos:GetObject"], "resource": ["*"]}]}
    job = world.job(user="lane-two", policy=policy, boundary="boundary")

    def changes(apply: bool, job: Job = job) -> list[Change]:
        return list(ROTATOR.provision(job, apply=apply))

    planned = changes(False)
    assert [change.done for change in planned] == [False] * 4 and world.fake.changes == []
    assert changes(True) == planned
    user = next(each for each in world.fake.users.values() if each.name == "lane-two")
    assert (user.remark, user.console, user.keys) == ("keyward lane prod", False, {})
    assert [world.fake.policies[id].name for id in user.policies] == ["keyward-prod"] and user.boundary is not None
    before = len(world.fake.changes)
    assert all(change.done for change in changes(True)) and len(world.fake.changes) == before
    wider = job._replace(entry=job.entry._replace(scope={**job.entry.scope, "policy": {**policy, "statement": []}}))
    assert [change.done for change in changes(True, wider)] == [True, False, True, True]
    assert ROTATOR.inventory(job).lane_owned
    world.fake.make_user("taken")
    with pytest.raises(Refused, match="not marked"):
        changes(True, world.job(user="taken"))
    assert not ROTATOR.inventory(world.job(user="taken")).lane_owned


def test_review_names_broad_and_unused_keys() -> None:
    now = SystemClock()
    with FakeTencent(throttle=False) as fake:
        world = World(fake)
        world.clock = ManualClock(now.now())
        world.user.policies.append(ADMINISTRATOR)
        key = fake.make_key(world.user)
        job = world.job()
        assert [w.code for w in ROTATOR.review(job, ROTATOR.inventory(job))] == ["over-broad"]
        world.clock.sleep(80 * 86400)
        found = list(ROTATOR.review(job, ROTATOR.inventory(job)))
        assert [w.code for w in found] == ["over-broad", "unused"] and key.id in found[1].text and "90" in found[1].text


# The verifier


def test_verify_tells_wrong_secrets_dead_keys_and_a_wrong_clock() -> None:
    clock = ManualClock()
    with FakeTencent(clock=clock, throttle=False) as fake:
        user = fake.make_user("u")
        key = fake.make_key(user)

        def ask(values: SecretParts, at: ManualClock = clock, kind: Any = detector.ACCESS_KEY) -> Any:
            target = Target(fake.url)
            with Ports(Hosts(detector.HOSTS).with_url(fake.url), clock=at) as ports:
                return detector.verify(Credential(kind, values), target, ports)

        assert isinstance(ask(parts(key)), Live)
        assert isinstance(ask({**parts(key), "secret": Secret(b"x" * 32)}), Dead)
        assert isinstance(ask({"id": Secret(key.id.encode())}), Unknown)
        late = ask(parts(key), ManualClock(clock.now() + 600))
        assert isinstance(late, Unknown) and "clock" in late.reason
        temporary = {**parts(key), "session_token": Secret(b"t" * 120)}
        assert isinstance(ask(temporary, kind=detector.TEMPORARY), Live)
        assert isinstance(ask(parts(key), kind=detector.TEMPORARY), Unknown)
        del user.keys[key.id]
        assert isinstance(ask(parts(key)), Dead)


@pytest.mark.parametrize("case", detector.CASES, ids=lambda case: case.name)
def test_cases(case: Any) -> None:
    import httpx

    answers = [httpx.Response(each.status, text=each.body, headers=dict(each.headers)) for each in case.answers]

    def client(_: object) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(lambda request: answers.pop(0) if len(answers) > 1 else answers[0]))

    values = {"id": Secret(b"AKIDx"), "secret": Secret(b"y"), **{k: Secret(v.encode()) for k, v in case.parts.items()}}
    if case.kind == detector.TEMPORARY:
        values["session_token"] = Secret(b"z")
    with Ports(Hosts(detector.HOSTS), clock=ManualClock(), client=client) as ports:
        try:
            verdict: Any = detector.verify(Credential(case.kind, values), Target(), ports)
        except ProviderError:
            verdict = Unknown("raised")
    expected = {"live": Live, "dead": Dead, "restricted": Restricted, "unknown": Unknown}[case.verdict]
    assert isinstance(verdict, expected)


def test_our_signature_is_the_sdks() -> None:
    request = importlib.import_module("tencentcloud.common.http.request").RequestInternal
    client = importlib.import_module("tencentcloud.sts.v20180813.sts_client").StsClient(None, "ap-guangzhou")
    for stamp, body in ((1_800_000_000, b"{}"), (1_790_000_001, '{"Description": "é"}'.encode())):
        headers = {"Content-Type": "application/json", "Host": "sts.tencentcloudapi.com", "X-TC-Timestamp": str(stamp)}
        made = request("sts.tencentcloudapi.com", "POST", "/", headers, body)
        day = {1_800_000_000: "2027-01-15", 1_790_000_001: "2026-09-21"}[stamp]
        theirs = client._get_tc3_signature({}, made, day, "sts", "k" * 32)
        ours = detector.sign(
            "AKIDx", "k" * 32, "sts", {"content-type": "application/json", "host": "sts.tencentcloudapi.com"}, body, stamp
        )
        assert ours == (
            f"TC3-HMAC-SHA256 Credential=AKIDx/{day}/sts/tc3_request, SignedHeaders=content-type;host, Signature={theirs}"
        )


@pytest.mark.parametrize("where", [detector.endpoint, _tencent_cam.endpoint], ids=["detector", "rotator"])
def test_endpoints(where: Callable[[str, Target], str]) -> None:
    assert where("sts", Target()) == "https://sts.tencentcloudapi.com"
    assert where("cam", Target("https://intl.tencentcloudapi.com")) == "https://cam.intl.tencentcloudapi.com"
    assert where("sts", Target("https://cam.intl.tencentcloudapi.com")) == "https://sts.intl.tencentcloudapi.com"
    assert where("cam", Target("http://127.0.0.1:8080/")) == "http://127.0.0.1:8080"
